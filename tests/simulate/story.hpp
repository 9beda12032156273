#pragma once
// One run: people who write, a router that is killed, a homeserver, agents and a disk that fail.
// Then everything heals, and the oracle looks at what is left.

#include "tests/simulate/chronicle.hpp"
#include "tests/simulate/disks.hpp"
#include "tests/simulate/plants.hpp"
#include "tests/simulate/weather.hpp"
#include "tests/support/dialects.hpp"
#include "tests/support/sim_world.hpp"

namespace pb::simulate {

struct run_result {
  std::uint64_t seed = 0, hash = 0, steps = 0;
  std::size_t crashes = 0, messages = 0, turns = 0;
  std::string sky;
  std::vector<violation> violations;
  std::vector<std::string> lines; ///< the last ones before the first violation was noticed
};

struct run_options {
  const plant* planted = nullptr;
  std::vector<std::string> without; ///< faults that are switched off, by the names of weather
  bool aloud = false;
};

run_result run_seed(std::uint64_t seed, const run_options& how);

/// "agent_2" of an agent's address.
std::string agent_of(const std::string& url);

class story {
public:
  story(std::uint64_t seed, const run_options& how);
  run_result tell();

private:
  struct place {
    bool chat = false, lobby = false;
    std::string owner; ///< localpart
    bool ready = false, expelled = false;
  };

  // -- faults --
  test::http_fate fate_of(http_request& r);
  scripted::dial_plan dial_plan_of(const link_request& r);
  std::vector<scripted::step> answer_of(const scripted::heard& h);
  void wire_up(const plant* planted);

  // -- acts --
  void act();
  void people_act();
  void speak(const std::string& who, const std::string& room, wish what);
  void change(const std::string& who);
  void burst(const std::string& who);
  void outage();
  void kill();
  void stop();
  void collect_asked();
  void expel();
  void call_back();
  void rise();
  void die(const char* how);
  void live(std::chrono::milliseconds time);
  void heal();
  bool quiet_within(std::chrono::minutes limit);
  void ask_last();

  // -- looking around --
  void look();
  bool ready(const std::string& room);
  std::vector<std::string> rooms_of(const std::string& who, bool lobbies);
  void note(const std::string& about, const std::string& what) {
    book_.note(w_.clock.now(), about, what);
  }

  std::uint64_t seed_;
  weather sky_;
  chronicle book_;
  disk_mood mood_;
  dice acts_, net_, minds_;
  bool stormy_ = false, up_ = false;
  int last_tag_ = 0, last_device_ = 0;
  std::vector<std::string> people_;
  std::map<std::string, place> places_;
  test::sim_world w_;
  const scripted::tongue& speaks_; ///< of all agents
  std::unique_ptr<scripted::dialect> far_;
};

} // namespace pb::simulate

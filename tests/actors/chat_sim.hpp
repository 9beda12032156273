#pragma once
// What the simulations of a chat share: what people do in a room, and what they see there.

#include "actors/phrases.hpp"
#include "tests/support/sim_world.hpp"

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <unistd.h>

namespace pb::test {

using namespace std::chrono_literals;
using namespace pb::scripted;

inline bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

inline std::string en(phrase p, std::initializer_list<std::string_view> args = {}) {
  return say(language::en, p, args);
}

/// What the bot replied to a command, after two seconds.
inline std::string answer_to(sim_world& w, const std::string& room, const std::string& text,
                             const std::string& who = "alice") {
  const auto event = w.say(who, room, text);
  w.run_for(2s);
  const auto replies = w.replies_to(room, event);
  return replies.empty() ? "" : replies.back();
}

inline std::string event_of(sim_world& w, const std::string& who, const std::string& room,
                            const std::string& type, const json& content) {
  const auto sent = w.server.send("@" + who + ":localhost", room, type, content);
  REQUIRE(sent);
  return *sent;
}

inline std::string react(sim_world& w, const std::string& room, const std::string& target,
                         const std::string& key, const std::string& who = "alice") {
  return event_of(
      w, who, room, "m.reaction",
      {{"m.relates_to", {{"rel_type", "m.annotation"}, {"event_id", target}, {"key", key}}}});
}

/// The newest prompt in the room.
inline json prompt_in(const sim_world& w, const std::string& room) {
  json found;
  for (const auto& e : w.answers(room))
    if (e.at("content").contains(json::json_pointer("/io.patchbay.delivery/confirmation")))
      found = e;
  return found;
}

inline script asking() {
  return by_opening(
      [](const heard&) {
        return std::vector<step>{confirm("c1", "Delete **all**?"), await_confirm("c1"),
                                 tell_decision(), end()};
      },
      [](const heard&) {
        return std::vector<step>{tell_decision(), end()};
      });
}

struct folder {
  std::filesystem::path at;
  folder() : at(std::filesystem::temp_directory_path() / ("pb-chat-" + std::to_string(++made))) {
    std::filesystem::remove_all(at);
    std::filesystem::create_directories(at);
  }
  folder(const folder&) = delete;
  folder& operator=(const folder&) = delete;
  ~folder() { std::filesystem::remove_all(at); }
  void write(const std::string& name, const std::string& text) const {
    std::filesystem::create_directories((at / name).parent_path());
    std::ofstream{at / name} << text;
  }
  [[nodiscard]] std::string read(const std::string& name) const {
    std::ifstream in{at / name};
    return {std::istreambuf_iterator<char>{in}, {}};
  }
  static inline int made = static_cast<int>(::getpid());
};

/// The agent that a simulated world has by itself, to be changed.
inline agent_spec echo_agent() {
  agent_spec spec;
  spec.id = agent_id{"echo"};
  spec.label = "Echo";
  spec.base_url = "http://127.0.0.1:7000/agent_1";
  return spec;
}

inline sim_options with(agent_spec spec, std::uint64_t seed = 1) {
  sim_options o;
  o.seed = seed;
  o.agent = std::move(spec);
  return o;
}

inline sim_options with_workspace(const folder& f) {
  auto spec = echo_agent();
  spec.workspace = f.at.string();
  return with(std::move(spec));
}

inline std::string marker_state(const sim_world& w, const std::string& room) {
  std::string out;
  for (const auto& e : w.server.events(room))
    if (e.at("type") == "io.patchbay.chat")
      out = e.at("content").at("state");
  return out;
}

} // namespace pb::test

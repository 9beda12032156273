#pragma once
// The rooms, people and agents of one benchmark run: fixed by a few numbers, written out on demand.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace pb::bench {

struct shape {
  std::uint32_t rooms = 100;
  std::uint32_t rooms_per_person = 10;
  std::uint32_t agents = 10;
  std::uint32_t body_bytes = 120; ///< of a person's text, and of an answer
  std::uint32_t deltas = 5;       ///< text chunks of an answer; 0 is one chunk
  std::uint32_t frames_per_write = 1;
  std::uint32_t pace_ms = 0; ///< between two chunks of an answer; 0: all at once
  bool echo = false;         ///< agents name the turn in each frame: their sockets may be kept
};

/// A chat room or a Space, by number.
struct place {
  bool space = false;
  std::uint32_t index = 0;
};

struct state_event {
  std::string type, key, sender, content; ///< content is JSON
};

inline constexpr std::string_view bot_id = "@patchbay:bench";

/// Chat room r belongs to person r / rooms_per_person, is that person's chat C(r % rooms_per_person
/// + 1) and is bound to agent r % agents + 1. Every person has one Space.
class topology {
public:
  explicit topology(shape s) : shape_(s) {}

  [[nodiscard]] const shape& form() const { return shape_; }
  [[nodiscard]] std::uint32_t people() const {
    return (shape_.rooms + shape_.rooms_per_person - 1) / shape_.rooms_per_person;
  }
  [[nodiscard]] std::uint32_t person_of(std::uint32_t room) const {
    return room / shape_.rooms_per_person;
  }
  /// Counted from 1, as in the agents' addresses.
  [[nodiscard]] std::uint32_t agent_of(std::uint32_t room) const {
    return room % shape_.agents + 1;
  }
  [[nodiscard]] std::uint64_t chat_id_of(std::uint32_t room) const { return 1'000 + room; }
  [[nodiscard]] std::optional<std::uint32_t> room_of_chat(std::uint64_t chat_id) const;

  [[nodiscard]] static std::string person_id(std::uint32_t person);
  [[nodiscard]] static std::string id_of(place p);
  [[nodiscard]] std::optional<place> find(std::string_view room_id) const;

  /// The state as it is now: what the room began with and what was written since.
  [[nodiscard]] std::vector<state_event> state_of(place p) const;
  void write_state(place p, std::string type, std::string key, std::string content);

  /// As an array of Matrix events.
  void append_state(std::string& out, place p) const;
  static void append_event(std::string& out, place p, const state_event& e);

private:
  [[nodiscard]] std::vector<state_event> first_state_of_chat(std::uint32_t room) const;
  [[nodiscard]] std::vector<state_event> first_state_of_space(std::uint32_t person) const;

  shape shape_;
  std::unordered_map<std::string, std::map<std::pair<std::string, std::string>, std::string>>
      written_;
};

} // namespace pb::bench

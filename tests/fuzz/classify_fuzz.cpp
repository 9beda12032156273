// Any bytes as the content of a message, from somebody who may speak: a decision, always the same
// one, and never more than a room may ask for. The first byte chooses type, kind and language.

#include "actors/room/classify_logic.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

namespace {

using namespace pb;

/// The decision as text, to compare two of them.
struct shown {
  std::string operator()(const asks::nothing& v) const { return "nothing " + v.why; }
  std::string operator()(const asks::turn& v) const {
    return "turn " + v.text + v.quotes.value + v.quoted + (v.file ? v.file->name : "");
  }
  std::string operator()(const asks::number& v) const { return "number " + std::to_string(v.n); }
  std::string operator()(const asks::reaction& v) const {
    return (v.yes ? "yes to " : "no to ") + v.target.value;
  }
  std::string operator()(const asks::command& v) const {
    return "command " + std::to_string(static_cast<int>(v.name)) + ' ' + v.argument;
  }
  std::string operator()(const asks::refusal& v) const { return "refusal " + v.sentence; }
  std::string operator()(const asks::edit& v) const { return "edit " + v.target.value + v.text; }
  std::string operator()(const asks::redaction& v) const { return "redaction " + v.target.value; }
  std::string operator()(const asks::encrypted&) const { return "encrypted"; }
};

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0)
    return 0;
  constexpr std::array types{"m.room.message",   "m.room.message", "m.room.redaction",
                             "m.room.encrypted", "m.reaction",     "m.sticker",
                             "m.poll.start",     "m.room.message"};
  room_rules rules;
  rules.bot = user_id{"@bot:hs"};
  rules.max_message_bytes = 64;
  room_view room;
  room.owner = user_id{"@owner:hs"};
  room.kind = (data[0] & 4U) != 0 ? room_kind::lobby : room_kind::chat;
  room.lang = (data[0] & 8U) != 0 ? language::ru : language::en;
  matrix_event event;
  event.id = event_id{"$e"};
  event.room = room_id{"!r:hs"};
  event.sender = room.owner;
  event.type = types[(data[0] & 3U) | ((data[0] & 16U) >> 2U)];
  if ((data[0] & 32U) != 0)
    room.questioned = room.owner;
  event.content.assign(data + 1, data + size);

  const auto once = classify(event, room, rules);
  if (std::visit(shown{}, once) != std::visit(shown{}, classify(event, room, rules)))
    std::abort();
  if (const auto* turn = std::get_if<asks::turn>(&once))
    if ((turn->text.empty() && !turn->file) || turn->text.size() > rules.max_message_bytes ||
        room.kind != room_kind::chat)
      std::abort();
  if (const auto* refusal = std::get_if<asks::refusal>(&once))
    if (refusal->sentence.empty() || refusal->sentence.size() > 4096)
      std::abort();

  event.sender = user_id{"@stranger:hs"};
  const auto stranger = classify(event, room, rules);
  if (!std::holds_alternative<asks::nothing>(stranger) &&
      !std::holds_alternative<asks::encrypted>(stranger))
    std::abort();
  event.sender = rules.bot;
  if (!std::holds_alternative<asks::nothing>(classify(event, room, rules)))
    std::abort();
  return 0;
}

// Any bytes as the body of /sync: every event that comes out can be read by a strict parser.

#include "bridges/matrix/content.hpp"
#include "bridges/matrix/facts.hpp"
#include "bridges/matrix/sync.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string_view>

namespace {

void check(const pb::matrix_event& e) {
  const nlohmann::json content = nlohmann::json::parse(e.content, nullptr, false);
  if (!content.is_object() || e.id.empty() || e.sender.empty() || e.room.empty())
    std::abort();
  (void)pb::matrix::parse_message(e.content);
  (void)pb::matrix::redaction_target(e.content);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  const auto r = pb::matrix::parse_sync(body);
  if (!r)
    return 0;
  if (r->next_batch.empty() || r->poisoned.items.size() > r->poisoned.total)
    std::abort();
  const pb::user_id bot("@bot_2:localhost");
  for (const auto& room : r->join) {
    for (const auto* list : {&room.state, &room.timeline})
      for (const pb::matrix_event& e : *list)
        check(e);
    auto facts = pb::matrix::gather_facts(room.room, bot, room.state);
    for (const pb::matrix_event& e : room.timeline)
      pb::matrix::apply(facts, e, bot);
    (void)pb::matrix::restore_room(facts, bot);
  }
  for (const auto& room : r->invite)
    (void)pb::matrix::invitation(room, bot);
  for (const auto& room : r->leave)
    (void)pb::matrix::own_membership(room.timeline, bot);
  return 0;
}

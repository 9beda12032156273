// What the store has set aside, for operators: events that nobody understood, and what could not be
// said.

#include "actors/supervisor.hpp"

namespace pb {

using namespace std::chrono_literals;

namespace {

std::string json_of(const poison_row& r) {
  return "{\"seq\":" + std::to_string(r.seq) + ",\"room\":" + json_quote(r.room.value) +
         ",\"event\":" + json_quote(r.event.value) + ",\"reason\":" + json_quote(r.reason) +
         ",\"at\":" + std::to_string(r.at) + ",\"raw\":" + json_quote(r.raw) + "}";
}

std::string json_of(const outbox_row& r) {
  return "{\"seq\":" + std::to_string(r.seq) + ",\"id\":" + json_quote(r.id.value) +
         ",\"room\":" + json_quote(r.room.value) + ",\"type\":" + json_quote(r.type) +
         ",\"turn\":" + json_quote(r.turn.value) + ",\"made_at\":" + std::to_string(r.made_at) +
         ",\"reason\":" + json_quote(r.reason) + ",\"trace\":" + json_quote(r.tr.ref) + "}";
}

template <class Row>
void hand_over(const list_aside& m, const std::vector<Row>& rows) {
  std::vector<std::string> items;
  items.reserve(rows.size());
  for (const auto& r : rows)
    items.push_back(json_of(r));
  (*m.answer)(true, std::move(items), rows.size() < m.limit ? 0 : rows.back().seq);
}

} // namespace

void supervisor_state::list(const list_aside& m) {
  const auto failed = [m](caf::error&) { (*m.answer)(false, {}, 0); };
  if (!children_[store_part].actor)
    return (*m.answer)(false, {}, 0);
  const auto store = handle<persistence_actor>(store_part);
  if (m.what == list_aside::kind::poison)
    self_->request(store, 10s, store_poison{m.before, m.limit})
        .then([m](const poison_page& page) { hand_over(m, page.rows); }, failed);
  else
    self_->request(store, 10s, store_dead{m.before, m.limit})
        .then([m](const outbox_page& page) { hand_over(m, page.rows); }, failed);
}

} // namespace pb

// What the admin API asks for or brings: what the store has set aside (events that nobody
// understood, what could not be said), confirmations, and what agents say outside turns.

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

std::string_view word_of(confirmation_state s) {
  switch (s) {
  case confirmation_state::open:
    return "open";
  case confirmation_state::yes:
    return "yes";
  case confirmation_state::no:
    return "no";
  case confirmation_state::expired:
    return "expired";
  case confirmation_state::orphaned:
    return "orphaned";
  case confirmation_state::dropped:
    return "dropped";
  }
  return "unknown";
}

std::string json_of(const confirmation_row& r) {
  return "{\"id\":" + json_quote(r.id.value) + ",\"number\":" + std::to_string(r.number) +
         ",\"state\":" + json_quote(word_of(r.state)) + ",\"room\":" + json_quote(r.room.value) +
         ",\"agent\":" + json_quote(r.agent.value) +
         ",\"platform_chat_id\":" + std::to_string(r.chat.value) +
         ",\"turn\":" + json_quote(r.turn.value) + ",\"name\":" + json_quote(r.name) +
         ",\"prompt\":" + json_quote(r.prompt) + ",\"asker\":" + json_quote(r.asker.value) +
         ",\"made_at\":" + std::to_string(r.made_at) +
         ",\"expires_at\":" + std::to_string(r.expires_at) +
         ",\"answered_by\":" + (r.answered_by.empty() ? "null" : json_quote(r.answered_by.value)) +
         ",\"delivered\":" + (r.delivered ? "true" : "false") + "}";
}

std::int64_t place_of(const poison_row& r) { return r.seq; }
std::int64_t place_of(const outbox_row& r) { return r.seq; }
std::int64_t place_of(const confirmation_row& r) { return r.seq; }

template <class Row>
void hand_over(const list_aside& m, const std::vector<Row>& rows) {
  std::vector<std::string> items;
  items.reserve(rows.size());
  for (const auto& r : rows)
    items.push_back(json_of(r));
  (*m.answer)(true, std::move(items), rows.size() < m.limit ? 0 : place_of(rows.back()));
}

/// How long the admin API waits for an answer, and a little more: who asked is gone by then.
constexpr auto push_patience = 10s;

} // namespace

void supervisor_state::list(const list_aside& m) {
  const auto failed = [m](caf::error&) { (*m.answer)(false, {}, 0); };
  if (!children_[store_part].actor)
    return (*m.answer)(false, {}, 0);
  const auto store = handle<persistence_actor>(store_part);
  const auto pass_on = [m](const auto& page) { hand_over(m, page.rows); };
  switch (m.what) {
  case list_aside::kind::poison:
    self_->request(store, 10s, store_poison{m.before, m.limit})
        .then([pass_on](const poison_page& page) { pass_on(page); }, failed);
    break;
  case list_aside::kind::dead:
    self_->request(store, 10s, store_dead{m.before, m.limit})
        .then([pass_on](const outbox_page& page) { pass_on(page); }, failed);
    break;
  case list_aside::kind::open_confirmations:
  case list_aside::kind::confirmations:
    self_
        ->request(
            store, 10s,
            store_confirmations{m.what == list_aside::kind::open_confirmations, m.before, m.limit})
        .then([pass_on](const confirmation_page& page) { pass_on(page); }, failed);
    break;
  }
}

void supervisor_state::push(const push_now& m) {
  auto answer = m.answer;
  if (stopping_ || !children_[rooms_part].actor)
    return (*answer)(fault{fault_code::busy, "the rooms do not run", {}});
  self_->request(handle<room_directory_actor>(rooms_part), push_patience, m.what)
      .then([answer](done) { (*answer)(std::nullopt); },
            [answer](caf::error& e) { (*answer)(to_fault(e)); });
}

} // namespace pb

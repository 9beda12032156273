#include "bridges/matrix/homeserver/relations.hpp"

#include <algorithm>
#include <tuple>

namespace pb::hs {
namespace {

const std::vector<event_ptr>& related_to(const room& r, const event& e) {
  static const std::vector<event_ptr> none;
  const auto i = r.related.find(e.id);
  return i == r.related.end() ? none : i->second;
}

} // namespace

relation relation_of(const event& e) {
  const auto* to = member(e.content, "m.relates_to");
  if (to == nullptr || e.state_key)
    return {};
  relation out{text_or_empty(*to, "rel_type"), text_or_empty(*to, "event_id")};
  return out.kind.empty() || out.target.empty() ? relation{} : out;
}

const event* replacement(const room& r, const event& e) {
  if (e.state_key || e.redacted || relation_of(e).kind == "m.replace")
    return nullptr;
  const event* best = nullptr;
  for (const auto& x : related_to(r, e)) {
    const auto* fresh = member(x->content, "m.new_content");
    if (relation_of(*x).kind != "m.replace" || x->sender != e.sender || x->type != e.type ||
        (e.type != "m.room.encrypted" && (fresh == nullptr || !fresh->is_object())))
      continue;
    if (best == nullptr || std::tie(best->ts, best->id) < std::tie(x->ts, x->id))
      best = x.get();
  }
  return best;
}

std::vector<const event*> thread_of(const room& r, const event& root) {
  std::vector<const event*> out;
  for (const auto& x : related_to(r, root))
    if (relation_of(*x).kind == "m.thread") // a redacted one has no relation any more
      out.push_back(x.get());
  return out;
}

bool took_part(const room& r, const event& root, const std::string& user) {
  return root.sender == user ||
         std::ranges::any_of(thread_of(r, root), [&](const event* e) { return e->sender == user; });
}

json bundled_form(const room& r, const event& e, const viewer& v, bool in_sync) {
  auto out = wire_form(e, v, in_sync);
  if (!r.related.contains(e.id) || !out["unsigned"].is_object())
    return out;
  json added = json::object();
  if (const auto* edit = replacement(r, e))
    added["m.replace"] = wire_form(*edit, v, in_sync);
  if (const auto thread = thread_of(r, e); !thread.empty())
    added["m.thread"] = {
        {"latest_event", bundled_form(r, *thread.back(), v, in_sync)},
        {"count", thread.size()},
        {"current_user_participated", took_part(r, e, v.device.substr(0, v.device.find(' ')))}};
  if (!added.empty())
    out["unsigned"]["m.relations"] = std::move(added);
  return out;
}

} // namespace pb::hs

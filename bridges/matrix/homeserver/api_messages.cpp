// Reading history: pages, single events, their surroundings, relations.

#include "bridges/matrix/homeserver/endpoints.hpp"
#include "bridges/matrix/homeserver/relations.hpp"
#include "bridges/matrix/homeserver/sync_filter.hpp"

#include <algorithm>
#include <functional>

namespace pb::hs::api {
namespace {

position place(const std::string& token) {
  const auto read = read_token(token);
  if (!read)
    refuse(400, "M_INVALID_PARAM", "Invalid stream token");
  return read->stream;
}

bool backwards(const call& c) {
  const auto dir = c.ask("dir");
  if (!dir)
    refuse(400, "M_MISSING_PARAM", "Missing query parameter 'dir'");
  if (*dir != "b" && *dir != "f")
    refuse(400, "M_INVALID_PARAM", "Query parameter 'dir' must be one of 'b', 'f'");
  return *dir == "b";
}

event_filter filter_of(const call& c) {
  const auto text = c.ask("filter");
  return text ? read_event_filter(parse_json(*text)) : event_filter{};
}

std::size_t limit_of(const call& c, std::size_t fallback, std::size_t most) {
  const auto limit = c.ask_int("limit").value_or(static_cast<std::int64_t>(fallback));
  return static_cast<std::size_t>(
      std::clamp<std::int64_t>(limit, 1, static_cast<std::int64_t>(most)));
}

struct page {
  std::vector<const event*> events;
  position end = 0;  ///< where the next page begins
  bool more = false; ///< there are events beyond
};

/// Walks over raw events, stops at `limit` fitting ones, at `until`, or after reading far: then the
/// page may even be empty and `more` is true all the same.
template <class Fits>
page walk(const room& r, position from, std::optional<position> until, bool back, std::size_t limit,
          Fits fits) {
  page out;
  out.end = from;
  auto allowance = std::max<std::size_t>(100, limit * 10);
  auto i = r.after(from);
  const auto size = r.timeline.size();
  while (out.events.size() < limit && allowance-- > 0) {
    if (back ? i == 0 : i == size)
      break;
    const auto& e = *r.timeline[back ? i - 1 : i];
    if (until && (back ? e.pos <= *until : e.pos > *until))
      break;
    if (fits(e))
      out.events.push_back(&e);
    out.end = back ? e.pos - 1 : e.pos;
    i = back ? i - 1 : i + 1;
  }
  out.more = back ? i > 0 : i < size;
  return out;
}

json wire_list(const room& r, const std::vector<const event*>& events, const viewer& view) {
  json out = json::array();
  for (const auto* e : events)
    out.push_back(bundled_form(r, *e, view, false));
  return out;
}

const event& visible_event(server& s, call& c, const room& r) {
  const auto e = s.w.find_event(c.param("event"));
  if (!e || e->room != r.id || !r.visible(*e, c.who->id))
    refuse(404, "M_NOT_FOUND", "Event not found.");
  return *e;
}

} // namespace

answer messages(server& s, call& c) {
  const auto& r = s.readable_room(c);
  const bool back = backwards(c);
  const auto filter = filter_of(c);
  const auto limit = std::min(limit_of(c, 10, 1'000), filter.limit.value_or(1'000));
  const auto from_text = c.ask("from");
  auto from = from_text ? place(*from_text) : back ? s.w.head() : 0;
  const auto to = c.ask("to");
  // Who left reads up to the leave.
  if (const auto* own = r.current("m.room.member", c.who->id);
      back && own != nullptr && !r.joined.contains(c.who->id))
    from = std::min(from, own->pos);
  const auto p = walk(r, from, to ? std::optional(place(*to)) : std::nullopt, back,
                      std::max<std::size_t>(limit, 1),
                      [&](const event& e) { return filter.passes(e) && r.visible(e, c.who->id); });
  json out{{"chunk", wire_list(r, p.events, c.view(s.w.now()))},
           {"start", from_text ? *from_text : page_token(from)}};
  // No end: nothing further. A page that only `to` cut short has one.
  if (p.more && p.end != from)
    out["end"] = page_token(p.end);
  if (filter.lazy_load_members) {
    json state = json::array();
    std::set<std::string> senders;
    for (const auto* e : p.events)
      if (senders.insert(e->sender).second)
        if (const auto* m = r.at({"m.room.member", e->sender}, e->pos))
          state.push_back(wire_form(*m, c.view(s.w.now()), false));
    if (!state.empty())
      out["state"] = std::move(state);
  }
  return json_answer(out);
}

answer get_event(server& s, call& c) {
  const auto& r = s.readable_room(c);
  return json_answer(bundled_form(r, visible_event(s, c, r), c.view(s.w.now()), false));
}

answer context(server& s, call& c) {
  const auto& r = s.readable_room(c);
  const auto& e = visible_event(s, c, r);
  const auto filter = filter_of(c);
  const auto limit = limit_of(c, 10, 100);
  const auto fits = [&](const event& x) { return filter.passes(x) && r.visible(x, c.who->id); };
  const auto before =
      walk(r, e.pos - 1, std::nullopt, true, std::max<std::size_t>(limit / 2, 1), fits);
  const auto after =
      walk(r, e.pos, std::nullopt, false, std::max<std::size_t>(limit - limit / 2, 1), fits);
  const auto view = c.view(s.w.now());
  json state = json::array();
  for (const auto& [key, history] : r.state)
    if (const auto* x = r.at(key, after.end))
      state.push_back(wire_form(*x, view, false));
  return json_answer({{"event", bundled_form(r, e, view, false)},
                      {"events_before", wire_list(r, before.events, view)},
                      {"events_after", wire_list(r, after.events, view)},
                      {"start", page_token(before.end)},
                      {"end", page_token(after.end)},
                      {"state", std::move(state)}});
}

answer relations(server& s, call& c) {
  const auto& r = s.readable_room(c);
  const auto& target = visible_event(s, c, r);
  const auto dir = c.ask("dir").value_or("b");
  if (dir != "b" && dir != "f")
    refuse(400, "M_INVALID_PARAM", "Query parameter 'dir' must be one of 'b', 'f'");
  const bool back = dir == "b";
  const auto from = c.ask("from");
  const auto to = c.ask("to");
  const auto p = walk(r,
                      from   ? place(*from)
                      : back ? s.w.head()
                             : 0,
                      to ? std::optional(place(*to)) : std::nullopt, back, limit_of(c, 5, 1'000),
                      [&](const event& e) {
                        const auto* relation = member(e.content, "m.relates_to");
                        return relation != nullptr && r.visible(e, c.who->id) &&
                               text_or_empty(*relation, "event_id") == target.id &&
                               (c.param("relation").empty() ||
                                text_or_empty(*relation, "rel_type") == c.param("relation")) &&
                               (c.param("type").empty() || e.type == c.param("type"));
                      });
  json out{{"chunk", wire_list(r, p.events, c.view(s.w.now()))}};
  if (p.more)
    out["next_batch"] = page_token(p.end);
  if (from)
    out["prev_batch"] = *from;
  return json_answer(out);
}

answer threads(server& s, call& c) {
  const auto& r = s.readable_room(c);
  const auto include = c.ask("include").value_or("all");
  if (include != "all" && include != "participated")
    refuse(400, "M_INVALID_PARAM",
           "Query parameter 'include' must be one of 'all', 'participated'");
  const auto from = c.ask("from");
  const auto limit = limit_of(c, 20, 100);
  const auto below = from ? place(*from) : s.w.head();
  std::vector<std::pair<position, const event*>> roots; // by the place of the latest event
  for (const auto& [id, later] : r.related)
    if (const auto root = s.w.find_event(id); root && root->room == r.id &&
                                              r.visible(*root, c.who->id) &&
                                              (include == "all" || took_part(r, *root, c.who->id)))
      if (const auto thread = thread_of(r, *root); !thread.empty() && thread.back()->pos <= below)
        roots.emplace_back(thread.back()->pos, root.get());
  std::ranges::sort(roots, std::greater<>{}, &std::pair<position, const event*>::first);
  json out{{"chunk", json::array()}};
  for (std::size_t i = 0; i < std::min(limit, roots.size()); ++i)
    out["chunk"].push_back(bundled_form(r, *roots[i].second, c.view(s.w.now()), false));
  if (roots.size() > limit)
    out["next_batch"] = page_token(roots[limit].first);
  return json_answer(out);
}

} // namespace pb::hs::api

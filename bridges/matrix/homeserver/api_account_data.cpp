// Account data, tags, filters: what a client keeps on the server for itself.

#include "bridges/matrix/homeserver/endpoints.hpp"
#include "bridges/matrix/homeserver/sync_filter.hpp"

#include <charconv>

namespace pb::hs::api {
namespace {

void check_room(const call& c) {
  if (!c.param("room").empty() && !is_room_id(c.param("room")))
    refuse(400, "M_INVALID_PARAM", c.param("room") + " is not a valid room ID");
}

json tags_of(const call& c) {
  const auto i = c.who->room_data.find({c.param("room"), "m.tag"});
  const auto* tags = i == c.who->room_data.end() ? nullptr : member(i->second.content, "tags");
  return tags == nullptr ? json::object() : *tags;
}

} // namespace

answer get_account_data(server&, call& c) {
  need_self(c);
  check_room(c);
  const account_data* found = nullptr;
  if (c.param("room").empty()) {
    if (const auto i = c.who->data.find(c.param("type")); i != c.who->data.end())
      found = &i->second;
  } else if (const auto i = c.who->room_data.find({c.param("room"), c.param("type")});
             i != c.who->room_data.end()) {
    found = &i->second;
  }
  if (found == nullptr)
    refuse(404, "M_NOT_FOUND", "Account data not found");
  return json_answer(found->content);
}

answer put_account_data(server& s, call& c) {
  need_self(c);
  check_room(c);
  const auto& type = c.param("type");
  if (type == "m.fully_read" || type == "m.push_rules")
    refuse(405, "M_BAD_JSON", "Cannot set " + type + " through this API.");
  s.w.set_data(*c.who, c.param("room"), type, c.body);
  return json_answer(json::object());
}

answer get_tags(server&, call& c) {
  need_self(c);
  check_room(c);
  return json_answer({{"tags", tags_of(c)}});
}

answer put_tag(server& s, call& c) {
  need_self(c);
  check_room(c);
  if (c.param("tag").size() > 255)
    refuse(400, "M_INVALID_PARAM", "The tag is too long.");
  if (const auto* order = member(c.body, "order"); order != nullptr && !order->is_number())
    refuse(400, "M_BAD_JSON", "'order' must be a number");
  auto tags = tags_of(c);
  tags[c.param("tag")] = c.body;
  s.w.set_data(*c.who, c.param("room"), "m.tag", {{"tags", std::move(tags)}});
  return json_answer(json::object());
}

answer delete_tag(server& s, call& c) {
  need_self(c);
  check_room(c);
  auto tags = tags_of(c);
  tags.erase(c.param("tag"));
  s.w.set_data(*c.who, c.param("room"), "m.tag", {{"tags", std::move(tags)}});
  return json_answer(json::object());
}

answer post_filter(server& s, call& c) {
  need_self(c);
  read_sync_filter(c.body);
  return json_answer({{"filter_id", std::to_string(s.w.add_filter(*c.who, c.body))}});
}

answer get_filter(server&, call& c) {
  need_self(c);
  std::size_t index = 0;
  const auto& text = c.param("filter");
  const auto end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, index);
  if (error != std::errc() || stop != end || index >= c.who->filters.size())
    refuse(404, "M_NOT_FOUND", "No such filter");
  return json_answer(c.who->filters[index]);
}

} // namespace pb::hs::api

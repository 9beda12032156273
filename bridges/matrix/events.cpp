#include "bridges/matrix/events.hpp"

#include "bridges/matrix/limits.hpp"
#include "bridges/matrix/text.hpp"
#include "bridges/matrix/url.hpp"

#include <algorithm>
#include <utility>

namespace pb::matrix {
namespace {

constexpr std::size_t kept_poison = 64;
constexpr std::size_t kept_raw = 4096;
constexpr std::uint32_t max_depth = 64;
/// An event has 65,536 bytes at most; a server that writes every letter as \uXXXX makes four times
/// as much of it.
constexpr std::size_t max_content = std::size_t{256} << 10;

bool is_object(const json::value& v) { return v.type == json::kind::object; }

/// A redaction's target stands beside the content in rooms before version 11, inside it after. The
/// server checked the one beside it, so it comes last and counts.
std::string with_redacts(std::string_view content, const std::string& target) {
  std::string out(content.substr(0, content.rfind('}')));
  const std::size_t last = out.find_last_not_of(" \t\r\n");
  if (last != std::string::npos && last != 0)
    out += ',';
  return out + "\"redacts\":" + json::quote(target) + "}";
}

/// The text of a string that is at most 255 bytes (with its escapes it may be longer). Most have no
/// escape: then this is a view of the body, and `room` stays empty.
bool short_text(const json::value& v, std::string_view& out, std::string& room) {
  if (v.type != json::kind::string || v.flawed || v.raw.size() > 6 * id_bytes + 2)
    return false;
  out = v.raw.substr(1, v.raw.size() - 2);
  if (out.find('\\') != std::string_view::npos)
    out = room = json::unescape(out);
  return out.size() <= id_bytes;
}

} // namespace

void poison_list::add(const room_id& room, event_id event, std::string reason,
                      std::string_view raw) {
  ++total;
  if (items.size() >= kept_poison)
    return;
  std::string cut = valid_utf8(raw.substr(0, kept_raw));
  cut.resize(cut_utf8(cut, kept_raw).size());
  items.push_back({room, std::move(event), std::move(reason), std::move(cut)});
}

bool is_content(const json::value& v) {
  return is_object(v) && !v.flawed && v.depth <= max_depth && v.raw.size() <= max_content;
}

std::string event_reader::id(const json::value& v, char sigil) const {
  std::string room;
  std::string_view s;
  if (!short_text(v, s, room) || !is_identifier(s, sigil) || !utf8(v.raw))
    return {};
  return std::string(s);
}

void event_reader::not_a(json::cursor& c, const char* what, const room_id& room, poison_list& bad) {
  const json::value v = c.skip();
  if (!c.broken())
    bad.add(room, {}, std::string("not ") + what, v.raw);
}

event_reader::fields event_reader::gather(json::cursor& c) {
  fields f;
  f.raw = c.members([&](std::string_view name, json::cursor& at) {
    const json::value v = at.skip();
    if (name == "type")
      f.type = v;
    else if (name == "sender")
      f.sender = v;
    else if (name == "content")
      f.content = v;
    else if (name == "event_id")
      f.id = v;
    else if (name == "state_key")
      f.key = v;
    else if (name == "origin_server_ts")
      f.time = v;
    else if (name == "redacts")
      f.redacts = v;
  });
  return f;
}

const char* event_reader::wrong(const fields& f, strings& out) const {
  std::string room;
  std::string_view s;
  if (!short_text(f.type, s, room) || !utf8(f.type.raw))
    return "type is not a short string";
  out.type = s;
  out.sender = id(f.sender, '@');
  if (out.sender.empty())
    return "sender is not a user id";
  if (f.key.type != json::kind::none || f.key.flawed) {
    if (!short_text(f.key, s, room) || !utf8(f.key.raw))
      return "state_key is not a short string";
    out.key = s;
  }
  if (!is_object(f.content))
    return "content is not an object";
  if (f.content.flawed)
    return "content has a flaw that strict parsers refuse";
  if (f.content.depth > max_depth)
    return "content is nested too deeply";
  if (f.content.raw.size() > max_content)
    return "content is too large";
  if (!utf8(f.content.raw))
    return "content is not UTF-8";
  return nullptr;
}

void event_reader::read(json::cursor& c, const room_id& room, std::vector<matrix_event>& out,
                        poison_list& bad) {
  if (c.peek() != json::kind::object)
    return not_a(c, "an event", room, bad);
  const fields f = gather(c);
  if (c.broken())
    return;
  std::string event = id(f.id, '$');
  strings s;
  const char* reason = event.empty() ? "event_id is not an event id" : wrong(f, s);
  if (reason)
    return bad.add(room, event_id(std::move(event)), reason, f.raw);
  matrix_event& e = out.emplace_back();
  e.id.value = std::move(event);
  e.room = room;
  e.sender.value = std::move(s.sender);
  e.type = std::move(s.type);
  if (f.key.type == json::kind::string)
    e.state_key = std::move(s.key);
  e.sent_at = json::integer(f.time).value_or(0);
  std::string target;
  if (e.type == "m.room.redaction")
    target = id(f.redacts, '$');
  if (target.empty())
    e.content = f.content.raw;
  else
    e.content = with_redacts(f.content.raw, target);
}

void event_reader::read(json::cursor& c, const room_id& room, std::vector<stripped_event>& out,
                        poison_list& bad) {
  if (c.peek() != json::kind::object)
    return not_a(c, "an event", room, bad);
  const fields f = gather(c);
  if (c.broken())
    return;
  strings s;
  const char* reason = wrong(f, s);
  if (!reason && f.key.type != json::kind::string)
    reason = "stripped state without a state_key";
  if (reason)
    return bad.add(room, event_id(id(f.id, '$')), reason, f.raw);
  out.push_back({user_id(std::move(s.sender)), std::move(s.type), std::move(s.key),
                 std::string(f.content.raw)});
}

} // namespace pb::matrix

#include "bridges/matrix/content.hpp"

#include "bridges/matrix/json_scan.hpp"
#include "bridges/matrix/limits.hpp"
#include "bridges/matrix/url.hpp"

#include <charconv>

namespace pb::matrix {
namespace {

using json::each_element;
using json::each_member;
using json::value;

constexpr std::size_t max_mentions = 100;
constexpr std::size_t max_via = 16;

template <class Id>
std::optional<Id> identifier(const value& v, char sigil) {
  std::optional<std::string> s = json::text(v);
  if (!s || !is_identifier(*s, sigil))
    return std::nullopt;
  return Id(*std::move(s));
}

void drop_all(std::string& s, std::string_view what) {
  for (std::size_t at = s.find(what); at != std::string::npos; at = s.find(what, at))
    s.erase(at, what.size());
}

void read_relation(const value& relation, message_content& out) {
  std::string kind, key;
  std::optional<event_id> target;
  out.in_reply_to.reset();
  each_member(relation.raw, [&](std::string_view name, const value& v) {
    if (name == "rel_type")
      kind = json::text_or_empty(v);
    else if (name == "event_id")
      target = identifier<event_id>(v, '$');
    else if (name == "key")
      key = json::text_or_empty(v);
    else if (name == "is_falling_back")
      out.falls_back = json::is_true(v);
    else if (name == "m.in_reply_to") {
      out.in_reply_to.reset();
      each_member(v.raw, [&](std::string_view n, const value& e) {
        if (n == "event_id")
          out.in_reply_to = identifier<event_id>(e, '$');
      });
    }
  });
  const auto when = [&](const char* which) { return kind == which ? target : std::nullopt; };
  out.replaces = when("m.replace");
  out.thread_root = when("m.thread");
  out.reacts_to = when("m.annotation");
  out.reaction.clear();
  if (out.reacts_to) {
    drop_all(key, "\xEF\xB8\x8E");
    drop_all(key, "\xEF\xB8\x8F");
    out.reaction = key;
  }
}

std::optional<message_content::mentions_t> read_mentions(const value& v) {
  if (v.type != json::kind::object)
    return std::nullopt;
  message_content::mentions_t out;
  each_member(v.raw, [&](std::string_view name, const value& m) {
    if (name == "room") {
      out.room = json::is_true(m);
    } else if (name == "user_ids") {
      out.users.clear();
      each_element(m.raw, [&](const value& u) {
        if (auto id = identifier<user_id>(u, '@'); id && out.users.size() < max_mentions)
          out.users.push_back(*std::move(id));
      });
    }
  });
  return out;
}

std::optional<message_content::text> read_new_content(const value& v) {
  if (v.type != json::kind::object)
    return std::nullopt;
  message_content::text out;
  each_member(v.raw, [&](std::string_view name, const value& m) {
    if (name == "msgtype")
      out.msgtype = json::text_or_empty(m);
    else if (name == "body")
      out.body = json::text_or_empty(m);
  });
  return out;
}

/// Decimal digits alone, no zero in front, up to what JSON of all servers carries.
std::optional<std::int64_t> positive(std::string_view s) {
  std::int64_t n = 0;
  if (s.empty() || s.front() < '1' || s.front() > '9')
    return std::nullopt;
  const auto got = std::from_chars(s.data(), s.data() + s.size(), n);
  if (got.ec != std::errc{} || got.ptr != s.data() + s.size() || n > canonical_integer)
    return std::nullopt;
  return n;
}

/// [A-Za-z0-9][A-Za-z0-9._-]*, 255 at most: what the registry takes.
bool is_agent_id(std::string_view s) {
  const auto plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  };
  if (s.empty() || s.size() > 255 || !plain(s.front()))
    return false;
  for (const char c : s)
    if (!plain(c) && c != '.' && c != '_' && c != '-')
      return false;
  return true;
}

std::optional<intent_id> intent(const value& v) {
  std::optional<std::string> s = json::text(v);
  if (!s || s->size() > 255)
    return std::nullopt;
  return intent_id(*std::move(s));
}

std::string one_text(std::string_view content, std::string_view field) {
  std::string out;
  each_member(content, [&](std::string_view name, const value& v) {
    if (name == field)
      out = json::text_or_empty(v);
  });
  return out;
}

} // namespace

message_content parse_message(std::string_view content) {
  message_content out;
  each_member(content, [&](std::string_view name, const value& v) {
    if (name == "msgtype") {
      out.msgtype = json::text_or_empty(v);
    } else if (name == "body") {
      out.body = json::text_or_empty(v);
    } else if (name == "formatted_body") {
      out.formatted_body = json::text_or_empty(v);
    } else if (name == "m.relates_to") {
      read_relation(v, out);
    } else if (name == "m.new_content") {
      out.new_content = read_new_content(v);
    } else if (name == "m.mentions") {
      out.mentions = read_mentions(v);
    } else if (name == "filename") {
      out.filename = json::text_or_empty(v);
    } else if (name == "url") {
      out.url = json::text_or_empty(v);
    } else if (name == "info") {
      out.size = -1;
      out.mimetype.clear();
      each_member(v.raw, [&](std::string_view field, const value& i) {
        if (field == "size") {
          out.size = json::integer(i).value_or(-1);
          if (out.size < 0)
            out.size = -1;
        } else if (field == "mimetype") {
          out.mimetype = json::text_or_empty(i);
        }
      });
    }
  });
  return out;
}

std::optional<event_id> redaction_target(std::string_view content) {
  std::optional<event_id> out;
  each_member(content, [&](std::string_view name, const value& v) {
    if (name == "redacts")
      out = identifier<event_id>(v, '$');
  });
  return out;
}

member_content parse_member(std::string_view content) {
  member_content out;
  each_member(content, [&](std::string_view name, const value& v) {
    if (name == "membership")
      out.membership = json::text_or_empty(v);
    else if (name == "is_direct")
      out.direct = json::is_true(v);
    else if (name == "displayname")
      out.displayname = json::text_or_empty(v);
  });
  return out;
}

tombstone_content parse_tombstone(std::string_view content) {
  tombstone_content out;
  each_member(content, [&](std::string_view name, const value& v) {
    if (name == "replacement_room")
      out.replacement = identifier<room_id>(v, '!');
  });
  return out;
}

create_content parse_create(std::string_view content) {
  create_content out;
  each_member(content, [&](std::string_view name, const value& v) {
    if (name == "type") {
      out.type = json::text_or_empty(v);
    } else if (name == "room_version") {
      out.version = json::text_or_empty(v);
    } else if (name == "predecessor") {
      out.predecessor.reset();
      each_member(v.raw, [&](std::string_view field, const value& p) {
        if (field == "room_id")
          out.predecessor = identifier<room_id>(p, '!');
      });
    }
  });
  return out;
}

space_link parse_space_link(std::string_view content) {
  space_link out;
  each_member(content, [&](std::string_view name, const value& v) {
    if (name == "canonical") {
      out.canonical = json::is_true(v);
    } else if (name == "suggested") {
      out.suggested = json::is_true(v);
    } else if (name == "via") {
      out.via.clear();
      each_element(v.raw, [&](const value& s) {
        if (auto server = json::text(s);
            server && is_server_name(*server) && out.via.size() < max_via)
          out.via.push_back(*std::move(server));
      });
    }
  });
  return out;
}

std::string parse_encryption(std::string_view content) { return one_text(content, "algorithm"); }

std::string parse_name(std::string_view content) { return one_text(content, "name"); }

std::optional<chat_marker> parse_chat_marker(std::string_view content) {
  std::optional<user_id> owner;
  std::optional<std::string> chat, agent, state;
  std::optional<std::int64_t> platform, epoch;
  std::optional<intent_id> from;
  each_member(content, [&](std::string_view name, const value& v) {
    if (name == "owner")
      owner = identifier<user_id>(v, '@');
    else if (name == "chat")
      chat = json::text(v);
    else if (name == "platform_chat_id")
      platform = json::integer(v);
    else if (name == "agent_id")
      agent = json::text(v);
    else if (name == "state")
      state = json::text(v);
    else if (name == "epoch")
      epoch = json::integer(v);
    else if (name == "intent")
      from = intent(v);
  });
  if (!owner || !chat || !chat_number(*chat) || !agent || !is_agent_id(*agent) || !from)
    return std::nullopt;
  if (!platform || *platform < 1 || *platform > canonical_integer)
    return std::nullopt;
  if (!epoch || *epoch < 0 || *epoch > canonical_integer)
    return std::nullopt;
  if (!state || (*state != "active" && *state != "archived"))
    return std::nullopt;
  return chat_marker{*owner, *chat, {*platform}, agent_id(*agent), *state, *epoch, *from};
}

std::optional<space_marker> parse_space_marker(std::string_view content) {
  std::optional<user_id> owner;
  std::optional<std::string> agent, lang;
  std::optional<intent_id> from;
  each_member(content, [&](std::string_view name, const value& v) {
    if (name == "owner")
      owner = identifier<user_id>(v, '@');
    else if (name == "agent")
      agent = json::text(v);
    else if (name == "language")
      lang = json::text(v);
    else if (name == "intent")
      from = intent(v);
  });
  if (!owner || !agent || !from || (!agent->empty() && !is_agent_id(*agent)))
    return std::nullopt;
  if (!lang || (*lang != "en" && *lang != "ru"))
    return std::nullopt;
  return space_marker{*owner, agent_id(*agent), *lang == "ru" ? language::ru : language::en, *from};
}

std::optional<std::int64_t> chat_number(std::string_view chat) {
  return chat.starts_with('C') ? positive(chat.substr(1)) : std::nullopt;
}

std::optional<std::int64_t> number_of_name(std::string_view name) {
  for (const std::string_view word : {"Chat ", "Чат "})
    if (name.starts_with(word))
      return positive(name.substr(word.size()));
  return std::nullopt;
}

} // namespace pb::matrix

#include "bridges/matrix/content.hpp"

#include "bridges/matrix/json_scan.hpp"
#include "bridges/matrix/limits.hpp"
#include "bridges/matrix/text.hpp"

#include <algorithm>
#include <array>

namespace pb::matrix {
namespace {

using json::each_element;
using json::each_member;
using json::value;

constexpr std::size_t max_answers = 20; // of the specification
constexpr std::size_t max_uri = 255;
constexpr std::size_t max_quoted = 1'000; // of a quote: enough to know what is meant

/// A number that counts something; else what stands for "not said".
std::int64_t count(const value& v, std::int64_t none) {
  const auto n = json::integer(v);
  return n && *n >= 0 && *n <= canonical_integer ? *n : none;
}

/// A text of extensible events: [{"body","mimetype"}], or a string in their earlier form.
std::string text_block(const value& v) {
  if (v.type == json::kind::string)
    return json::text_or_empty(v);
  std::string out;
  bool plain = false;
  each_element(v.raw, [&](const value& form) {
    std::string body, mime = "text/plain";
    each_member(form.raw, [&](std::string_view name, const value& m) {
      if (name == "body")
        body = json::text_or_empty(m);
      else if (name == "mimetype")
        mime = json::text_or_empty(m);
    });
    if (mime == "text/plain" && !plain && !body.empty()) {
      plain = true;
      out = std::move(body);
    }
  });
  return out;
}

/// The text of a question or an answer, by any of its names.
std::string poll_text(const value& v) {
  std::string stable, earlier, fallback;
  each_member(v.raw, [&](std::string_view name, const value& m) {
    if (name == "m.text")
      stable = text_block(m);
    else if (name == "org.matrix.msc1767.text")
      earlier = text_block(m);
    else if (name == "body")
      fallback = json::text_or_empty(m);
  });
  return !stable.empty() ? stable : !earlier.empty() ? earlier : fallback;
}

poll_content read_poll(const value& v) {
  poll_content out;
  each_member(v.raw, [&](std::string_view name, const value& m) {
    if (name == "question") {
      out.question = poll_text(m);
    } else if (name == "answers") {
      out.answers.clear();
      each_element(m.raw, [&](const value& a) {
        if (auto text = poll_text(a); !text.empty() && out.answers.size() < max_answers)
          out.answers.push_back(std::move(text));
      });
    }
  });
  return out;
}

bool is_geo(std::string_view uri) {
  return uri.starts_with("geo:") && uri.size() > 4 && uri.size() <= max_uri &&
         std::all_of(uri.begin(), uri.end(), [](char c) { return c > ' ' && c < 0x7F; });
}

void read_info(const value& v, incoming_file& out) {
  out.size = -1;
  out.width = out.height = out.duration = 0;
  out.mimetype.clear();
  each_member(v.raw, [&](std::string_view name, const value& m) {
    if (name == "mimetype")
      out.mimetype = json::text_or_empty(m);
    else if (name == "size")
      out.size = count(m, -1);
    else if (name == "w")
      out.width = count(m, 0);
    else if (name == "h")
      out.height = count(m, 0);
    else if (name == "duration")
      out.duration = count(m, 0);
  });
}

} // namespace

std::optional<incoming_file> parse_file(std::string_view content) {
  incoming_file out;
  std::string body, filename;
  bool typed = false;
  each_member(content, [&](std::string_view name, const value& v) {
    if (name == "msgtype") {
      typed = true;
      out.msgtype = json::text_or_empty(v);
    } else if (name == "body") {
      body = json::text_or_empty(v);
    } else if (name == "filename") {
      filename = json::text_or_empty(v);
    } else if (name == "url") {
      out.mxc = json::text_or_empty(v);
    } else if (name == "info") {
      read_info(v, out);
    } else if (name == "m.voice" || name == "org.matrix.msc3245.voice" ||
               name == "org.matrix.msc3245.voice.v2") {
      out.voice = v.type == json::kind::object;
    }
  });
  if (!typed)
    out.msgtype = "m.image";
  constexpr std::array<std::string_view, 4> types{"m.image", "m.file", "m.audio", "m.video"};
  if (out.mxc.empty() || std::find(types.begin(), types.end(), out.msgtype) == types.end())
    return std::nullopt;
  out.voice = out.voice && out.msgtype == "m.audio";
  out.name = filename.empty() ? body : filename;
  return out;
}

std::string caption_of(const message_content& m) {
  return m.filename.empty() || m.filename == m.body ? std::string{} : m.body;
}

std::string parse_geo(std::string_view content) {
  std::string type, plain, extensible;
  each_member(content, [&](std::string_view name, const value& v) {
    if (name == "msgtype") {
      type = json::text_or_empty(v);
    } else if (name == "geo_uri") {
      plain = json::text_or_empty(v);
    } else if (name == "m.location" || name == "org.matrix.msc3488.location") {
      each_member(v.raw, [&](std::string_view field, const value& m) {
        if (field == "uri")
          extensible = json::text_or_empty(m);
      });
    }
  });
  if (type == "m.location" && is_geo(plain))
    return plain;
  return (type.empty() || type == "m.location") && is_geo(extensible) ? extensible : std::string{};
}

std::optional<poll_content> parse_poll(std::string_view content) {
  std::optional<poll_content> stable, earlier;
  each_member(content, [&](std::string_view name, const value& v) {
    if (name == "m.poll")
      stable = read_poll(v);
    else if (name == "org.matrix.msc3381.poll.start")
      earlier = read_poll(v);
  });
  for (auto& poll : {stable, earlier})
    if (poll && !poll->question.empty() && !poll->answers.empty())
      return poll;
  return std::nullopt;
}

reply_body split_reply(std::string_view body) {
  reply_body out{{}, std::string{body}};
  if (!body.starts_with("> "))
    return out;
  std::string quoted;
  auto rest = body;
  while (rest.starts_with('>')) {
    const auto end = rest.find('\n');
    if (end == std::string_view::npos)
      return out;
    auto line = rest.substr(1, end - 1);
    line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
    if (quoted.empty() && line.starts_with('<')) // "> <@alice:server> words"
      line.remove_prefix(std::min(line.find('>') + 2, line.size()));
    if (quoted.size() < max_quoted)
      quoted.append(cut_utf8(line, max_quoted)).push_back('\n');
    rest.remove_prefix(end + 1);
  }
  out.text = rest.starts_with('\n') ? rest.substr(1) : rest;
  out.quoted = std::move(quoted);
  return out;
}

} // namespace pb::matrix

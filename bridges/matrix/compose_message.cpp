#include "bridges/matrix/compose.hpp"

#include "bridges/matrix/limits.hpp"
#include "bridges/matrix/markdown.hpp"
#include "messages/json_text.hpp"

#include <limits>
#include <nlohmann/json.hpp>

namespace pb::matrix {
namespace {

/// Members stay in the order in which they are written here.
using nlohmann::ordered_json;

constexpr std::size_t max_told = 8, max_mxc = 1024;

const char* name_of(delivery kind) {
  switch (kind) {
  case delivery::draft:
    return "draft";
  case delivery::final_answer:
    return "final";
  case delivery::notice:
    return "notice";
  case delivery::reply:
    return "reply";
  case delivery::file:
    return "file";
  }
  return "notice";
}

bool usable(const std::string& id) { return !id.empty() && escaped_size(id) <= id_bytes; }

ordered_json mentions(const std::vector<user_id>& users) {
  ordered_json out = ordered_json::object();
  std::size_t told = 0;
  for (const user_id& user : users)
    if (usable(user.value) && told++ < max_told)
      out["user_ids"].push_back(user.value);
  return out;
}

void relate(ordered_json& j, const event_id& thread, const event_id& reply_to) {
  if (usable(thread.value))
    j["m.relates_to"] = {
        {"rel_type", "m.thread"}, {"event_id", thread.value}, {"is_falling_back", true}};
  if (usable(reply_to.value))
    j["m.relates_to"]["m.in_reply_to"]["event_id"] = reply_to.value;
}

ordered_json delivery_of(const turn_id& turn, delivery kind, int part, const outbox_id& row) {
  ordered_json d;
  if (usable(turn.value))
    d["turn"] = turn.value;
  d["kind"] = name_of(kind);
  d["part"] = part;
  if (usable(row.value))
    d["id"] = row.value;
  return d;
}

/// What an edit has twice; `before` stands in front of both forms of the text.
ordered_json text_content(const message_draft& m, const std::string& before, std::string_view body,
                          const std::string* html) {
  ordered_json j;
  j["msgtype"] = m.silent ? "m.notice" : "m.text";
  j["body"] = before + std::string{body};
  if (html != nullptr) {
    j["format"] = "org.matrix.custom.html";
    j["formatted_body"] = before + *html;
  }
  j["m.mentions"] = mentions(m.tells);
  return j;
}

/// `copies` of the HTML: one stands where it counts, the second in an edit's fallback.
std::string message(const message_draft& m, std::string_view body, const std::string* html,
                    int copies) {
  auto own = delivery_of(m.turn, m.kind, m.part, m.row);
  if (m.confirmation)
    own["confirmation"] = {{"id", m.confirmation->id}, {"expires_at", m.confirmation->expires_at}};
  ordered_json j;
  if (!usable(m.replaces.value)) {
    j = text_content(m, "", body, copies > 0 ? html : nullptr);
    relate(j, m.thread, m.reply_to);
  } else {
    j = text_content(m, "* ", body, copies > 1 ? html : nullptr);
    j["m.new_content"] = text_content(m, "", body, copies > 0 ? html : nullptr);
    j["m.new_content"]["io.patchbay.delivery"] = own;
    j["m.relates_to"] = {{"rel_type", "m.replace"}, {"event_id", m.replaces.value}};
  }
  j["io.patchbay.delivery"] = own;
  return json_text(j);
}

} // namespace

std::string compose_message(const message_draft& m) {
  const std::string valid = storable_text(m.text);
  const std::string_view body = cut_part(valid);
  const auto html = m.markdown ? to_html(body) : std::nullopt;
  for (int copies = html ? 2 : 0; copies > 0; --copies)
    if (auto out = message(m, body, &*html, copies); out.size() <= event_bytes)
      return out;
  return message(m, body, nullptr, 0);
}

std::string compose_file_order(const file_order& o) {
  return json_text(ordered_json({{"workspace", o.workspace},
                                 {"path", o.path},
                                 {"text", o.text},
                                 {"caption", o.caption},
                                 {"turn", o.turn.value},
                                 {"reply_to", o.reply_to.value},
                                 {"thread", o.thread.value},
                                 {"mention", o.mention.value},
                                 {"part", o.part}}));
}

std::optional<file_order> parse_file_order(std::string_view body) {
  const auto j = nlohmann::json::parse(body, nullptr, false);
  if (!j.is_object())
    return std::nullopt;
  const auto text = [&](const char* key) {
    const auto i = j.find(key);
    return i != j.end() && i->is_string() ? i->get<std::string>() : std::string{};
  };
  file_order o;
  o.workspace = text("workspace");
  o.path = text("path");
  o.text = text("text");
  o.caption = text("caption");
  o.turn = turn_id{text("turn")};
  o.reply_to = event_id{text("reply_to")};
  o.thread = event_id{text("thread")};
  o.mention = user_id{text("mention")};
  if (const auto i = j.find("part"); i != j.end() && i->is_number_integer())
    if (const auto n = i->get<std::int64_t>(); n >= 0 && n <= std::numeric_limits<int>::max())
      o.part = static_cast<int>(n);
  if (o.path.empty())
    return std::nullopt;
  return o;
}

std::string compose_file(const file_order& order, const uploaded_content& file,
                         const outbox_id& row) {
  const std::string mime = storable_text(file.mimetype);
  const std::string valid_name = storable_text(file.name), caption = storable_text(order.caption);
  const std::string name{cut_utf8(valid_name, 255)};
  ordered_json j;
  j["msgtype"] = mime.starts_with("image/")   ? "m.image"
                 : mime.starts_with("audio/") ? "m.audio"
                 : mime.starts_with("video/") ? "m.video"
                                              : "m.file";
  j["body"] = caption.empty() ? name : std::string{cut_part(caption)};
  j["filename"] = name;
  j["url"] = file.mxc.size() <= max_mxc ? file.mxc : std::string{};
  ordered_json& info = j["info"];
  info["mimetype"] = cut_utf8(mime, 255);
  info["size"] = file.size;
  if (file.width > 0 && file.height > 0) {
    info["w"] = file.width;
    info["h"] = file.height;
  }
  j["m.mentions"] = mentions({order.mention});
  relate(j, order.thread, order.reply_to);
  j["io.patchbay.delivery"] = delivery_of(order.turn, delivery::file, order.part, row);
  return json_text(j);
}

namespace {

std::optional<std::string> of_delivery(std::string_view content, const char* field) {
  const auto j = nlohmann::json::parse(content, nullptr, false);
  if (!j.is_object())
    return std::nullopt;
  const auto d = j.find("io.patchbay.delivery");
  if (d == j.end() || !d->is_object())
    return std::nullopt;
  const auto text = d->find(field);
  if (text == d->end() || !text->is_string())
    return std::nullopt;
  return text->get<std::string>();
}

} // namespace

std::optional<outbox_id> delivery_row(std::string_view content) {
  auto id = of_delivery(content, "id");
  return id ? std::optional{outbox_id{std::move(*id)}} : std::nullopt;
}

bool is_draft(std::string_view content) { return of_delivery(content, "kind") == "draft"; }

} // namespace pb::matrix

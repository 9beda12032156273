#include "bridges/agent/push.hpp"

#include "bridges/agent/agent_ws/codec.hpp"
#include "bridges/agent/agent_ws/json_fields.hpp"

#include <algorithm>
#include <charconv>

namespace pb {

namespace {

using agent_json::field;

/// Sentences of what is wrong.
class complaints {
public:
  void add(bool wrong, std::string_view what) {
    if (wrong)
      text_ += (text_.empty() ? "" : "; ") + std::string(what);
  }
  [[nodiscard]] bool none() const { return text_.empty(); }
  std::string text() && { return std::move(text_); }

private:
  std::string text_;
};

bool printable(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) > 0x20 && c != 0x7F; });
}

/// Nothing: not a number of a chat.
std::optional<std::int64_t> chat_in(std::string_view digits) {
  std::int64_t chat = 0;
  const auto* end = digits.data() + digits.size();
  const auto [at, error] = std::from_chars(digits.data(), end, chat);
  return error == std::errc{} && at == end && chat > 0 ? std::optional(chat) : std::nullopt;
}

void judge(const agent_says::push& p, complaints& bad) {
  bad.add(p.event_id.empty(), "event_id is missing or not a string");
  bad.add(p.event_id.size() > push_id_limit, "event_id is longer than 200 bytes");
  bad.add(!printable(p.event_id), "event_id holds spaces or control characters");
  bad.add(p.kind != "task_done" && p.kind != "task_error" && p.kind != "task_progress",
          "kind is none of task_done, task_error, task_progress");
  bad.add(p.text.size() > push_text_limit, "text is longer than 131072 bytes");
  bad.add(p.attachments.size() > push_files_limit, "attachments are more than 20");
  bad.add(std::any_of(p.attachments.begin(), p.attachments.end(),
                      [](auto& path) { return path.empty() || path.size() > push_path_limit; }),
          "attachments holds an empty path or one of more than 1024 bytes");
}

} // namespace

std::string push_faults(const agent_says::push& what) {
  complaints bad;
  judge(what, bad);
  bad.add(what.text.empty() && what.attachments.empty(), "text is empty");
  return std::move(bad).text();
}

result<posted_push> decode_posted_push(std::string_view body) {
  static const agent_json::field_names names = [] {
    agent_json::field_names all;
    for (const auto f :
         {field::event_id, field::kind, field::text, field::attachments, field::chat_id})
      all.emplace(agent_json::field_labels[static_cast<std::size_t>(f)], f);
    return all;
  }();
  if (body.size() > push_body_limit)
    return fail(fault_code::too_large, "body of an event", "the body is larger than 262144 bytes");
  const auto document = agent_json::parse(body, agent_json_depth);
  if (!document.wrong.empty()) {
    std::string why = "the body is " + std::string(document.wrong);
    agent_json::release_large();
    return fail(fault_code::malformed, why, why);
  }
  const agent_json::fields got(document.object, names);
  posted_push out;
  complaints bad;
  const auto chat = chat_in(got.loose(field::chat_id));
  bad.add(!chat, "chat_id is missing or not a positive integer");
  const auto text = got.string(field::text);
  bad.add(!text, "text is missing or not a string");
  bad.add(!got.only_strings(field::attachments), "attachments is not a list of strings");
  out.what = {got.string(field::event_id).value_or(""), got.string(field::kind).value_or(""),
              text.value_or(""), got.strings(field::attachments)};
  judge(out.what, bad);
  bad.add(text && text->empty() && out.what.attachments.empty(), "text is empty");
  out.chat.value = chat.value_or(0);
  agent_json::release_large();
  if (!bad.none())
    return fail(fault_code::malformed, "fields of an event", std::move(bad).text());
  return out;
}

} // namespace pb

#include "bridges/agent/agent_ws/codec.hpp"

#include "bridges/agent/agent_ws/json_fields.hpp"
#include "bridges/agent/json.hpp"
#include "messages/json_text.hpp"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <utility>

namespace pb {

agent_codec::~agent_codec() = default;

namespace {

using agent_json::field;
using agent_json::fields;

enum class kind : std::uint8_t {
  status,
  text_chunk,
  tool_call,
  tool_result,
  custom_update,
  send_file,
  confirm,
  push,
  end,
  error,
  goodbye,
};
using kind_names = std::map<std::string, kind, std::less<>>;

const kind_names& our_kinds() {
  static const kind_names names{
      {"STATUS", kind::status},
      {"AGENT_EVENT_TEXT_CHUNK", kind::text_chunk},
      {"AGENT_EVENT_TOOL_CALL_CHUNK", kind::tool_call},
      {"AGENT_EVENT_TOOL_RESULT", kind::tool_result},
      {"AGENT_EVENT_CUSTOM_UPDATE", kind::custom_update},
      {"AGENT_EVENT_SEND_FILE", kind::send_file},
      {"AGENT_EVENT_CONFIRM", kind::confirm},
      {"AGENT_EVENT_PUSH", kind::push},
      {"AGENT_EVENT_END", kind::end},
      {"ERROR", kind::error},
      {"GRACEFUL_DISCONNECT", kind::goodbye},
  };
  return names;
}

/// Names that only ever travel to the agent, see make_agent_ws_codec. As JSON strings once the
/// codec is made.
struct outgoing_names {
  std::string user_message = "USER_MESSAGE", confirm = "CONFIRM", cancel = "CANCEL";
  std::string decision = "decision", user_id = "user_id", chat_id = "chat_id";
};

/// More than any sum of turns can reach, exact in a double.
constexpr double most_tokens = 1e15;
/// Ten years: what is added to a clock must not overflow it.
constexpr double longest_wait = 315'360'000;

std::int64_t tokens(const std::optional<double>& number) {
  return number ? static_cast<std::int64_t>(std::min(std::max(*number, 0.0), most_tokens)) : 0;
}

std::optional<std::chrono::seconds> seconds(const std::optional<double>& number) {
  if (!number)
    return std::nullopt;
  const double whole = std::ceil(std::min(std::max(*number, 0.0), longest_wait));
  return std::chrono::seconds(static_cast<std::int64_t>(whole));
}

/// As a JSON string; what is not UTF-8 becomes U+FFFD.
std::string json_string(std::string_view text) { return json_text(nlohmann::json(text)); }

/// A JSON object written from front to back.
class object {
public:
  /// Names and values are JSON text already.
  explicit object(std::string_view type) { add(R"("type")", type); }
  void add(std::string_view name, std::string_view json_text) {
    text_ += text_.empty() ? '{' : ',';
    text_ += name;
    text_ += ':';
    text_ += json_text;
  }
  std::string text() && {
    text_ += '}';
    return std::move(text_);
  }

private:
  std::string text_;
};

agent_says::malformed lacks(std::string_view type, std::string_view name) {
  std::string cause(type);
  cause += ": ";
  cause += name;
  cause += " is missing or not a string";
  return {std::move(cause)};
}

class agent_ws_codec final : public agent_codec {
public:
  explicit agent_ws_codec(const agent_spec& spec) : kinds_(our_kinds()), send_(spec.send) {
    for (std::size_t i = 0; i < agent_json::field_count; ++i)
      fields_.emplace(agent_json::field_labels[i], static_cast<field>(i));
    const auto our_fields = fields_;
    std::map<std::string, std::vector<std::string>> theirs;
    for (const auto& [alias, ours] : spec.aliases) {
      if (const auto k = our_kinds().find(ours); k != our_kinds().end())
        kinds_.insert_or_assign(alias, k->second);
      else if (const auto f = our_fields.find(ours); f != our_fields.end())
        fields_.insert_or_assign(alias, f->second);
      theirs[ours].push_back(alias);
    }
    for (auto* name : {&out_.user_message, &out_.confirm, &out_.cancel, &out_.decision,
                       &out_.user_id, &out_.chat_id}) {
      const auto i = theirs.find(*name);
      *name = json_string(i != theirs.end() && i->second.size() == 1 ? i->second.front() : *name);
    }
  }

  std::string user_message(const turn_request& turn) const override {
    object frame(out_.user_message);
    frame.add(R"("text")", json_string(turn.text));
    std::string paths;
    for (const auto& path : turn.attachments)
      paths += (paths.empty() ? "" : ",") + json_string(path);
    frame.add(R"("attachments")", "[" + paths + "]");
    if (send_.count("user_id") != 0)
      frame.add(out_.user_id, json_string(turn.asker.value));
    if (send_.count("chat_id") != 0)
      frame.add(out_.chat_id, std::to_string(turn.chat.value));
    if (send_.count("message_id") != 0)
      frame.add(R"("message_id")", json_string(turn.id.value));
    return std::move(frame).text();
  }

  std::string confirm(std::string_view confirmation_id, bool yes) const override {
    object frame(out_.confirm);
    frame.add(R"("confirmation_id")", json_string(confirmation_id));
    frame.add(out_.decision, yes ? "\"yes\"" : "\"no\"");
    return std::move(frame).text();
  }

  std::string cancel() const override { return object(out_.cancel).text(); }

  agent_frame decode(std::string_view text) const override {
    auto frame = understood(text);
    agent_json::release_large();
    return frame;
  }

private:
  agent_frame understood(std::string_view text) const {
    const auto document = agent_json::parse(text, agent_json_depth);
    if (!document.wrong.empty())
      return {agent_says::malformed{std::string(document.wrong)}, {}};
    const fields got(document.object, fields_);
    const auto type = got.string(field::type);
    if (!type)
      return {agent_says::malformed{"type is missing or not a string"}, {}};
    auto message_id = got.string(field::message_id).value_or(std::string());
    const auto known = kinds_.find(*type);
    if (known == kinds_.end())
      return {agent_says::unknown{agent_json::loggable(*type)}, std::move(message_id)};
    return {event(known->second, got), std::move(message_id)};
  }

  agent_event event(kind what, const fields& got) const {
    switch (what) {
    case kind::status:
      return agent_says::status{
          first_of(got, {field::text, field::message, field::status, field::details})};
    case kind::text_chunk:
      if (auto chunk = got.string(field::text))
        return agent_says::text_chunk{std::move(*chunk)};
      return lacks("AGENT_EVENT_TEXT_CHUNK", "text");
    case kind::tool_call:
      return agent_says::tool_call{got.loose(field::tool_call_id), got.loose(field::tool_name),
                                   got.loose(field::args_chunk)};
    case kind::tool_result:
      return agent_says::tool_result{got.loose(field::tool_call_id), got.loose(field::tool_name),
                                     got.json(field::result), got.truth(field::is_error)};
    case kind::custom_update:
      return agent_says::custom_update{got.loose(field::name), got.json(field::payload)};
    case kind::send_file:
      if (auto path = got.string(field::path); path && !path->empty())
        return agent_says::send_file{std::move(*path)};
      return lacks("AGENT_EVENT_SEND_FILE", "path");
    case kind::confirm:
      return confirmation(got);
    case kind::push:
      return push(got);
    case kind::end:
      return end(got);
    case kind::error:
      return agent_says::error{got.loose(field::code),
                               first_of(got, {field::details, field::message, field::text}),
                               got.truth(field::retryable)};
    case kind::goodbye:
      break;
    }
    return agent_says::goodbye{};
  }

  static agent_event confirmation(const fields& got) {
    auto id = got.loose(field::confirmation_id);
    if (id.empty())
      return lacks("AGENT_EVENT_CONFIRM", "confirmation_id");
    auto prompt = got.string(field::prompt);
    if (!prompt)
      return lacks("AGENT_EVENT_CONFIRM", "prompt");
    return agent_says::confirm{std::move(id), std::move(*prompt),
                               seconds(got.number(field::expires_in))};
  }

  static agent_event push(const fields& got) {
    auto id = got.loose(field::event_id);
    if (id.empty())
      return lacks("AGENT_EVENT_PUSH", "event_id");
    auto what = got.string(field::kind);
    if (!what)
      return lacks("AGENT_EVENT_PUSH", "kind");
    auto text = got.string(field::text);
    if (!text)
      return lacks("AGENT_EVENT_PUSH", "text");
    return agent_says::push{std::move(id), std::move(*what), std::move(*text),
                            got.strings(field::attachments)};
  }

  /// A bare total says nothing of its parts: it counts as output.
  agent_event end(const fields& got) const {
    const auto usage = got.nested(field::usage, fields_);
    const auto in = usage.number(field::input_tokens);
    const auto out = usage.number(field::output_tokens);
    if (in || out)
      return agent_says::end{tokens(in), tokens(out)};
    return agent_says::end{0, tokens(got.number(field::tokens_used))};
  }

  /// The first of these that is there and says something.
  static std::string first_of(const fields& got, std::initializer_list<field> places) {
    for (const auto place : places)
      if (auto text = got.loose(place); !text.empty())
        return text;
    return {};
  }

  kind_names kinds_;
  agent_json::field_names fields_;
  std::set<std::string> send_;
  outgoing_names out_;
};

} // namespace

std::unique_ptr<agent_codec> make_agent_ws_codec(const agent_spec& spec) {
  return std::make_unique<agent_ws_codec>(spec);
}

} // namespace pb

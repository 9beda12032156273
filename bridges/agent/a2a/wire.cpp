#include "bridges/agent/a2a/wire.hpp"

#include "bridges/agent/base64.hpp"
#include "bridges/agent/json_rpc.hpp"

#include <array>
#include <nlohmann/json.hpp>
#include <utility>

namespace pb::a2a {
namespace {

using nlohmann::json;

std::string_view method(dialect speaks, request_kind kind) {
  const bool newer = speaks == dialect::v1_0;
  switch (kind) {
  case request_kind::send:
    return newer ? "SendMessage" : "message/send";
  case request_kind::stream:
    return newer ? "SendStreamingMessage" : "message/stream";
  case request_kind::look:
    return newer ? "GetTask" : "tasks/get";
  case request_kind::subscribe:
    return newer ? "SubscribeToTask" : "tasks/resubscribe";
  case request_kind::cancel:
    return newer ? "CancelTask" : "tasks/cancel";
  }
  return {};
}

json text_part(dialect speaks, const std::string& text) {
  return speaks == dialect::v1_0 ? json{{"text", text}} : json{{"kind", "text"}, {"text", text}};
}

json data_part(dialect speaks, json data) {
  json out{{"data", std::move(data)}};
  if (speaks == dialect::v0_3)
    out["kind"] = "data";
  return out;
}

json file_part(dialect speaks, const session_file& file) {
  if (speaks == dialect::v1_0)
    return {
        {"raw", to_base64(file.bytes)}, {"filename", file.name}, {"mediaType", file.media_type}};
  return {{"kind", "file"},
          {"file",
           {{"bytes", to_base64(file.bytes)}, {"name", file.name}, {"mimeType", file.media_type}}}};
}

json message_of(dialect speaks, const outgoing& message) {
  json parts = json::array();
  parts.push_back(text_part(speaks, message.text));
  if (message.decision)
    parts.push_back(data_part(speaks, {{"approved", *message.decision}}));
  for (const auto& file : message.files)
    if (!file.left_out)
      parts.push_back(file_part(speaks, file));
  json out{{"messageId", message.id},
           {"role", speaks == dialect::v1_0 ? "ROLE_USER" : "user"},
           {"parts", std::move(parts)}};
  if (speaks == dialect::v0_3)
    out["kind"] = "message";
  if (!message.context.empty())
    out["contextId"] = message.context;
  if (!message.task.empty())
    out["taskId"] = message.task;
  return out;
}

std::string rpc(const endpoint& at, request_kind kind, json params) {
  if (at.speaks == dialect::v1_0 && !at.tenant.empty())
    params["tenant"] = at.tenant;
  // One exchange, one request: the id need not tell them apart.
  return json_rpc::request("1", method(at.speaks, kind), params);
}

task_state state_of(std::string_view name) {
  constexpr std::string_view prefix = "TASK_STATE_";
  if (name.starts_with(prefix))
    name.remove_prefix(prefix.size());
  std::string plain(name);
  for (auto& c : plain)
    c = c == '_' ? '-' : c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  static constexpr std::array<std::pair<std::string_view, task_state>, 9> names{{
      {"submitted", task_state::working},
      {"working", task_state::working},
      {"completed", task_state::completed},
      {"failed", task_state::failed},
      {"canceled", task_state::canceled},
      {"cancelled", task_state::canceled},
      {"rejected", task_state::rejected},
      {"input-required", task_state::input_required},
      {"auth-required", task_state::auth_required},
  }};
  for (const auto& [known, state] : names)
    if (known == plain)
      return state;
  return task_state::unknown;
}

/// What a result is: 0.3 says it in it, 1.0 around it, and answers to GetTask not at all.
std::pair<update::kind, agent_json::value> kind_of(const agent_json::value& result) {
  using kind = update::kind;
  const auto named = result["kind"].text();
  static constexpr std::array<std::pair<std::string_view, kind>, 4> within{{
      {"task", kind::task},
      {"message", kind::message},
      {"status-update", kind::status},
      {"artifact-update", kind::artifact},
  }};
  for (const auto& [name, what] : within)
    if (name == named)
      return {what, result};
  static constexpr std::array<std::pair<std::string_view, kind>, 4> around{{
      {"task", kind::task},
      {"message", kind::message},
      {"statusUpdate", kind::status},
      {"artifactUpdate", kind::artifact},
  }};
  for (const auto& [name, what] : around)
    if (auto body = result[name]; body.is_object())
      return {what, body};
  if (result["id"].string() && result["status"].is_object())
    return {kind::task, result};
  if (result["parts"].is_array())
    return {kind::message, result};
  return {kind::unknown, result};
}

} // namespace

std::string request_of(const endpoint& at, request_kind kind, const outgoing& message) {
  json configuration{{"historyLength", 1}};
  // 0.3 leaves it to the server whether it waits for the end.
  if (at.speaks == dialect::v0_3 && kind == request_kind::send)
    configuration["blocking"] = true;
  return rpc(
      at, kind,
      {{"message", message_of(at.speaks, message)}, {"configuration", std::move(configuration)}});
}

std::string request_of(const endpoint& at, request_kind kind, std::string_view task) {
  json params{{"id", task}};
  if (kind == request_kind::look)
    params["historyLength"] = 1;
  return rpc(at, kind, std::move(params));
}

http_headers headers_of(dialect speaks, bool streams) {
  return {{"Content-Type", "application/json"},
          {"Accept", streams ? "text/event-stream, application/json" : "application/json"},
          {"A2A-Version", speaks == dialect::v1_0 ? "1.0" : "0.3"}};
}

std::string_view name_of(task_state s) {
  switch (s) {
  case task_state::unknown:
    break;
  case task_state::working:
    return "working";
  case task_state::completed:
    return "completed";
  case task_state::failed:
    return "failed";
  case task_state::canceled:
    return "canceled";
  case task_state::rejected:
    return "rejected";
  case task_state::input_required:
    return "input-required";
  case task_state::auth_required:
    return "auth-required";
  }
  return "unknown";
}

update read_update(const agent_json::value& result) {
  update out;
  std::tie(out.what, out.body) = kind_of(result);
  if (out.what == update::kind::unknown)
    return out;
  out.task = out.body[out.what == update::kind::task ? "id" : "taskId"].text();
  out.context = out.body["contextId"].text();
  const auto status = out.body["status"];
  out.state = state_of(status["state"].text());
  out.words = status["message"];
  return out;
}

part read_part(const agent_json::value& from) {
  part out;
  const auto take = [&](part::kind what, const agent_json::value& text) {
    if (!text.string())
      return false;
    out.what = what;
    out.text = text.text();
    return true;
  };
  const auto file = from["file"];
  out.name = (file["name"] ? file["name"] : from["filename"]).text();
  if (take(part::kind::text, from["text"]) || take(part::kind::bytes, from["raw"]) ||
      take(part::kind::link, from["url"]) || take(part::kind::bytes, file["bytes"]) ||
      take(part::kind::link, file["uri"]))
    return out;
  if (const auto data = from["data"]) {
    out.what = part::kind::data;
    out.text = data.json();
  }
  return out;
}

} // namespace pb::a2a

#include "bridges/agent/json_rpc.hpp"

#include "messages/json_text.hpp"

#include <nlohmann/json.hpp>
#include <utility>

namespace pb::json_rpc {
namespace {

/// From front to back, with the id as the text that it is.
std::string text_of(std::string_view id, std::string_view rest) {
  std::string out = R"({"jsonrpc":"2.0")";
  if (!id.empty()) {
    out += R"(,"id":)";
    out += id;
  }
  out += ',';
  out += rest;
  out += '}';
  return out;
}

std::string call(std::string_view method, const nlohmann::json& params) {
  std::string out = R"("method":)" + json_text(nlohmann::json(method));
  if (!params.is_null())
    out += R"(,"params":)" + json_text(params);
  return out;
}

/// What is wrong with an id; empty: nothing.
std::string_view read_id(const agent_json::value& id, message& into) {
  if (!id)
    return {}; // none, or the null of an answer to what could not be read
  if (!id.string() && !id.number())
    return "id is neither a string nor a number";
  into.id = id.json();
  return into.id.size() > id_limit ? "id is too long" : std::string_view();
}

/// What is wrong with an answer; empty: nothing. A null beside the other one is let pass: careless
/// servers write it.
std::string_view read_answer(const agent_json::value& all, bool has_result, message& into) {
  const auto error = all["error"];
  if (error && all["result"])
    return "both result and error";
  if (!error) {
    into.result = all["result"];
    return has_result ? std::string_view() : "neither method nor result nor error";
  }
  const auto code = error["code"].integer();
  if (!code)
    return "error without a code";
  into.error = fault{*code, error["message"].text(), error["data"]};
  return {};
}

} // namespace

message read(std::string_view text) {
  message out;
  const auto wrong = [](std::string_view why) {
    message bad;
    bad.wrong = why;
    return bad;
  };
  const auto document = agent_json::parse(text, depth_limit);
  if (!document.wrong.empty())
    return wrong(document.wrong);
  const agent_json::value all(document.root);
  if (all["jsonrpc"].string() != "2.0")
    return wrong("not JSON-RPC 2.0");
  if (const auto why = read_id(all["id"], out); !why.empty())
    return wrong(why);
  bool has_method = false, has_result = false;
  for (const auto& [name, field] : document.object) {
    has_method = has_method || name == "method";
    has_result = has_result || name == "result";
  }
  if (!has_method) {
    const auto why = read_answer(all, has_result, out);
    return why.empty() ? out : wrong(why);
  }
  out.method = all["method"].text();
  if (out.method.empty())
    return wrong("method is not a name");
  out.params = all["params"];
  if (out.params && !out.params.is_object() && !out.params.is_array())
    return wrong("params are neither an object nor an array");
  return out;
}

std::string request(std::string_view id, std::string_view method, const nlohmann::json& params) {
  return text_of(id, call(method, params));
}

std::string notification(std::string_view method, const nlohmann::json& params) {
  return text_of({}, call(method, params));
}

std::string answer(std::string_view id, const nlohmann::json& result) {
  return text_of(id, R"("result":)" + json_text(result));
}

std::string refusal(std::string_view id, int code, std::string_view why) {
  return text_of(id, R"("error":)" + json_text(nlohmann::json({{"code", code}, {"message", why}})));
}

} // namespace pb::json_rpc

#include "bridges/agent/a2a/faults.hpp"

#include <array>
#include <chrono>
#include <string>
#include <string_view>
#include <utility>

namespace pb::a2a {
namespace {

constexpr std::size_t longest_sentence = 500;

constexpr std::array<std::pair<std::int64_t, std::string_view>, 14> sentences{{
    {-32700, "the agent could not read the request"},
    {-32600, "the agent takes the request for none"},
    {-32601, "the agent does not know this method"},
    {-32602, "the agent does not accept the request's parameters"},
    {-32603, "the agent failed inside"},
    {-32001, "the agent does not know the task any more"},
    {-32002, "the task cannot be cancelled"},
    {-32003, "the agent has no push notifications"},
    {-32004, "the agent does not support this"},
    {-32005, "the agent does not take content of this type"},
    {-32006, "the agent's own answer was invalid"},
    {-32007, "the agent has no extended card"},
    {-32008, "the agent requires an extension that we do not speak"},
    {-32009, "the agent does not speak this version of A2A"},
}};

/// One line of the agent's own, unless it is a page or there is none.
std::string sentence(std::string_view theirs, std::string_view ours) {
  std::string out(theirs.substr(0, theirs.find_first_of("\r\n")));
  if (out.empty() || out.find('<') != std::string::npos || out.size() > longest_sentence)
    return std::string(ours);
  return out;
}

} // namespace

agent_says::error to_error(const json_rpc::fault& fault) {
  std::string_view ours = "the agent refused";
  for (const auto& [code, text] : sentences)
    if (code == fault.code)
      ours = text;
  constexpr std::int64_t internal = -32603;
  return {std::to_string(fault.code), sentence(fault.message, ours), fault.code == internal};
}

agent_says::error to_error(const link_closed& why) {
  agent_says::error out;
  out.code = "HTTP " + std::to_string(why.code);
  out.details = "the agent answered with " + out.code;
  out.retryable = why.code == 408 || why.code == 429 || why.code >= 500;
  if (why.retry_after.count() > 0) {
    const auto s = std::chrono::ceil<std::chrono::seconds>(why.retry_after).count();
    out.details += "; it can be asked again in " + std::to_string(s) + " s";
    out.code += ", again in " + std::to_string(s) + " s"; // what a person is shown
  }
  return out;
}

} // namespace pb::a2a

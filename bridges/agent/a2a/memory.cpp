#include "bridges/agent/a2a/memory.hpp"

#include "bridges/agent/json.hpp"
#include "bridges/agent/json_rpc.hpp"

#include <nlohmann/json.hpp>

namespace pb::a2a {
namespace {
constexpr int version = 1;
}

std::string to_text(const chat_memory& memory) {
  nlohmann::json out{{"v", version}};
  const auto put = [&](const char* key, const std::string& text) {
    if (!text.empty())
      out[key] = text;
  };
  put("context", memory.context);
  put("turn", memory.turn);
  put("task", memory.task);
  if (memory.decisions != 0)
    out["decisions"] = memory.decisions;
  if (memory.at) {
    put("base", memory.base);
    out["at"] = {{"url", memory.at->url},
                 {"speaks", memory.at->speaks == dialect::v1_0 ? "1.0" : "0.3"},
                 {"streaming", memory.at->streaming}};
    if (!memory.at->tenant.empty())
      out["at"]["tenant"] = memory.at->tenant;
  }
  return out.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

chat_memory read_memory(std::string_view text) {
  const auto document = agent_json::parse(text, json_rpc::depth_limit);
  const agent_json::value all(document.root);
  if (!document.wrong.empty() || all["v"].integer() != version)
    return {};
  chat_memory out;
  out.context = all["context"].text();
  out.turn = all["turn"].text();
  out.task = all["task"].text();
  if (const auto n = all["decisions"].integer(); n && *n > 0 && *n < 1'000'000)
    out.decisions = static_cast<unsigned>(*n);
  const auto at = all["at"];
  const auto speaks = at["speaks"].text();
  if (at["url"].string() && (speaks == "1.0" || speaks == "0.3")) {
    out.base = all["base"].text();
    out.at = endpoint{at["url"].text(), speaks == "1.0" ? dialect::v1_0 : dialect::v0_3,
                      at["streaming"].truth(), at["tenant"].text()};
  }
  return out;
}

} // namespace pb::a2a

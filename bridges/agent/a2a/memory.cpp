#include "bridges/agent/a2a/memory.hpp"

#include "bridges/agent/json.hpp"
#include "bridges/agent/json_rpc.hpp"
#include "messages/json_text.hpp"

#include <charconv>
#include <nlohmann/json.hpp>

namespace pb::a2a {
namespace {

constexpr int version = 1;

/// Of 64 bits without a sign, which not every reader of JSON has as a number.
std::optional<std::uint64_t> number(const std::string& text) {
  std::uint64_t out = 0;
  const auto* end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, out);
  return error == std::errc{} && at == end ? std::optional(out) : std::nullopt;
}

nlohmann::json to_json(const shown_marks& shown) {
  nlohmann::json out = nlohmann::json::object();
  for (const auto& [id, text] : shown.texts)
    out["texts"][id] = {text.bytes, std::to_string(text.hash)};
  for (const auto file : shown.files)
    out["files"].push_back(std::to_string(file));
  return out;
}

shown_marks read_marks(const agent_json::value& from) {
  shown_marks out;
  for (const auto& [id, text] : from["texts"].fields()) {
    const auto items = text.items();
    const auto bytes = items.size() == 2 ? items[0].integer() : std::nullopt;
    const auto hash = bytes ? number(items[1].text()) : std::nullopt;
    if (hash && *bytes > 0 && out.texts.size() < shown_marks::artifact_cap)
      out.texts[id] = {static_cast<std::size_t>(*bytes), *hash};
  }
  for (const auto& file : from["files"].items())
    if (const auto hash = number(file.text()); hash && out.files.size() < shown_marks::file_cap)
      out.files.insert(*hash);
  return out;
}

} // namespace

std::uint64_t hash_of(std::string_view bytes) {
  std::uint64_t hash = 14'695'981'039'346'656'037U;
  for (const char c : bytes)
    hash = (hash ^ static_cast<unsigned char>(c)) * 1'099'511'628'211U;
  return hash;
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
  if (memory.shown != shown_marks{})
    out["shown"] = to_json(memory.shown);
  if (memory.at) {
    put("base", memory.base);
    out["at"] = {{"url", memory.at->url},
                 {"speaks", memory.at->speaks == dialect::v1_0 ? "1.0" : "0.3"},
                 {"streaming", memory.at->streaming}};
    if (!memory.at->tenant.empty())
      out["at"]["tenant"] = memory.at->tenant;
  }
  return json_text(out);
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
  if (out.task.size() > longest_task || out.context.size() > longest_context)
    return {};
  if (const auto n = all["decisions"].integer(); n && *n > 0 && *n < 1'000'000)
    out.decisions = static_cast<unsigned>(*n);
  out.shown = read_marks(all["shown"]);
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

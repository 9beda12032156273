#include "bridges/agent/acp/permission.hpp"

#include "bridges/agent/acp/safe_text.hpp"

#include <nlohmann/json.hpp>
#include <utility>

namespace pb::acp {

std::optional<permission> read_options(const agent_json::value& options) {
  std::string allow_always, reject_always;
  permission out;
  bool any = false;
  for (const auto& option : options.items()) {
    auto id = option["optionId"].text();
    if (id.empty())
      continue;
    any = true;
    const auto kind = option["kind"].text();
    auto* place = kind == "allow_once"      ? &out.yes
                  : kind == "allow_always"  ? &allow_always
                  : kind == "reject_once"   ? &out.no
                  : kind == "reject_always" ? &reject_always
                                            : nullptr;
    if (place && place->empty())
      *place = std::move(id);
  }
  if (!any)
    return std::nullopt;
  if (out.yes.empty())
    out.yes = std::move(allow_always);
  if (out.no.empty())
    out.no = std::move(reject_always);
  return out;
}

std::string question(const tool& call) {
  std::string out = code(one_line(call.title.empty() ? call.id : call.title, 500));
  if (!call.kind.empty() && call.kind != "other")
    out += " (" + code(one_line(call.kind, 32)) + ")";
  std::string paths;
  for (const auto& path : call.paths) {
    if (path == call.title)
      continue; // said already
    if (paths.size() > 1'000) {
      paths += ", …";
      break;
    }
    paths += (paths.empty() ? "" : ", ") + code(one_line(path, 200));
  }
  if (!paths.empty())
    out += "\n\n" + paths;
  if (!call.words.empty())
    out += "\n\n" + code_block(cut(call.words, 1'000));
  if (!call.diff.empty()) // what would be written; the input says the same as JSON
    out += "\n\n" + code_block(cut(call.diff, 2'000));
  else if (!call.input.empty() && call.input != "{}" && call.input != "null")
    out += "\n\n" + code_block(cut(call.input, 2'000));
  return out;
}

nlohmann::json decided(const permission& asked, bool yes) {
  const auto& option = yes ? asked.yes : asked.no;
  if (option.empty())
    return decision_cancelled();
  return {{"outcome", {{"outcome", "selected"}, {"optionId", option}}}};
}

nlohmann::json decision_cancelled() { return {{"outcome", {{"outcome", "cancelled"}}}}; }

} // namespace pb::acp

#include "bridges/agent/ag_ui/thread.hpp"

#include "bridges/agent/ag_ui/fields.hpp"
#include "bridges/agent/ag_ui/state.hpp"
#include "messages/json_text.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

namespace pb::ag_ui {
namespace {

using nlohmann::json;

constexpr int memory_version = 1;
/// Of what was said; beside it the memory has room for the state and the open interrupts.
constexpr std::size_t most_context = std::size_t{80} << 10;

} // namespace

thread::thread(const agent_spec& agent, const std::string& memory)
    : said({agent.model.context_messages, std::min(agent.model.context_bytes, most_context)}) {
  const auto all = json::parse(memory, nullptr, false);
  if (!all.is_object() || all.value("v", json()) != memory_version)
    return;
  said.read(all.value("entries", json()));
  if (const auto found = all.find("state"); found != all.end())
    state = json_text(*found);
  if (state.size() > state_limit)
    state.clear();
  asked = string_of(all, "asked");
  for (const auto& i : all.value("open", json::array())) {
    if (!i.is_object() || string_of(i, "id").empty() || open.size() == interrupt_limit)
      continue;
    open.push_back({string_of(i, "id"), string_of(i, "field"), {}, 0});
    if (const auto found = i.find("yes"); found != i.end() && found->is_boolean())
      open.back().answer = found->get<bool>();
    if (const auto found = i.find("repeat"); found != i.end() && found->is_number_unsigned())
      open.back().repeat = found->get<std::size_t>();
  }
}

std::string thread::written() const {
  json all{{"v", memory_version}, {"entries", said.written()}};
  if (!state.empty())
    all["state"] = json::parse(state, nullptr, false);
  for (const auto& i : open) {
    json one{{"id", i.id}, {"field", i.field}};
    if (i.answer)
      one["yes"] = *i.answer;
    if (i.repeat != 0)
      one["repeat"] = i.repeat;
    all["open"].push_back(std::move(one));
  }
  if (!open.empty())
    all["asked"] = asked;
  return json_text(all);
}

open_interrupt* thread::find(std::string_view id) {
  const auto i =
      std::find_if(open.begin(), open.end(), [&](const auto& o) { return o.name() == id; });
  return i == open.end() ? nullptr : &*i;
}

std::size_t thread::undecided() const {
  return static_cast<std::size_t>(
      std::count_if(open.begin(), open.end(), [](const auto& i) { return !i.answer; }));
}

json thread::resume() const {
  auto out = json::array();
  for (const auto& i : open) {
    json entry{{"interruptId", i.id}, {"status", i.answer ? "resolved" : "cancelled"}};
    if (i.answer)
      entry["payload"] = i.field.empty() ? json(*i.answer) : json{{i.field, *i.answer}};
    out.push_back(std::move(entry));
  }
  return out;
}

std::vector<history_entry> thread::asking() const {
  std::vector<history_entry> out;
  std::copy_if(said.entries().begin(), said.entries().end(), std::back_inserter(out),
               [&](const history_entry& e) { return e.turn == asked; });
  return out;
}

std::string run_input(const std::string& thread_id, const std::string& run_id, json messages,
                      const std::string& state, json resume) {
  auto known = json::parse(state, nullptr, false);
  json input{{"threadId", thread_id},
             {"runId", run_id},
             {"state", known.is_discarded() || known.is_null() ? json::object() : std::move(known)},
             {"messages", std::move(messages)},
             {"tools", json::array()},
             {"context", json::array()},
             {"forwardedProps", json::object()}};
  if (!resume.empty())
    input["resume"] = std::move(resume);
  return json_text(input);
}

} // namespace pb::ag_ui

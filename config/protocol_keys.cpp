// Keys that mean something to one protocol only: a child process (acp), a model (openai).

#include "config/keys.hpp"
#include "config/problem.hpp"

#include <algorithm>
#include <cctype>

namespace pb::config {

namespace {

using text = const std::string&;

constexpr std::size_t most_arguments = 256, most_variables = 256;
constexpr std::size_t longest_value = 32'768;

verdict add_argument(agent_spec& a, text t) {
  auto argument = line(t, 4'096);
  if (!argument)
    return argument.error();
  if (a.process.command.size() == most_arguments)
    return wrong{"more than " + std::to_string(most_arguments) + " arguments", "use a script"};
  a.process.command.push_back(*std::move(argument));
  return std::nullopt;
}

/// Room for a variable of this name; an earlier value of it is gone.
verdict make_room(agent_process& p, text name) {
  const auto ok = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; };
  if (name.size() > 128 || std::isdigit(static_cast<unsigned char>(name.front())) ||
      !std::all_of(name.begin(), name.end(), ok))
    return wrong{quoted(name) + " is no variable's name", "write letters, digits and '_'"};
  std::erase_if(p.env, [&](const auto& one) { return one.first == name; });
  std::erase_if(p.secret_env, [&](const auto& one) { return one.first == name; });
  if (p.env.size() + p.secret_env.size() == most_variables)
    return wrong{"more than " + std::to_string(most_variables) + " variables", "use a file"};
  return std::nullopt;
}

verdict set_variable(agent_spec& a, text name, text value) {
  if (auto bad = make_room(a.process, name))
    return bad;
  if (value.size() > longest_value || value.find('\0') != std::string::npos)
    return wrong{"no value for a variable", "write a text of at most 32768 bytes"};
  a.process.env.emplace_back(name, value);
  return std::nullopt;
}

verdict set_secret_variable(agent_spec& a, text name, text value) {
  if (auto bad = make_room(a.process, name))
    return bad;
  auto hidden = secret_text(value, 1);
  if (!hidden)
    return hidden.error();
  a.process.secret_env.emplace_back(name, *std::move(hidden));
  return std::nullopt;
}

verdict set_cwd(agent_spec& a, text t) {
  if (!t.starts_with('/'))
    return wrong{quoted(t) + " is not an absolute path"};
  return into(a.cwd, line(t, 4'096));
}

verdict set_instructions(agent_spec& a, text t) {
  const auto strange = [](char c) {
    return c != '\n' && c != '\t' && has_control_characters({&c, 1});
  };
  if (t.size() > longest_value || std::any_of(t.begin(), t.end(), strange))
    return wrong{"no text of at most 32768 bytes without control characters"};
  a.model.instructions = t;
  return std::nullopt;
}

} // namespace

std::vector<agent_key> protocol_keys() {
  return {
      {"process.command", shape::list, "a program and its arguments", "",
       "acp: the agent is a child process of the router, there is no base_url", add_argument,
       [](agent_spec& a) { a.process.command.clear(); }},
      {"process.env",
       shape::variables,
       "a mapping like {MODE: fast, KEY: {env: AGENT_KEY}}; a value may be {env: NAME} or "
       "{file: PATH}",
       "{}",
       "acp: its variables, beside PATH, HOME and LANG",
       nullptr,
       nullptr,
       set_variable,
       {},
       set_secret_variable},
      {"process.sandbox", shape::text, "automatic, required or off", "automatic",
       "acp: whether the child is confined to its workspace",
       [](agent_spec& a, text t) {
         return into(a.process.sandbox,
                     one_of<sandbox_mode>(t, {{"automatic", sandbox_mode::automatic},
                                              {"required", sandbox_mode::required},
                                              {"off", sandbox_mode::off}}));
       }},
      {"cwd", shape::text, "an absolute path", "", "acp: the workspace as the agent sees it",
       set_cwd},
      {"model.api", shape::text, "chat or responses", "chat",
       "openai: chat completions, or the Responses API",
       [](agent_spec& a, text t) {
         using api = agent_model::api;
         return into(a.model.speaks,
                     one_of<api>(t, {{"chat", api::chat}, {"responses", api::responses}}));
       }},
      {"model.name", shape::text, "the model's name at its server", "", "openai: which model",
       [](agent_spec& a, text t) { return into(a.model.name, line(t, 200)); }},
      {"model.instructions", shape::text, "a text of at most 32768 bytes", "",
       "openai: what the model is told before every conversation", set_instructions},
      {"model.context_messages", shape::text, "a number from 0 to 1000", "40",
       "openai, ag-ui: questions and answers of the chat that are sent along",
       [](agent_spec& a, text t) { return into(a.model.context_messages, number(t, 0, 1'000)); }},
      {"model.context_bytes", shape::text, "a size from 1KiB to 192KiB, like 64KiB", "64KiB",
       "openai, ag-ui: the same, in bytes (ag-ui: 80 KiB at most)",
       [](agent_spec& a, text t) {
         return into(a.model.context_bytes, size(t, 1'024, std::size_t{192} << 10));
       }},
      {"model.max_tokens", shape::text, "a number from 1 to 1000000", "the server's own limit",
       "openai: of one answer",
       [](agent_spec& a, text t) { return into(a.model.max_tokens, number(t, 1, 1'000'000)); }},
  };
}

} // namespace pb::config

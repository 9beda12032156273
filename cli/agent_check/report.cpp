#include "cli/agent_check/run.hpp"

#include "messages/json_text.hpp"

#include <iomanip>
#include <nlohmann/json.hpp>
#include <ostream>

namespace pb::agent_check {

namespace {

using nlohmann::ordered_json;

std::string_view arrow(passage p) {
  switch (p) {
  case passage::sent:
    return "\u2192 ";
  case passage::received:
    return "\u2190 ";
  case passage::opened:
    return "open";
  case passage::closed:
    return "closed ";
  case passage::remark:
    break;
  }
  return "# ";
}

void print_line(std::ostream& out, const transcript_line& l) {
  out << "           " << std::setw(6) << std::right << l.at.count() << " ms  chat " << l.chat;
  if (l.connection != 0)
    out << " #" << l.connection;
  out << "  " << arrow(l.what) << printable(l.text);
  if (l.bytes > l.text.size())
    out << "\u2026 (" << l.bytes << " bytes)";
  out << '\n';
}

ordered_json as_json(const case_result& r, std::size_t first_lines) {
  ordered_json out{
      {"name", r.what.name},   {"what", r.what.what},   {"result", to_string(r.found.is)},
      {"rule", r.what.rule},   {"where", r.what.where}, {"milliseconds", r.took.count()},
      {"notes", r.found.notes}};
  if (!r.found.why.empty())
    out["why"] = r.found.why;
  if (r.found.is != verdict::failed)
    return out;
  auto& frames = out["frames"] = ordered_json::array();
  for (std::size_t i = 0; i < r.lines.size(); ++i) {
    if (i == first_lines && r.left_out > 0)
      frames.push_back({{"left_out", r.left_out}});
    const auto& l = r.lines[i];
    frames.push_back({{"milliseconds", l.at.count()},
                      {"direction", to_string(l.what)},
                      {"chat", l.chat},
                      {"connection", l.connection},
                      {"bytes", l.bytes},
                      {"text", l.text}});
  }
  return out;
}

} // namespace

void print(std::ostream& out, const case_result& r) {
  const auto word =
      r.found.is == verdict::failed ? std::string_view{"FAILED"} : to_string(r.found.is);
  out << std::left << std::setw(9) << word << std::setw(17) << r.what.name;
  if (r.found.is == verdict::skipped) {
    out << printable(r.found.why) << '\n';
    return;
  }
  out << r.what.what << " (" << r.took.count() << " ms)\n";
  if (r.found.is == verdict::failed)
    out << "         what: " << printable(r.found.why) << "\n         rule: " << r.what.rule
        << "\n               " << r.what.where << '\n';
  for (const auto& note : r.found.notes)
    out << "         note: " << printable(note) << '\n';
  if (r.lines.empty())
    return;
  out << "         frames (\u2192 sent by us, \u2190 by the agent):\n";
  for (std::size_t i = 0; i < r.lines.size(); ++i) {
    if (i == transcript::first_lines && r.left_out > 0)
      out << "              \u2026 " << r.left_out << " more\n";
    print_line(out, r.lines[i]);
  }
}

void print_verdict(std::ostream& out, const report& all) {
  if (!all.reachable) {
    out << "The agent is not there: nothing else was tried.\n";
    return;
  }
  out << all.count(verdict::ok) << " ok, " << all.count(verdict::failed) << " failed, "
      << all.count(verdict::skipped) << " skipped: "
      << (all.passed() ? "the agent keeps the rules that were tried.\n"
                       : "the agent does not keep the rules.\n");
}

std::string to_json(const report& all) {
  auto cases = ordered_json::array();
  for (const auto& r : all.results)
    cases.push_back(as_json(r, transcript::first_lines));
  return json_text(ordered_json({{"agent", all.agent},
                                 {"protocol", all.protocol},
                                 {"verdict", !all.reachable ? "unreachable"
                                             : all.passed() ? "ok"
                                                            : "failed"},
                                 {"ok", all.count(verdict::ok)},
                                 {"failed", all.count(verdict::failed)},
                                 {"skipped", all.count(verdict::skipped)},
                                 {"milliseconds", all.took.count()},
                                 {"cases", std::move(cases)}}));
}

void print_cases(std::ostream& out, std::string_view protocol, bool as_one_object) {
  const auto all = cases_for(protocol);
  if (!as_one_object) {
    for (const auto& c : all)
      out << std::left << std::setw(17) << c.name << c.what << '\n'
          << std::setw(17) << "" << c.rule << " (" << c.where << ")\n";
    return;
  }
  auto cases = ordered_json::array();
  for (const auto& c : all)
    cases.push_back({{"name", c.name}, {"what", c.what}, {"rule", c.rule}, {"where", c.where}});
  out << json_text(ordered_json({{"protocol", protocol}, {"cases", std::move(cases)}})) << '\n';
}

} // namespace pb::agent_check

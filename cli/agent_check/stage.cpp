#include "cli/agent_check/cases.hpp"

#include <algorithm>
#include <utility>

namespace pb::agent_check {

namespace {

/// How long after END something that must not come is waited for.
constexpr milliseconds linger{300};
constexpr std::size_t most_files = 100;

std::string count(std::size_t n, std::string_view one) {
  return std::to_string(n) + " " + std::string(one) + (n == 1 ? "" : "s");
}

std::string in_seconds(milliseconds time) {
  const auto tenths = (time.count() + 50) / 100;
  return std::to_string(tenths / 10) +
         (tenths % 10 != 0 ? "." + std::to_string(tenths % 10) : std::string()) + " s";
}

std::string fault_of(const turn_record& t, milliseconds patience, bool error_is_fine) {
  using state = turn_record::state;
  switch (t.is) {
  case state::running:
    if (!t.opened)
      return "no connection within " + in_seconds(patience);
    return "no END within " + in_seconds(patience) +
           (t.events == 0 ? std::string(", and nothing else either")
                          : ", after " + count(t.events, "event"));
  case state::given_up:
    if (t.ending == turn_ending::malformed && t.malformed > 0)
      return "a frame is none of the protocol: " + t.malformed_cause;
    if (t.ending == turn_ending::malformed)
      return "a rule of the connection was broken: " + t.why;
    if (t.ending == turn_ending::unreachable)
      return "the agent cannot be reached: " + t.why;
    if (t.ending == turn_ending::rejected)
      return "the agent rejects the connection with status " + t.why;
    return "the connection ended before END" + (t.why.empty() ? "" : ": " + t.why);
  case state::failed:
    if (!error_is_fine)
      return "the turn ended with ERROR, code \"" + beginning(t.code, 100) + "\"" +
             (t.details.empty() ? "" : ": " + beginning(t.details, 200));
    break;
  case state::ended:
    break;
  }
  if (t.stray > 0)
    return count(t.stray, "frame") + " that belong" + (t.stray == 1 ? "s" : "") +
           " to no turn or to another one (a second END, an event after END, a message_id that is "
           "not the turn's)";
  return {};
}

} // namespace

std::string_view to_string(verdict v) {
  switch (v) {
  case verdict::ok:
    return "ok";
  case verdict::failed:
    return "failed";
  case verdict::skipped:
    break;
  }
  return "skipped";
}

finding failed(std::string why) { return {verdict::failed, std::move(why), {}}; }
finding skipped(std::string why) { return {verdict::skipped, std::move(why), {}}; }

std::string stage::next_id() {
  return "check-" + asked.nonce + "-" + name + "-" + std::to_string(++turns);
}

std::string stage::marker(std::string_view tail) const {
  return "patchbay" + asked.nonce + std::string(tail);
}

std::string stage::finish(conversation& talk, bool error_is_fine, std::size_t answered) {
  auto refused = answered;
  const auto deadline = on.now() + asked.turn;
  const auto over_or_asked = [&] {
    return !talk.turn().running() || talk.turn().questions.size() > refused;
  };
  while (on.until(over_or_asked, deadline - on.now()) && talk.turn().running())
    talk.decide(talk.turn().questions[refused++].id, false);
  if (!talk.turn().running() && talk.connected())
    on.until([&] { return talk.turn().stray > 0; }, linger);
  auto fault = fault_of(talk.turn(), asked.turn, error_is_fine);
  for (const auto& path : talk.turn().files)
    if (files.size() < most_files)
      files.push_back(path);
  talk.settle();
  return fault;
}

std::string stage::simple_turn(std::int64_t in_chat, std::string text, bool error_is_fine) {
  conversation talk(on, with, in_chat);
  talk.ask(next_id(), std::move(text));
  return finish(talk, error_is_fine);
}

} // namespace pb::agent_check

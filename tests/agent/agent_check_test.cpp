// `patchbay agent check`: a good agent passes, and every fault is found and named.

#include "tests/agent/check_world.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

namespace {

using namespace pb;
using namespace pb::agent_check;
namespace scripted = pb::scripted;
using scripted::chunk;
using scripted::end;
using strings = std::vector<std::string>;
using step = scripted::step;

bool has(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

/// A folder of its own, removed in the end.
struct folder {
  std::filesystem::path at;
  folder() {
    std::string name = (std::filesystem::temp_directory_path() / "patchbay-check-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    at = name;
  }
  ~folder() {
    std::error_code ignored;
    std::filesystem::remove_all(at, ignored);
  }
  folder(const folder&) = delete;
  folder& operator=(const folder&) = delete;
  void write(const std::string& name) const { std::ofstream(at / name) << "content"; }
};

/// The good agent, but for texts that begin with `word`.
scripted::script but(std::string word, std::vector<step> steps) {
  return [word = std::move(word), steps = std::move(steps)](const scripted::heard& opening) {
    return opening.frame.value("text", std::string()).starts_with(word) ? steps
                                                                        : good_agent()(opening);
  };
}

const strings questions{"question_yes", "question_no", "question_cancel", "late_answer"};

} // namespace

TEST_CASE("a good agent passes every case that it is given the means for") {
  check_world w;
  auto all = w.check();
  CHECK(names(all, verdict::failed) == strings{});
  auto skipped = questions;
  skipped.insert(skipped.begin(), "attachment");
  skipped.push_back("sent_files");
  CHECK(names(all, verdict::skipped) == skipped);
  CHECK(all.passed());
  CHECK(all.results.size() == cases_for("agent-ws").size());
  CHECK(w.net.open() == 0);

  folder shared;
  w.asked.workspace = shared.at.string();
  w.asked.ask = "permission please";
  all = w.check();
  CHECK(names(all, verdict::failed) == strings{});
  CHECK(names(all, verdict::skipped) == strings{"sent_files"});
  CHECK(std::filesystem::is_empty(shared.at)); // nothing of ours stays
}

TEST_CASE("every case has chats of its own, from the first number on") {
  check_world w;
  w.check();
  for (const auto& to : w.net.dialled()) {
    const auto number = std::stoll(to.url.substr(to.url.find("agent_ws/") + 9));
    CHECK(number >= 100);
    CHECK(number < 100 + 2 * static_cast<long long>(cases_for("agent-ws").size()));
  }
}

TEST_CASE("every fault of an agent is found and named") {
  struct fault {
    const char* what;
    scripted::script agent;
    const char* in_case;
    const char* why;
  };
  std::vector<step> half{chunk("half"), scripted::hang_up(1000)};
  const fault faults[] = {
      {"closes without END", scripted::always(half), "turn", "ended before END: it closed"},
      {"breaks off", scripted::always({chunk("half"), scripted::break_off()}), "turn",
       "ended before END: "},
      {"two ENDs", scripted::always({chunk("x"), end(), end()}), "turn", "a second END"},
      {"text after END", scripted::always({chunk("x"), end(), scripted::wait(50ms), chunk("y")}),
       "turn", "1 frame that belongs to no turn"},
      {"not JSON", scripted::always({scripted::raw("{oops"), end()}), "turn",
       "a frame is none of the protocol"},
      {"a chunk without text",
       scripted::always({scripted::send({{"type", "AGENT_EVENT_TEXT_CHUNK"}}), end()}), "turn",
       "AGENT_EVENT_TEXT_CHUNK: text is missing"},
      {"another turn's id",
       scripted::always(
           {scripted::send(
                {{"type", "AGENT_EVENT_TEXT_CHUNK"}, {"text", "x"}, {"message_id", "yesterday"}}),
            end()}),
       "turn", "message_id"},
      {"an error", scripted::always({scripted::error("overloaded", "later")}), "turn",
       "ERROR, code \"overloaded\": later"},
      {"an empty text kills it",
       [](const scripted::heard& h) {
         return h.frame.value("text", std::string()).empty() ? std::vector{scripted::break_off()}
                                                             : good_agent()(h);
       },
       "empty_text", "ended before END"},
      {"long texts get no answer", but("Answer", {scripted::wait(1h), end()}), "long_text",
       "no END within 30 s, and nothing else either"},
      {"stops only when it is done",
       but("Count", {chunk("1"), scripted::wait(5s), chunk("2"), end()}), "cancel",
       "no END within 1000 ms"},
      {"is stuck after a cut", but("We were", {}), "reconnect", "on a new connection: no END"},
      {"says our word in the other chat",
       but("Repeat this word", {chunk("patchbay0fa patchbay0fb"), end()}), "two_chats",
       "what was said in chat"},
      {"names a file outside", but("Say hello in", {scripted::send_file("/etc/passwd"), end()}),
       "sent_files", "\"/etc/passwd\" is refused"},
  };
  for (const auto& f : faults) {
    INFO(f.what);
    check_world w;
    w.peer.use(f.agent);
    w.peer.obey_cancel(std::string_view(f.what) != "stops only when it is done");
    const auto all = w.check();
    CHECK_FALSE(all.passed());
    const auto& r = result_of(all, f.in_case);
    CHECK(r.found.is == verdict::failed);
    INFO(r.found.why);
    CHECK(has(r.found.why, f.why));
    CHECK(names(all, verdict::failed).front() == f.in_case); // nothing else was blamed before
    CHECK_FALSE(r.what.rule.empty());
    if (r.what.name != "sent_files")
      CHECK(std::any_of(r.lines.begin(), r.lines.end(),
                        [](const auto& l) { return l.what == passage::sent; }));
  }
}

TEST_CASE(
    "an agent that takes its time to open is stopped in the middle of the answer all the same") {
  check_world w;
  w.asked.only = {"cancel", "reconnect"};
  w.net.plan(scripted::dial_plan{.delay = 3s});
  auto all = w.check();
  CHECK(names(all, verdict::failed) == strings{});
  CHECK(names(all, verdict::ok) == strings{"handshake", "cancel", "reconnect"});
  w.peer.obey_cancel(false); // which shows only when there is something to stop
  all = w.check();
  CHECK(has(result_of(all, "cancel").found.why, "no END within 1000 ms"));
}

TEST_CASE("an agent that never ends a turn is not tried on and on") {
  check_world w;
  w.peer.use(scripted::always({chunk("well,"), scripted::wait(2h)}));
  const auto all = w.check();
  CHECK(names(all, verdict::failed) == strings{"turn"});
  CHECK(result_of(all, "turn").found.why == "no END within 30 s, after 1 event");
  CHECK(result_of(all, "cancel").found.why == "the agent does not end a simple turn");
  CHECK(w.clock.now() < 40s);
}

TEST_CASE("an agent that is not there, or refuses, is a verdict of its own") {
  check_world w;
  using how = scripted::dial_plan::how;
  for (const auto& [plan, words] :
       {std::pair{scripted::dial_plan{how::refuse}, "cannot be reached"},
        std::pair{scripted::dial_plan{how::reject, 401}, "status 401"},
        std::pair{scripted::dial_plan{how::never_open}, "no handshake in time"}}) {
    w.net.plan(plan);
    const auto all = w.check();
    CHECK_FALSE(all.reachable);
    CHECK_FALSE(all.passed());
    REQUIRE(all.results.size() == 1);
    INFO(all.results[0].found.why);
    CHECK(has(all.results[0].found.why, words));
  }
}

TEST_CASE("an agent that dies of a case: that one is blamed, the rest is skipped") {
  check_world w;
  w.net.plan([&](const link_request&) {
    // It is gone once it has heard of a type that it does not know.
    const bool dead = !w.peer.of_type("PATCHBAY_CHECK_FROM_THE_FUTURE").empty();
    return scripted::dial_plan{dead ? scripted::dial_plan::how::refuse
                                    : scripted::dial_plan::how::open};
  });
  w.peer.use([&](const scripted::heard& h) {
    return w.peer.of_type("PATCHBAY_CHECK_FROM_THE_FUTURE").empty()
               ? good_agent()(h)
               : std::vector{scripted::break_off()};
  });
  const auto all = w.check();
  CHECK(names(all, verdict::failed) == strings{"unknown_type"});
  CHECK(result_of(all, "unknown_type").found.notes ==
        strings{"after this the agent could not be reached any more"});
  CHECK(has(result_of(all, "broken_json").found.why, "any more after unknown_type"));
  CHECK(result_of(all, "frames").found.is == verdict::ok);
}

TEST_CASE("questions: ids that repeat, answers that nobody takes, cancels that are ignored") {
  struct fault {
    std::vector<step> first, late;
    const char* in_case;
    const char* why;
  };
  const std::vector<step> ask{scripted::confirm("q1", "May I?"), scripted::await_confirm("q1")};
  const auto then = [&](std::vector<step> more) {
    auto all = ask;
    all.insert(all.end(), more.begin(), more.end());
    return all;
  };
  const fault faults[] = {
      {{chunk("I just did it"), end()}, {end()}, "question_yes", "without a question"},
      {then({scripted::wait(2h)}), {end()}, "question_yes", "no END after the answer"},
      {then({scripted::confirm("q1", "Really?"), scripted::await_confirm("q1"), end()}),
       {end()},
       "question_yes",
       "\"q1\" was used twice"},
      {then({end()}), {scripted::wait(2h)}, "late_answer", "on a new connection: no END"},
      {then({scripted::wait(100ms), chunk("fine"), end(), end()}),
       {end()},
       "question_yes",
       "belongs to no turn"},
  };
  for (const auto& f : faults) {
    INFO(f.in_case << ": " << f.why);
    check_world w;
    w.asked.ask = "permission please";
    w.asked.only = questions;
    w.peer.use([&](const scripted::heard& h) { return h.type == "CONFIRM" ? f.late : f.first; });
    const auto all = w.check();
    const auto& r = result_of(all, f.in_case);
    INFO(r.found.why);
    CHECK(r.found.is == verdict::failed);
    CHECK(has(r.found.why, f.why));
  }
  check_world w;
  w.asked.ask = "permission please";
  w.asked.only = {"question_cancel"};
  w.peer.obey_cancel(false);
  CHECK(has(result_of(w.check(), "question_cancel").found.why, "with a question open"));
}

TEST_CASE("each of two questions of a turn gets one answer") {
  check_world w;
  w.asked.ask = "permission please";
  w.asked.only = {"question_yes"};
  w.peer.use(but("permission",
                 {scripted::confirm("q1", "May I?"), scripted::await_confirm("q1"),
                  scripted::confirm("q2", "And this?"), scripted::await_confirm("q2"), end()}));
  CHECK(w.check().passed());
  const auto said = w.peer.confirms();
  REQUIRE(said.size() == 2);
  CHECK(said[0].frame["confirmation_id"] == "q1");
  CHECK(said[0].frame["decision"] == "yes");
  CHECK(said[1].frame["confirmation_id"] == "q2");
  CHECK(said[1].frame["decision"] == "no");
}

TEST_CASE("a question that nobody provoked is answered with no, and the case goes on") {
  check_world w;
  w.peer.use(but("Say hello in", {scripted::confirm("q7", "May I?"), scripted::await_confirm("q7"),
                                  scripted::tell_decision(), end()}));
  CHECK(w.check().passed());
  REQUIRE(w.peer.confirms().size() == 1);
  CHECK(w.peer.confirms()[0].frame["decision"] == "no");
}

TEST_CASE("an agent that does not echo message_id is not asked twice on one connection") {
  check_world w;
  w.peer.echo_message_id(false);
  const auto all = w.check();
  CHECK(all.passed());
  CHECK(result_of(all, "kept_connection").found.is == verdict::skipped);
}

TEST_CASE("only the cases that were asked for run, after a look whether the agent is there") {
  check_world w;
  w.asked.only = {"unicode", "two_chats"};
  const auto all = w.check();
  CHECK(names(all, verdict::ok) == strings{"handshake", "unicode", "two_chats"});
  CHECK(all.results.size() == 3);
}

TEST_CASE("files that the agent sends must lie beneath the workspace") {
  folder shared;
  shared.write("report.txt");
  std::filesystem::create_symlink("/etc/passwd", shared.at / "link");
  for (const auto& [path, wrong] :
       {std::pair{"report.txt", ""}, std::pair{"/workspace/report.txt", ""},
        std::pair{"missing.txt", "cannot be sent"}, std::pair{"link", "cannot be sent"},
        std::pair{"../report.txt", "is refused"}}) {
    INFO(path);
    check_world w;
    w.asked.workspace = shared.at.string();
    w.asked.only = {"turn", "sent_files"};
    w.peer.use(but("Say hello in", {scripted::send_file(path), end()}));
    const auto all = w.check();
    const auto& found = result_of(all, "sent_files").found;
    CHECK(found.is == (*wrong == '\0' ? verdict::ok : verdict::failed));
    INFO(found.why);
    CHECK(has(found.why, wrong));
  }
}

TEST_CASE("unknown types break no rule and are told") {
  check_world w;
  w.peer.use(
      but("Say hello in", {scripted::send({{"type", "AGENT_EVENT_MOOD"}}), chunk("x"), end()}));
  const auto all = w.check();
  CHECK(all.passed());
  const auto& notes = result_of(all, "frames").found.notes;
  CHECK(std::find(notes.begin(), notes.end(),
                  "type AGENT_EVENT_MOOD is not known and was ignored, 1 time") != notes.end());
}

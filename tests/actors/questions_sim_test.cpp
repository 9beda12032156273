// Questions of the agent: asked, answered, expired, forgotten, over restarts.

#include "tests/actors/chat_sim.hpp"
#include "tests/support/store_wrapper.hpp"

using namespace pb;
using namespace pb::test;

TEST_CASE("a question is a prompt that stays, and its answer reaches the agent once") {
  for (const std::string how : {"!yes", "!no 1", "!yes c1", "✅", "❌"}) {
    INFO(how);
    sim_world w;
    w.agent.use(asking());
    w.start();
    const auto chat = w.onboard("alice");
    const auto asked = w.say("alice", chat, "go");
    w.run_for(3s);
    const auto prompt = prompt_in(w, chat);
    REQUIRE(prompt.is_object());
    CHECK(has(prompt.at("content").at("body"), "Delete **all**?"));
    CHECK(prompt.at("content").at("io.patchbay.delivery").at("confirmation").at("id") == "1");
    CHECK(w.agent.confirms().empty());
    if (how.front() == '!')
      w.say("alice", chat, how);
    else
      react(w, chat, prompt.at("event_id"), how);
    w.run_for(3s);
    const bool yes = how == "!yes" || how == "!yes c1" || how == "✅";
    REQUIRE(w.agent.confirms().size() == 1);
    CHECK(w.agent.confirms()[0].frame.at("decision") == (yes ? "yes" : "no"));
    const auto replies = w.replies_to(chat, asked);
    CHECK(has(replies.back(), yes ? "c1=yes" : "c1=no"));
    CHECK(has(answer_to(w, chat, "!no"), "answered already"));
    CHECK(w.agent.confirms().size() == 1);
    CHECK(prompt_in(w, chat).at("content") == prompt.at("content"));
  }
}

TEST_CASE(
    "only the asker, the owner and operators answer; which one is asked when several are open") {
  sim_world w;
  w.process.access.operators = {user_id{"@op:localhost"}};
  w.agent.use(always({confirm("a", "First?"), confirm("b", "Second?"), await_confirm("b"),
                      tell_decision(), await_confirm("a"), tell_decision(), end()}));
  w.start();
  const auto chat = w.onboard("alice");
  w.person("bob");
  answer_to(w, chat, "!allow @bob:localhost");
  w.accept_invitations("bob");
  w.say("alice", chat, "go");
  w.run_for(3s);
  CHECK(answer_to(w, chat, "!yes") == en(phrase::confirm_which, {"1, 2"}));
  CHECK(answer_to(w, chat, "!yes 7") == en(phrase::confirm_unknown, {"7"}));
  CHECK(answer_to(w, chat, "!yes 1", "bob") == en(phrase::confirm_not_yours, {"1"}));
  CHECK(w.agent.confirms().empty());
  CHECK(answer_to(w, chat, "!no 2") == en(phrase::confirm_no, {"2"}));
  CHECK(answer_to(w, chat, "!yes 1") == en(phrase::confirm_yes, {"1"}));
  REQUIRE(w.agent.confirms().size() == 2);
  CHECK(w.agent.confirms()[0].frame.at("confirmation_id") == "b");
  CHECK(w.agent.confirms()[1].frame.at("decision") == "yes");
}

TEST_CASE("a question expires with a no, and a later answer is explained") {
  sim_world w;
  w.agent.use(always({confirm("c", "Soon?", 5), await_confirm("c"), tell_decision(), end()}));
  w.start();
  const auto chat = w.onboard("alice");
  const auto asked = w.say("alice", chat, "go");
  w.run_for(8s);
  REQUIRE(w.agent.confirms().size() == 1);
  CHECK(w.agent.confirms()[0].frame.at("decision") == "no");
  CHECK(has(w.replies_to(chat, asked).back(), "c=no"));
  CHECK(answer_to(w, chat, "!yes 1") == en(phrase::confirm_was_late, {"1"}));
}

TEST_CASE("an answer that is older than its question does not count") {
  sim_world w;
  w.agent.use(asking());
  w.start();
  const auto chat = w.onboard("alice");
  bool held = true;
  w.http->fate = [&](http_request& r) {
    http_fate f;
    if (held && r.method == "PUT" && has(r.body, "\"confirmation\""))
      f.there = 3s; // the prompt is on its way when the person writes
    return f;
  };
  w.say("alice", chat, "go");
  w.run_for(1s);
  const auto early = w.say("alice", chat, "!yes");
  w.run_for(10s);
  held = false;
  CHECK(w.replies_to(chat, early) == std::vector<std::string>{en(phrase::confirm_older, {"1"})});
  CHECK(w.agent.confirms().empty());
  w.say("alice", chat, "!yes");
  w.run_for(2s);
  CHECK(w.agent.confirms().size() == 1);
}

TEST_CASE("a question survives our restart: the answer is a turn of its own") {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    INFO("seed " << seed);
    sim_options o;
    o.seed = seed;
    sim_world w{o};
    w.agent.use(asking());
    w.start();
    const auto chat = w.onboard("alice");
    const auto asked = w.say("alice", chat, "go");
    w.run_for(3s);
    w.crash();
    w.start();
    w.run_for(5s);
    const auto told = w.replies_to(chat, asked);
    REQUIRE_FALSE(told.empty());
    CHECK(has(told.back(), en(phrase::question_stays)));
    w.agent.use(asking());
    const auto yes = w.say("alice", chat, "!yes");
    if (seed > 5) { // and once more, in the middle of the answer's own turn
      w.run_for(std::chrono::milliseconds(3 * seed));
      w.crash();
      w.start();
    }
    w.run_for(10s);
    const auto confirms = w.agent.confirms();
    CHECK(confirms.size() <= 1); // an agent that may have heard it is not told twice
    const auto replies = w.replies_to(chat, yes);
    REQUIRE(replies.size() == 1);
    if (seed <= 5) {
      REQUIRE(confirms.size() == 1);
      CHECK(confirms[0].frame.at("decision") == "yes");
      CHECK(has(replies[0], "c1=yes"));
      CHECK(w.agent.user_messages().size() == 1);
    }
  }
}

TEST_CASE("an agent that forgot the question orphans it; one that is away leaves it open") {
  sim_world w;
  w.agent.use(by_opening(
      [](const heard&) {
        return std::vector<step>{confirm("c1", "Go?"), scripted::wait(1s), break_off()};
      },
      [](const heard&) { return std::vector<step>{error("unknown_confirmation")}; }));
  w.start();
  const auto chat = w.onboard("alice");
  const auto asked = w.say("alice", chat, "go");
  w.run_for(5s);
  CHECK(has(w.replies_to(chat, asked).back(), en(phrase::question_stays)));
  dial_plan away;
  away.outcome = dial_plan::how::refuse;
  w.dial.plan(away);
  const auto first = w.say("alice", chat, "!yes");
  w.run_for(10s);
  CHECK(w.replies_to(chat, first) ==
        std::vector<std::string>{en(phrase::confirm_unreachable, {"1", "Echo"})});
  w.dial.plan(dial_plan{});
  const auto second = w.say("alice", chat, "!yes");
  w.run_for(10s);
  CHECK(w.replies_to(chat, second) ==
        std::vector<std::string>{en(phrase::confirm_orphaned, {"1", "Echo"})});
  CHECK(has(answer_to(w, chat, "!yes 1"), "does not know question"));
}

TEST_CASE("other turns run while a question waits for its answer; stop drops it") {
  sim_world w;
  w.agent.use(always({confirm("c1", "Go?"), scripted::wait(1s), break_off()}));
  w.start();
  const auto chat = w.onboard("alice");
  w.say("alice", chat, "go");
  w.run_for(5s);
  w.agent.use(echo());
  CHECK(answer_to(w, chat, "meanwhile") == "meanwhile");
  CHECK(answer_to(w, chat, "!stop") == en(phrase::stopped));
  CHECK(answer_to(w, chat, "!yes") == en(phrase::confirm_dropped, {"1"}));
  CHECK(w.agent.confirms().empty());
}

TEST_CASE("no room has more open questions than its cap: the rest are answered with no") {
  std::vector<step> many;
  for (int i = 0; i < 17; ++i)
    many.push_back(confirm("q" + std::to_string(i), "Really?"));
  many.push_back(await_confirm("q16"));
  many.push_back(tell_decision());
  many.push_back(end());
  sim_world w;
  w.agent.use(always(many));
  w.start();
  const auto chat = w.onboard("alice");
  w.say("alice", chat, "go");
  w.run_for(30s);
  REQUIRE(w.agent.confirms().size() == 1);
  CHECK(w.agent.confirms()[0].frame.at("confirmation_id") == "q16");
  CHECK(w.agent.confirms()[0].frame.at("decision") == "no");
}

TEST_CASE("what people call a question goes before what its agent calls it") {
  std::vector<confirmation_row> all(3);
  for (std::size_t i = 0; i < all.size(); ++i) {
    all[i].number = static_cast<std::int64_t>(i) + 1;
    all[i].name = std::to_string(i + 3); // "3", "4", "5"
    all[i].prompt_event = event_id{"$p" + std::to_string(i + 1)};
    all[i].asker = user_id{"@a:s"};
    all[i].shown_at = 100;
  }
  inbox_row row;
  row.event.sender = user_id{"@a:s"};
  row.event.sent_at = 200;
  const auto choose = [&](const std::string& named, const char* target = "") {
    return choose_confirmation(all, {true, named, event_id{target}, false}, row, false);
  };
  CHECK(choose("3").which_one == &all[2]);
  CHECK(choose("1").which_one == &all[0]);
  CHECK(choose("5").which_one == &all[2]); // no number 5: the agent's own name
  CHECK(choose("2", "$p1").verdict == confirm_verdict::which);
  CHECK(choose("1", "$p1").verdict == confirm_verdict::good);
  CHECK(choose("", "$p2").which_one == &all[1]);
  row.event.sent_at = 50;
  CHECK(choose("1").verdict == confirm_verdict::too_old);
  CHECK(choose("1", "$p1").verdict == confirm_verdict::good); // a reply has seen it
  all[0].shown_at = 0;
  all[0].made_at = 100'000;
  CHECK(choose("1").verdict == confirm_verdict::too_old);
}

TEST_CASE("an answer that the agent had is not said again after a restart") {
  sim_world w;
  w.agent.use(by_opening(
      [](const heard&) {
        return std::vector<step>{confirm("c1", "Go?"), await_confirm("c1"), scripted::wait(600s),
                                 end()};
      },
      [](const heard&) {
        return std::vector<step>{tell_decision(), end()};
      }));
  w.start();
  const auto chat = w.onboard("alice");
  const auto asked = w.say("alice", chat, "go");
  w.run_for(3s);
  CHECK(answer_to(w, chat, "!yes") == en(phrase::confirm_yes, {"1"}));
  REQUIRE(w.agent.confirms().size() == 1);
  w.crash();
  w.start();
  w.run_for(5s);
  CHECK(w.replies_to(chat, asked).back() == en(phrase::router_interrupted));
  CHECK(has(answer_to(w, chat, "!no"), "answered already"));
  CHECK(w.agent.confirms().size() == 1);
}

TEST_CASE("an answer given while a broken turn waits for its draft is passed on as it was given") {
  sim_world w;
  w.agent.use(by_opening(
      [](const heard&) {
        return std::vector<step>{confirm("c1", "Go?"), chunk("word"), scripted::wait(400ms),
                                 break_off()};
      },
      [](const heard&) {
        return std::vector<step>{tell_decision(), end()};
      }));
  w.http->fate = [](http_request& r) {
    http_fate f;
    if (has(r.body, "\"kind\":\"draft\""))
      f.there = 1500ms;
    return f;
  };
  w.start();
  const auto chat = w.onboard("alice");
  w.say("alice", chat, "go");
  w.run_for(700ms);
  const auto yes = w.say("alice", chat, "!yes");
  w.run_for(10s);
  const auto confirms = w.agent.confirms();
  REQUIRE(confirms.size() == 1);
  CHECK(confirms[0].frame.at("decision") == "yes");
  CHECK(has(w.replies_to(chat, yes).back(), "c1=yes"));
}

TEST_CASE("an answer by reaction after a restart is told at its prompt") {
  sim_world w;
  w.agent.use(asking());
  w.start();
  const auto chat = w.onboard("alice");
  w.say("alice", chat, "go");
  w.run_for(3s);
  w.crash();
  w.start();
  w.run_for(5s);
  const auto prompt = prompt_in(w, chat).at("event_id").get<std::string>();
  const auto reaction = react(w, chat, prompt, "✅");
  w.run_for(5s);
  CHECK(has(w.replies_to(chat, prompt).back(), "c1=yes"));
  CHECK(w.replies_to(chat, reaction).empty());
}

TEST_CASE("a reaction that is faster than the word of its prompt waits for it") {
  sim_world w;
  w.agent.use(asking());
  w.http->fate = [](http_request& r) {
    http_fate f;
    if (r.method == "PUT" && has(r.body, "\"confirmation\""))
      f.back = 3s; // the prompt is in the room, and we have not heard of it
    return f;
  };
  w.start();
  const auto chat = w.onboard("alice");
  w.say("alice", chat, "go");
  w.run_for(1s);
  react(w, chat, prompt_in(w, chat).at("event_id"), "✅");
  w.run_for(1s);
  CHECK(w.agent.confirms().empty());
  w.run_for(5s);
  REQUIRE(w.agent.confirms().size() == 1);
  CHECK(w.agent.confirms()[0].frame.at("decision") == "yes");
}

namespace {
/// The second number that a room asks for comes late, as on a disk that is full for a while.
class slow_numbers final : public store_wrapper {
public:
  slow_numbers(std::shared_ptr<store> real, int& left)
      : store_wrapper(std::move(real)), left_(left) {}
  result<platform_chat_id> draw_platform_chat_id() override {
    if (left_ > 0 && --left_ % 2 == 0)
      return fail(fault_code::disk_full, "no space");
    return store_wrapper::draw_platform_chat_id();
  }

private:
  int& left_;
};
} // namespace

TEST_CASE(
    "two clears in a row are two contexts, one after the other: no turn runs into the second") {
  int failing = 0;
  sim_world w;
  w.around_disk = [&](std::shared_ptr<store> real) {
    return std::make_shared<slow_numbers>(std::move(real), failing);
  };
  w.agent.use(
      by_word({{"hold", {scripted::wait(3600s), end()}},
               {"ask", {confirm("q", "May I?"), await_confirm(), tell_decision(), end()}}}));
  w.start();
  const auto chat = w.onboard("alice");
  w.say("alice", chat, "hold");
  w.run_for(2s);
  failing = 3; // the first one is drawn, the second is not, the third is
  w.say("alice", chat, "!clear");
  w.say("alice", chat, "!clear");
  const auto asked = w.say("alice", chat, "ask");
  w.run_for(30s);
  CHECK(failing == 0);
  w.say("alice", chat, "!yes");
  w.run_for(10s);
  CHECK(w.replies_to(chat, asked).back() == "q=yes");
}

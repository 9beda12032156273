// Fuzz target: an A2A agent that says anything, text by text, in both versions, with and without a
// stream. An empty line ends a link, "!" cancels, "?" lets the alarm ring. Beyond not crashing:
// what comes out is UTF-8 without NUL, all that we write is JSON-RPC, every link goes to the host
// that the operator named, and a turn that runs always waits for something.

#include "bridges/agent/a2a/card.hpp"
#include "bridges/agent/a2a/memory.hpp"
#include "bridges/agent/a2a/session.hpp"
#include "tests/fuzz/promises.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <string_view>
#include <utility>

namespace {

using namespace pb;
using namespace pb::fuzz;
namespace says = pb::agent_says;
using nlohmann::json;

struct inspector {
  void operator()(const says::status& e) const { plain(e.text); }
  void operator()(const says::text_chunk& e) const {
    plain(e.text);
    require(!e.text.empty(), "a chunk says something");
  }
  void operator()(const says::send_file& e) const { plain(e.path); }
  void operator()(const says::confirm& e) const {
    plain(e.id), plain(e.prompt);
    require(!e.id.empty() && e.id.size() <= 256, "a confirmation has a name");
    require(!e.prompt.empty(), "and a question");
  }
  void operator()(const says::end&) const {}
  void operator()(const says::error& e) const { plain(e.code), plain(e.details); }
  void operator()(const says::unknown& e) const { require(e.type.size() <= 64, "short type"); }
  void operator()(const says::malformed& e) const {
    require(!e.cause.empty() && e.cause.size() < 100, "a cause, and nothing of the frame in it");
  }
  template <class Other>
  void operator()(const Other&) const {
    require(false, "A2A has none of these");
  }
};

class world {
public:
  world() { session_ = a2a_protocol().make({{}, platform_chat_id{1}, "http://agent.test/base"}); }

  void begin(const std::string& memory, bool again) {
    session_turn turn;
    turn.what.id = turn_id{"t"};
    turn.what.text = "hi";
    turn.memory = memory;
    turn.again = again;
    running_ = true;
    take(session_->begin(turn));
  }
  void hears(std::string_view text) {
    if (!running_)
      return;
    if (text == "?" && alarm_)
      alarm_ = false, take(session_->alarm());
    else if (text == "!")
      take(session_->cancel());
    else if (links_.empty() && !question_.empty())
      take(session_->decide(std::exchange(question_, {}), text.size() % 2 == 0));
    else if (links_.empty())
      alarm_ = false, take(session_->alarm());
    else if (const auto wire = *links_.rbegin(); text.empty())
      links_.erase(wire), take(session_->closed(wire, {link_closed::how::closed, 200, ""}));
    else if (text.starts_with("HTTP "))
      links_.erase(wire), take(session_->closed(wire, rejection(text.substr(5))));
    else
      take(session_->said(wire, text));
    if (running_)
      require(!links_.empty() || alarm_ || !question_.empty(), "a turn waits for something");
  }

private:
  static link_closed rejection(std::string_view text) {
    link_closed why{link_closed::how::rejected, 500, "", std::string(text)};
    if (text.size() >= 3)
      why.code = 400 + (static_cast<unsigned char>(text[0]) % 110);
    return why;
  }
  void take(agent_steps steps) {
    for (auto& step : steps)
      if (running_)
        std::visit([&](auto& s) { on(s); }, step);
  }
  void over() {
    running_ = false;
    (void)session_->turn_ended();
  }
  void on(agent_wants::open& s) {
    require(s.to.url.starts_with("http://agent.test/") ||
                s.to.url.starts_with("https://agent.test/"),
            "nobody else is spoken to");
    links_.insert(s.wire);
    opened_ = s.wire;
    auto steps = session_->opened(s.wire);
    take(std::move(steps));
  }
  void on(agent_wants::write& s) {
    require(s.wire == opened_, "on the link that opened");
    if (!s.text.empty())
      require(json::accept(s.text), "what we write is JSON");
  }
  void on(agent_wants::close& s) { links_.erase(s.wire); }
  void on(agent_wants::say& s) {
    std::visit(inspector{}, s.frame.event);
    if (const auto* q = std::get_if<says::confirm>(&s.frame.event))
      question_ = q->id;
    if (std::holds_alternative<says::end>(s.frame.event) ||
        std::holds_alternative<says::error>(s.frame.event) ||
        std::holds_alternative<says::malformed>(s.frame.event))
      over();
  }
  void on(agent_wants::stray&) {}
  void on(agent_wants::put_file& s) { plain(s.name); }
  void on(agent_wants::remember& s) {
    plain(s.memory);
    require(s.memory.size() <= (std::size_t{256} << 10), "memory has a limit");
    const auto read = a2a::read_memory(s.memory);
    require(a2a::to_text(read) == s.memory, "what is remembered comes back");
  }
  void on(agent_wants::wait& s) { alarm_ = s.time.count() > 0; }
  void on(agent_wants::give_up& s) {
    plain(s.detail);
    require(s.detail.size() < 200, "a short detail");
    over();
  }

  std::unique_ptr<agent_session> session_;
  std::set<wire_id> links_;
  wire_id opened_ = 0;
  std::string question_;
  bool running_ = false, alarm_ = false;
};

std::string remembered(a2a::dialect speaks, bool streaming, const char* task) {
  a2a::chat_memory m;
  m.base = "http://agent.test/base";
  m.at = a2a::endpoint{"http://agent.test/base/rpc", speaks, streaming, {}};
  m.context = "c1";
  m.turn = "t";
  m.task = task;
  return a2a::to_text(m);
}

void talk(std::string_view text, const std::string& memory, bool again) {
  world w;
  w.begin(memory, again);
  while (!text.empty()) {
    const auto end = text.find('\n');
    w.hears(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(data, data + size); // NOLINT: bytes as characters
  talk(text, {}, false);
  talk(text, text, false);
  talk(text, remembered(a2a::dialect::v1_0, true, ""), false);
  talk(text, remembered(a2a::dialect::v0_3, false, ""), false);
  talk(text, remembered(a2a::dialect::v1_0, true, "t1"), true);
  return 0;
}

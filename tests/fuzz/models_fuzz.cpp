// Fuzz target: the server of a model in either dialect, and an AG-UI agent, that say anything, one
// text a line. The first byte chooses which. A line that begins with '!' is a turn of the world:
// the link closes, the person stops, a new turn begins. Beyond not crashing: what comes out is
// UTF-8 without NUL, JSON where that is promised; a turn ends once; the memory stays within its
// limit and serves the next turn.

#include "bridges/agent/ag_ui/session.hpp"
#include "bridges/agent/openai/session.hpp"
#include "tests/fuzz/promises.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

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
  void operator()(const says::tool_call& e) const { plain(e.id), plain(e.name), plain(e.args); }
  void operator()(const says::tool_result& e) const {
    plain(e.id), plain(e.name);
    require(json::accept(e.result), "result is JSON");
  }
  void operator()(const says::custom_update& e) const {
    plain(e.name);
    require(json::accept(e.payload), "payload is JSON");
  }
  void operator()(const says::send_file&) const { require(false, "files are not sent"); }
  void operator()(const says::confirm& e) const {
    plain(e.id), plain(e.prompt);
    require(!e.id.empty() && e.id.size() <= 256, "a confirmation has a name");
    require(!e.prompt.empty() && e.prompt.size() <= 4096, "a question is short");
  }
  void operator()(const says::push&) const { require(false, "nothing is pushed"); }
  void operator()(const says::end& e) const {
    require(e.input_tokens >= 0 && e.output_tokens >= 0, "tokens are not negative");
  }
  void operator()(const says::error& e) const {
    plain(e.code), plain(e.details);
    require(!e.code.empty() && e.code.size() <= 64 && e.details.size() <= 300, "a short error");
  }
  void operator()(const says::goodbye&) const { require(false, "nobody says goodbye"); }
  void operator()(const says::unknown& e) const {
    plain(e.type);
    require(e.type.size() <= 80, "short type");
  }
  void operator()(const says::malformed& e) const {
    plain(e.cause);
    require(!e.cause.empty() && e.cause.size() < 100, "a cause, and nothing of the text in it");
  }
};

class world {
public:
  explicit world(unsigned kind) : kind_(kind) { begin("hello"); }

  void hears(std::string_view line) {
    if (!line.starts_with('!'))
      return take(session_->said(wire_, line));
    const auto rest = line.substr(1);
    const char what = rest.empty() ? 'c' : rest.front();
    if (what == 'c')
      closed({link_closed::how::closed, 200, {}, {}, {}});
    else if (what == 'b')
      closed({link_closed::how::broken, 0, {}, {}, {}});
    else if (what == 'r')
      closed({link_closed::how::rejected,
              300 + static_cast<int>(rest.size() % 250),
              {},
              std::string(rest.substr(1)),
              std::chrono::seconds(rest.size())});
    else if (what == 'f')
      closed({link_closed::how::refused, 0, {}, {}, {}});
    else if (what == 's')
      take(session_->cancel());
    else if (what == 'a')
      take(session_->alarm());
    else if (what == 'd')
      decide(rest.size() % 2 == 0);
    else
      begin(std::string(rest));
  }
  void stop() { take(session_->cancel()); }

private:
  void begin(const std::string& text) {
    if (running_)
      stop();
    session_start start;
    start.chat = platform_chat_id{1};
    start.base_url = "http://a/v1";
    start.agent.model.name = "m";
    start.agent.model.context_messages = 6;
    if (kind_ % 3 == 1)
      start.agent.model.speaks = agent_model::api::responses;
    const auto protocol = kind_ % 3 == 2 ? ag_ui_protocol() : openai_protocol();
    session_ = protocol.make(std::move(start));
    session_turn turn;
    turn.what.id = turn_id{"t" + std::to_string(++turns_ % 5)};
    turn.memory = memory_;
    if (turns_ % 4 == 3 && !questions_.empty())
      turn.what.answer = turn_answer{questions_.back(), true};
    else
      turn.what.text = text;
    questions_.clear();
    running_ = true;
    take(session_->begin(turn));
  }
  void closed(const link_closed& why) { take(session_->closed(wire_, why)); }
  void decide(bool yes) {
    if (questions_.empty())
      return;
    const auto name = questions_.back();
    questions_.pop_back();
    take(session_->decide(name, yes));
  }

  void take(agent_steps steps) {
    bool over = false;
    for (auto& step : steps)
      std::visit([&](auto& s) { over = on(s) || over; }, step);
    if (!over)
      return;
    require(std::exchange(running_, false), "a turn ends once");
    take(session_->turn_ended());
  }
  bool on(agent_wants::open& s) {
    require(running_, "a link is of a turn");
    wire_ = s.wire;
    const auto written = session_->opened(wire_);
    require(written.size() == 1, "the request is one text");
    const auto& request = std::get<agent_wants::write>(written.front());
    require(request.hands_over && json::accept(request.text), "the request is JSON");
    return false;
  }
  bool on(agent_wants::write&) { return false; }
  bool on(agent_wants::close&) { return false; }
  bool on(agent_wants::stray&) { return false; }
  bool on(agent_wants::wait&) { return false; }
  bool on(agent_wants::put_file&) {
    require(false, "files are not sent");
    return false;
  }
  bool on(agent_wants::say& s) {
    require(running_, "what is said is of a turn");
    std::visit(inspector{}, s.frame.event);
    if (const auto* question = std::get_if<says::confirm>(&s.frame.event))
      questions_.push_back(question->id);
    return std::holds_alternative<says::end>(s.frame.event) ||
           std::holds_alternative<says::error>(s.frame.event) ||
           std::holds_alternative<says::malformed>(s.frame.event);
  }
  bool on(agent_wants::remember& s) {
    require(s.memory.size() <= (std::size_t{256} << 10), "the memory's limit");
    require(json::accept(s.memory), "the memory is JSON");
    plain(s.memory);
    memory_ = std::move(s.memory);
    return false;
  }
  bool on(agent_wants::give_up&) { return true; }

  unsigned kind_;
  std::unique_ptr<agent_session> session_;
  wire_id wire_ = 0;
  unsigned turns_ = 0;
  bool running_ = false;
  std::string memory_;
  std::vector<std::string> questions_;
};

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0)
    return 0;
  world w(data[0]);
  std::string_view rest(reinterpret_cast<const char*>(data) + 1,
                        size - 1); // NOLINT: bytes as characters
  while (!rest.empty()) {
    const auto end = std::min(rest.find('\n'), rest.size());
    w.hears(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  w.stop();
  return 0;
}

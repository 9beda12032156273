// Fuzz target: an ACP agent that says anything, line by line, from the handshake on and within a
// turn; over a WebSocket and as a child. Beyond not crashing: what comes out is UTF-8 without NUL,
// JSON where that is promised; all that we write is JSON-RPC; every request gets an answer by the
// end of the turn.

#include "bridges/agent/acp/session.hpp"
#include "bridges/agent/json_rpc.hpp"
#include "tests/fuzz/promises.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <string_view>
#include <utility>
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
  void operator()(const says::send_file& e) const {
    plain(e.path);
    require(!e.path.empty(), "a file has a path");
  }
  void operator()(const says::confirm& e) const {
    plain(e.id), plain(e.prompt);
    require(!e.id.empty() && e.id.size() <= 256, "a confirmation has a name");
    require(e.prompt.size() <= 16'000, "a question is short");
  }
  void operator()(const says::push&) const { require(false, "ACP has no pushes"); }
  void operator()(const says::end& e) const {
    require(e.input_tokens >= 0 && e.output_tokens >= 0, "tokens are not negative");
  }
  void operator()(const says::error& e) const { plain(e.code), plain(e.details); }
  void operator()(const says::goodbye&) const { require(false, "ACP says no goodbye"); }
  void operator()(const says::unknown& e) const {
    plain(e.type);
    require(e.type.size() <= 80, "short type");
  }
  void operator()(const says::malformed& e) const {
    plain(e.cause);
    require(!e.cause.empty() && e.cause.size() < 100, "a cause, and nothing of the frame in it");
  }
};

/// The other end of a session, which answers requests of ours only by what the fuzzer says.
class world {
public:
  explicit world(bool child) {
    session_start start;
    start.chat = platform_chat_id{1};
    start.base_url = "ws://a";
    start.agent.path.clear();
    start.agent.workspace = "/w";
    if (child)
      start.agent.process.command = {"x"};
    session_ = acp_protocol().make(std::move(start));
  }

  void begin(const std::string& memory) {
    session_turn turn;
    turn.what.id = turn_id{"t"};
    turn.what.text = "hi";
    turn.memory = memory;
    running_ = true;
    take(session_->begin(turn));
    take(session_->opened(wire_));
  }
  void hears(std::string_view line) {
    const auto m = json_rpc::read(line);
    // The same id once more while it is open: one answer is enough.
    if (m.wrong.empty() && m.is_request())
      owed_.insert(m.id);
    take(session_->said(wire_, line));
    if (!questions_.empty() && line.size() % 3 == 0) {
      take(session_->decide(questions_.back(), line.size() % 2 == 0));
      questions_.pop_back();
    }
  }
  void cancel() { take(session_->cancel()); }
  void finish() {
    if (!running_)
      return;
    running_ = false;
    questions_.clear();
    take(session_->turn_ended());
    require(owed_.empty(), "an answer to every request");
  }
  [[nodiscard]] bool running() const { return running_; }
  [[nodiscard]] bool keep() const { return session_->keep(); }

private:
  void take(agent_steps steps) {
    bool over = false;
    for (auto& step : steps)
      std::visit([&](auto& s) { over = on(s) || over; }, step);
    if (over)
      finish();
  }
  bool on(agent_wants::open& s) {
    wire_ = s.wire;
    return false;
  }
  bool on(agent_wants::write& s) {
    const auto sent = json::parse(s.text, nullptr, false);
    require(sent.is_object() && sent["jsonrpc"] == "2.0", "what we write is JSON-RPC");
    require(s.text.find('\n') == std::string::npos, "one line");
    if (!sent.contains("method"))
      require(owed_.erase(json_rpc::read(s.text).id) == 1, "an answer to a request");
    return false;
  }
  bool on(agent_wants::say& s) {
    std::visit(inspector{}, s.frame.event);
    if (const auto* q = std::get_if<says::confirm>(&s.frame.event))
      questions_.push_back(q->id);
    return running_ && (std::holds_alternative<says::end>(s.frame.event) ||
                        std::holds_alternative<says::error>(s.frame.event) ||
                        std::holds_alternative<says::malformed>(s.frame.event));
  }
  bool on(agent_wants::put_file& s) {
    plain(s.name);
    return false;
  }
  bool on(agent_wants::remember& s) {
    plain(s.memory);
    require(s.memory.size() <= (std::size_t{256} << 10), "memory has a limit");
    return false;
  }
  bool on(agent_wants::give_up& s) {
    plain(s.detail);
    require(s.detail.size() < 200, "a short detail");
    return true;
  }
  bool on(agent_wants::close&) { return false; }
  bool on(agent_wants::stray&) { return false; }
  bool on(agent_wants::wait&) { return false; }

  std::unique_ptr<agent_session> session_;
  wire_id wire_ = 0;
  bool running_ = false;
  std::set<std::string> owed_; ///< ids of the agent's requests
  std::vector<std::string> questions_;
};

constexpr std::string_view hello =
    R"({"jsonrpc":"2.0","id":0,"result":{"protocolVersion":1,"agentCapabilities":{}}})";
constexpr std::string_view made = R"({"jsonrpc":"2.0","id":1,"result":{"sessionId":"s"}})";

void talk(std::string_view text, bool child, bool from_the_start, bool cancelled) {
  world w(child);
  w.begin(from_the_start ? "s" : "");
  if (!from_the_start) {
    w.hears(hello);
    w.hears(made);
  }
  if (cancelled)
    w.cancel();
  while (!text.empty()) {
    const auto end = text.find('\n');
    w.hears(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (!w.running() && w.keep())
      w.begin("s");
  }
  w.finish();
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(data, data + size); // NOLINT: bytes as characters
  talk(text, false, false, false);
  talk(text, false, true, false);
  talk(text, true, false, true);
  return 0;
}

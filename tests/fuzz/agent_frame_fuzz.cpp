// Fuzz target: frames of an agent through the agent-ws codec, with and without aliases. Beyond not
// crashing: what comes out is UTF-8 and JSON where that is promised, and the verdict agrees with an
// independent parser wherever the two are meant to agree. The same bytes as the body of an event.

#include "bridges/agent/agent_ws/codec.hpp"
#include "bridges/agent/push.hpp"
#include "tests/fuzz/promises.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace {

using namespace pb;
using namespace pb::fuzz;
namespace says = pb::agent_says;
using nlohmann::json;

struct inspector {
  void operator()(const says::status& e) const { plain(e.text); }
  void operator()(const says::text_chunk& e) const { plain(e.text); }
  void operator()(const says::tool_call& e) const { plain(e.id), plain(e.name), plain(e.args); }
  void operator()(const says::tool_result& e) const {
    plain(e.id), plain(e.name), plain(e.result);
    require(json::accept(e.result), "result is JSON");
  }
  void operator()(const says::custom_update& e) const {
    plain(e.name), plain(e.payload);
    require(json::accept(e.payload), "payload is JSON");
  }
  void operator()(const says::send_file& e) const {
    plain(e.path);
    require(!e.path.empty(), "a file has a path");
  }
  void operator()(const says::confirm& e) const {
    plain(e.id), plain(e.prompt);
    require(!e.id.empty(), "a confirmation has an id");
    if (e.expires_in)
      require(e.expires_in->count() >= 0 && e.expires_in->count() <= 315'360'000, "sane expiry");
  }
  void operator()(const says::push& e) const {
    plain(e.event_id), plain(e.kind), plain(e.text);
    for (const auto& path : e.attachments)
      plain(path);
  }
  void operator()(const says::end& e) const {
    require(e.input_tokens >= 0 && e.output_tokens >= 0, "tokens are not negative");
    require(e.input_tokens <= 1'000'000'000'000'000 && e.output_tokens <= 1'000'000'000'000'000,
            "tokens can be added up");
  }
  void operator()(const says::error& e) const { plain(e.code), plain(e.details); }
  void operator()(const says::goodbye&) const {}
  void operator()(const says::unknown& e) const { require(e.type.size() <= 64, "short type"); }
  void operator()(const says::malformed& e) const {
    require(!e.cause.empty() && e.cause.size() < 100, "a cause, and nothing of the frame in it");
  }
};

std::size_t depth_of(const json& value) {
  if (!value.is_structured() || value.empty())
    return value.is_structured() ? 1 : 0;
  std::size_t deepest = 0;
  for (const auto& item : value)
    deepest = std::max(deepest, depth_of(item));
  return deepest + 1;
}

/// Nesting by brackets alone, an upper bound: before recursing into a parsed value.
std::size_t brackets(std::string_view text) {
  std::size_t count = 0;
  for (const char c : text)
    count += c == '[' || c == '{' ? 1 : 0;
  return count;
}

void compare(std::string_view text, const agent_event& event) {
  if (text.find('\0') != std::string_view::npos)
    return; // the other parser takes a NUL for the end of its input
  const auto* bad = std::get_if<says::malformed>(&event);
  const bool refused = bad != nullptr && (bad->cause == "not JSON" || bad->cause == "not UTF-8" ||
                                          bad->cause == "empty frame");
  const auto theirs = json::parse(text, nullptr, false);
  if (theirs.is_discarded()) {
    // They refuse lone surrogates and numbers that overflow; we do not.
    const bool known = text.find("\\u") != std::string_view::npos ||
                       text.find_first_of("eE") != std::string_view::npos || text.size() > 300;
    require(refused || bad != nullptr || known, "what is not JSON is malformed");
    return;
  }
  const bool maybe_deep = brackets(text) > agent_json_depth;
  require(!refused || text.empty(), "what is JSON is not refused as such");
  if (!maybe_deep && theirs.is_object() && theirs.contains("type") && theirs["type"].is_string() &&
      theirs["type"] == "AGENT_EVENT_TEXT_CHUNK" && theirs.contains("text") &&
      theirs["text"].is_string() && depth_of(theirs) <= agent_json_depth)
    require(std::holds_alternative<says::text_chunk>(event), "a text chunk is one");
}

/// What is let in keeps the rules; what is not is told in words that hold nothing of the body.
void as_posted(const std::string& text) {
  const auto event = decode_posted_push(text);
  if (!event) {
    require(!event.error().sentence.empty() && event.error().sentence.size() < 600, "a reason");
    return plain(event.error().sentence);
  }
  require(event->chat.value > 0, "a chat's number");
  require(push_faults(event->what).empty(), "the rules hold");
  require(event->what.text.size() <= push_text_limit, "the text's limit");
  inspector{}(event->what);
}

agent_spec with_aliases() {
  agent_spec spec;
  spec.aliases = {{"t", "type"},
                  {"c", "AGENT_EVENT_TEXT_CHUNK"},
                  {"r", "AGENT_EVENT_TOOL_RESULT"},
                  {"q", "AGENT_EVENT_CONFIRM"},
                  {"d", "text"},
                  {"x", "result"},
                  {"status", "payload"},
                  {"e", "AGENT_EVENT_END"}};
  return spec;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto ordinary = make_agent_ws_codec({});
  static const auto renamed = make_agent_ws_codec(with_aliases());
  const std::string text(data, data + size); // NOLINT: bytes as characters
  const auto frame = ordinary->decode(text);
  std::visit(inspector{}, frame.event);
  plain(frame.message_id);
  compare(text, frame.event);
  as_posted(text);
  const auto other = renamed->decode(text);
  std::visit(inspector{}, other.event);
  plain(other.message_id);

  turn_request turn;
  turn.text = text;
  turn.attachments = {text};
  turn.asker = user_id{text};
  const auto sent = json::parse(ordinary->user_message(turn), nullptr, false);
  require(sent.is_object() && sent["type"] == "USER_MESSAGE", "what we send is JSON");
  require(json::accept(ordinary->confirm(text, true)), "what we send is JSON");
  return 0;
}

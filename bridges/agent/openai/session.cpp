#include "bridges/agent/openai/session.hpp"

#include "bridges/agent/base64.hpp"
#include "bridges/agent/history.hpp"
#include "bridges/agent/openai/dialect.hpp"
#include "bridges/agent/refusal.hpp"
#include "bridges/agent/sign_of_life.hpp"
#include "messages/json_text.hpp"
#include "messages/values/agent_url.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

namespace pb {
namespace {

using namespace agent_wants;
using nlohmann::json;

constexpr int memory_version = 1;
/// Of the context as JSON: the memory's limit is 256 KiB.
constexpr std::size_t most_context = std::size_t{240} << 10;
/// How long a server may take to close after it said why the answer ended.
constexpr std::chrono::seconds last_words{5};

/// The image formats that models take.
bool is_image(const session_file& file) {
  static constexpr std::string_view known[] = {"image/png", "image/jpeg", "image/webp",
                                               "image/gif"};
  return !file.bytes.empty() &&
         std::find(std::begin(known), std::end(known), file.media_type) != std::end(known);
}

chat_history::bounds context_of(const agent_model& model) {
  return {model.context_messages, std::min(model.context_bytes, most_context)};
}

class openai_session final : public agent_session {
public:
  explicit openai_session(session_start start)
      : spec_(std::move(start.agent)), base_url_(std::move(start.base_url)),
        history_(context_of(spec_.model)), reader_(spec_.model.speaks) {}

  agent_steps begin(const session_turn& turn) override {
    turn_ = turn.what.id;
    running_ = true;
    if (turn.what.answer)
      return fail({"a model asks no questions", "There is nothing to be answered.", false});
    if (spec_.model.name.empty())
      return fail({"no model is configured",
                   "Write the model's name as model: {name: …} of this agent in the registry.",
                   false});
    if (turn.again && !spec_.idempotent)
      return over({give_up{turn_ending::interrupted, "the model may have had the turn"}});
    question_ = turn.what.text;
    openai::question asked{turn.what.text, {}};
    for (const auto& file : turn.files)
      if (is_image(file))
        asked.images.push_back("data:" + file.media_type + ";base64," + to_base64(file.bytes));
    recall(turn.memory);
    body_ = openai::request(spec_.model, history_.entries(), asked);
    return {ask()};
  }

  agent_steps opened(wire_id wire) override {
    if (!running_ || wire != wire_)
      return {};
    return {write{wire, json_text(body_), true}};
  }

  agent_steps said(wire_id wire, std::string_view text) override {
    if (!running_ || wire != wire_)
      return {stray{}};
    auto told = reader_.read(text);
    if (!told.malformed.empty())
      return over({say{{agent_says::malformed{std::move(told.malformed)}, {}}}});
    heard_ = true;
    agent_steps steps;
    for (auto& kind : told.unknown)
      steps.emplace_back(say{{agent_says::unknown{std::move(kind)}, {}}});
    if (told.used.input)
      used_.input = told.used.input;
    if (told.used.output)
      used_.output = told.used.output;
    if (told.thinks)
      if (auto sign = thoughts_.sign())
        steps.emplace_back(say{{std::move(*sign), {}}});
    if (answer_bytes_ == 0 && told.text.empty())
      told.text = std::move(told.whole);
    add(std::move(told.text), told.new_part, steps);
    if (!told.over || refused_.empty())
      refused_ = cut_text(refused_ + told.refused, sentence_limit);
    if (told.error)
      return over(std::move(steps), say{{std::move(*told.error), {}}});
    if (!told.finish.empty())
      finish_ = std::move(told.finish);
    if (told.over)
      return finished(std::move(steps));
    if (!finish_.empty() && !std::exchange(waits_, true))
      steps.emplace_back(wait{last_words});
    return steps;
  }

  agent_steps closed(wire_id wire, const link_closed& why) override {
    if (!running_ || wire != wire_)
      return {};
    using how = link_closed::how;
    if (why.reason == how::rejected)
      return rejected(why);
    if (!finish_.empty())
      return finished({});
    if (why.reason == how::protocol)
      return over({give_up{turn_ending::malformed, why.cause}});
    if (!heard_ && retried_ && (why.reason == how::refused || why.reason == how::timed_out))
      return over({give_up{turn_ending::unreachable, why.cause}});
    return over({give_up{turn_ending::interrupted, why.cause}});
  }

  agent_steps decide(std::string_view, bool) override { return {}; }

  agent_steps cancel() override {
    if (!running_)
      return {};
    return over({close{wire_}, give_up{turn_ending::cancelled, {}}});
  }

  /// The answer is whole; what the server still wanted to say does not come.
  agent_steps alarm() override {
    return running_ && !finish_.empty() ? finished({}) : agent_steps{};
  }

  agent_steps turn_ended() override {
    running_ = false;
    return {};
  }

private:
  open ask() {
    open to{++wire_, {}};
    to.to.by = carrier::http;
    const auto query = std::min(base_url_.find('?'), base_url_.size());
    to.to.url = as_http(base_url_.substr(0, query), openai::target(spec_.model.speaks)) +
                base_url_.substr(query);
    add_auth(spec_, to.to.headers);
    return to;
  }

  void recall(const std::string& memory) {
    const auto all = json::parse(memory, nullptr, false);
    if (all.is_object() && all.value("v", json()) == memory_version)
      history_.read(all.value("entries", json()));
    history_.erase(turn_.value);
  }

  void add(std::string text, bool new_part, agent_steps& steps) {
    if (text.empty())
      return;
    if (new_part && answer_bytes_ > 0)
      text.insert(0, "\n\n");
    answer_bytes_ += text.size();
    if (answer_.size() < most_context)
      answer_ += text;
    steps.emplace_back(say{{agent_says::text_chunk{std::move(text)}, {}}});
  }

  /// The model came to an end: by itself, at its limit, or because it must not or will not go on.
  agent_steps finished(agent_steps steps) {
    if (finish_ == "content_filter")
      return over(std::move(steps),
                  say{{agent_says::error{"content_filter", refused_, false}, {}}});
    if (!refused_.empty() || finish_ == "refusal")
      return over(std::move(steps), say{{agent_says::error{"refusal", refused_, false}, {}}});
    if (finish_ == "length")
      steps.emplace_back(say{{agent_says::status{"cut at the model's limit"}, {}}});
    if (answer_.find_first_not_of(" \t\r\n") != std::string::npos) {
      history_.put({{turn_.value, "user", question_}, {turn_.value, "assistant", answer_}});
      steps.emplace_back(remember{json{{"v", memory_version}, {"entries", history_.written()}}.dump(
          -1, ' ', false, json::error_handler_t::replace)});
    }
    return over(std::move(steps),
                say{{agent_says::end{used_.input.value_or(0), used_.output.value_or(0)}, {}}});
  }

  /// Before a word was said: servers that do not know a part of the request get it without that
  /// part, once; the rest is told.
  agent_steps rejected(const link_closed& why) {
    if (refuses_us(why))
      return over({give_up{turn_ending::rejected, std::to_string(why.code)}});
    const bool faulty = why.code == 400 || why.code == 422;
    const auto named = [&](const char* name) { return why.body.find(name) != std::string::npos; };
    if (faulty && body_.contains("max_tokens") && named("max_completion_tokens")) {
      body_["max_completion_tokens"] = std::move(body_["max_tokens"]);
      body_.erase("max_tokens");
    } else if (faulty && body_.contains("stream_options") && named("stream_options")) {
      body_.erase("stream_options");
    } else {
      return fail(refusal(why));
    }
    retried_ = true;
    return {ask()};
  }

  agent_steps fail(agent_says::error why) { return over({say{{std::move(why), {}}}}); }
  agent_steps over(agent_steps steps) {
    running_ = false;
    return steps;
  }
  agent_steps over(agent_steps steps, agent_step last) {
    steps.push_back(std::move(last));
    return over(std::move(steps));
  }

  agent_spec spec_;
  std::string base_url_;
  chat_history history_;
  openai::reader reader_;
  wire_id wire_ = 0;
  turn_id turn_;
  json body_;
  std::string question_, answer_, refused_, finish_;
  std::size_t answer_bytes_ = 0;
  openai::tokens used_;
  bool running_ = false;
  sign_of_life thoughts_;
  bool heard_ = false, waits_ = false, retried_ = false;
};

} // namespace

agent_protocol openai_protocol() {
  agent_protocol p;
  p.name = "openai";
  p.make = [](session_start start) -> std::unique_ptr<agent_session> {
    return std::make_unique<openai_session>(std::move(start));
  };
  p.remembers = true;
  p.carries_files = true;
  return p;
}

} // namespace pb

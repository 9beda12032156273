#include "cli/agent_check/conversation.hpp"

#include <algorithm>
#include <utility>

namespace pb::agent_check {

namespace {

constexpr std::size_t longest_answer = std::size_t{1} << 20, most_items = 100, most_heard = 200;
constexpr std::size_t most_kinds = 32;

template <class... F>
struct overloaded : F... {
  using F::operator()...;
};
template <class... F>
overloaded(F...) -> overloaded<F...>;

} // namespace

conversation::conversation(bench& on, counterpart& with, std::int64_t chat)
    : on_(on), with_(with), chat_(chat) {
  on_.join(*this);
}

conversation::~conversation() { on_.forget(*this); }

void conversation::ask(const std::string& id, std::string text, std::vector<session_file> files) {
  session_turn turn;
  turn.what.id = turn_id{id};
  turn.what.text = std::move(text);
  for (const auto& file : files)
    turn.what.attachments.push_back(file.path);
  if (with_.protocol.carries_files)
    turn.files = std::move(files);
  begin(std::move(turn));
}

void conversation::answer(const std::string& id, std::string confirmation, bool yes) {
  session_turn turn;
  turn.what.id = turn_id{id};
  turn.what.answer = turn_answer{std::move(confirmation), yes};
  begin(std::move(turn));
}

void conversation::begin(session_turn turn) {
  settle();
  turn.what.tr.ref = turn.what.id.value;
  turn.what.room = room_id{"!check:localhost"};
  turn.what.agent = with_.agent.id;
  turn.what.chat = {chat_};
  turn.what.asker = user_id{"@patchbay-check:localhost"};
  if (with_.protocol.remembers)
    turn.memory = with_.memory[chat_];
  if (!session_)
    session_ = with_.protocol.make({with_.agent, {chat_}, with_.agent.base_url});
  turn_ = {};
  turn_.began = on_.now();
  turn_.opened = connected();
  heard_.clear();
  begun_ = true;
  handed_over_ = false;
  perform(session_->begin(turn));
}

void conversation::settle() {
  if (begun_ && turn_.running())
    hang_up();
  if (session_ && session_->keep())
    return;
  close_lines();
  session_.reset();
}

void conversation::decide(const std::string& confirmation, bool yes) {
  if (session_ && turn_.running())
    perform(session_->decide(confirmation, yes));
}

void conversation::cancel() {
  if (session_ && turn_.running())
    perform(session_->cancel());
}

bool conversation::say(std::string frame) {
  heard_.clear(); // what is looked for now is what comes of this
  return !wires_.empty() && on_.send(wires_.rbegin()->second, std::move(frame));
}

void conversation::hang_up() {
  close_lines();
  session_.reset();
  alarm_.reset();
  if (begun_ && turn_.running()) {
    turn_.is = turn_record::state::given_up;
    turn_.ending = turn_ending::interrupted;
    turn_.why = "we closed the connection";
    turn_.over = on_.now();
  }
}

void conversation::close_lines() {
  for (const auto& [wire, line] : std::exchange(wires_, {}))
    on_.close(line);
}

bool conversation::connected() const {
  return std::any_of(wires_.begin(), wires_.end(),
                     [&](const auto& w) { return on_.is_open(w.second); });
}

wire_id conversation::wire_of(line_id line) const {
  for (const auto& [wire, own] : wires_)
    if (own == line)
      return wire;
  return 0;
}

void conversation::line_opened(line_id line) {
  turn_.opened = true;
  for (auto& frame : std::exchange(first_, {}))
    on_.send(line, std::move(frame));
  if (session_)
    perform(session_->opened(wire_of(line)));
}

void conversation::line_said(line_id line, std::string text) {
  if (!watched_.empty() && text.find(watched_) != std::string::npos)
    turn_.watched = true;
  if (session_)
    perform(session_->said(wire_of(line), text));
  if (heard_.size() < most_heard)
    heard_.push_back(std::move(text));
}

void conversation::line_closed(line_id line, const link_closed& why) {
  const auto wire = wire_of(line);
  wires_.erase(wire);
  if (!session_)
    return;
  using how = link_closed::how;
  const bool tells =
      handed_over_ || !turn_.running() || why.reason == how::closed || why.reason == how::rejected;
  if (!tells) {
    give_up(turn_ending::unreachable, words(why));
    return;
  }
  const bool running = turn_.running();
  perform(session_->closed(wire, why));
  if (running && turn_.is == turn_record::state::given_up && turn_.ending != turn_ending::rejected)
    turn_.why = words(why); // says more than what is for a log
}

void conversation::ring() {
  alarm_.reset();
  if (session_)
    perform(session_->alarm());
}

void conversation::perform(agent_steps steps) {
  for (auto& step : steps) {
    if (!session_)
      return;
    std::visit(
        overloaded{
            [&](const agent_wants::open& want) { open(want); },
            [&](const agent_wants::write& want) { write(want); },
            [&](const agent_wants::close& want) {
              if (const auto i = wires_.find(want.wire); i != wires_.end()) {
                on_.close(i->second);
                wires_.erase(i);
              }
            },
            [&](const agent_wants::say& want) { take(want.frame); },
            [&](const agent_wants::stray&) { ++turn_.stray; },
            [&](const agent_wants::put_file& want) {
              if (turn_.files.size() < most_items)
                turn_.files.push_back(want.name);
              ++turn_.events;
            },
            [&](const agent_wants::remember& want) { with_.memory[chat_] = want.memory; },
            [&](const agent_wants::wait& want) {
              if (want.time.count() > 0)
                alarm_ = on_.now() + want.time;
              else
                alarm_.reset();
            },
            [&](agent_wants::give_up& want) { give_up(want.ending, std::move(want.detail)); },
        },
        step);
  }
}

void conversation::open(const agent_wants::open& want) {
  auto to = want.to;
  to.connect_timeout = with_.connect;
  to.frame_limit = with_.agent.limits.frame;
  if (to.by == carrier::http && to.http.method == "POST")
    posted_ = to;
  wires_[want.wire] = on_.dial(std::move(to), chat_, *this);
}

void conversation::write(const agent_wants::write& want) {
  auto text = want.text;
  if (want.hands_over && !handed_over_) {
    handed_over_ = true;
    session_->handed();
    if (const auto how = std::exchange(rewrite_, nullptr))
      text = how(std::move(text));
  }
  const auto i = wires_.find(want.wire);
  // A line that is gone tells so itself.
  if (i != wires_.end() && !on_.send(i->second, std::move(text)))
    on_.remark(chat_, "the connection takes nothing more");
}

void conversation::take(const agent_frame& frame) {
  if (const auto* what = std::get_if<agent_says::unknown>(&frame.event)) {
    auto& kinds = on_.totals().unknown;
    if (kinds.contains(what->type) || kinds.size() < most_kinds)
      ++kinds[what->type];
    return;
  }
  if (std::holds_alternative<agent_says::push>(frame.event)) {
    on_.remark(chat_, "that was a push: it belongs to no turn");
    return;
  }
  if (!turn_.running()) {
    ++turn_.stray;
    return;
  }
  if (turn_.events++ == 0)
    turn_.first_event = on_.now();
  std::visit(overloaded{
                 [&](const agent_says::text_chunk& chunk) {
                   ++turn_.chunks;
                   turn_.text.append(chunk.text, 0,
                                     longest_answer - std::min(longest_answer, turn_.text.size()));
                 },
                 [&](const agent_says::confirm& question) {
                   if (turn_.questions.size() < most_items)
                     turn_.questions.push_back(question);
                 },
                 [&](const agent_says::send_file& file) {
                   if (turn_.files.size() < most_items)
                     turn_.files.push_back(file.path);
                 },
                 [&](const agent_says::end& end) {
                   turn_.usage = end.input_tokens > 0 || end.output_tokens > 0;
                   ended(turn_record::state::ended);
                 },
                 [&](const agent_says::error& error) {
                   turn_.code = error.code;
                   turn_.details = error.details;
                   ended(turn_record::state::failed);
                 },
                 [&](const agent_says::malformed& what) {
                   if (turn_.malformed++ == 0)
                     turn_.malformed_cause = what.cause;
                   give_up(turn_ending::malformed, what.cause);
                 },
                 [](const auto&) {},
             },
             frame.event);
}

void conversation::give_up(turn_ending ending, std::string why) {
  if (!turn_.running())
    return;
  turn_.ending = ending;
  turn_.why = std::move(why);
  ended(turn_record::state::given_up);
  close_lines();
  session_.reset();
}

void conversation::ended(turn_record::state how) {
  turn_.is = how;
  turn_.over = on_.now();
  alarm_.reset();
  if (session_)
    perform(session_->turn_ended());
}

} // namespace pb::agent_check

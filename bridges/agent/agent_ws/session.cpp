#include "bridges/agent/agent_ws/session.hpp"

#include "bridges/agent/agent_ws/codec.hpp"
#include "messages/values/agent_url.hpp"

#include <utility>

namespace pb {
namespace {

using namespace agent_wants;

class agent_ws_session final : public agent_session {
public:
  explicit agent_ws_session(session_start start)
      : spec_(std::move(start.agent)), chat_(start.chat), base_url_(std::move(start.base_url)),
        codec_(make_agent_ws_codec(spec_)) {}

  /// A turn begins with a question, or with the answer to one of the agent's whose own turn is
  /// over.
  agent_steps begin(const session_turn& turn) override {
    turn_ = turn.what.id;
    answers_ = turn.what.answer.has_value();
    any_event_ = clean_ = handed_ = false;
    first_ = answers_ ? codec_->confirm(turn.what.answer->confirmation, turn.what.answer->yes)
                      : codec_->user_message(turn.what);
    if (open_)
      return {write{wire_, std::exchange(first_, {}), true}};
    open to{++wire_, {}};
    to.to.url = agent_url(spec_, base_url_, chat_);
    add_auth(spec_, to.to.headers);
    return {std::move(to)};
  }

  agent_steps opened(wire_id wire) override {
    open_ = true;
    return {write{wire, std::exchange(first_, {}), true}};
  }

  void handed() override { handed_ = true; }

  agent_steps said(wire_id, std::string_view text) override {
    auto frame = codec_->decode(text);
    if (std::holds_alternative<agent_says::unknown>(frame.event) ||
        std::holds_alternative<agent_says::push>(frame.event))
      return {say{std::move(frame)}};
    if (!frame.message_id.empty())
      echoes_ = true;
    const bool ends = std::holds_alternative<agent_says::end>(frame.event) ||
                      std::holds_alternative<agent_says::error>(frame.event);
    if (std::holds_alternative<agent_says::goodbye>(frame.event)) // also between turns
      going_away_ = true;
    if (turn_.empty() || !handed_ || is_foreign(frame, ends))
      return {stray{}};
    any_event_ = true;
    clean_ = ends;
    return {say{std::move(frame)}};
  }

  agent_steps closed(wire_id, const link_closed& why) override {
    open_ = false;
    if (turn_.empty())
      return {};
    if (why.reason == link_closed::how::rejected)
      return {give_up{turn_ending::rejected, std::to_string(why.code)}};
    return {give_up{why.reason == link_closed::how::protocol ? turn_ending::malformed
                                                             : turn_ending::interrupted,
                    why.cause}};
  }

  agent_steps decide(std::string_view confirmation, bool yes) override {
    return {write{wire_, codec_->confirm(confirmation, yes)}};
  }

  /// An agent that cannot be cancelled is closed at once.
  agent_steps cancel() override {
    if (!spec_.features.contains(agent_feature::cancel))
      return {give_up{turn_ending::cancelled, {}}};
    return {write{wire_, codec_->cancel()}};
  }

  agent_steps turn_ended() override {
    last_turn_ = std::exchange(turn_, turn_id{});
    return {};
  }

  /// Only an agent that says which turn an event is of can be heard on the same link again.
  [[nodiscard]] bool keep() const override {
    return open_ && clean_ && echoes_ && !going_away_ && spec_.connection == connection_mode::chat;
  }

private:
  /// Of another turn on the same link. The answer to a confirmation has no message_id that the
  /// agent could echo: it may name the turn in which it asked, or the last one that it heard of;
  /// only an ending of that one, before any other word, is taken for the late end of it.
  [[nodiscard]] bool is_foreign(const agent_frame& frame, bool ends) const {
    if (frame.message_id.empty() || frame.message_id == turn_.value)
      return false;
    return !answers_ || (!any_event_ && frame.message_id == last_turn_.value && ends);
  }

  agent_spec spec_;
  platform_chat_id chat_;
  std::string base_url_;
  std::unique_ptr<agent_codec> codec_;
  wire_id wire_ = 0;
  std::string first_; ///< waits for the link
  turn_id turn_;      ///< empty: none runs
  turn_id last_turn_;
  bool open_ = false, answers_ = false, any_event_ = false;
  bool handed_ = false; ///< the turn's first word has left
  bool clean_ = false;  ///< the last turn ended by the agent's own word
  bool echoes_ = false, going_away_ = false;
};

} // namespace

agent_protocol agent_ws_protocol() {
  agent_protocol p;
  p.name = "agent-ws";
  p.mute_if_lost = true;
  p.make = [](session_start start) -> std::unique_ptr<agent_session> {
    return std::make_unique<agent_ws_session>(std::move(start));
  };
  return p;
}

} // namespace pb

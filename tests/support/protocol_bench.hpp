#pragma once
// One agent's connection actor with the scripted agent behind any protocol.

#include "tests/support/agent_bench.hpp"
#include "tests/support/dialects.hpp"

#include <catch2/catch.hpp>

namespace pb::test {

/// An agent that speaks so.
inline agent_spec spec_of(const scripted::tongue& speaks,
                          const std::function<void(agent_spec&)>& change = {}) {
  agent_spec spec;
  spec.id = agent_id{"a"};
  spec.label = "A";
  spec.base_url = "http://127.0.0.1:7000";
  speaks.spell(spec);
  if (change)
    change(spec);
  return spec;
}

/// Changes what leaves the agent's end of a link.
class mangled_link final : public link {
public:
  mangled_link(std::shared_ptr<link> to, std::function<std::string(std::string)> change)
      : to_(std::move(to)), change_(std::move(change)) {}
  bool send(std::string text) override { return to_->send(change_(std::move(text))); }
  void consumed(std::size_t bytes) override { to_->consumed(bytes); }
  void close(int code) override { to_->close(code); }

private:
  std::shared_ptr<link> to_;
  std::function<std::string(std::string)> change_;
};

class protocol_bench : public agent_bench {
public:
  explicit protocol_bench(const scripted::tongue& how,
                          const std::function<void(agent_spec&)>& change = {})
      : agent_bench(spec_of(how, change)), speaks(how), far(how.make(clock, peer)) {
    peer.echo_message_id(how.protocol == "agent-ws");
    net.answered_by([this](scripted::far_end end) -> std::shared_ptr<link_listener> {
      if (mute)
        return nullptr;
      if (mangle)
        end.wire = std::make_shared<mangled_link>(end.wire, mangle);
      return far->accept(std::move(end));
    });
  }

  /// Decides every question that comes, by its prompt's words: yes unless it says "no".
  void decide_as_asked(const std::string& turn, std::chrono::milliseconds limit) {
    const auto until = clock.now() + limit;
    while (heard->overs.empty() && clock.now() < until) {
      run_for(std::chrono::milliseconds(100));
      const auto asked = heard->all<agent_says::confirm>();
      for (; decided_ < asked.size(); ++decided_)
        answer(turn, asked[decided_].id, asked[decided_].prompt.find("no") == std::string::npos);
    }
  }
  /// A turn until it ends, and not a moment longer.
  void ask_until_over(const std::string& id, const std::string& text,
                      std::chrono::milliseconds limit) {
    const auto until = clock.now() + limit;
    ask_anew(id, text, std::chrono::milliseconds(1));
    while (heard->overs.empty() && clock.now() < until)
      run_for(std::chrono::milliseconds(10));
  }
  /// A turn; nothing is left of what was heard before.
  void ask_anew(const std::string& id, const std::string& text,
                std::chrono::milliseconds time = std::chrono::seconds(5)) {
    heard->overs.clear();
    heard->batches.clear();
    ask(id, text);
    run_for(time);
  }

  const scripted::tongue& speaks;
  std::unique_ptr<scripted::dialect> far;
  bool mute = false;                              ///< links open, and nobody hears or says anything
  std::function<std::string(std::string)> mangle; ///< of links from now on

private:
  std::size_t decided_ = 0;
};

/// For GENERATE: every protocol, by its place in tongues().
inline std::vector<std::size_t> every_protocol() {
  std::vector<std::size_t> out;
  for (std::size_t i = 0; i < scripted::tongues().size(); ++i)
    out.push_back(i);
  return out;
}

} // namespace pb::test

/// The rest of the test runs once for each protocol: `how` is its tongue.
#define PB_EVERY_PROTOCOL(how)                                                                     \
  const auto& how = pb::scripted::tongues()[GENERATE(from_range(pb::test::every_protocol()))];     \
  INFO("protocol: " << how.name)

/// This protocol has no words for what is tested, as its tongue says.
#define PB_ONLY_IF(what)                                                                           \
  if (!(what)) {                                                                                   \
    SUCCEED("not in this protocol: " #what);                                                       \
    return;                                                                                        \
  }

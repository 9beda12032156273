// The table of dialects, and the one that needs no translation.

#include "tests/support/dialects.hpp"

#include <algorithm>
#include <stdexcept>

namespace pb::scripted {
namespace {

class agent_ws final : public dialect {
public:
  explicit agent_ws(agent& behind) : behind_(behind) {}
  std::shared_ptr<link_listener> accept(far_end far) override {
    return behind_.accept(far.request.url, far.wire, [end = far.end] {
      end({link_closed::how::broken, 0, "cut"});
    });
  }

private:
  agent& behind_;
};

tongue plain() {
  tongue t{};
  t.name = t.protocol = "agent-ws";
  t.make = [](timers&, agent& behind) -> std::unique_ptr<dialect> {
    return std::make_unique<agent_ws>(behind);
  };
  t.spell = [](agent_spec& s) {
    s.protocol = "agent-ws";
    s.connection = connection_mode::chat;
  };
  t.ids = t.kept = true;
  t.nonsense = R"({"type":"AGENT_EVENT_SONG","text":"la"})";
  return t;
}

tongue acp(bool child) {
  tongue t{};
  t.name = child ? "acp of a child" : "acp";
  t.protocol = "acp";
  t.make = speak_acp;
  t.spell = [](agent_spec& s) {
    s.protocol = "acp";
    s.path = "/acp/{chat_id}";
  };
  if (child)
    t.spell = [](agent_spec& s) {
      s.protocol = "acp";
      s.base_url.clear();
      s.process.command = {"/usr/bin/agent"};
    };
  t.questions_die = t.kept = true;
  t.rejects = !child;
  t.handshake = true;
  t.nonsense =
      R"({"jsonrpc":"2.0","method":"session/update","params":{"sessionId":"s-1","update":{"sessionUpdate":"song"}}})";
  return t;
}

tongue a2a(std::string_view name, std::unique_ptr<dialect> (*make)(timers&, agent&),
           bool streams = true) {
  tongue t{};
  t.name = name;
  t.protocol = "a2a";
  t.make = make;
  t.spell = [](agent_spec& s) { s.protocol = "a2a"; };
  t.tools = t.usage = t.asks_many = false;
  t.streams = streams;
  t.ids = t.handshake = true;
  t.resumes = t.hears_cancel = streams; // the task has no name before it is over
  t.nonsense = R"({"jsonrpc":"2.0","id":"1","result":{"song":"la"}})";
  return t;
}

tongue model(std::string_view name, std::unique_ptr<dialect> (*make)(timers&, agent&),
             void (*spell)(agent_spec&)) {
  tongue t{};
  t.name = name;
  t.protocol = "openai";
  t.make = make;
  t.spell = spell;
  t.tools = t.asks = t.asks_many = t.hears_cancel = false;
  t.nonsense = R"({"type":"response.song","object":"song"})";
  return t;
}

tongue runs() {
  tongue t{};
  t.name = t.protocol = "ag-ui";
  t.make = speak_ag_ui;
  t.spell = [](agent_spec& s) { s.protocol = "ag-ui"; };
  t.ids = true;
  t.hears_cancel = false;
  t.nonsense = R"({"type":"SONG","text":"la"})";
  return t;
}

} // namespace

const std::vector<tongue>& tongues() {
  static const std::vector<tongue> all{
      plain(),
      acp(false),
      acp(true),
      a2a("a2a 1.0", speak_a2a),
      a2a("a2a 0.3", speak_a2a_0_3),
      a2a("a2a without streams", speak_a2a_without_streams, false),
      model("openai chat", speak_openai_chat,
            [](agent_spec& s) {
              s.protocol = "openai";
              s.model.name = "m";
            }),
      model("openai responses", speak_openai_responses,
            [](agent_spec& s) {
              s.protocol = "openai";
              s.model.name = "m";
              s.model.speaks = agent_model::api::responses;
            }),
      runs(),
  };
  return all;
}

const tongue& tongue_named(std::string_view name) {
  const auto& all = tongues();
  const auto i =
      std::find_if(all.begin(), all.end(), [&](const tongue& t) { return t.name == name; });
  if (i == all.end())
    throw std::runtime_error("no dialect of the name " + std::string(name));
  return *i;
}

} // namespace pb::scripted

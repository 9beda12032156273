// What the rooms of the simulated world show, and what operators do to them.

#include "tests/support/sim_world.hpp"

namespace pb::test {

std::string sim_world::say(const std::string& who, const std::string& room,
                           const std::string& text) {
  const auto sent = server.send("@" + who + ":localhost", room, "m.room.message",
                                {{"msgtype", "m.text"}, {"body", text}});
  if (!sent)
    throw std::runtime_error(sent.error().cause);
  return *sent;
}

std::vector<json> sim_world::said_by_bot(const std::string& room) const {
  std::vector<json> out;
  for (auto& e : server.events(room))
    if (e.at("type") == "m.room.message" && e.at("sender") == process.homeserver.user.value)
      out.push_back(std::move(e));
  return out;
}
std::vector<json> sim_world::shown(const std::string& room) const {
  std::vector<json> out;
  for (auto& e : said_by_bot(room)) {
    const auto& content = e.at("content");
    if (!content.contains("m.new_content")) {
      out.push_back(std::move(e));
      continue;
    }
    const auto target = content.at("m.relates_to").at("event_id");
    for (auto& old : out)
      if (old.at("event_id") == target) {
        auto now = content.at("m.new_content");
        if (old.at("content").contains("m.relates_to"))
          now["m.relates_to"] = old.at("content").at("m.relates_to");
        old["content"] = std::move(now);
      }
  }
  return out;
}
std::vector<json> sim_world::answers(const std::string& room) const {
  auto out = shown(room);
  std::erase_if(out, [](const json& e) {
    const auto& content = e.at("content");
    return !content.contains("body") ||
           content.value(json::json_pointer("/io.patchbay.delivery/kind"), "") == "draft";
  });
  return out;
}

std::vector<std::string> sim_world::answer_texts(const std::string& room) const {
  std::vector<std::string> out;
  for (const auto& e : answers(room))
    out.push_back(e.at("content").at("body"));
  return out;
}

std::vector<std::string> sim_world::replies_to(const std::string& room,
                                               const std::string& event) const {
  std::vector<std::string> out;
  for (const auto& e : answers(room)) {
    const auto& content = e.at("content");
    if (content.value(json::json_pointer("/m.relates_to/m.in_reply_to/event_id"), "") == event)
      out.push_back(content.at("body"));
  }
  return out;
}

void sim_world::apply_agents() {
  auto done = std::make_shared<bool>(false);
  caf::anon_send(
      boss_, apply_now{agents, std::make_shared<std::function<void()>>([done] { *done = true; })});
  if (!run_until([&] { return *done; }, std::chrono::minutes(1)))
    throw std::runtime_error("nobody has taken the registry");
}

std::optional<std::string> sim_world::move(const std::string& room, const std::string& to) {
  auto out = std::make_shared<std::optional<std::string>>();
  move_now m{{room_id{room}, agent_id{to}}, {}};
  m.answer = std::make_shared<std::function<void(const std::optional<fault>&, const room_moved&)>>(
      [out](const std::optional<fault>& wrong, const room_moved& r) {
        *out = wrong ? wrong->cause : r.moved ? "" : "already";
      });
  caf::anon_send(boss_, std::move(m));
  run_until([&] { return out->has_value(); }, std::chrono::minutes(1));
  return *out;
}

} // namespace pb::test

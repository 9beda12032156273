// What people do, and how a run sees the rooms from outside.

#include "tests/simulate/story.hpp"

#include <algorithm>
#include <stdexcept>

namespace pb::simulate {

void story::people_act() {
  const auto who = acts_.one_of(people_);
  auto chats = rooms_of(who, false), lobbies = rooms_of(who, true);
  const auto luck = acts_.between(0, 99);
  if (luck < 6 && !lobbies.empty()) {
    static constexpr wish there[] = {wish::text, wish::help, wish::unknown, wish::stranger};
    return speak(who, acts_.one_of(lobbies), there[acts_.between(0, 3)]);
  }
  if (luck < 9) {
    const auto room = w_.invite_bot(who); // again: a lobby more, no second Space
    places_[room] = {false, true, who, false, false};
    note(room, who + " invites the bot once more");
    return;
  }
  if (chats.empty())
    return;
  const auto room = acts_.one_of(chats);
  if (luck < 49)
    speak(who, room, wish::text);
  else if (luck < 52)
    speak(who, room, wish::look);
  else if (luck < 55)
    speak(who, room, wish::answer);
  else if (luck < 65)
    burst(who);
  else if (luck < 75)
    change(who);
  else if (luck < 80)
    speak(who, room, wish::stop);
  else if (luck < 85)
    speak(who, room, wish::clear);
  else if (luck < 90 && chats.size() < 6)
    speak(who, room, wish::new_chat);
  else if (luck < 93)
    speak(who, room, wish::help);
  else if (luck < 97)
    speak(who, room, wish::unknown);
  else
    speak(who, room, wish::too_long);
}

void story::speak(const std::string& who, const std::string& room, wish what) {
  said s;
  s.room = room;
  s.who = what == wish::stranger ? "mallory" : who;
  s.what = what;
  s.tag = "q" + std::to_string(++last_tag_);
  s.owed = what != wish::stranger && ready(room);
  switch (what) {
  case wish::text:
  case wish::stranger:
    s.text = s.tag + " please";
    break;
  case wish::too_long:
    s.text = s.tag + " " + std::string(3'000, 'x');
    break;
  case wish::new_chat:
    s.text = acts_.chance(0.5) ? "!new" : "!new Plan " + s.tag;
    break;
  case wish::clear:
    s.text = "!clear";
    break;
  case wish::stop:
    s.text = "!stop";
    break;
  case wish::help:
    s.text = "!help";
    break;
  case wish::look: {
    static const char* const looks[] = {
        "!chats",      "!context",         "!settings",        "!agent",          "!load",
        "!rename Tea", "!set language ru", "!set language en", "!set notices off"};
    s.text = looks[acts_.between(0, 8)];
    break;
  }
  case wish::answer:
    s.text = acts_.chance(0.7) ? "!yes" : "!no";
    break;
  default:
    s.text = "!halp";
    break;
  }
  if (what == wish::stranger) {
    if (!ready(room))
      return; // in a room that it does not know the router cannot know who is a stranger
    const auto in = w_.server.members(room);
    if (std::find(in.begin(), in.end(), "@mallory:localhost") == in.end()) {
      (void)w_.server.send("@" + who + ":localhost", room, "m.room.member",
                           {{"membership", "invite"}}, "@mallory:localhost");
      (void)w_.server.send("@mallory:localhost", room, "m.room.member", {{"membership", "join"}},
                           "@mallory:localhost");
    }
  }
  const auto sent = w_.server.send("@" + s.who + ":localhost", room, "m.room.message",
                                   {{"msgtype", "m.text"}, {"body", s.text}});
  if (!sent)
    return; // limited: the homeserver did not take it
  s.event = *sent;
  note(room, s.who + " says " + s.text.substr(0, 30) + " as " + s.event +
                 (s.owed ? "" : " (nothing owed)"));
  book_.all_said.push_back(std::move(s));
}

void story::burst(const std::string& who) {
  const auto chats = rooms_of(who, false);
  const auto count = acts_.between(2, 12);
  for (std::int64_t i = 0; i < count; ++i) {
    speak(who, chats[static_cast<std::size_t>(i) % chats.size()], wish::text);
    if (acts_.chance(0.3))
      live(acts_.time(0, 30));
  }
}

/// An edit or a redaction of one of their newest texts.
void story::change(const std::string& who) {
  std::vector<const said*> own;
  for (auto i = book_.all_said.rbegin(); i != book_.all_said.rend() && own.size() < 5; ++i)
    if (i->who == who && i->what == wish::text)
      own.push_back(&*i);
  if (own.empty())
    return;
  const said target = *acts_.one_of(own);
  said s;
  s.room = target.room;
  s.who = who;
  s.tag = target.tag;
  s.target = target.event;
  if (acts_.chance(0.6)) {
    s.what = wish::edit;
    s.text = target.tag + " please, edited";
    const auto sent =
        w_.server.send("@" + who + ":localhost", s.room, "m.room.message",
                       {{"msgtype", "m.text"},
                        {"body", "* " + s.text},
                        {"m.new_content", {{"msgtype", "m.text"}, {"body", s.text}}},
                        {"m.relates_to", {{"rel_type", "m.replace"}, {"event_id", s.target}}}});
    if (!sent)
      return;
    s.event = *sent;
  } else {
    s.what = wish::redaction;
    try {
      s.event =
          w_.call(who, "PUT",
                  "/rooms/" + s.room + "/redact/" + s.target + "/r" + std::to_string(++last_tag_),
                  json::object())
              .at("event_id");
    } catch (const std::runtime_error&) {
      return; // limited
    }
  }
  note(s.room, who + (s.what == wish::edit ? " edits " : " takes back ") + s.target);
  book_.all_said.push_back(std::move(s));
}

// -- looking around --

void story::look() {
  for (const auto& room : w_.server.rooms()) {
    if (places_.contains(room))
      continue;
    auto& p = places_[room];
    for (const auto& e : w_.server.events(room))
      if (e.at("type") == "io.patchbay.chat") {
        const auto owner = e.at("content").value("owner", "");
        p.chat = true;
        p.owner = owner.substr(1, owner.find(':') - 1);
        break;
      }
  }
}

/// From outside: the room has its place in a Space, or the bot greeted there; and after it was out,
/// it has said something again.
bool story::ready(const std::string& room) {
  auto& p = places_[room];
  if (p.ready || p.expelled)
    return p.ready && !p.expelled;
  bool spoke = false, linked = false;
  for (const auto& e : w_.server.events(room)) {
    if (e.at("type") == "m.room.member" && e.value("state_key", "") == "@bot:localhost")
      spoke = false;
    // In a lobby the greeting counts, not that the room is unknown still.
    if (e.at("type") == "m.room.message" && e.at("sender") == "@bot:localhost")
      spoke = spoke || p.chat ||
              e.at("content").value("body", "").find("matrix.to") != std::string::npos;
  }
  if (p.chat && !book_.rooms_left.contains(room))
    for (const auto& other : w_.server.rooms())
      if (!places_[other].chat && !places_[other].lobby)
        for (const auto& e : w_.server.events(other))
          linked = linked || (e.at("type") == "m.space.child" && e.value("state_key", "") == room);
  return p.ready = spoke || linked;
}

std::vector<std::string> story::rooms_of(const std::string& who, bool lobbies) {
  look();
  std::vector<std::string> out;
  for (const auto& [room, p] : places_) {
    if (p.owner != who || (lobbies ? !p.lobby : !p.chat))
      continue;
    const auto in = w_.server.members(room);
    const auto is_in = [&](const std::string& user) {
      return std::find(in.begin(), in.end(), user) != in.end();
    };
    if (is_in("@" + who + ":localhost") && is_in("@bot:localhost"))
      out.push_back(room);
  }
  return out;
}

} // namespace pb::simulate

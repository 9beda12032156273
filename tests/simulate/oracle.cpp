#include "tests/simulate/oracle.hpp"

#include <algorithm>

namespace pb::simulate {
namespace {

constexpr const char* bot = "@bot:localhost";

/// A message of the bot.
struct shown {
  std::string event, kind, turn, row, reply_to, body;
  int part = 0;
};

struct room_view {
  std::map<std::string, std::size_t> place; ///< of every event
  std::vector<shown> ours;                  ///< as they stand after their edits
  std::vector<std::string> rows;            ///< of the outbox, of every event and edit
  std::vector<std::int64_t> chats;          ///< platform_chat_ids of the markers, in order
  std::string chat_owner, space_owner;
  std::optional<std::size_t> last_leave; ///< of the bot
};

room_view look_at(const std::vector<json>& events) {
  room_view v;
  std::size_t at = 0;
  for (const auto& e : events) {
    v.place[e.value("event_id", "")] = at++;
    const auto type = e.value("type", "");
    const auto& content = e.at("content");
    if (type == "m.room.member" && e.value("state_key", "") == bot &&
        content.value("membership", "") != "join" && content.value("membership", "") != "invite")
      v.last_leave = at;
    if (e.value("sender", "") != bot)
      continue;
    if (type == "io.patchbay.chat") {
      const auto id = content.value("platform_chat_id", std::int64_t{0});
      if (v.chats.empty() || v.chats.back() != id)
        v.chats.push_back(id);
      v.chat_owner = content.value("owner", "");
    } else if (type == "io.patchbay.space") {
      v.space_owner = content.value("owner", "");
    } else if (type == "m.room.message" && content.contains("io.patchbay.delivery")) {
      const auto& d = content.at("io.patchbay.delivery");
      shown m{e.value("event_id", ""),
              d.value("kind", ""),
              d.value("turn", ""),
              d.value("id", ""),
              content.value(json::json_pointer("/m.relates_to/m.in_reply_to/event_id"), ""),
              content.value("body", ""),
              d.value("part", 0)};
      v.rows.push_back(m.row);
      if (content.contains("m.new_content")) { // takes the draft's place, at the end
        m.body = content.at("m.new_content").value("body", "");
        const auto draft = content.at("m.relates_to").value("event_id", "");
        const auto i = std::find_if(v.ours.begin(), v.ours.end(),
                                    [&](const shown& x) { return x.event == draft; });
        if (i != v.ours.end()) {
          m.reply_to = i->reply_to;
          m.event = i->event;
          v.ours.erase(i);
        }
      }
      v.ours.push_back(std::move(m));
    }
  }
  return v;
}

class judgement {
public:
  judgement(const test::sim_world& world, chronicle& book) : book_(book) {
    for (const auto& room : world.server.rooms())
      rooms_[room] = look_at(world.server.events(room));
    for (const auto& s : book_.all_said) {
      by_event_[s.event] = &s;
      if (s.what == wish::edit)
        edits_[s.target].insert(s.text);
      else if (s.what == wish::redaction)
        taken_back_.insert(s.target);
      else
        by_tag_[s.tag] = &s;
    }
    for (const auto& [room, v] : rooms_)
      for (const auto& m : v.ours)
        if (!m.reply_to.empty() && ((m.kind == "final" && m.part == 0) || m.kind == "reply"))
          closings_[m.reply_to].push_back(&m);
  }

  void everything_said_is_closed() {
    std::map<std::string, std::vector<const said*>> by_room;
    for (const auto& s : book_.all_said)
      by_room[s.room].push_back(&s);
    for (auto& [room, list] : by_room) {
      const auto& v = rooms_[room];
      std::stable_sort(list.begin(), list.end(), [&](const said* a, const said* b) {
        return place(v, a->event) > place(v, b->event);
      });
      std::size_t stops = 0; // each may have silenced one turn that was asked before it
      for (const auto* s : list) {
        if (s->what == wish::stop || s->what == wish::clear)
          ++stops;
        one(*s, v, stops);
      }
    }
  }

  void the_cursor_waited() {
    for (const auto& m : book_.missing)
      if (!told_of_gap(rooms_[m.room], m.event))
        fail("I1 the cursor never passes what is not on disk", m.room,
             m.event + " was streamed before it and is not there: " + m.when);
  }

  void nothing_is_said_twice() {
    std::set<std::string> rows;
    for (const auto& [room, v] : rooms_) {
      std::set<std::pair<std::string, int>> parts;
      for (const auto& row : v.rows)
        if (!row.empty() && !rows.insert(row).second)
          fail("O2 no row of the outbox shows twice", room, row + " again");
      for (const auto& m : v.ours) {
        if (m.kind == "final" && !parts.insert({m.turn, m.part}).second)
          fail("O2 one final per turn and part", room, m.turn + " again as " + m.event);
      }
    }
    for (const auto& [event, list] : closings_)
      if (list.size() > 1)
        fail("O2 a message is answered once", room_of(event),
             event + " has " + std::to_string(list.size()) + " answers: " + words(list));
  }

  void agents_are_asked_once() {
    std::map<std::string, std::vector<const asked*>> by_tag;
    for (const auto& a : book_.all_asked)
      by_tag[a.text.substr(0, a.text.find(' '))].push_back(&a);
    for (const auto& [tag, list] : by_tag) {
      const auto s = by_tag_.find(tag);
      if (s == by_tag_.end() || s->second->what != wish::text) {
        fail("O3 agents hear only what permitted people said", {}, list.front()->text);
        continue;
      }
      const auto& source = *s->second;
      std::set<std::string> ids;
      for (const auto* a : list) {
        ids.insert(a->message_id);
        if (a->text != source.text && !edits_[source.event].contains(a->text))
          fail("O3 agents hear what was said", source.room, a->text);
        if (a->chat != 0 && !is_own_number(source.room, a->chat)) // not every protocol says it
          fail("O6 an agent hears a room under its own number", source.room,
               tag + " went to chat " + std::to_string(a->chat));
        if (a->agent != list.front()->agent)
          fail("O3 one agent per message", source.room, tag);
      }
      const bool idempotent = list.front()->agent == "agent_1";
      if (list.size() > (idempotent ? 3U : 1U) || ids.size() > 1)
        fail("O3 an agent is asked once, an idempotent one three times with one id", source.room,
             tag + " (" + source.event + ") came " + std::to_string(list.size()) + " times to " +
                 list.front()->agent + " under " + std::to_string(ids.size()) + " ids");
    }
  }

  void answers_keep_their_order() {
    for (const auto& [room, v] : rooms_) {
      std::size_t last = 0;
      std::string before;
      std::map<std::string, int> part;
      for (const auto& m : v.ours) {
        if (m.kind != "final")
          continue;
        if (part[m.turn]++ != m.part)
          fail("O4 the parts of an answer are in order", room, m.event);
        const auto at = place(v, m.reply_to);
        if (m.part == 0 && at < last)
          fail("O4 answers come in the order of the texts", room,
               "the answer to " + m.reply_to + " came after the one to " + before);
        last = std::max(last, at);
        before = m.reply_to;
      }
    }
  }

  void rooms_are_what_was_asked_for(const std::vector<std::string>& homes) {
    std::map<std::int64_t, std::string> owners;
    std::map<std::string, std::size_t> spaces, chats, put_out;
    for (const auto& [room, v] : rooms_) {
      if (!v.space_owner.empty())
        ++spaces[v.space_owner];
      if (!v.chat_owner.empty())
        ++chats[v.chat_owner];
      if (!v.chat_owner.empty() && book_.rooms_left.contains(room))
        ++put_out[v.chat_owner]; // before its making was known of, perhaps: it was made again
      std::set<std::int64_t> own;
      for (const auto id : v.chats) {
        if (!own.insert(id).second)
          fail("O6 a clear gives a number that was never used", room, std::to_string(id));
        if (const auto [i, fresh] = owners.try_emplace(id, room); !fresh && i->second != room)
          fail("O6 a platform_chat_id is one room's", room,
               std::to_string(id) + " is also that of " + i->second);
      }
    }
    for (const auto& who : homes) {
      const auto user = "@" + who + ":localhost";
      if (spaces[user] != 1)
        fail("O6 one Space for each person", {},
             user + " has " + std::to_string(spaces[user]) + " Spaces");
      std::size_t wishes = 1, fulfilled = 1;
      for (const auto& s : book_.all_said)
        if (s.who == who && s.what == wish::new_chat) {
          ++wishes;
          for (const auto* m : closings_[s.event])
            fulfilled += m->body.find("matrix.to") != std::string::npos ? 1 : 0;
        }
      if (chats[user] - put_out[user] > wishes || chats[user] < fulfilled)
        fail("O6 one chat for each wish", {},
             user + " has " + std::to_string(chats[user]) + " chats, asked for " +
                 std::to_string(wishes) + ", was told of " + std::to_string(fulfilled));
    }
  }

private:
  void one(const said& s, const room_view& v, std::size_t& stops) {
    const auto& list = closings_[s.event];
    if (s.what == wish::stranger || s.what == wish::redaction) {
      if (!list.empty())
        fail("O1 nobody else is answered", s.room, s.event);
      return;
    }
    if (s.last) {
      const auto want = "re: " + s.tag + " ";
      // A room that still works off what waits may say that it is full: it lives, too.
      if (std::none_of(list.begin(), list.end(), [&](const shown* m) {
            return m->body.starts_with(want) ||
                   m->body.find("messages are waiting in this room already") != std::string::npos;
          }))
        fail("O1 after everything healed agents answer", s.room,
             s.event + " (" + s.tag + ") got: " + words(list));
      return;
    }
    if (!list.empty() || !s.owed || s.what == wish::edit || taken_back_.contains(s.event))
      return;
    if (v.last_leave && place(v, s.event) < *v.last_leave)
      return; // the bot was out of the room since: what was not answered by then cannot be
    if (told_of_gap(v, s.event))
      return;
    if ((s.what == wish::text || s.what == wish::answer) && stops > 0) {
      --stops; // its turn was stopped before the first word: the answer to the stop is the answer
      return;
    }
    fail("O1 what was said is answered or told", s.room,
         s.event + " (" + s.text.substr(0, 30) + " by " + s.who + ") stays open");
  }

  /// A notice that answers nobody, behind the message: some of what was said is missing, and the
  /// room was told so.
  static bool told_of_gap(const room_view& v, const std::string& event) {
    return std::any_of(v.ours.begin(), v.ours.end(), [&](const shown& m) {
      // Texts in a room without a record are told together, by a reply to the newest.
      const bool for_all = m.kind == "notice" ? m.reply_to.empty()
                                              : m.body.starts_with("I have no record of this room");
      return for_all && place(v, m.event) > place(v, event);
    });
  }

  /// Of its markers; or of none at all, when the bot was out of the room and could not write one.
  bool is_own_number(const std::string& room, std::int64_t chat) const {
    const auto has = [chat](const room_view& v) {
      return std::find(v.chats.begin(), v.chats.end(), chat) != v.chats.end();
    };
    if (has(rooms_.at(room)))
      return true;
    return book_.rooms_left.contains(room) &&
           std::none_of(rooms_.begin(), rooms_.end(), [&](const auto& r) { return has(r.second); });
  }

  static std::size_t place(const room_view& v, const std::string& event) {
    const auto i = v.place.find(event);
    return i == v.place.end() ? 0 : i->second;
  }
  std::string room_of(const std::string& event) const {
    const auto i = by_event_.find(event);
    return i == by_event_.end() ? "" : i->second->room;
  }
  static std::string words(const std::vector<const shown*>& list) {
    std::string out;
    for (const auto* m : list)
      out += " [" + m->kind + "] " + m->body.substr(0, 60);
    return out.empty() ? "nothing" : out;
  }
  void fail(const char* check, const std::string& room, const std::string& what) {
    book_.fail(check, room, what);
  }

  chronicle& book_;
  std::map<std::string, room_view> rooms_;
  std::map<std::string, const said*> by_event_, by_tag_;
  std::map<std::string, std::set<std::string>> edits_;
  std::set<std::string> taken_back_;
  std::map<std::string, std::vector<const shown*>> closings_;
};

} // namespace

void judge(const test::sim_world& world, chronicle& book, const std::vector<std::string>& homes) {
  judgement all(world, book);
  all.the_cursor_waited();
  all.everything_said_is_closed();
  all.nothing_is_said_twice();
  all.agents_are_asked_once();
  all.answers_keep_their_order();
  all.rooms_are_what_was_asked_for(homes);
}

} // namespace pb::simulate

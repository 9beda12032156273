#include "cli/reset.hpp"

#include "cli/commands.hpp"
#include "cli/embedded.hpp"
#include "messages/json_text.hpp"

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <nlohmann/json.hpp>

namespace pb::cli {
namespace {

using namespace reset;

/// What no program can do for people.
std::vector<std::string> steps_by_hand(bool leave) {
  if (leave)
    return {"each person leaves and forgets the old Space and chat rooms in their own client: the "
            "rooms and their messages still exist for everybody who is in them",
            "then invite the bot again from the account that is to own the new Space"};
  return {"the rooms and the bot's place in them are as before: the next start finds them again by "
          "their markers, and what was said meanwhile is history",
          "to begin with a new Space: run `patchbay reset --mode server-leave-forget`, have each "
          "person leave and forget the old rooms in their own client, and invite the bot again"};
}

std::vector<std::string> kept(const settings& s) {
  std::vector<std::string> all;
  std::error_code ec;
  for (const char* name : {"admin.token", "embedded.password", "homeserver", "backups"})
    if (const auto path = s.data_dir + "/" + name; std::filesystem::exists(path, ec))
      all.push_back(path);
  return all;
}

struct report {
  bool leave = false, dry_run = false;
  items rooms, files;
  std::vector<std::string> kept, by_hand;
  std::string trouble; ///< of the homeserver's part
  std::string note;
};

bool well(const report& r) {
  const auto bad = [](const item& i) { return i.failed; };
  return r.trouble.empty() && std::none_of(r.rooms.begin(), r.rooms.end(), bad) &&
         std::none_of(r.files.begin(), r.files.end(), bad);
}

void print(const report& r) {
  if (r.dry_run)
    std::cout << "A dry run: nothing was changed.\n";
  if (!r.note.empty())
    std::cout << r.note << '\n';
  if (r.leave && r.trouble.empty() && r.rooms.empty() && r.note.empty())
    std::cout << "The bot is in no room.\n";
  for (const auto& i : r.rooms)
    std::cout << "room " << i.name << ": " << i.state << '\n';
  for (const auto& i : r.files)
    std::cout << i.name << ": " << i.state << '\n';
  for (const auto& k : r.kept)
    std::cout << k << ": kept\n";
  std::cout << "What only a person can do, in a Matrix client:\n";
  for (std::size_t i = 0; i < r.by_hand.size(); ++i)
    std::cout << "  " << i + 1 << ". " << r.by_hand[i] << '\n';
}

void print_json(const report& r) {
  const auto list = [](const items& all, const char* what) {
    auto out = nlohmann::ordered_json::array();
    for (const auto& i : all)
      out.push_back({{what, i.name}, {"state", i.state}, {"failed", i.failed}});
    return out;
  };
  nlohmann::ordered_json out{{"ok", well(r)},
                             {"mode", r.leave ? "server-leave-forget" : "local-only"},
                             {"dry_run", r.dry_run},
                             {"rooms", list(r.rooms, "room")},
                             {"files", list(r.files, "path")},
                             {"kept", r.kept},
                             {"by_hand", r.by_hand}};
  if (!r.trouble.empty())
    out["trouble"] = r.trouble;
  if (!r.note.empty())
    out["note"] = r.note;
  std::cout << json_text(out) << '\n';
}

int refuse(const fault& f) {
  complain(f.sentence.empty() ? f.cause : f.sentence);
  return f.code == fault_code::configuration ? configuration : unavailable;
}

/// The server part. False: it ended with an exit code of its own.
std::optional<int> leave_all(config::loaded& conf, const data_dir* home, report& r) {
  blocking_http http;
  std::unique_ptr<embedded_world> world;
  auto& s = conf.process;
  if (s.homeserver.embedded) {
    if (!home) {
      r.note = "The embedded homeserver runs only inside `patchbay run`: which rooms would be left "
               "is not known in a dry run.";
      return {};
    }
    auto started = embedded_world::start(http.io(), *home, s, conf.agents);
    if (!started)
      return refuse(started.error());
    world = std::move(*started);
  }
  std::optional<int> code;
  if (const auto who = sign_in(http, s); !who) {
    code = refuse(who.error());
  } else {
    auto end = leave_rooms(http, who->session, s.data_dir + "/reset.rooms", r.dry_run,
                           [](const std::string& sentence) { complain(sentence); });
    r.rooms = std::move(end.rooms);
    r.trouble = std::move(end.trouble);
    sign_out(http, *who);
  }
  if (world)
    world->stop();
  return code;
}

} // namespace

int reset_all(const reset_options& options) {
  config::loaded conf;
  if (!load_configuration(options.config, conf))
    return configuration;
  const auto& s = conf.process;
  report r;
  r.leave = options.leave;
  r.dry_run = options.dry_run;
  std::error_code ec;
  if (const auto first = data_dir::holder(s.data_dir)) {
    complain("a patchbay (process " + *first + ") runs on " + s.data_dir +
             "; stop it first, nothing was changed");
    return unavailable;
  }
  if (auto fine = check_paths(s, conf.agents); !fine)
    return refuse(fine.error());
  std::optional<data_dir> home;
  // A dry run makes no folder, and a local reset needs none.
  if (!r.dry_run && (r.leave || std::filesystem::exists(s.data_dir, ec))) {
    auto opened = data_dir::open(s.data_dir);
    if (!opened)
      return refuse(opened.error());
    home.emplace(std::move(*opened));
  }
  if (r.leave)
    if (const auto code = leave_all(conf, home ? &*home : nullptr, r))
      return *code;
  const bool server_done = well(r);
  if (server_done)
    r.files = remove_local(s, r.dry_run);
  r.kept = kept(s);
  r.by_hand = steps_by_hand(r.leave);
  options.json ? print_json(r) : print(r);
  if (!server_done)
    complain("not all rooms were left and forgotten" +
             (r.trouble.empty() ? std::string{} : " (" + r.trouble + ")") +
             "; nothing local was removed: run the same command again, it goes on from here");
  if (!r.trouble.empty())
    return unavailable;
  return well(r) ? ok : failed;
}

} // namespace pb::cli

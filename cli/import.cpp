#include "persistence/import.hpp"
#include "cli/data_dir.hpp"
#include "cli/store_commands.hpp"
#include "messages/json_text.hpp"
#include "persistence/sqlite/backup.hpp"
#include "persistence/sqlite/earlier_bot.hpp"
#include "persistence/sqlite/open.hpp"

#include <filesystem>
#include <iostream>
#include <nlohmann/json.hpp>
#include <optional>
#include <sys/stat.h>

namespace pb::cli {
namespace {

/// More lines of one kind than this are counted, not shown; --json has all.
constexpr std::size_t shown = 50;

/// The database to compare with. A dry run changes no file: without a database it compares with an
/// empty one, and it refuses one that opening would change.
result<std::unique_ptr<store>> open_target(const settings& process, bool dry_run) {
  store_options o;
  o.path = database_path(process);
  o.synchronous = process.storage.synchronous;
  if (!dry_run)
    return open_store(o);
  auto facts = look_at_database(o.path);
  if (!facts)
    return tl::unexpected<fault>(facts.error());
  if (!facts->there)
    o.path = ":memory:";
  else if (facts->backup || facts->schema < newest_schema())
    return fail(fault_code::configuration, "the database would be changed by opening it",
                o.path + " is a backup that was not started yet, or of an older version: a dry run "
                         "would have to change it. Start `patchbay run` once, or leave out "
                         "--dry-run.");
  return open_store(o);
}

nlohmann::ordered_json as_json(const surfaces& from, const import_plan& plan) {
  nlohmann::ordered_json out;
  out["rooms"] = nlohmann::json::array();
  for (const auto& r : plan.rooms)
    out["rooms"].push_back({{"room", r.id.value},
                            {"kind", r.kind == room_kind::space ? "space" : "chat"},
                            {"owner", r.owner.value},
                            {"chat", r.chat},
                            {"platform_chat_id", r.platform.value},
                            {"agent_id", r.agent.value},
                            {"archived", r.state == room_state::archived}});
  out["people"] = nlohmann::json::array();
  for (const auto* list : {&plan.people, &plan.raised})
    for (const auto& u : *list)
      out["people"].push_back({{"user_id", u.id.value},
                               {"space", u.space.value},
                               {"agent_id", u.agent.value},
                               {"next_chat", u.next_chat},
                               {"new", list == &plan.people}});
  out["saved_contexts"] = nlohmann::json::array();
  for (const auto& s : plan.saved)
    out["saved_contexts"].push_back({{"owner", s.owner.value},
                                     {"agent_id", s.agent.value},
                                     {"room", s.room.value},
                                     {"name", s.name},
                                     {"path", s.path}});
  out["platform_chat_id_last"] = plan.last.value;
  out["already_there"] = plan.same;
  out["conflicts"] = plan.conflicts;
  out["skipped"] = from.broken;
  out["other_keys"] = from.unknown;
  out["notes"] = from.notes;
  return out;
}

void lines(const char* before, const std::vector<std::string>& list) {
  for (std::size_t i = 0; i < list.size() && i < shown; ++i)
    std::cout << before << list[i] << '\n';
  if (list.size() > shown)
    std::cout << before << "… and " << list.size() - shown << " more (--json lists all)\n";
}

void print(const surfaces& from, const import_plan& plan) {
  std::vector<std::string> rooms, people, saved;
  for (const auto& r : plan.rooms)
    rooms.push_back(r.id.value +
                    (r.kind == room_kind::space
                         ? "  Space of " + r.owner.value
                         : "  " + r.chat + " of " + r.owner.value + ", platform_chat_id " +
                               std::to_string(r.platform.value) + ", agent " +
                               (r.agent.empty() ? "(the default)" : r.agent.value)));
  for (const auto* list : {&plan.people, &plan.raised})
    for (const auto& u : *list)
      people.push_back(u.id.value + ", next chat C" + std::to_string(u.next_chat));
  for (const auto& s : plan.saved)
    saved.push_back(s.name + " of " + s.owner.value);
  lines("  room    ", rooms);
  lines("  person  ", people);
  lines("  saved   ", saved);
  if (plan.sequence_moves)
    std::cout << "  the sequence of platform_chat_ids goes on after " << plan.last.value << '\n';
  if (plan.same > 0)
    std::cout << "  already there: " << plan.same << '\n';
  lines("  conflict, left as it is here: ", plan.conflicts);
  lines("  skipped: ", from.broken);
  lines("  note: ", from.notes);
  if (!from.unknown.empty()) {
    std::cout << "  other keys: " << from.unknown.size() << '\n';
    lines("    ", from.unknown);
  }
}

} // namespace

int import_surfaces(const file_options& options) {
  ::umask(077);
  config::loaded conf;
  if (!load_configuration(options.config, conf))
    return configuration;
  const auto entries = read_earlier_bot(options.file);
  if (!entries)
    return work_failed(entries.error(), options.json);
  const auto from = read_surfaces(*entries);

  std::optional<data_dir> home; // its lock: no router runs meanwhile
  std::error_code ignored;
  if (!options.dry_run || std::filesystem::exists(conf.process.data_dir, ignored)) {
    auto locked = data_dir::open(conf.process.data_dir);
    if (!locked)
      return work_failed(locked.error(), options.json);
    home.emplace(std::move(*locked));
  }
  auto into = open_target(conf.process, options.dry_run);
  if (!into)
    return work_failed(into.error(), options.json);
  const auto plan = plan_import(from, **into);
  if (!plan)
    return work_failed(plan.error(), options.json);

  if (!options.json) {
    std::cout << "from " << options.file << " into " << database_path(conf.process) << ":\n";
    print(from, *plan);
    std::cout.flush();
  }
  if (!options.dry_run && !plan->empty())
    if (auto done = apply_import(*plan, **into); !done)
      return work_failed(done.error(), options.json);
  if (options.json) {
    auto out = as_json(from, *plan);
    out["ok"] = true;
    out["dry_run"] = options.dry_run;
    out["changed"] = !options.dry_run && !plan->empty();
    std::cout << json_text(out) << '\n';
    return ok;
  }
  std::cout << (plan->empty()     ? "nothing to do: "
                : options.dry_run ? "nothing was changed; would take over: "
                                  : "done, taken over: ")
            << plan->rooms.size() << " rooms, " << plan->people.size() + plan->raised.size()
            << " people, " << plan->saved.size() << " saved contexts; " << plan->conflicts.size()
            << " conflicts, " << from.broken.size() << " skipped\n";
  if (!options.dry_run && !plan->empty())
    std::cout << "The next start compares this with the rooms on the homeserver and writes their "
                 "markers.\n";
  return ok;
}

} // namespace pb::cli

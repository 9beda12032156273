#include "cli/agent_command.hpp"
#include "cli/commands.hpp"
#include "cli/store_commands.hpp"

#include <CLI/CLI.hpp>
#include <iostream>

namespace {

using namespace pb::cli;

/// Commands of the contract that a later version brings: they answer, in plain words.
constexpr std::pair<const char*, const char*> later[] = {
    {"inject", "put a message into an actor"},
    {"trace", "follow one message through all actors"},
    {"record", "write a run's outside to a file"},
    {"replay", "run a recorded outside again"},
    {"top", "terminal view of agents, rooms and turns"},
};

void add_common(CLI::App* c, std::string& config_file, std::string& env_file, bool& json) {
  c->add_option("--config", config_file, "patchbay.yaml of the router that runs");
  c->add_option("--env-file", env_file, "file of variables (default: .env, if it is there)");
  c->add_flag("--json", json, "one JSON object");
}

void add_agents_command(CLI::App& app, agents_options& o, std::string& config_file,
                        std::string& env_file) {
  using verb = agents_options::verb;
  auto* all = app.add_subcommand("agents", "The agent registry of a running router.\n"
                                           "Changes go to agents.d beside the registry file, which "
                                           "itself is never touched.");
  all->require_subcommand(1);
  const auto add = [&](const char* name, const char* about, verb what) {
    auto* c = all->add_subcommand(name, about);
    add_common(c, config_file, env_file, o.json);
    if (what != verb::list)
      c->add_flag("--dry-run", o.dry_run, "only say what would be done");
    if (what != verb::list && what != verb::add)
      c->add_option("ID", o.id, "the agent")->required();
    c->callback([&o, what] { o.what = what; });
    return c;
  };
  add("list", "The agents, how each is, and how the registry's files are.", verb::list);
  auto* one = add("add", "Add an agent, or change the keys given of one that is there.", verb::add);
  one->add_option("--id", o.id, "its id");
  one->add_option("--base-url", o.base_url, "its address");
  one->add_option("--label", o.label, "what people see");
  one->add_option("--protocol", o.protocol, "agent-ws, acp, a2a, openai or ag-ui");
  one->add_option("--workspace", o.workspace, "our side of the shared folder");
  one->add_option("--file", o.file, "YAML with one agent's keys; the options are laid over them");
  add("remove", "Take an agent away. Running turns finish, then its rooms are told.", verb::remove);
  add("drain", "No new turns for an agent until `enable`, or until the router starts again.",
      verb::drain);
  add("enable", "Give an agent turns again.", verb::enable);
  add("disable", "Keep an agent in the registry without turns.", verb::disable);
}

void add_rooms_command(CLI::App& app, rooms_options& o, std::string& config_file,
                       std::string& env_file) {
  auto* all = app.add_subcommand("rooms", "Chats of a running router.");
  all->require_subcommand(1);
  auto* list = all->add_subcommand("list", "The chats, and which agent each is with.");
  add_common(list, config_file, env_file, o.json);
  list->add_option("--agent", o.agent, "only chats with this agent");
  list->add_option("--owner", o.owner, "only chats of this person");
  auto* move = all->add_subcommand(
      "move",
      "Bind a room to another agent, with a fresh context. What runs there is stopped; the\n"
      "room is told.");
  add_common(move, config_file, env_file, o.json);
  move->add_flag("--dry-run", o.dry_run, "only say what would be done");
  move->add_option("ROOM", o.room, "the room's id, like '!abc:example.org'")->required();
  move->add_option("AGENT", o.agent, "the agent's id")->required();
  move->callback([&o] { o.move = true; });
}

} // namespace

int main(int argc, char** argv) {
  CLI::App app{"Patchbay joins people's chat rooms (Matrix) to AI agents."};
  app.require_subcommand(1);
  app.set_help_all_flag("--help-all", "Help of all subcommands");

  run_options run_with;
  std::string config_file, env_file;
  bool json = false;
  int pin = -1;
  auto* run_command = app.add_subcommand(
      "run",
      "The main job. Without a file and without a homeserver in the environment it starts on the\n"
      "embedded default: development homeserver, demonstration agent and console on loopback.");
  run_command->add_option("--config", config_file, "patchbay.yaml");
  run_command->add_option("--env-file", env_file,
                          "file of variables (default: .env, if it is there)");
  run_command->add_option("--pin", pin, "stay on this CPU (for measurements)")
      ->check(CLI::Range(0, 1023));
  run_command->footer([] { return pb::config::explain_keys(); });

  auto* check_command = app.add_subcommand(
      "check", "Load everything that `run` would and open nothing; print every fault.");
  check_command->add_option("--config", config_file, "patchbay.yaml");
  check_command->add_option("--env-file", env_file,
                            "file of variables (default: .env, if it is there)");
  check_command->add_flag("--json", json, "one JSON object");

  auto* doctor_command = app.add_subcommand(
      "doctor", "Try everything outside: homeserver, agents, workspaces, disk. Changes nothing.");
  doctor_command->add_option("--config", config_file, "patchbay.yaml");
  doctor_command->add_option("--env-file", env_file,
                             "file of variables (default: .env, if it is there)");
  doctor_command->add_flag("--json", json, "one JSON object");

  reconcile_options reconcile_with;
  auto* reconcile_command = app.add_subcommand(
      "reconcile",
      "Compare the database with the Spaces on the homeserver: show the plan, apply it.\n"
      "Creates no room and invites nobody.");
  reconcile_command->add_option("--config", config_file, "patchbay.yaml");
  reconcile_command->add_option("--env-file", env_file,
                                "file of variables (default: .env, if it is there)");
  reconcile_command->add_flag("--dry-run", reconcile_with.dry_run, "only show the plan");
  reconcile_command->add_flag("--json", json, "one JSON object");

  reset_options reset_with;
  std::string reset_mode = "local-only";
  auto* reset_command = app.add_subcommand(
      "reset", "Clean-room QA: remove the database and the store paths of the configuration.");
  reset_command->add_option("--config", config_file, "patchbay.yaml");
  reset_command->add_option("--env-file", env_file,
                            "file of variables (default: .env, if it is there)");
  reset_command
      ->add_option("--mode", reset_mode,
                   "server-leave-forget: before that, leave and forget the bot's rooms")
      ->check(CLI::IsMember({"local-only", "server-leave-forget"}))
      ->capture_default_str();
  reset_command->add_flag("--dry-run", reset_with.dry_run,
                          "say what would be done, and do nothing");
  reset_command->add_flag("--json", json, "one JSON object");

  auto* version_command = app.add_subcommand("version", "Version, commit, versions of libraries.");
  version_command->add_flag("--json", json, "one JSON object");

  file_options with_file;
  auto* backup_command = app.add_subcommand(
      "backup", "Consistent copy of the live database; a router may run. FILE must not exist.");
  auto* import_command = app.add_subcommand(
      "import-surfaces",
      "Take over rooms, chat numbers, platform_chat_ids, agent bindings and saved contexts from\n"
      "the earlier bot's SQLite file. No router may run; what is here already stays as it is.");
  for (auto* c : {backup_command, import_command}) {
    c->add_option("FILE", with_file.file, "the file")->required();
    c->add_option("--config", config_file, "patchbay.yaml");
    c->add_option("--env-file", env_file, "file of variables (default: .env, if it is there)");
    c->add_flag("--dry-run", with_file.dry_run, "only say what would be done");
    c->add_flag("--json", with_file.json, "one JSON object");
  }

  agent_command agent_with(app);
  agents_options agents_with;
  rooms_options rooms_with;
  add_agents_command(app, agents_with, config_file, env_file);
  add_rooms_command(app, rooms_with, config_file, env_file);

  for (const auto& [name, what] : later) {
    auto* c = app.add_subcommand(name, std::string{what} + " (not there yet)");
    c->allow_extras();
  }

  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp& e) {
    return app.exit(e);
  } catch (const CLI::CallForAllHelp& e) {
    return app.exit(e);
  } catch (const CLI::ParseError& e) {
    complain(std::string{e.what()} + "; see patchbay --help");
    return usage;
  }

  const auto given = [&] {
    pb::config::command_line line;
    if (!config_file.empty())
      line.config_file = config_file;
    if (!env_file.empty())
      line.env_file = env_file;
    return line;
  };
  try {
    if (run_command->parsed()) {
      run_with.config = given();
      if (pin >= 0)
        run_with.pin = pin;
      return run(run_with);
    }
    if (agent_with.parsed())
      return agent_with.run();
    with_file.config = given();
    if (backup_command->parsed())
      return backup(with_file);
    if (import_command->parsed())
      return import_surfaces(with_file);
    if (check_command->parsed())
      return check(given(), json);
    if (doctor_command->parsed())
      return examine(given(), json);
    if (reconcile_command->parsed()) {
      reconcile_with.config = given();
      reconcile_with.json = json;
      return reconcile(reconcile_with);
    }
    if (reset_command->parsed()) {
      reset_with.config = given();
      reset_with.leave = reset_mode == "server-leave-forget";
      reset_with.json = json;
      return reset_all(reset_with);
    }
    if (version_command->parsed())
      return print_version(json);
    agents_with.config = rooms_with.config = given();
    if (app.got_subcommand("agents"))
      return agents(agents_with);
    if (app.got_subcommand("rooms"))
      return rooms(rooms_with);
  } catch (const std::exception& e) {
    complain(std::string{"a bug: "} + e.what() + "; please report it with the log above");
    return bug;
  }
  for (const auto& [name, what] : later)
    if (app.got_subcommand(name)) {
      complain(std::string{"`"} + name +
               "` is not there yet in this version; `patchbay --help` lists what is");
      return failed;
    }
  return usage;
}

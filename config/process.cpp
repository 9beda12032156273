#include "config/process.hpp"

#include <algorithm>

namespace pb::config {

namespace {

class loader {
public:
  loader(process_outcome& out, const environment& env, const disk& files)
      : out_(out), env_(env), files_(files) {}

  void read_file(const source& file, const std::map<std::string, std::string>& command_line) {
    origin_ = {file.file, 1, 1};
    context c{file.file, env_, files_, bad_, out_.referenced};
    for (const auto& key : process_keys())
      if (variable_for(key) || command_line.contains(std::string{key.path}))
        c.overridden.insert(std::string{key.path});
    const auto tree = document::parse(file.text, file.file);
    if (!tree) {
      out_.complete = false;
      out_.problems.push_back(tree.error());
      return;
    }
    const auto& root = tree->root();
    if (root.what == node::kind::mapping)
      read_mapping(c, root, process_keys(), out_.value, out_.seen);
    else if (root.what != node::kind::null)
      bad_.error(c.at(root), "expected a mapping, found " + std::string{words(root.what)},
                 "write homeserver: and the other keys at the left margin");
    settle();
  }

  void read_variables() {
    for (const auto& key : process_keys())
      if (const auto name = variable_for(key))
        take(key, *env_.find(*name), env_.where(*name), *name, env_.folder(*name));
    settle();
  }

  void read_command_line(const std::map<std::string, std::string>& values) {
    for (const auto& given : values) {
      const auto& path = given.first;
      const place at{"command line", 0, 0};
      const auto& keys = process_keys();
      const auto key = std::find_if(keys.begin(), keys.end(),
                                    [&](const process_key& k) { return k.path == path; });
      if (key == keys.end())
        bad_.error(at, "unknown key " + quoted(path), "look at the keys in --help");
      else if (key->form == shape::secret)
        bad_.error(at, path + ": a secret on the command line can be seen by every user",
                   "set " + environment_name(path) + " in the environment");
      else
        take(*key, given.second, at, path, {});
    }
    settle();
  }

  void finish(bool has_file) {
    auto& s = out_.value;
    if (has_file && !out_.seen.contains("data_dir"))
      s.data_dir = below(folder_of(origin_.file), s.data_dir);
    if (!has_file && !out_.seen.contains("homeserver.url"))
      s.homeserver.embedded = true;
    if (out_.complete)
      check_homeserver(has_file);
    if (s.streaming.min_interval > s.streaming.max_interval)
      bad_.error(where({"streaming.min_interval", "streaming.max_interval"}),
                 "streaming.min_interval is longer than streaming.max_interval",
                 "write a min_interval that is at most the max_interval (defaults: 1s and 5s)");
    if (s.admin.listen_given && s.agents_api && s.agents_api->port != 0 &&
        s.agents_api->port == s.admin.listen.port && s.agents_api->host == s.admin.listen.host)
      bad_.error(where({"agents_api.listen"}), "agents_api.listen is the address of admin.listen",
                 "write another port, or remove the key: admin.listen serves these events too");
    settle();
  }

private:
  /// The name under which the environment holds this key; ours wins over the older one.
  std::optional<std::string> variable_for(const process_key& key) const {
    for (const auto& name : {environment_name(key.path), std::string{key.alias}})
      if (!name.empty() && env_.find(name) != nullptr)
        return name;
    return std::nullopt;
  }

  void take(const process_key& key, const std::string& text, const place& at,
            const std::string& name, const std::string& folder) {
    auto& s = out_.value;
    out_.seen[std::string{key.path}] = at;
    const auto set = [&](const std::string& value) {
      if (const auto bad = key.set(s, value))
        bad_.error(at, (at.line > 0 || at.file != name ? name + ": " : "") + bad->what,
                   bad->instead.empty() ? "write " + std::string{key.type} : bad->instead);
    };
    if (key.form == shape::list) {
      key.clear(s);
      for (std::size_t begin = 0; text != "[]" && begin <= text.size();) {
        const auto end = std::min(text.find(',', begin), text.size());
        auto item = text.substr(begin, end - begin);
        item.erase(0, std::min(item.find_first_not_of(' '), item.size()));
        item.erase(item.find_last_not_of(' ') + 1);
        if (!item.empty())
          set(item);
        begin = end + 1;
      }
    } else if (key.form == shape::nullable && text == "null") {
      key.clear(s);
    } else if (key.form == shape::path) {
      set(has_control_characters(text) ? text : below(folder, text));
    } else {
      set(text);
    }
  }

  void check_homeserver(bool has_file) {
    auto& h = out_.value.homeserver;
    if (h.embedded) {
      leave_out_outside_account();
      return;
    }
    const auto missing = [&](const char* key, const char* alias, const char* example) {
      if (out_.seen.contains(key))
        return;
      const std::string set = std::string{alias} + " in the environment";
      bad_.error(has_file ? where({"homeserver"}) : place{"environment", 0, 0},
                 std::string{key} + " is missing",
                 has_file ? "write " + std::string{example} + " below homeserver, or set " + set
                          : "set " + set);
    };
    missing("homeserver.url", "MATRIX_HOMESERVER",
            "url: https://matrix.example.org (or url: embedded)");
    missing("homeserver.user_id", "MATRIX_USER_ID", "user_id: \"@agents:example.org\"");
    if (!out_.seen.contains("homeserver.password"))
      missing("homeserver.access_token", "MATRIX_ACCESS_TOKEN",
              "access_token: {env: MATRIX_ACCESS_TOKEN} (or a password)");
  }

  /// The embedded homeserver makes the bot's account itself, on the server "localhost".
  void leave_out_outside_account() {
    auto& h = out_.value.homeserver;
    h.access_token.reset();
    h.password.reset();
    if (h.user.empty() || h.user.value.ends_with(":localhost"))
      return;
    bad_.warning(where({"homeserver.user_id"}),
                 "homeserver.user_id has no effect: the embedded homeserver knows only users of "
                 "localhost",
                 "write homeserver.url, or a user of localhost");
    h.user = user_id{};
  }

  place where(std::initializer_list<const char*> keys) const {
    for (const auto* key : keys)
      if (const auto i = out_.seen.find(key); i != out_.seen.end())
        return i->second;
    return origin_;
  }

  /// Each stage's problems in their order: the file's, the environment's, those of the whole.
  void settle() {
    auto found = bad_.take();
    out_.problems.insert(out_.problems.end(), found.begin(), found.end());
  }

  process_outcome& out_;
  const environment& env_;
  const disk& files_;
  reporter bad_;
  place origin_{"configuration", 0, 0};
};

} // namespace

process_outcome parse_process(const std::optional<source>& file, const environment& env,
                              const std::map<std::string, std::string>& command_line,
                              const disk& files) {
  process_outcome out;
  loader l{out, env, files};
  if (file)
    l.read_file(*file, command_line);
  l.read_variables();
  l.read_command_line(command_line);
  l.finish(file.has_value());
  return out;
}

} // namespace pb::config

#include "cli/registry_change.hpp"

#include <algorithm>

namespace pb::cli {
namespace {

using kind = change_outcome::kind;

/// The disk as it will be.
class disk_with_change final : public config::disk {
public:
  disk_with_change(const config::disk& real, std::string path, std::optional<std::string> text)
      : real_(real), path_(std::move(path)), text_(std::move(text)) {}

  tl::expected<std::string, std::string> read(const std::string& path,
                                              std::size_t cap) const override {
    if (path != path_)
      return real_.read(path, cap);
    if (!text_)
      return tl::unexpected<std::string>("No such file or directory");
    if (text_->size() > cap)
      return tl::unexpected("larger than " + std::to_string(cap) + " bytes");
    return *text_;
  }
  bool exists(const std::string& path) const override {
    return path == path_ ? text_.has_value() : real_.exists(path);
  }
  tl::expected<std::vector<std::string>, std::string>
  yaml_files(const std::string& folder) const override {
    auto names = real_.yaml_files(folder);
    if (!names || folder != config::folder_of(path_))
      return names;
    const auto name = path_.substr(folder.size() + (folder.empty() ? 0 : 1));
    std::erase(*names, name);
    if (text_)
      names->insert(std::lower_bound(names->begin(), names->end(), name), name);
    return names;
  }

private:
  const config::disk& real_;
  std::string path_;
  std::optional<std::string> text_;
};

bool same(const config::problem& a, const config::problem& b) {
  return to_string(a) == to_string(b);
}

/// Faults or warnings of `after` that were not there before.
std::vector<config::problem> fresh_ones(const config::registry_outcome& before,
                                        const config::registry_outcome& after, bool warnings) {
  std::vector<config::problem> out;
  for (const auto& p : after.problems)
    if (p.warning == warnings &&
        std::none_of(before.problems.begin(), before.problems.end(),
                     [&](const config::problem& old) { return same(old, p); }))
      out.push_back(p);
  return out;
}

change_outcome no(kind what, std::string file, std::string why = {}) {
  change_outcome out;
  out.what = what;
  out.file = std::move(file);
  out.why = std::move(why);
  return out;
}

/// The agent's file as it shall be; nothing: it goes away. An error: it cannot be edited.
tl::expected<std::optional<std::string>, std::string>
wanted_text(const agent_change& what, const std::optional<std::string>& old, bool only_here) {
  if (what.remove && only_here)
    return std::nullopt;
  auto edits = what.edits;
  edits.push_back({"removed", what.remove ? std::optional<std::string>{"true"} : std::nullopt});
  auto text = config::edit_agent_file(
      old.value_or(
          "# Written by the admin API. Edit it as you like: comments and what the API does "
          "not change stay.\n"),
      edits);
  if (!text)
    return tl::unexpected(text.error());
  return std::optional<std::string>{*std::move(text)};
}

} // namespace

change_outcome change_registry(const std::string& registry_file, const agent_change& what,
                               const config::environment& env, const config::disk& disk,
                               const file_writer& write) {
  if (registry_file.empty())
    return no(kind::no_registry, {});
  const auto path = config::below(config::below(config::folder_of(registry_file), "agents.d"),
                                  what.id.value + ".yaml");
  const auto before = config::read_registry(registry_file, {registry_file, 0, 0}, env, disk);
  const auto known = before.value.agents.find(what.id);
  const bool there = known != before.value.agents.end();
  if (!there && (what.must_exist || what.remove))
    return no(before.complete ? kind::unknown_agent : kind::registry_bad, {});
  if (there && what.enabled && known->second.enabled == *what.enabled && before.ok())
    return no(kind::done, {});
  std::optional<std::string> old;
  if (disk.exists(path)) {
    auto text = disk.read(path, config::document::max_bytes);
    if (!text)
      return no(kind::not_editable, path, text.error());
    old = *std::move(text);
  }
  const auto sources = before.sources.find(what.id);
  const bool only_here =
      sources != before.sources.end() && sources->second == std::vector<std::string>{path};
  auto text = wanted_text(what, old, only_here);
  if (!text)
    return no(kind::not_editable, path, text.error());
  const auto with = [&](const std::optional<std::string>& changed) {
    return config::read_registry(registry_file, {registry_file, 0, 0}, env,
                                 disk_with_change{disk, path, changed});
  };
  auto after = with(*text);
  // Somebody's entry still names it: a fault, but a warning behind `removed: true`.
  if (what.remove && only_here && before.ok() && !after.ok()) {
    text = wanted_text(what, old, false);
    if (!text)
      return no(kind::not_editable, path, text.error());
    after = with(*text);
  }
  change_outcome out;
  out.file = path;
  out.fresh = !there;
  out.warnings = fresh_ones(before, after, true);
  if (!after.ok()) {
    out.faults = fresh_ones(before, after, false);
    out.what = out.faults.empty() ? kind::registry_bad : kind::invalid;
    if (out.faults.empty())
      std::copy_if(after.problems.begin(), after.problems.end(), std::back_inserter(out.faults),
                   [](const config::problem& p) { return !p.warning; });
    return out;
  }
  // By its `id` a file of this name may speak of another agent.
  for (const auto& [id, spec] : before.value.agents)
    if (const auto i = after.value.agents.find(id);
        id != what.id && (i == after.value.agents.end() || i->second != spec))
      return no(kind::not_editable, path, "it speaks of the agent " + id.value);
  const auto now = after.value.agents.find(what.id);
  const bool still = now != after.value.agents.end();
  const auto last = after.sources.find(what.id);
  const auto last_file = last == after.sources.end() ? path : last->second.back();
  const bool in_vain = there && still && *text != old && last_file != path &&
                       now->second == known->second; // all of it is said otherwise later
  if (still == what.remove || (still && what.enabled && now->second.enabled != *what.enabled) ||
      in_vain)
    return no(kind::overruled, path, last_file);
  out.changed = *text != old;
  if (what.dry_run || !out.changed)
    return out;
  if (auto why = write(path, *text))
    return no(kind::not_writable, path, *why);
  return out;
}

} // namespace pb::cli

// Files of turns whose protocol carries bytes: read from and written to the shared workspace.

#include "actors/agent/connection.hpp"
#include "bridges/files/arrival.hpp"
#include "bridges/files/beneath.hpp"
#include "bridges/files/content.hpp"
#include "bridges/files/names.hpp"

namespace pb {

namespace {

result<std::string> read_beneath(int folder, const std::string& path, std::uint64_t most) {
  auto file = files::open_beneath(folder, path, most);
  if (!file)
    return tl::unexpected(file.error());
  const file_body body{std::move(file->fd), file->size};
  std::string bytes(static_cast<std::size_t>(file->size), '\0');
  const auto got = body.read(0, bytes.data(), bytes.size());
  if (!got)
    return tl::unexpected(files::disk_fault(got.error(), "the file"));
  bytes.resize(*got);
  return bytes;
}

} // namespace

/// What is too large, or gone meanwhile, is named without its bytes.
std::vector<session_file> agent_connection_state::files_of(const turn_request& asked) {
  std::vector<session_file> out;
  if (asked.attachments.empty() || spec_.workspace.empty())
    return out;
  const auto folder = files::open_folder(files::workspace_for(spec_.workspace, asked.asker));
  files::content_types types;
  std::size_t left = carried_cap;
  for (const auto& path : asked.attachments) {
    session_file f;
    f.path = path;
    f.name = files::safe_name(path);
    f.left_out = true;
    if (folder)
      if (auto bytes = read_beneath(folder->get(), path, left)) {
        left -= bytes->size();
        f.media_type =
            types.look(std::string_view(*bytes).substr(0, files::head_size), f.name).mimetype;
        f.bytes = std::move(*bytes);
        f.left_out = false;
      }
    out.push_back(std::move(f));
  }
  return out;
}

/// Written as an arriving file is, but below `outgoing`; then as if the agent had named it.
void agent_connection_state::put_file(seat_id id, const agent_wants::put_file& file) {
  auto& s = seats_.at(id);
  auto* t = turn_of(s);
  if (!t) {
    ++after_end_;
    return after_end_total_.inc();
  }
  const auto tr = t->what.turn.tr;
  const auto failed = [&](const fault& f) {
    deps_.around.log->warning("agent_file_refused", tr,
                              "an agent's file cannot be kept: " + f.cause,
                              {{"agent", spec_.id}, {"bytes", file.bytes.size()}});
    // The room says in its own words that there is no such file.
    say(id, {agent_says::send_file{"outgoing/" + files::safe_name(file.name)}, {}});
  };
  if (spec_.workspace.empty())
    return failed({fault_code::refused, "the agent has no workspace_path", {}});
  auto rules = deps_.files;
  rules.incoming = "outgoing";
  auto arrival =
      files::arrival::begin(rules, {spec_.workspace, t->what.turn.asker, s.chat},
                            t->what.turn.id.value, static_cast<std::int64_t>(file.bytes.size()));
  if (!arrival)
    return failed(arrival.error());
  if (const int error = (*arrival)->body()->append(file.bytes); error != 0)
    return failed(files::disk_fault(error, "the file"));
  const auto kept = (*arrival)->finish(file.name);
  if (!kept)
    return failed(kept.error());
  say(id, {agent_says::send_file{kept->path}, {}});
}

} // namespace pb

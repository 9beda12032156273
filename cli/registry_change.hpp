#pragma once
// A change of one agent: a file in agents.d beside the registry. The operator's own file is never
// touched, and nothing is written that the loader would refuse.

#include "config/agent_file.hpp"
#include "config/registry.hpp"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace pb::cli {

struct agent_change {
  agent_id id;
  std::vector<config::key_edit> edits; ///< keys of the agent
  bool remove = false;                 ///< take it away; no edits then
  bool must_exist = false;             ///< unknown_agent instead of a new one
  std::optional<bool> enabled;         ///< what must come of it; already so: nothing is written
  bool dry_run = false;
};

struct change_outcome {
  enum class kind {
    done,
    no_registry,   ///< there is no registry file that a folder could lie beside
    unknown_agent, ///< nothing is known under this id
    invalid,       ///< the loader refuses the agent: `faults`
    registry_bad,  ///< the files on the disk have faults already: `faults`
    overruled,     ///< another file says otherwise: `why` names it
    not_editable,  ///< the file of the agent cannot be changed line by line: `why`
    not_writable,  ///< `why`
    busy,          ///< too many changes wait
  } what = kind::done;
  std::string file; ///< that was, or would be, written or removed; empty: none
  std::string why;
  std::vector<config::problem> faults, warnings;
  bool changed = false; ///< false: it was so already
  bool fresh = false;   ///< the agent was not there before
};

/// Puts a text in the place of a file, or (nothing) takes the file away; whole or not at all. An
/// error is why not, in words.
using file_writer = std::function<std::optional<std::string>(const std::string& path,
                                                             const std::optional<std::string>&)>;

change_outcome change_registry(const std::string& registry_file, const agent_change& what,
                               const config::environment& env, const config::disk& disk,
                               const file_writer& write);

/// On the real disk: temporary file, fsync, rename, fsync of the folder, which is made.
std::optional<std::string> write_whole(const std::string& path,
                                       const std::optional<std::string>& text);

} // namespace pb::cli

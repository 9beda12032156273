#pragma once
// Names and paths of files before they touch a disk. What comes in is an agent's or a person's
// text.

#include "messages/values/fault.hpp"
#include "messages/values/workspace.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace pb::files {

constexpr std::size_t longest_name = 200; ///< bytes of a file's name that we give

/// What an agent calls a file, as a path below its workspace: "out/a.txt". An absolute one must lie
/// under /workspace, which is the agent's view of it, or under `workspace`, which is ours. Refused:
/// any other, "..", control characters, the workspace itself, 4096 bytes and more.
result<std::string> relative_path(std::string_view named, const std::string& workspace);

/// Whether a pattern of files.deny names the path (as relative_path gives it) or a folder that it
/// lies in. Patterns are those of .gitignore: "*", "?" and "[…]" stay within a name, "**" stands
/// for any folders, and a pattern without a slash counts at every level.
bool denied(std::string_view path, const std::vector<std::string>& patterns);

using pb::workspace_for;

/// The last part of a name, without what hides, moves or breaks a line: control characters, marks
/// of writing direction, leading dots. At most longest_name bytes, the extension stays. Never
/// empty.
std::string safe_name(std::string_view name);

/// "a (2).txt" for the second of that name; the first keeps it.
std::string numbered_name(std::string_view name, unsigned n);

} // namespace pb::files

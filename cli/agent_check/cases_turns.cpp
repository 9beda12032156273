// One chat, one turn: what any agent must do with any text.

#include "bridges/files/beneath.hpp"
#include "bridges/files/names.hpp"
#include "cli/agent_check/cases.hpp"
#include "cli/agent_check/raw_line.hpp"

#include <filesystem>
#include <fstream>
#include <utility>

namespace pb::agent_check {

namespace {

/// The longest text of a person by default (rooms.max_message_bytes).
constexpr std::size_t longest_text = 32'768;

finding by_fault(std::string fault) { return fault.empty() ? finding{} : failed(std::move(fault)); }

/// A connection that opens, and is closed without a word.
finding handshake(stage& s) {
  auto to = first_link(s.with, s.chat);
  if (!to)
    return skipped("this protocol opens no connection before there is something to say");
  raw_line line(s.on, std::move(*to), s.chat);
  s.on.until([&] { return line.opened() || line.closed(); }, s.asked.connect + milliseconds(500));
  if (line.opened())
    return {};
  return failed(line.closed() ? words(*line.closed())
                              : std::string("the connection did not open in time"));
}

finding turn(stage& s) {
  conversation talk(s.on, s.with, s.chat);
  talk.ask(s.next_id(), "Say hello in two short sentences.");
  if (auto fault = s.finish(talk); !fault.empty())
    return failed(std::move(fault));
  finding out;
  const auto& t = talk.turn();
  if (t.text.empty())
    out.notes.emplace_back("the answer has no text: people see that the agent had nothing to say");
  else if (t.chunks == 1)
    out.notes.emplace_back("the answer came in one piece; in several, people see it grow");
  if (!t.usage)
    out.notes.emplace_back("no usage was told: tokens of this agent are not counted");
  return out;
}

finding empty_text(stage& s) { return by_fault(s.simple_turn(s.chat, "", true)); }

finding long_text(stage& s) {
  std::string text = "Answer with one word.\n\tThe rest is filler: ";
  // Without blanks: an agent that repeats it word by word is done soon.
  while (text.size() < longest_text - 64)
    text += "\"quoted\",\\back\\;\u0416\u00E4;";
  return by_fault(s.simple_turn(s.chat, std::move(text), true));
}

finding unicode(stage& s) {
  return by_fault(s.simple_turn(
      s.chat,
      "Repeat: h\u00e9, \u0427\u0430\u0442, \u05e9\u05dc\u05d5\u05dd, \u65e5\u672c, e\u0301, "
      "\U0001F469\u200D\U0001F680, \u202Eright\u202C, \u2028, \uFFFD, \U0010FFFD"));
}

finding attachment(stage& s) {
  if (s.asked.workspace.empty())
    return skipped("say which folder the agent shares with us: --workspace DIR");
  namespace fs = std::filesystem;
  const auto path =
      "incoming/" + std::to_string(s.chat) + "/patchbay check " + s.asked.nonce + ".txt";
  const auto whole = fs::path(s.asked.workspace) / path;
  const std::string bytes = "Written by patchbay agent check.\n";
  std::error_code trouble;
  const auto incoming = whole.parent_path().parent_path();
  const bool was_there = fs::exists(incoming, trouble);
  fs::create_directories(whole.parent_path(), trouble);
  std::ofstream file(whole, std::ios::binary);
  if (!(file << bytes) || !file.flush())
    return skipped("we cannot write into the workspace: " + whole.string());
  file.close();
  conversation talk(s.on, s.with, s.chat);
  talk.ask(s.next_id(),
           "What is in this file?\n\n[file: patchbay check.txt, text/plain, " +
               std::to_string(bytes.size()) + " bytes, " + path + "]",
           {{path, whole.filename().string(), "text/plain", bytes}});
  auto fault = s.finish(talk);
  fs::remove(whole, trouble);
  fs::remove(whole.parent_path(), trouble); // if nothing else is in it
  if (!was_there)
    fs::remove(incoming, trouble);
  return by_fault(std::move(fault));
}

/// Of the whole run: cases that were judged before had their own view of these turns.
finding sent_files(stage& s) {
  if (s.files.empty())
    return skipped("the agent sent no file");
  finding out;
  result<unique_fd> folder = tl::unexpected<fault>(fault{});
  if (!s.asked.workspace.empty()) {
    folder = files::open_folder(s.asked.workspace);
    if (!folder)
      return failed("the workspace cannot be opened: " + folder.error().cause);
  } else if (!s.with.protocol.carries_files) {
    out.notes.emplace_back("only the form of the paths was looked at: give --workspace DIR");
  }
  if (s.with.protocol.carries_files)
    return out;
  for (const auto& named : s.files) {
    const auto path = files::relative_path(named, s.asked.workspace);
    if (!path)
      return failed("\"" + beginning(named, 200) + "\" is refused: " + path.error().cause);
    if (!folder)
      continue;
    if (const auto file = files::open_beneath(folder->get(), *path, std::uint64_t{64} << 20); !file)
      return failed("\"" + beginning(named, 200) + "\" cannot be sent: " + file.error().cause);
  }
  return out;
}

finding frames(stage& s) {
  const auto& all = s.on.totals();
  if (all.frames == 0)
    return skipped("nothing came");
  finding out;
  out.notes.push_back(std::to_string(all.frames) + " frames, the largest has " +
                      std::to_string(all.largest) + " bytes");
  for (const auto& [type, times] : all.unknown)
    out.notes.push_back("type " + type + " is not known and was ignored, " + std::to_string(times) +
                        (times == 1 ? " time" : " times"));
  return all.largest <= s.with.agent.limits.frame ? out : failed("a frame is too large");
}

} // namespace

const std::vector<check_case> opening_cases{
    {"handshake", "a connection opens, and closes without a word",
     "The agent accepts a connection for any chat id, and bears that it is closed at any time.",
     "docs/agents.md#address-and-connections", handshake},
    {"turn", "a question is answered",
     "A turn is any number of events and then exactly one END or ERROR; after it nothing more is "
     "said on the connection.",
     "docs/agents.md#a-turn", turn},
};

const std::vector<check_case> turn_cases{
    {"empty_text", "a question without text",
     "Every question ends with END or ERROR, also one without text.", "docs/agents.md#a-turn",
     empty_text},
    {"long_text", "a question of 32 KiB with quotes, backslashes and line breaks",
     "A person's text may have 32 KiB; what the agent cannot take it says with ERROR.",
     "docs/agents.md#a-turn", long_text},
    {"unicode", "a question in several scripts, with emoji and marks of direction",
     "Texts are UTF-8 both ways, whatever people write.", "docs/agents.md#a-turn", unicode},
    {"attachment", "a question with a file in the workspace",
     "A file is in the workspace before the message that names it.", "docs/agents.md#files",
     attachment},
};

const std::vector<check_case> closing_cases{
    {"sent_files", "the files that were sent during the run",
     "A file lies beneath the workspace, is closed before it is named, and is named by its path "
     "relative to the workspace.",
     "docs/agents.md#files", sent_files},
    {"frames", "all frames of the run",
     "A frame is text of at most 8 MiB; types and fields that nobody knows are ignored.",
     "docs/agents.md#address-and-connections", frames},
};

} // namespace pb::agent_check

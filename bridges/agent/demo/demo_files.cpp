// The demonstration agent's dealings with its workspace, and what Markdown can look like.

#include "bridges/agent/demo/demo_plan.hpp"

namespace pb::demo {

const std::string_view markdown_sample =
    "# A heading\n\n"
    "Plain words, **strong** ones, *leaning* ones, ~~wrong~~ ones, `code`, and a "
    "[link](https://matrix.org).\n\n"
    "1. first\n2. second\n   - a point below it\n   - another one\n3. third\n\n"
    "> Somebody said this.\n>\n> > And somebody before them.\n\n"
    "| agent | answers | seconds |\n|:------|:-------:|--------:|\n"
    "| demo  | **42**  |    0.3  |\n| other | *17*    |   12.5  |\n\n"
    "```cpp\nint main() { return 0; } // <b>not bold</b> & not HTML\n```\n\n"
    "---\n\n"
    "Other scripts: \u0417\u0434\u0440\u0430\u0432\u0441\u0442\u0432\u0443\u0439\u0442\u0435, "
    "\u05e9\u05dc\u05d5\u05dd, \u65e5\u672c\u8a9e, e\u0301, "
    "\U0001f469\u200d\U0001f4bb \U0001f389\n\n"
    "What cannot get out of here: <script>alert(1)</script>, @room, "
    "[a bad link](javascript:alert(1)).\n";

namespace {

constexpr std::string_view report_path = "demo/report.md";
constexpr std::size_t saved_most = 64 * 1024; // bytes of a saved conversation
constexpr std::size_t name_most = 120;        // bytes
constexpr std::string_view mark = "- ";       // begins a line of what was said

bool holds(std::string_view text, std::initializer_list<std::string_view> words) {
  return std::any_of(words.begin(), words.end(),
                     [&](std::string_view w) { return text.find(w) != std::string_view::npos; });
}

void recall(plan& out, const question& asked, const std::string& text) {
  asked.said->clear();
  for (std::size_t at = 0; at < text.size() && asked.said->size() < said_most;) {
    const auto end = std::min(text.find('\n', at), text.size());
    const auto line = std::string_view(text).substr(at, end - at);
    if (line.starts_with(mark))
      asked.said->emplace_back(clipped(line.substr(mark.size()), said_bytes));
    at = end + 1;
  }
  speak(out, "I have read it: " + std::to_string(asked.said->size()) + " messages. ");
  if (!asked.said->empty())
    speak(out, "The last one was:\n\n> " + asked.said->back() + "\n");
}

} // namespace

void send_a_file(plan& out, const question& asked) {
  if (asked.files == nullptr)
    return speak(out, "I have no workspace, so I cannot send files.\n");
  const std::string text = "# A file of the demonstration agent\n\nIt was asked for in message " +
                           std::to_string(asked.number) + " of conversation " +
                           std::to_string(asked.chat) + ".\n";
  if (!asked.files->write(std::string(report_path), text))
    return speak(out, "My workspace takes no file.\n");
  speak(out, "I write a file and send it.\n\n");
  say(out, milliseconds(400), {{"type", "AGENT_EVENT_SEND_FILE"}, {"path", report_path}});
  chunk(out, pace, "There it is: `demo/report.md`.\n");
}

std::string saved_path(std::string_view text) {
  constexpr std::string_view folder = "saved/";
  constexpr std::string_view suffix = ".md";
  const auto begin = text.find(folder);
  const auto end = begin == std::string_view::npos ? begin : text.find(suffix, begin);
  if (end == std::string_view::npos)
    return {};
  const auto name = text.substr(begin + folder.size(), end - begin - folder.size());
  const bool odd = std::any_of(name.begin(), name.end(), [](char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == '/' || c == '\\' || c == 0x7F;
  });
  if (name.empty() || name.size() > name_most || name.front() == '.' || odd)
    return {};
  return std::string(text.substr(begin, end - begin + suffix.size()));
}

void keep_or_recall(plan& out, const question& asked, const std::string& path) {
  if (asked.files == nullptr || asked.said == nullptr)
    return speak(out, "I have no workspace to write in.\n");
  auto words = std::string(clipped(asked.text, 2000));
  if (const auto at = words.find(path); at != std::string::npos)
    words.erase(at, path.size());
  const bool writes = holds(words, {"Write ", "write ", "Save ", "save ", "апиши", "охрани"});
  if (!writes) {
    const auto text = asked.files->read(path, saved_most);
    return text ? recall(out, asked, *text)
                : speak(out, "There is no file of that name in my workspace.\n");
  }
  std::string text = "# Conversation " + std::to_string(asked.chat) + "\n\n";
  for (const auto& line : *asked.said)
    text += std::string(mark) + line + "\n";
  if (!asked.files->write(path, text))
    return speak(out, "My workspace takes no file.\n");
  speak(out, "Written down: " + std::to_string(asked.said->size()) + " messages.\n");
}

} // namespace pb::demo

#include "bridges/agent/demo/demo_skills.hpp"

#include "bridges/agent/demo/demo_plan.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <ctime>

namespace pb::demo {

namespace {

constexpr milliseconds count_pace{300}; // slow enough to be stopped by hand
constexpr milliseconds word_pace{110};
constexpr std::int64_t count_most = 500;
constexpr std::int64_t long_most = 512;  // KiB
constexpr std::int64_t slow_most = 120;  // seconds
constexpr std::int64_t later_most = 120; // seconds; the connection is kept for longer
constexpr std::size_t echo_most = 4000;  // bytes

constexpr std::string_view introduction =
    "Hello! I am Patchbay's **demonstration agent**. There is no model behind me: I only show what "
    "an agent's answers look like in a room.\n\n"
    "To talk to a real agent, describe it in a registry file\n\n"
    "```yaml\n"
    "# matrix-agents.yaml\n"
    "agents:\n"
    "  - id: my-agent\n"
    "    base_url: http://127.0.0.1:7000\n"
    "default_agent: my-agent\n"
    "```\n\n"
    "and name that file as `registry:` in patchbay.yaml (or in PATCHBAY_REGISTRY). docs/agents.md "
    "tells how to write an agent, with examples of sixty lines.\n\n"
    "Say `help` to see what I can do.\n\n";

constexpr std::string_view help =
    "Say one of these, or anything else to hear it back:\n\n"
    "- `help`: this list\n"
    "- `time`: what my clock says\n"
    "- `stream`: an answer that grows word by word for some seconds\n"
    "- `count to 10`: the same, slowly; `!stop` ends it\n"
    "- `slow 5`: five seconds of silence, then an answer\n"
    "- `long 150`: about 150 KiB of text: too much for three messages, so it comes as a file\n"
    "- `markdown` (or `table`): headings, lists, a table, code, quotes, other scripts\n"
    "- `tool`: a tool call, its result and progress; `tools`: several, one of which fails\n"
    "- `confirm`: I ask for your permission first: `!yes`, `!no`, or a reaction\n"
    "- `file`: I write a file and send it; send me one, and I say what came\n"
    "- `later 10`: ten seconds after my answer I speak up by myself\n"
    "- `fail` (or `error`): an answer that fails\n"
    "- `die`: I vanish in the middle of an answer\n\n"
    "`!save` and `!load` work with me, too: I write down what you said, and read it back.\n"
    "I also count the messages of this conversation; after `!clear` I start again at one.\n";

/// Words in, words out: not tokens, but a number that grows with the text.
void finish(plan& out, const question& asked) {
  const auto words = [](std::string_view text) {
    return 1 + std::count(text.begin(), text.end(), ' ');
  };
  std::int64_t said = 0;
  for (const auto& s : out)
    if (const auto text = s.frame.find("text"); text != s.frame.end())
      said += words(text->get_ref<const std::string&>());
  say(out, milliseconds(0),
      {{"type", "AGENT_EVENT_END"},
       {"usage", {{"input_tokens", words(asked.text)}, {"output_tokens", said}}}});
}

std::string clock_text(unix_ms now) {
  const auto seconds = static_cast<std::time_t>(now / 1000);
  std::tm parts{};
  std::array<char, 96> buffer{};
  if (gmtime_r(&seconds, &parts) == nullptr ||
      std::strftime(buffer.data(), buffer.size(), "%H:%M:%S UTC, %A %d %B %Y", &parts) == 0)
    return "unknown";
  return buffer.data();
}

/// Lower-case ASCII words.
std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> out;
  std::string word;
  for (const char c : text.substr(0, 200)) {
    if (c == ' ' || c == '\n' || c == '\t' || c == '\r') {
      if (!word.empty())
        out.push_back(std::move(word));
      word.clear();
    } else {
      word += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    }
  }
  if (!word.empty())
    out.push_back(std::move(word));
  return out;
}

/// The last word as a number within [1, most]; `otherwise` if it is none.
std::int64_t number_in(const std::vector<std::string>& words, std::int64_t otherwise,
                       std::int64_t most) {
  const auto& last = words.back();
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(last.data(), last.data() + last.size(), value);
  if (end != last.data() + last.size() || words.size() < 2)
    return otherwise;
  if (error == std::errc::result_out_of_range)
    return most;
  return std::clamp<std::int64_t>(value, 1, most);
}

void count(plan& out, std::int64_t to) {
  speak(out, "Counting to " + std::to_string(to) + ":\n\n");
  for (std::int64_t i = 1; i <= to; ++i)
    chunk(out, count_pace, std::to_string(i) + (i == to ? ".\n" : ", "));
}

void stream(plan& out) {
  speak(out, "Words come one after the other, and this message grows with them.\n\n");
  constexpr std::string_view verse =
      "An agent thinks aloud. What it has said so far can be read while the rest is still on its "
      "way: first as a quiet draft, then as edits of that draft, and in the end as one message "
      "that tells you that it is complete. Say `!stop` and it ends here. ";
  for (std::string_view rest = verse; !rest.empty();) {
    const auto end = std::min(rest.find(' '), rest.size() - 1) + 1;
    chunk(out, word_pace, rest.substr(0, end));
    rest.remove_prefix(end);
  }
}

void long_text(plan& out, std::int64_t kib) {
  std::string paragraph;
  for (std::int64_t written = 0, n = 1; written < kib * 1024; ++n) {
    paragraph = "Paragraph " + std::to_string(n) +
                ". A long answer is sent in pieces as it is made; the room shows it growing and "
                "gets all of it in the end, split at the borders of paragraphs where one message "
                "cannot hold it.\n\n";
    chunk(out, pace, paragraph);
    written += static_cast<std::int64_t>(paragraph.size());
  }
}

void call_tool(plan& out, const json& id, const json& name,
               std::initializer_list<std::string_view> pieces, const json& result, bool fails) {
  for (const auto piece : pieces)
    say(out, milliseconds(150),
        {{"type", "AGENT_EVENT_TOOL_CALL_CHUNK"},
         {"tool_call_id", id},
         {"tool_name", name},
         {"args_chunk", std::string(piece)}});
  say(out, milliseconds(300),
      {{"type", "AGENT_EVENT_CUSTOM_UPDATE"},
       {"name", "progress"},
       {"payload", {{"done", 1}, {"of", 2}}}});
  say(out, milliseconds(700),
      {{"type", "AGENT_EVENT_TOOL_RESULT"},
       {"tool_call_id", id},
       {"tool_name", name},
       {"result", result},
       {"is_error", fails}});
}

void tool(plan& out, bool several) {
  speak(out, "I look that up with a tool.\n\n");
  call_tool(out, "call-1", "word_count",
            {R"({"text": "the quick )", R"(brown fox",)", R"( "unit": "words"})"}, {{"words", 4}},
            false);
  if (several) {
    call_tool(out, "call-2", "weather", {R"({"city": )", R"("Berlin"})"}, "no such service", true);
    call_tool(out, "call-3", "search", {R"({"query": "brown foxes"})"}, json::array({"a", "b"}),
              false);
    chunk(out, pace, "Three tools: four words, no weather, two foxes.\n");
  } else {
    chunk(out, pace, "The tool says: four words.\n");
  }
}

std::string size_text(shelf* files, const std::string& path) {
  const auto bytes = files == nullptr ? -1 : files->size(path);
  return bytes < 0 ? std::string() : " (" + std::to_string(bytes) + " bytes)";
}

void later(plan& out, const question& asked, std::int64_t seconds) {
  speak(out, "I shall speak up in " + std::to_string(seconds) + " s.\n");
  out.push_back({std::chrono::seconds(seconds),
                 step::what::later,
                 {{"type", "AGENT_EVENT_PUSH"},
                  {"event_id", "demo-" + std::to_string(asked.chat) + "-" +
                                   std::to_string(asked.number) + "-" + std::to_string(asked.now)},
                  {"kind", "task_done"},
                  {"text", "As promised: " + std::to_string(seconds) +
                               " s have passed. Nobody asked me just now."}}});
}

void echo(plan& out, const question& asked) {
  std::string text = "This is message " + std::to_string(asked.number) +
                     " of this conversation (chat id " + std::to_string(asked.chat) + ").";
  if (!asked.text.empty()) {
    text += " You said:\n\n> ";
    for (const char c : clipped(asked.text, echo_most)) {
      text += c;
      if (c == '\n')
        text += "> ";
    }
    if (asked.text.size() > echo_most)
      text += " … (" + std::to_string(asked.text.size()) + " bytes in all)";
  }
  text += "\n\n";
  for (std::size_t i = 0; i < std::min<std::size_t>(asked.attachments.size(), 20); ++i)
    text += "- with the file `" + std::string(clipped(asked.attachments[i], 200)) + "`" +
            size_text(asked.files, asked.attachments[i]) + "\n";
  if (asked.number > 1)
    text += "(`help` shows what else I can do.)\n";
  speak(out, text);
}

} // namespace

plan answer(const question& asked) {
  const auto words = words_of(asked.text);
  const std::string first = words.empty() ? std::string() : words.front();
  const bool short_text = words.size() <= 3;
  plan out;
  say(out, milliseconds(0), {{"type", "STATUS"}, {"text", "thinking"}});
  if (asked.number == 1)
    speak(out, introduction, 80);
  if (const auto path = saved_path(asked.text); !path.empty()) {
    keep_or_recall(out, asked, path);
  } else if (first == "help" && short_text) {
    speak(out, help, 80);
  } else if (first == "time" && words.size() == 1) {
    speak(out, "My clock says " + clock_text(asked.now) + ".\n");
  } else if (first == "count" && short_text) {
    count(out, number_in(words, 10, count_most));
  } else if (first == "slow" && short_text) {
    const auto seconds = number_in(words, 5, slow_most);
    chunk(out, std::chrono::seconds(seconds), "That took " + std::to_string(seconds) + " s.\n");
  } else if (first == "long" && short_text) {
    long_text(out, number_in(words, 150, long_most));
  } else if (first == "stream" && short_text) {
    stream(out);
  } else if ((first == "markdown" || first == "table") && short_text) {
    speak(out, markdown_sample, 60);
  } else if ((first == "tool" || first == "tools") && short_text) {
    tool(out, first == "tools");
  } else if (first == "file" && short_text) {
    send_a_file(out, asked);
  } else if (first == "later" && short_text) {
    later(out, asked, number_in(words, 10, later_most));
  } else if (first == "confirm" && short_text) {
    out.push_back({pace,
                   step::what::ask,
                   {{"type", "AGENT_EVENT_CONFIRM"},
                    {"confirmation_id", confirmation_id(asked.chat, asked.number)},
                    {"prompt", "May I go on with the thing that I only pretend to do?"},
                    {"expires_in", confirmation_time.count()}}});
    return out;
  } else if ((first == "error" || first == "fail") && short_text) {
    chunk(out, pace, "I try, but ");
    say(out, milliseconds(200),
        {{"type", "ERROR"},
         {"code", "demonstration"},
         {"details", "the error that you asked for"},
         {"retryable", false}});
    return out;
  } else if (first == "die" && short_text) {
    chunk(out, pace, "I begin an answer, and then ");
    out.push_back({milliseconds(200), step::what::die, {}});
    return out;
  } else {
    echo(out, asked);
  }
  finish(out, asked);
  return out;
}

plan confirmed(bool yes) {
  plan out;
  speak(out, yes ? "You said yes: done (well, pretended).\n"
                 : "The answer was no, so I did not do it.\n");
  finish(out, {});
  return out;
}

plan refusal(std::string_view code, std::string_view details) {
  plan out;
  say(out, milliseconds(0),
      {{"type", "ERROR"},
       {"code", std::string(code)},
       {"details", std::string(details)},
       {"retryable", false}});
  return out;
}

plan stopped() {
  plan out;
  say(out, milliseconds(0), {{"type", "AGENT_EVENT_END"}});
  return out;
}

std::string confirmation_id(std::int64_t chat, std::int64_t number) {
  return "demo-" + std::to_string(chat) + "-" + std::to_string(number);
}

} // namespace pb::demo

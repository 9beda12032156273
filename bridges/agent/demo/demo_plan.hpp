#pragma once
// How the demonstration agent's plans are made, and its longer skills.

#include "bridges/agent/demo/demo_skills.hpp"

#include <algorithm>
#include <string>
#include <string_view>

namespace pb::demo {

using std::chrono::milliseconds;

inline constexpr milliseconds pace{15}; // between the chunks of an ordinary answer

/// At most `limit` bytes, cut between characters.
inline std::string_view clipped(std::string_view text, std::size_t limit) {
  if (text.size() <= limit)
    return text;
  while (limit > 0 && (static_cast<unsigned char>(text[limit]) & 0xC0) == 0x80)
    --limit;
  return text.substr(0, limit);
}

inline void say(plan& out, milliseconds wait, json frame) {
  out.push_back({wait, step::what::say, std::move(frame)});
}

inline void chunk(plan& out, milliseconds wait, std::string_view text) {
  say(out, wait, {{"type", "AGENT_EVENT_TEXT_CHUNK"}, {"text", std::string(text)}});
}

/// The text in chunks of about `size` bytes, as a model would deliver it.
inline void speak(plan& out, std::string_view text, std::size_t size = 40) {
  while (!text.empty()) {
    const auto space = text.find(' ', std::min(size, text.size()));
    const auto end = space == std::string_view::npos ? text.size() : space + 1;
    const auto piece = clipped(text.substr(0, end), size * 8);
    chunk(out, out.empty() ? milliseconds(0) : pace, piece);
    text.remove_prefix(piece.size());
  }
}

extern const std::string_view markdown_sample;

/// Writes a file of a fixed name into the workspace and sends it.
void send_a_file(plan& out, const question& asked);

/// "saved/NAME.md" if the text names such a file, as the router does for `!save` and `!load`; else
/// empty.
std::string saved_path(std::string_view text);
/// Writes down what was said, or reads it back.
void keep_or_recall(plan& out, const question& asked, const std::string& path);

} // namespace pb::demo

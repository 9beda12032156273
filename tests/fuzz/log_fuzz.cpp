// Any bytes as the text of a log line: what comes out is one line that a terminal shows as it is.

#include "bridges/telemetry/log_format.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace {

bool harmless(std::string_view text) {
  for (const char c : text)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f)
      return false;
  // C1 controls are two bytes, C2 80 to C2 9F; the independent parser is the judge of UTF-8.
  for (std::size_t i = 0; i + 1 < text.size(); ++i)
    if (text[i] == '\xC2' && static_cast<unsigned char>(text[i + 1]) < 0xA0)
      return false;
  return nlohmann::json::accept(nlohmann::json(text).dump());
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  const auto safe = pb::escape_log(text);
  if (!harmless(safe))
    std::abort();
  // A backslash is doubled, so nothing that we write can be taken for what came in.
  if (pb::escape_log(safe).size() < safe.size())
    std::abort();
  constexpr std::size_t limit = 4096;
  const auto line = pb::text_line("event", {}, text, {{"field", text}}, limit);
  if (line.size() > limit || !harmless(line))
    std::abort();
  const auto members = pb::json_members("event", {}, text, {{"field", text}}, limit);
  if (!nlohmann::json::accept('{' + members + '}'))
    std::abort();
  return 0;
}

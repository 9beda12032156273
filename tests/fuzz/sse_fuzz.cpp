// Fuzz target: server-sent events. The first byte of the input says how the rest is cut into
// pieces; the events must be those of a reader that was written straight from the specification and
// sees the whole stream at once, and the limit must hold whatever comes.

#include "bridges/sse.hpp"
#include "tests/fuzz/promises.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace {

using pb::fuzz::require;

constexpr std::size_t limit = 48;

struct outcome {
  std::vector<std::string> events;
  bool too_large = false;
};

/// WHATWG HTML, 9.2.6, to the letter: lines first, then fields.
outcome by_the_book(std::string_view stream) {
  if (stream.substr(0, 3) == "\xef\xbb\xbf")
    stream.remove_prefix(3);
  outcome out;
  std::string data;
  for (;;) {
    const auto end = stream.find_first_of("\r\n");
    if (end == std::string_view::npos)
      break;
    const auto line = stream.substr(0, end);
    stream.remove_prefix(stream.substr(end, 2) == "\r\n" ? end + 2 : end + 1);
    if (line.empty()) {
      if (data.empty())
        continue;
      data.pop_back();
      out.events.push_back(data);
      data.clear();
      continue;
    }
    const auto colon = std::min(line.find(':'), line.size());
    auto value = line.substr(std::min(colon + 1, line.size()));
    if (!value.empty() && value.front() == ' ')
      value.remove_prefix(1);
    if (line.substr(0, colon) != "data")
      continue;
    data.append(value).push_back('\n');
    if (data.size() > limit + 1) {
      out.too_large = true;
      return out;
    }
  }
  return out;
}

outcome in_pieces(std::string_view stream, std::size_t seed) {
  pb::sse_reader reader(limit);
  outcome out;
  while (!stream.empty()) {
    seed = seed * 6364136223846793005U + 1442695040888963407U;
    auto piece = stream.substr(0, 1 + (seed >> 33) % 7);
    stream.remove_prefix(piece.size());
    while (auto event = reader.next(piece)) {
      require(event->size() <= limit, "the limit of an event");
      out.events.push_back(std::move(*event));
    }
    require(reader.held() <= limit + 1, "the limit of what is held");
    require(piece.empty() || reader.too_large(), "every byte is taken");
  }
  out.too_large = reader.too_large();
  return out;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0)
    return 0;
  const std::string_view all(reinterpret_cast<const char*>(data), size); // NOLINT
  const auto expected = by_the_book(all.substr(1));
  const auto got = in_pieces(all.substr(1), data[0]);
  require(got.events == expected.events, "the events of the specification");
  // A line that is too long is seen before its end comes, which the other reader waits for.
  require(got.too_large || !expected.too_large, "what is too large is found");
  return 0;
}

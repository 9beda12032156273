#pragma once
// The two ways in which the servers of models are spoken to: chat completions and Responses. Pure.

#include "bridges/agent/history.hpp"
#include "messages/values/agent_event.hpp"
#include "messages/values/registry.hpp"

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pb::openai {

/// JSON nested deeper than this is refused.
inline constexpr std::size_t depth_limit = 64;

/// What a model is asked.
struct question {
  std::string text;
  std::vector<std::string> images; ///< data: URLs
};

/// Tokens as they were told last; a field that was null or missing is not there.
struct tokens {
  std::optional<std::int64_t> input, output;
};

/// What one text of the server told.
struct news {
  std::string text; ///< of the answer
  /// More of the answer, but only if no text came before it: a server's summing up.
  std::string whole;
  bool new_part = false; ///< `text` begins another part of the answer
  bool thinks = false;   ///< words that are not of the answer
  std::string refused;   ///< why the model does not want to
  /// How the answer ended: stop, length, content_filter, refusal, or the server's own word.
  std::string finish;
  bool over = false; ///< nothing that counts comes after it
  tokens used;
  std::optional<agent_says::error> error;
  std::vector<std::string> unknown; ///< kinds of what was ignored
  std::string malformed;            ///< not empty: why it is not of the protocol
};

/// Behind the base of the API.
std::string_view target(agent_model::api speaks);
/// The request's body. `model.instructions`, what was said before, the question.
nlohmann::json request(const agent_model& model, const std::vector<history_entry>& before,
                       const question& asked);

/// Reads the texts of one answer: events of a stream, or the whole answer in one.
class reader {
public:
  explicit reader(agent_model::api speaks) : speaks_(speaks) {}
  news read(std::string_view text);

private:
  agent_model::api speaks_;
  std::int64_t part_ = -1; ///< Responses: of the output, whose text came last
};

} // namespace pb::openai

#pragma once
// What was said in a chat, for agents that forget between turns: the newest exchanges that fit.
// Pure.

#include <cstddef>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

namespace pb {

/// A message of a chat. Texts are UTF-8 without NUL.
struct history_entry {
  std::string turn; ///< the exchange that it belongs to
  std::string role; ///< user, assistant, tool, …: the protocol's own word
  std::string text;
  std::string more{}; ///< what else the protocol wants to see again: a JSON object, or empty
};

/// An exchange is one turn: a user's message and what came of it. It comes and goes as a whole, so
/// what is sent along always begins with a user's message.
class chat_history {
public:
  struct bounds {
    std::size_t messages = 0; ///< an exchange is two, in however many pieces its answer came
    std::size_t bytes = 0;    ///< of all entries as JSON strings
  };
  explicit chat_history(bounds limits) : limits_(limits) {}

  [[nodiscard]] const std::vector<history_entry>& entries() const { return entries_; }
  /// Without the exchange of a turn that is made again.
  void erase(const std::string& turn);
  /// The newest exchange; one of the same turn is replaced. Older ones make place for it; if it
  /// does not fit alone, its longest texts are cut (an ellipsis says so). One that cannot be made
  /// to fit, or does not begin with a user's message, is not kept.
  void put(std::vector<history_entry> exchange);

  /// From a value that written() made; what is not of that form is left out.
  void read(const nlohmann::json& entries);
  [[nodiscard]] nlohmann::json written() const;

private:
  void fit();

  bounds limits_;
  std::vector<history_entry> entries_;
};

/// Cuts after at most so many bytes, never inside a character; what was cut ends with an ellipsis
/// (3 bytes, counted; a limit below 3 gives nothing).
std::string cut_text(std::string text, std::size_t limit);

} // namespace pb

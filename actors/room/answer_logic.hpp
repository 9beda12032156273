#pragma once
// Folds what an agent says in a turn into what the room shows of it. Pure.

#include "messages/values/agent_event.hpp"
#include "messages/values/settings.hpp"

#include <string>
#include <vector>

namespace pb {

class answer_fold {
public:
  /// Bytes of text that one answer may have; more ends the turn as too_large.
  static constexpr std::size_t cap = std::size_t{1} << 20;
  /// Notes (a declined file, a declined confirmation) that one answer may cause.
  static constexpr std::size_t note_cap = 16;

  explicit answer_fold(language lang) : lang_(lang) {}

  /// False: the answer is larger than the cap; what fits is kept.
  bool add(const agent_event& event);

  [[nodiscard]] const std::string& text() const { return text_; }
  /// Sentences for the person beside the answer, in order.
  [[nodiscard]] const std::vector<std::string>& notes() const { return notes_; }
  [[nodiscard]] const std::string& error_code() const { return error_code_; }
  /// Confirmations that came with the last add() and want a no.
  std::vector<std::string> take_confirmations() { return std::exchange(confirmations_, {}); }

private:
  void note(std::string sentence) {
    if (notes_.size() < note_cap)
      notes_.push_back(std::move(sentence));
  }

  language lang_;
  std::string text_, error_code_;
  std::vector<std::string> notes_, confirmations_;
};

/// The text of the message that ends a turn: the answer, or what there is of it and why it ended.
std::string closing_text(language lang, turn_ending ending, const std::string& answer,
                         const std::string& agent, const std::string& detail);

} // namespace pb

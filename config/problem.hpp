#pragma once
// What is wrong with a configuration, where, and what to write instead.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace pb::config {

/// Where a value stands. Line 0: not in a file but in the environment; `file` is then the name of
/// the variable (or of a file that cannot be read at all).
struct place {
  std::string file;
  int line = 0, column = 0; ///< from 1, in bytes
};

struct problem {
  std::string file;
  int line = 0, column = 0;
  std::string what;    ///< never holds a secret
  std::string instead; ///< what to write; may be empty
  bool warning = false;
};

/// "file:line:column: what is wrong; what to write instead", a variable's without line and column;
/// a warning has the word before its sentence. One line, whatever the input was.
std::string to_string(const problem& p);

/// Text from outside for a message: in quotes, control characters replaced, cut at 60 bytes.
std::string quoted(std::string_view text);

/// Collects problems; past its cap it only counts, so a hostile file cannot fill the memory.
class reporter {
public:
  static constexpr std::size_t cap = 1'000;

  void error(const place& at, std::string what, std::string instead);
  void warning(const place& at, std::string what, std::string instead);
  /// Further problems are only counted: no need to find out what to write instead.
  [[nodiscard]] bool full() const { return problems_.size() >= cap; }
  /// Everything so far in the order of the places, which have one file in common; with a last line
  /// about those past the cap. The reporter is empty afterwards.
  std::vector<problem> take();

private:
  void add(const place& at, std::string what, std::string instead, bool warning);

  std::vector<problem> problems_;
  std::size_t left_out_ = 0;
};

} // namespace pb::config

#pragma once
// The answer of one turn, out of a task's artifacts and messages: nothing is shown twice.

#include "bridges/agent/a2a/memory.hpp"
#include "bridges/agent/a2a/wire.hpp"
#include "bridges/agent/session.hpp"

#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <utility>

namespace pb::a2a {

inline void tell(agent_event event, agent_steps& into) {
  into.emplace_back(agent_wants::say{{std::move(event), {}}});
}

/// What is shown stays: a text can only grow. The snapshots that come after a cut, and artifacts
/// that are sent anew, are compared with what was shown of them.
class answer {
public:
  static constexpr std::size_t artifact_cap = 1000;
  static constexpr std::size_t text_cap = std::size_t{8} << 20;
  static constexpr std::size_t shown_data = std::size_t{64} << 10; ///< larger data becomes a file

  /// An artifact: all of it, or what comes after what there is.
  void artifact(const agent_json::value& artifact, bool append, agent_steps& into);
  /// A message of the agent that is (a part of) the answer.
  void message(const agent_json::value& message, agent_steps& into);
  /// The task is done: if nothing was said, its last words are the answer.
  void close(const agent_json::value& last_words, agent_steps& into);
  /// What the agent said of its progress.
  void progress(const agent_json::value& message, agent_steps& into);
  /// The words of a message alone: text and links, else data.
  [[nodiscard]] static std::string words(const agent_json::value& message);

  /// What was shown, to be known again in another turn; and what another turn has shown.
  [[nodiscard]] shown_marks marks() const;
  void known(shown_marks marks) { known_ = std::move(marks); }
  /// What comes is of another task: its artifacts are others, whatever their ids.
  void another_task() {
    artifacts_.clear();
    known_ = {};
    last_ = nullptr;
  }

  /// Something new was shown since the last call.
  bool take_news() { return std::exchange(news_, false); }
  /// A cap was passed: the turn is to be ended.
  [[nodiscard]] bool too_large() const { return too_large_; }

private:
  struct artifact_shown {
    std::string text;              ///< what was shown
    std::size_t has = 0;           ///< the agent's text is the first so many bytes of it
    std::set<std::uint64_t> files; ///< hashes of name and bytes
  };
  /// What parts say, and their files; `fresh`: they begin a text.
  std::string read(const agent_json::value& owner, bool fresh, artifact_shown& of,
                   agent_steps& into);
  void say(const artifact_shown* of, std::string text, agent_steps& into);
  void put(part file, artifact_shown& of, agent_steps& into);
  void end_paragraph(std::string& text) const;

  std::map<std::string, artifact_shown> artifacts_;
  artifact_shown messages_;
  shown_marks known_;
  const artifact_shown* last_ = nullptr; ///< what was said last
  std::string line_;                     ///< the end of what was said
  std::string last_data_;                ///< the last data part, as JSON
  std::string progress_;                 ///< the last words about progress
  std::size_t bytes_ = 0;
  bool said_ = false, sent_file_ = false, news_ = false, too_large_ = false;
};

} // namespace pb::a2a

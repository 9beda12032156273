#pragma once
// What went wrong, three times: a code for programs, a cause for the log, a sentence for the
// person.

#include <string>
#include <tl/expected.hpp>

namespace pb {

enum class fault_code {
  configuration, ///< a file or the environment says something that cannot be used
  storage,       ///< the database refused or failed
  newer_schema,  ///< the database was written by a newer program
  foreign_file,  ///< the file is not a database of ours
  disk_full,     ///< no space left for a write
  unreachable,   ///< nobody answers at the address
  timed_out,     ///< an answer did not come in time
  refused,       ///< the other side answered and said no for good
  unauthorised,  ///< our token or password is not accepted
  rate_limited,  ///< the other side asks us to wait
  malformed,     ///< what came cannot be understood
  too_large,     ///< a size limit was passed
  busy,          ///< a queue is at its cap
  not_found,     ///< the thing that was named does not exist
  conflict,      ///< it exists already, or differs from what was expected
  bug,           ///< our own fault
};

struct fault {
  fault_code code = fault_code::bug;
  std::string cause;    ///< for the log: technical, no secrets, no message text
  std::string sentence; ///< for the person: what it means and what to do next; may be empty
};

template <class T>
using result = tl::expected<T, fault>;

/// Hands a fault on as the answer of another call.
inline tl::unexpected<fault> pass(fault why) { return tl::unexpected<fault>(std::move(why)); }

inline tl::unexpected<fault> fail(fault_code code, std::string cause, std::string sentence = {}) {
  return tl::unexpected<fault>(fault{code, std::move(cause), std::move(sentence)});
}

} // namespace pb

#pragma once
// Internal to bridges/net: undoes Content-Encoding gzip and deflate, a piece at a time.

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace pb::net {

class inflater {
public:
  inflater();
  ~inflater();
  inflater(const inflater&) = delete;
  inflater& operator=(const inflater&) = delete;

  /// Takes bytes off the front of `coded` and puts what they stand for into `plain`, at most
  /// `most` bytes of it: a few coded bytes can stand for thousands. When it returns with room left
  /// in `plain`, all of `coded` was taken and nothing waits inside. False: these are no such bytes.
  bool next(std::string_view& coded, std::string& plain, std::size_t most);

  /// Everything that began has ended.
  [[nodiscard]] bool whole() const;

private:
  struct state;
  std::unique_ptr<state> state_;
};

} // namespace pb::net

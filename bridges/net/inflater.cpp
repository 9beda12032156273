#include "bridges/net/inflater.hpp"

#include <algorithm>
#include <limits>
#include <new>
#include <zlib.h>

namespace pb::net {

namespace {

constexpr int gzip_or_zlib = 32 + MAX_WBITS; // the header says which
constexpr int headless = -MAX_WBITS;         // what some servers send as "deflate"

/// A zlib header's first byte: method 8 and a window of at most 32 KiB. gzip begins with 1f.
bool has_header(char first) {
  const auto byte = static_cast<unsigned char>(first);
  return byte == 0x1f || ((byte & 0x0f) == 8 && (byte >> 4) <= 7);
}

} // namespace

struct inflater::state {
  z_stream z{};
  bool made = false;
  bool ended = true; ///< between two streams: gzip allows several, one after the other
};

inflater::inflater() : state_(std::make_unique<state>()) {}

inflater::~inflater() {
  if (state_->made)
    ::inflateEnd(&state_->z);
}

bool inflater::whole() const { return state_->ended; }

bool inflater::next(std::string_view& coded, std::string& plain, std::size_t most) {
  auto& z = state_->z;
  plain.resize(std::min<std::size_t>(most, std::numeric_limits<uInt>::max()));
  std::size_t done = 0;
  bool good = true;
  while (good && done < plain.size()) {
    if (state_->ended) {
      if (coded.empty())
        break;
      if (!state_->made) {
        if (::inflateInit2(&z, has_header(coded.front()) ? gzip_or_zlib : headless) != Z_OK)
          throw std::bad_alloc();
        state_->made = true;
      } else if (::inflateReset(&z) != Z_OK) {
        good = false;
        break;
      }
      state_->ended = false;
    }
    const auto given = std::min<std::size_t>(coded.size(), std::numeric_limits<uInt>::max());
    // zlib does not write to its input; its old interface only does not say so.
    z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(coded.data())); // NOLINT
    z.avail_in = static_cast<uInt>(given);
    z.next_out = reinterpret_cast<Bytef*>(plain.data() + done); // NOLINT
    z.avail_out = static_cast<uInt>(plain.size() - done);
    const int result = ::inflate(&z, Z_NO_FLUSH);
    coded.remove_prefix(given - z.avail_in);
    done = plain.size() - z.avail_out;
    if (result == Z_STREAM_END)
      state_->ended = true;
    else if (result == Z_BUF_ERROR) // neither bytes to take nor anything left to give
      break;
    else if (result != Z_OK)
      good = false;
  }
  plain.resize(done);
  return good;
}

} // namespace pb::net

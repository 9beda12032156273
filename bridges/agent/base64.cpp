#include "bridges/agent/base64.hpp"

#include <algorithm>
#include <cstddef>
#include <limits>
#include <openssl/evp.h>

namespace pb {
namespace {

/// OpenSSL counts in int.
constexpr auto most = static_cast<std::size_t>(std::numeric_limits<int>::max()) / 2;

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}
unsigned char* bytes_of(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }

} // namespace

std::string to_base64(std::string_view bytes) {
  // Whole groups of three bytes need no padding, so that pieces can simply follow each other.
  constexpr std::size_t piece = std::size_t{3} << 20;
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4 + 1);
  for (std::size_t at = 0; at < bytes.size(); at += piece) {
    const auto part = bytes.substr(at, piece);
    const auto before = out.size();
    out.resize(before + (part.size() + 2) / 3 * 4 + 1); // and a NUL
    const int written =
        EVP_EncodeBlock(bytes_of(out) + before, bytes_of(part), static_cast<int>(part.size()));
    out.resize(before + static_cast<std::size_t>(written));
  }
  return out;
}

std::optional<std::string> from_base64(std::string_view text) {
  std::string digits(text);
  digits.erase(
      std::remove_if(digits.begin(), digits.end(),
                     [](char c) { return c == '\n' || c == '\r' || c == ' ' || c == '\t'; }),
      digits.end());
  std::size_t padding = 0;
  while (!digits.empty() && padding < 2 && digits.back() == '=') {
    digits.pop_back();
    ++padding;
  }
  if (digits.size() % 4 == 1 || digits.size() > most || digits.find('=') != std::string::npos)
    return std::nullopt;
  if (digits.empty())
    return padding == 0 ? std::optional<std::string>(std::string()) : std::nullopt;
  const std::size_t left_out = (4 - digits.size() % 4) % 4;
  if (padding != 0 && padding != left_out)
    return std::nullopt;
  digits.append(left_out, '=');
  std::string out(digits.size() / 4 * 3, '\0');
  if (EVP_DecodeBlock(bytes_of(out), bytes_of(std::string_view(digits)),
                      static_cast<int>(digits.size())) < 0)
    return std::nullopt;
  out.resize(out.size() - left_out);
  return out;
}

} // namespace pb

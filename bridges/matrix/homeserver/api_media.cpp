// Uploads and downloads; a thumbnail is the original.

#include "bridges/matrix/homeserver/endpoints.hpp"

#include <algorithm>
#include <array>

namespace pb::hs::api {
namespace {

/// A value that can stand in a header: no line ends, no quotes.
std::string header_safe(std::string_view text) {
  std::string out;
  for (const char c : text.substr(0, 255))
    out += static_cast<unsigned char>(c) < ' ' || c == '"' || c == '\\' || c == '\x7f' ? '_' : c;
  return out;
}

/// Only these may be shown inside a page of the server's origin (client-server API, Serving inline
/// content).
bool inline_type(std::string_view type) {
  static constexpr std::array shown{
      "text/css",    "text/plain", "text/csv",    "application/json", "application/ld+json",
      "image/jpeg",  "image/gif",  "image/png",   "image/apng",       "image/webp",
      "image/avif",  "video/mp4",  "video/webm",  "video/ogg",        "video/quicktime",
      "audio/mp4",   "audio/webm", "audio/aac",   "audio/mpeg",       "audio/ogg",
      "audio/wave",  "audio/wav",  "audio/x-wav", "audio/x-pn-wav",   "audio/flac",
      "audio/x-flac"};
  const auto bare = type.substr(0, type.find(';'));
  return std::ranges::find(shown, bare) != shown.end();
}

bool plain_ascii(std::string_view text) {
  return std::ranges::all_of(text, [](unsigned char c) { return c >= ' ' && c < 0x7f; });
}

std::string encoded(std::string_view text) {
  static constexpr char digits[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
        c == '-' || c == '_') {
      out += c;
    } else {
      out += '%';
      out += digits[byte >> 4U];
      out += digits[byte & 15U];
    }
  }
  return out;
}

std::string disposition(std::string_view type, const std::string& name) {
  std::string out = inline_type(type) ? "inline" : "attachment";
  if (name.empty())
    return out;
  // RFC 6266: the plain form where it is enough, the encoded one where it is not.
  return plain_ascii(name) ? out + "; filename=\"" + header_safe(name) + '"'
                           : out + "; filename*=utf-8''" + encoded(name);
}

} // namespace

answer media_config(server& s, call&) {
  return json_answer({{"m.upload.size", s.w.limits.upload_bytes}});
}

answer upload(server& s, call& c) {
  const auto name = c.ask("filename").value_or("");
  if (name.size() > 1'000)
    refuse(400, "M_INVALID_PARAM", "The file name is too long.");
  auto type = header_safe(header(c.request.headers, "Content-Type"));
  if (type.empty())
    type = "application/octet-stream";
  return json_answer(
      {{"content_uri", s.w.add_media(*c.who, std::move(type), name, c.request.body)}});
}

answer download(server& s, call& c) {
  // The older paths ask for no token, so no account is known there.
  if (c.who == nullptr && !s.old_media_paths)
    refuse(404, "M_NOT_FOUND", "Not found");
  const auto* found =
      c.param("server") == s.w.server_name ? s.w.find_media(c.param("media")) : nullptr;
  auto bytes = found == nullptr ? std::nullopt : s.w.media_bytes(c.param("media"));
  if (!bytes)
    refuse(404, "M_NOT_FOUND", "Not found");
  const auto& asked = c.param("name");
  http_response out;
  out.headers = {
      {"Content-Type", found->type},
      {"Content-Disposition", disposition(found->type, asked.empty() ? found->name : asked)},
      {"Content-Security-Policy", "sandbox; default-src 'none'; media-src 'self'"},
      {"X-Content-Type-Options", "nosniff"},
      {"Cross-Origin-Resource-Policy", "cross-origin"},
      {"Cache-Control", "private, max-age=86400, immutable"}};
  out.body = *std::move(bytes);
  return out;
}

} // namespace pb::hs::api

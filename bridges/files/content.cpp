#include "bridges/files/content.hpp"

#include "bridges/files/image.hpp"

#include <algorithm>
#include <array>
#include <magic.h>

namespace pb::files {

struct content_types::database {
  // No look into archives, no reader of programs' headers: more foreign code for hostile bytes than
  // a type is worth.
  magic_t cookie =
      ::magic_open(MAGIC_MIME | MAGIC_NO_CHECK_COMPRESS | MAGIC_NO_CHECK_ELF | MAGIC_NO_CHECK_TAR);
  bool good = cookie != nullptr && ::magic_load(cookie, nullptr) == 0;
  database() = default;
  database(const database&) = delete;
  database& operator=(const database&) = delete;
  ~database() {
    if (cookie != nullptr)
      ::magic_close(cookie);
  }
};

namespace {

bool ends(std::string_view name, std::string_view extension) {
  const auto same = [](char a, char b) {
    return (a >= 'A' && a <= 'Z' ? static_cast<char>(a + 32) : a) == b;
  };
  return name.size() > extension.size() &&
         std::equal(extension.rbegin(), extension.rend(), name.rbegin(),
                    [&](char b, char a) { return same(a, b); });
}

std::string harmless(std::string_view type, std::string_view name) {
  constexpr std::array pictures{"image/png", "image/jpeg", "image/gif", "image/webp"};
  constexpr std::string_view unknown = "application/octet-stream";
  if (type.starts_with("text/") || type == "application/javascript") {
    if (ends(name, ".md") || ends(name, ".markdown"))
      return "text/markdown";
    return ends(name, ".csv") ? "text/csv" : "text/plain";
  }
  if (type.starts_with("image/") && std::ranges::find(pictures, type) == pictures.end())
    return std::string(unknown);
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '/' ||
           c == '.' || c == '-' || c == '+' || c == '_';
  };
  const bool odd = type.starts_with("inode/") || type.ends_with("xml") ||
                   type.ends_with("x-empty") || type.find('/') == std::string_view::npos ||
                   type.size() > 127 || !std::ranges::all_of(type, fits);
  return std::string(odd ? unknown : type);
}

} // namespace

content_types::content_types() = default;
content_types::~content_types() = default;

content content_types::look(std::string_view head, std::string_view name) {
  if (!database_)
    database_ = std::make_unique<database>();
  content out;
  head = head.substr(0, head_size);
  const char* said =
      database_->good ? ::magic_buffer(database_->cookie, head.data(), head.size()) : nullptr;
  const std::string_view answer = said != nullptr ? said : "";
  const auto type = answer.substr(0, answer.find(';'));
  out.mimetype = harmless(type, name);
  out.header = out.mimetype;
  if (out.mimetype.starts_with("text/") &&
      (answer.ends_with("charset=utf-8") || answer.ends_with("charset=us-ascii")))
    out.header += "; charset=utf-8";
  if (out.mimetype.starts_with("image/"))
    if (const auto size = size_of_image(head)) {
      out.width = size->width;
      out.height = size->height;
    }
  return out;
}

} // namespace pb::files

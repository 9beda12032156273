#include "bridges/matrix/markdown.hpp"

#include "bridges/matrix/markdown_link.hpp"
#include "bridges/matrix/text.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <md4c.h>
#include <utf8proc.h>
#include <variant>
#include <vector>

namespace pb::matrix {
namespace {

constexpr std::string_view replacement = "\uFFFD";

/// For text, and for addresses, in which link_target leaves no quote.
void escape(std::string& out, std::string_view text) {
  for (const char c : text) {
    if (c == '&')
      out += "&amp;";
    else if (c == '<')
      out += "&lt;";
    else if (c == '>')
      out += "&gt;";
    else if ((static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t') || c == 0x7F)
      out += replacement;
    else
      out += c;
  }
}

std::string escaped(std::string_view text) {
  std::string out;
  escape(out, text);
  return out;
}

struct named {
  std::string_view name, text;
};
constexpr std::array entities{
    named{"amp", "&"},         named{"lt", "<"},          named{"gt", ">"},
    named{"quot", "\""},       named{"apos", "'"},        named{"nbsp", "\u00A0"},
    named{"copy", "\u00A9"},   named{"reg", "\u00AE"},    named{"deg", "\u00B0"},
    named{"plusmn", "\u00B1"}, named{"middot", "\u00B7"}, named{"times", "\u00D7"},
    named{"ndash", "\u2013"},  named{"mdash", "\u2014"},  named{"bull", "\u2022"},
    named{"hellip", "\u2026"}, named{"trade", "\u2122"},  named{"larr", "\u2190"},
    named{"rarr", "\u2192"},   named{"le", "\u2264"},     named{"ge", "\u2265"},
    named{"ne", "\u2260"},     named{"laquo", "\u00AB"},  named{"raquo", "\u00BB"},
    named{"euro", "\u20AC"},   named{"check", "\u2713"}};

/// The character that "&…;" stands for; of a name that is not known, these very characters.
std::string entity(std::string_view whole) {
  std::string_view name = whole.substr(1, whole.size() - 2);
  if (!name.starts_with('#')) {
    for (const auto& e : entities)
      if (e.name == name)
        return std::string{e.text};
    return std::string{whole};
  }
  name.remove_prefix(1);
  const bool hex = name.starts_with('x') || name.starts_with('X');
  if (hex)
    name.remove_prefix(1);
  std::int32_t code = 0;
  const auto got = std::from_chars(name.data(), name.data() + name.size(), code, hex ? 16 : 10);
  if (got.ec != std::errc{} || code < 0x20 || !utf8proc_codepoint_valid(code))
    return std::string{replacement};
  std::array<utf8proc_uint8_t, 4> bytes{};
  const auto size = utf8proc_encode_char(code, bytes.data());
  return {reinterpret_cast<const char*>(bytes.data()), static_cast<std::size_t>(size)};
}

std::string text_of(const MD_ATTRIBUTE& a) {
  std::string out;
  for (std::size_t i = 0; a.text != nullptr && a.substr_offsets[i] < a.size; ++i) {
    const auto from = a.substr_offsets[i], to = a.substr_offsets[i + 1];
    const std::string_view piece(a.text + from, to - from);
    if (a.substr_types[i] == MD_TEXT_ENTITY)
      out += entity(piece);
    else
      out += a.substr_types[i] == MD_TEXT_NULLCHAR ? replacement : piece;
  }
  return out;
}

bool is_language(std::string_view s) {
  return !s.empty() && s.size() <= 32 && std::all_of(s.begin(), s.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view{"+#._-"}.find(c) != std::string_view::npos;
  });
}

constexpr std::string_view white = " \t\r\n";

using element = std::variant<MD_BLOCKTYPE, MD_SPANTYPE>;

/// Gets the parser's events; each returns whether to go on.
class renderer {
public:
  explicit renderer(std::string_view source) : unseen_(source) {}

  /// Stops the parser for good at the first no: only negative answers stop it everywhere.
  template <class F>
  int go(F&& event) {
    stopped_ = stopped_ || !event(*this);
    return stopped_ ? -1 : 0;
  }

  bool enter(MD_BLOCKTYPE type, void* detail) {
    entering_ = type;
    if (type != MD_BLOCK_P && type != MD_BLOCK_DOC && type != MD_BLOCK_HTML)
      formatted_ = true;
    switch (type) {
    case MD_BLOCK_DOC:
      return open("", "");
    case MD_BLOCK_QUOTE:
      return open("<blockquote>", "</blockquote>");
    case MD_BLOCK_UL:
      return open("<ul>", "</ul>");
    case MD_BLOCK_OL: {
      const auto start = static_cast<MD_BLOCK_OL_DETAIL*>(detail)->start;
      return open(start == 1 ? "<ol>" : "<ol start=\"" + std::to_string(start) + "\">", "</ol>");
    }
    case MD_BLOCK_LI:
      return open("<li>", "</li>");
    case MD_BLOCK_HR:
      return open("<hr>", "");
    case MD_BLOCK_H:
      return heading(std::min(static_cast<MD_BLOCK_H_DETAIL*>(detail)->level, 6U));
    case MD_BLOCK_CODE: {
      const auto language = text_of(static_cast<MD_BLOCK_CODE_DETAIL*>(detail)->lang);
      return open(is_language(language) ? "<pre><code class=\"language-" + language + "\">"
                                        : "<pre><code>",
                  "</code></pre>");
    }
    case MD_BLOCK_HTML: // never: the parser is told that there is none
    case MD_BLOCK_P:
      return open("<p>", "</p>");
    case MD_BLOCK_TABLE:
      return open("<table>", "</table>");
    case MD_BLOCK_THEAD:
      return open("<thead>", "</thead>");
    case MD_BLOCK_TBODY:
      return open("<tbody>", "</tbody>");
    case MD_BLOCK_TR:
      return open("<tr>", "</tr>");
    case MD_BLOCK_TH:
      return open("<th>", "</th>");
    case MD_BLOCK_TD:
      return open("<td>", "</td>");
    }
    return false;
  }

  bool enter(MD_SPANTYPE type, void* detail) {
    entering_ = type;
    if (type == MD_SPAN_A)
      return open_link(static_cast<MD_SPAN_A_DETAIL*>(detail)->href);
    formatted_ = true;
    switch (type) {
    case MD_SPAN_IMG:
      return open_link(static_cast<MD_SPAN_IMG_DETAIL*>(detail)->src);
    case MD_SPAN_EM:
      return open("<em>", "</em>");
    case MD_SPAN_STRONG:
      return open("<strong>", "</strong>");
    case MD_SPAN_CODE:
      return open("<code>", "</code>");
    case MD_SPAN_DEL:
      return open("<del>", "</del>");
    default: // of syntax that is not switched on
      return open("", "");
    }
  }

  bool leave(element what) {
    if (open_.empty() || open_.back().what != what)
      return false; // the parser lost count: there is text for which it does
    if ((what == element{MD_SPAN_A} || what == element{MD_SPAN_IMG}) && --links_ == 0)
      close_link();
    out_ += open_.back().end;
    open_.pop_back();
    return small();
  }

  bool text(MD_TEXTTYPE type, std::string_view t) {
    if (type == MD_TEXT_BR || type == MD_TEXT_SOFTBR) {
      out_ += "<br>";
    } else if (type == MD_TEXT_NULLCHAR) {
      see(t);
      out_ += replacement;
    } else {
      const std::string decoded = type == MD_TEXT_ENTITY ? entity(t) : std::string{};
      const std::string_view shown = type == MD_TEXT_ENTITY ? decoded : t;
      see(shown);
      escape(out_, shown);
    }
    return small();
  }

  /// Nothing if the source shows the same.
  std::optional<std::string> take() && {
    if (stopped_ || !open_.empty() || out_.empty() ||
        (!formatted_ && unseen_.find_first_not_of(white) == unseen_.npos))
      return std::nullopt;
    return std::move(out_);
  }

private:
  [[nodiscard]] bool small() const { return out_.size() <= max_html_bytes; }

  bool open(std::string_view begin, std::string_view end) {
    out_ += begin;
    open_.push_back({entering_, end});
    return open_.size() <= max_html_depth && small();
  }

  bool heading(unsigned level) {
    constexpr std::array<std::string_view, 6> ends{"</h1>", "</h2>", "</h3>",
                                                   "</h4>", "</h5>", "</h6>"};
    return open("<h" + std::to_string(level) + ">", ends.at(level - 1));
  }

  /// Links do not nest: what is a link inside of one is its text.
  bool open_link(const MD_ATTRIBUTE& address) {
    if (links_++ > 0)
      return open("", "");
    link_.address = text_of(address);
    const auto target = link_target(link_.address);
    link_.good = target.has_value();
    if (target)
      out_ += "<a href=\"" + escaped(*target) + "\">";
    link_.text = out_.size();
    return open("", target ? "</a>" : "");
  }

  void close_link() {
    const std::string address = escaped(link_.address);
    const std::string_view shown = std::string_view{out_}.substr(link_.text);
    const bool bare = shown.empty() || shown == address;
    if (link_.good) {
      // An address that stands there as it is needs no HTML: clients make a link of it.
      formatted_ = formatted_ || !bare;
      if (shown.empty())
        out_ += address;
      return;
    }
    formatted_ = true;
    if (link_.address.empty())
      return;
    if (bare)
      out_.resize(link_.text);
    out_ += (bare ? "<code>" : " (<code>") + address + (bare ? "</code>" : "</code>)");
  }

  /// Follows the source: what is shown and what is written are the same, white space apart, or
  /// the text is formatted.
  void see(std::string_view shown) {
    for (const char c : shown) {
      if (formatted_)
        return;
      if (white.find(c) != white.npos)
        continue;
      unseen_.remove_prefix(std::min(unseen_.find_first_not_of(white), unseen_.size()));
      formatted_ = unseen_.empty() || unseen_.front() != c;
      if (!formatted_)
        unseen_.remove_prefix(1);
    }
  }

  std::string_view unseen_;
  std::string out_;
  struct opened {
    element what;
    std::string_view end;
  };
  std::vector<opened> open_;
  element entering_;
  bool formatted_ = false, stopped_ = false;
  int links_ = 0;
  struct {
    std::string address;
    std::size_t text = 0; ///< where its text begins in out_
    bool good = false;
  } link_;
};

renderer& self(void* data) { return *static_cast<renderer*>(data); }

} // namespace

std::optional<std::string> to_html(std::string_view markdown) {
  if (markdown.size() > part_bytes)
    return std::nullopt;
  const std::string source = valid_utf8(markdown);
  MD_PARSER parser{};
  parser.flags =
      MD_FLAG_NOHTML | MD_FLAG_TABLES | MD_FLAG_STRIKETHROUGH | MD_FLAG_PERMISSIVEURLAUTOLINKS;
  parser.enter_block = [](MD_BLOCKTYPE type, void* detail, void* data) {
    return self(data).go([&](renderer& r) { return r.enter(type, detail); });
  };
  parser.leave_block = [](MD_BLOCKTYPE type, void*, void* data) {
    return self(data).go([&](renderer& r) { return r.leave(type); });
  };
  parser.enter_span = [](MD_SPANTYPE type, void* detail, void* data) {
    return self(data).go([&](renderer& r) { return r.enter(type, detail); });
  };
  parser.leave_span = [](MD_SPANTYPE type, void*, void* data) {
    return self(data).go([&](renderer& r) { return r.leave(type); });
  };
  parser.text = [](MD_TEXTTYPE type, const MD_CHAR* text, MD_SIZE size, void* data) {
    return self(data).go([&](renderer& r) { return r.text(type, {text, size}); });
  };
  renderer r(source);
  if (md_parse(source.data(), static_cast<MD_SIZE>(source.size()), &parser, &r) != 0)
    return std::nullopt;
  return std::move(r).take();
}

} // namespace pb::matrix

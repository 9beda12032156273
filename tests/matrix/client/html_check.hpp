#pragma once
// Is this the HTML that we promise? A reader that knows nothing of how it was made.

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <vector>

namespace pb::matrix::test {

inline bool plain_href(std::string_view value) {
  const auto begins = [&](std::string_view scheme) { return value.starts_with(scheme); };
  return (begins("https://") || begins("http://") || begins("ftp://") || begins("mailto:") ||
          begins("magnet:?")) &&
         value.find_first_of(" \"<>\\\n\t\r") == value.npos;
}

/// The attributes that a tag may have, in exactly this form.
inline bool good_attributes(std::string_view tag, std::string_view rest) {
  if (rest.empty())
    return true;
  const auto value = [&](std::string_view before) -> std::string_view {
    return rest.starts_with(before) && rest.ends_with('"')
               ? rest.substr(before.size(), rest.size() - before.size() - 1)
               : std::string_view{};
  };
  if (tag == "a")
    return plain_href(value(" href=\""));
  if (tag == "ol") {
    const auto start = value(" start=\"");
    return !start.empty() && start.find_first_not_of("0123456789") == start.npos;
  }
  if (tag == "code") {
    const auto name = value(" class=\"language-");
    return !name.empty() && name.find_first_of(" \"'<>&") == name.npos;
  }
  return false;
}

/// Empty: all is well; else what is wrong.
inline std::string html_fault(std::string_view html, std::size_t deepest = 64) {
  constexpr std::array<std::string_view, 24> tags{
      "h1", "h2", "h3", "h4",    "h5", "h6", "p",  "br",     "hr", "blockquote", "pre", "code",
      "ul", "ol", "li", "table", "tr", "th", "td", "strong", "em", "del",        "a",   "thead"};
  std::vector<std::string> open;
  for (std::size_t i = 0; i < html.size(); ++i) {
    const char c = html[i];
    const std::string place = " at " + std::to_string(i);
    if (c == '>')
      return "a bare >" + place;
    if ((static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t') || c == 0x7F)
      return "a control character" + place;
    if (c == '&') {
      const auto rest = html.substr(i);
      if (!rest.starts_with("&amp;") && !rest.starts_with("&lt;") && !rest.starts_with("&gt;"))
        return "a bare &" + place;
    }
    if (c != '<')
      continue;
    const auto end = html.find('>', i);
    if (end == html.npos)
      return "no end of a tag" + place;
    std::string_view inside = html.substr(i + 1, end - i - 1);
    i = end;
    const bool closing = inside.starts_with('/');
    if (closing)
      inside.remove_prefix(1);
    const std::string name{inside.substr(0, inside.find(' '))};
    if (name != "tbody" && std::find(tags.begin(), tags.end(), name) == tags.end())
      return "tag " + name + place;
    if (closing) {
      if (open.empty() || open.back() != name || inside != name)
        return "wrong end " + name + place;
      open.pop_back();
      continue;
    }
    if (!good_attributes(name, inside.substr(name.size())))
      return "attributes of " + std::string{inside} + place;
    if (name == "a" && std::find(open.begin(), open.end(), "a") != open.end())
      return "a link in a link" + place;
    if (name != "br" && name != "hr")
      open.push_back(name);
    if (open.size() > deepest)
      return "too deep" + place;
  }
  return open.empty() ? std::string{} : "not closed: " + open.back();
}

} // namespace pb::matrix::test

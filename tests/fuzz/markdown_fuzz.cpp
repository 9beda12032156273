// Any bytes as an agent's text: HTML of the allowed kind or none, parts that fit, events that a
// server takes. The first byte chooses the kind of message.

#include "bridges/matrix/compose.hpp"
#include "bridges/matrix/json_scan.hpp"
#include "bridges/matrix/markdown.hpp"
#include "bridges/matrix/text.hpp"
#include "tests/matrix/client/html_check.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string>

namespace {

using namespace pb;
using namespace pb::matrix;

void must(bool good, const std::string& what) {
  if (good)
    return;
  std::fprintf(stderr, "%s\n", what.c_str());
  std::abort();
}

void check_html(const std::string& html) {
  const auto fault = test::html_fault(html, max_html_depth);
  must(fault.empty(), fault);
  must(json::is_utf8(html), "not UTF-8");
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0)
    return 0;
  const std::string text(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (const auto html = to_html(text)) {
    check_html(*html);
    must(html->size() <= max_html_bytes, "more HTML than allowed");
  }
  for (const std::string& part : split_text(text)) {
    must(!part.empty() && part.size() <= part_bytes, "a part's size");
    must(escaped_size(part) <= part_escaped_bytes, "a part's size in JSON");
  }
  const auto answer = lay_out(text);
  must(answer.parts.size() <= max_parts, "too many parts");

  message_draft m;
  m.text = text;
  m.markdown = (data[0] & 1U) != 0;
  m.silent = (data[0] & 2U) != 0;
  if ((data[0] & 4U) != 0)
    m.replaces = event_id("$draft");
  if ((data[0] & 8U) != 0)
    m.tells = {user_id("@a:hs"), user_id(text)};
  m.reply_to = event_id((data[0] & 16U) != 0 ? text : "$q");
  const std::string body = compose_message(m);
  must(body.size() <= event_bytes, "an event's size");
  must(nlohmann::json::accept(body), "not JSON");
  check_html(parse_message(body).formatted_body);
  file_order order;
  order.path = "a";
  order.caption = order.text = text;
  must(compose_file(order, {"mxc://hs/a", text, text, 1}, {}).size() <= event_bytes,
       "a file event's size");
  must(parse_file_order(compose_file_order(order)).has_value(), "an order is not read back");
  return 0;
}

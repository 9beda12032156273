#include "bridges/agent/acp/content.hpp"

#include "bridges/agent/acp/file_uri.hpp"
#include "bridges/agent/acp/safe_text.hpp"
#include "bridges/agent/base64.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

namespace pb::acp {
namespace {

using agent_json::value;

/// Text between [ and ] of a Markdown link.
std::string label(std::string_view text) {
  std::string out;
  for (const char c : one_line(text, 200)) {
    if (std::string_view("\\`*_[]<>~|!#&").find(c) != std::string_view::npos)
      out += '\\';
    out += c;
  }
  return out;
}

/// Safe between < and > of a Markdown link: what could end it is percent-encoded.
std::string link_address(std::string_view uri) {
  std::string out;
  for (const char c : uri) {
    if (c == '<')
      out += "%3C";
    else if (c == '>')
      out += "%3E";
    else if (c == '\\')
      out += "%5C";
    else if (static_cast<unsigned char>(c) <= 0x20)
      out += "%20";
    else
      out += c;
  }
  return out;
}

block read_link(const value& content, std::string_view folder) {
  const auto uri = content["uri"].text();
  if (uri.empty())
    return strange_block{"resource_link without uri"};
  if (const auto path = path_of(uri))
    return agent_says::send_file{below(folder, *path)};
  auto name = content["title"].text();
  if (name.empty())
    name = content["name"].text();
  if (name.empty())
    name = last_part(uri);
  return said_text{"[" + label(name) + "](<" + link_address(uri) + ">)"};
}

/// image/svg+xml → svg. Who writes the file makes the name safe.
std::string ending(std::string_view media_type) {
  auto sub = media_type.substr(media_type.find('/') + 1);
  sub = sub.substr(0, sub.find_first_of("+; "));
  if (sub.starts_with("x-"))
    sub.remove_prefix(2);
  if (sub == "plain")
    return "txt";
  if (sub == "mpeg")
    return "mp3";
  const bool plain =
      !sub.empty() && sub.size() <= 8 && std::all_of(sub.begin(), sub.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
      });
  return plain ? std::string(sub) : "bin";
}

block read_bytes(std::string_view kind, std::string_view uri, const value& media_type,
                 const value& data) {
  const auto coded = data.string();
  auto bytes = coded ? from_base64(*coded) : std::nullopt;
  if (!bytes)
    return strange_block{std::string(kind) + " without base64"};
  auto name = last_part(uri);
  if (name.empty())
    name = std::string(kind) + "." + ending(media_type.text());
  return agent_wants::put_file{std::move(name), std::move(*bytes)};
}

block read_resource(const value& resource) {
  const auto uri = resource["uri"].text();
  if (auto text = resource["text"].string()) {
    auto name = last_part(uri);
    return agent_wants::put_file{name.empty() ? "resource.txt" : std::move(name), std::move(*text)};
  }
  return read_bytes("resource", uri, resource["mimeType"], resource["blob"]);
}

} // namespace

nlohmann::json prompt_blocks(std::string_view text, const std::vector<std::string>& attachments,
                             std::string_view folder) {
  auto blocks = nlohmann::json::array();
  if (!text.empty() || attachments.empty())
    blocks.push_back({{"type", "text"}, {"text", text}});
  for (const auto& path : attachments)
    blocks.push_back({{"type", "resource_link"},
                      {"uri", file_uri(folder, path)},
                      {"name", path.substr(path.rfind('/') + 1)}});
  return blocks;
}

block read_block(const value& content, std::string_view folder) {
  const auto type = content["type"].text();
  if (type == "text") {
    if (auto text = content["text"].string())
      return said_text{std::move(*text)};
    return strange_block{"text without text"};
  }
  if (type == "resource_link")
    return read_link(content, folder);
  if (type == "image" || type == "audio")
    return read_bytes(type, content["uri"].text(), content["mimeType"], content["data"]);
  if (type == "resource")
    return read_resource(content["resource"]);
  return strange_block{"content/" + agent_json::loggable(type)};
}

} // namespace pb::acp

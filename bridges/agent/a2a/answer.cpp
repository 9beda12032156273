#include "bridges/agent/a2a/answer.hpp"

#include "bridges/agent/base64.hpp"
#include "bridges/agent/history.hpp"

#include <algorithm>
#include <string_view>

namespace pb::a2a {
namespace {

using namespace agent_wants;

constexpr std::size_t longest_name = 200;
constexpr std::size_t longest_id = 256; ///< of an artifact that is remembered
constexpr std::size_t longest_link = 4096;

/// A name inside of Markdown's brackets.
std::string link_text(std::string_view name) {
  std::string out;
  for (const char c : cut_text(std::string(name), longest_name)) {
    if (c == '[' || c == ']' || c == '\\' || c == '`' || c == '*' || c == '_' || c == '<')
      out += '\\';
    out += static_cast<unsigned char>(c) < ' ' ? ' ' : c;
  }
  return out;
}

/// A file that the agent did not send but points to: a link for the person, which we never follow.
std::string link(const part& file) {
  std::string url;
  for (const char c : file.text) {
    const bool plain = c > ' ' && c <= '~' &&
                       std::string_view("()<>[]\"\\`{}|^").find(c) == std::string_view::npos;
    if (plain) {
      url += c;
      continue;
    }
    static constexpr std::string_view digits = "0123456789ABCDEF";
    const auto byte = static_cast<unsigned char>(c);
    url += '%';
    url += digits[byte >> 4U];
    url += digits[byte & 15U];
  }
  const bool web = url.starts_with("https://") || url.starts_with("http://");
  if (!web || url.size() > longest_link)
    return link_text(file.name);
  return "[" + link_text(file.name.empty() ? url : file.name) + "](" + url + ")";
}

std::string code_block(const std::string& data) { return "```json\n" + data + "\n```"; }

} // namespace

std::string answer::words(const agent_json::value& message) {
  std::string out, data;
  for (const auto& item : message["parts"].items()) {
    const auto p = read_part(item);
    if (p.what == part::kind::text)
      out += p.text;
    else if (p.what == part::kind::link)
      out += (out.empty() ? "" : "\n") + link(p);
    else if (p.what == part::kind::data && p.text.size() <= shown_data)
      data = p.text;
  }
  return out.empty() && !data.empty() ? code_block(data) : out;
}

std::string answer::read(const agent_json::value& owner, bool fresh, artifact_shown& of,
                         agent_steps& into) {
  std::string text;
  for (const auto& item : owner["parts"].items()) {
    auto p = read_part(item);
    if (p.what == part::kind::text) {
      text += p.text;
    } else if (p.what == part::kind::link) {
      const bool begins = (text.empty() && fresh) || text.ends_with('\n');
      text += (begins ? "" : "\n") + link(p);
    } else if (p.what == part::kind::data) {
      last_data_ = std::move(p.text);
    } else if (p.what == part::kind::bytes) {
      if (p.name.empty())
        p.name = owner["name"].text();
      put(std::move(p), of, into);
    } else {
      tell(agent_says::unknown{"a2a part"}, into);
    }
  }
  return text;
}

void answer::artifact(const agent_json::value& artifact, bool append, agent_steps& into) {
  const auto id = artifact["artifactId"].text();
  if (artifacts_.size() >= artifact_cap && !artifacts_.contains(id)) {
    too_large_ = true;
    return;
  }
  auto& of = artifacts_[id];
  if (!append)
    of.has = 0;
  auto more = read(artifact, of.has == 0, of, into);
  if (const auto before = known_.texts.find(id); !append && of.text.empty() &&
                                                 before != known_.texts.end() &&
                                                 before->second.bytes <= more.size()) {
    const auto head = std::string_view(more).substr(0, before->second.bytes);
    if (hash_of(head) == before->second.hash)
      of.text = head;
  }
  // A stream that was taken up again, or a snapshot, repeats what is shown already.
  const auto known = std::min(of.text.size() - of.has, more.size());
  if (of.text.compare(of.has, known, more, 0, known) == 0) {
    of.has += more.size();
    more.erase(0, known);
  } else {
    // The agent has thought better of it. What was shown cannot be taken back.
    tell(agent_says::unknown{"a2a artifact replaced"}, into);
    of.text.resize(of.has);
    of.has += more.size();
    last_ = nullptr;
  }
  of.text += more;
  say(&of, std::move(more), into);
}

void answer::message(const agent_json::value& message, agent_steps& into) {
  say(&messages_, read(message, true, messages_, into), into);
}

void answer::close(const agent_json::value& last_words, agent_steps& into) {
  if (said_)
    progress(last_words, into);
  else
    message(last_words, into);
  if (!said_ && last_data_.size() > shown_data) {
    sent_file_ = true;
    into.emplace_back(put_file{"data.json", std::exchange(last_data_, {})});
  } else if (!said_ && !last_data_.empty()) {
    say(&messages_, code_block(last_data_), into);
  }
  if (!said_ && !sent_file_)
    say(&messages_, std::exchange(progress_, {}), into);
}

shown_marks answer::marks() const {
  auto out = known_;
  for (const auto& [id, of] : artifacts_) {
    if (id.size() <= longest_id && !of.text.empty() &&
        (out.texts.contains(id) || out.texts.size() < shown_marks::artifact_cap))
      out.texts[id] = {of.text.size(), hash_of(of.text)};
    for (const auto file : of.files)
      if (out.files.size() < shown_marks::file_cap)
        out.files.insert(file);
  }
  return out;
}

void answer::progress(const agent_json::value& message, agent_steps& into) {
  auto text = words(message);
  if (text.empty() || text == progress_)
    return;
  progress_ = text;
  tell(agent_says::status{std::move(text)}, into);
}

void answer::say(const artifact_shown* of, std::string text, agent_steps& into) {
  if (text.empty())
    return;
  bytes_ += text.size();
  if (bytes_ > text_cap) {
    too_large_ = true;
    return;
  }
  if (said_ && (last_ != of || of == &messages_))
    end_paragraph(text);
  last_ = of;
  line_ = text.substr(text.size() < 2 ? 0 : text.size() - 2);
  said_ = news_ = true;
  tell(agent_says::text_chunk{std::move(text)}, into);
}

/// What follows is a paragraph of its own.
void answer::end_paragraph(std::string& text) const {
  if (!line_.ends_with("\n\n"))
    text.insert(0, line_.ends_with('\n') ? "\n" : "\n\n");
}

void answer::put(part file, artifact_shown& of, agent_steps& into) {
  if (file.name.empty())
    file.name = "file";
  if (of.files.size() >= artifact_cap) {
    too_large_ = true;
    return;
  }
  const auto hash = hash_of(file.name + '\n' + file.text);
  if (known_.files.contains(hash) || !of.files.insert(hash).second)
    return;
  news_ = sent_file_ = true;
  if (auto bytes = from_base64(file.text))
    into.emplace_back(put_file{std::move(file.name), std::move(*bytes)});
  else // the room says in its own words that there is no such file
    tell(agent_says::send_file{"unreadable/" + file.name.substr(file.name.find_last_of('/') + 1)},
         into);
}

} // namespace pb::a2a

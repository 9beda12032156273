#include "config/document.hpp"

#include <map>
#include <optional>
#include <sstream>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

namespace pb::config {

namespace {

/// Leaves yaml-cpp's parser from within an event.
struct stop {
  YAML::Mark at;
  std::string what, instead;
};

class builder : public YAML::EventHandler {
public:
  explicit builder(std::deque<node>& nodes) : nodes_(nodes) {}

  [[nodiscard]] const node* root() const { return root_; }

  void OnDocumentStart(const YAML::Mark&) override { anchors_.clear(); }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& at, YAML::anchor_t anchor) override {
    auto& n = make(at, node::kind::null);
    // Where nothing stands behind a key yaml-cpp is already in a later line.
    if (!open_.empty() && open_.back().key != nullptr && open_.back().key->line < n.line) {
      n.line = open_.back().key->line;
      n.column = open_.back().key->column;
    }
    remember(anchor, n);
    attach(n, at);
  }

  void OnAlias(const YAML::Mark& at, YAML::anchor_t anchor) override {
    const auto i = anchors_.find(anchor);
    if (i == anchors_.end())
      throw stop{at, "an alias stands within its own anchor", "write the value out"};
    attach(*i->second, at);
  }

  void OnScalar(const YAML::Mark& at, const std::string&, YAML::anchor_t anchor,
                const std::string& value) override {
    auto& n = make(at, node::kind::scalar);
    n.text = value;
    remember(anchor, n);
    attach(n, at);
  }

  void OnSequenceStart(const YAML::Mark& at, const std::string&, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(at, node::kind::list, anchor);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& at, const std::string&, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(at, node::kind::mapping, anchor);
  }
  void OnMapEnd() override { close(); }

private:
  struct frame {
    node* container;
    const node* key;
    YAML::Mark at;
    YAML::anchor_t anchor;
  };

  node& make(const YAML::Mark& at, node::kind what) {
    if (nodes_.size() >= document::max_nodes)
      throw too_many(at);
    auto& n = nodes_.emplace_back();
    n.what = what;
    n.line = at.line + 1;
    n.column = at.column + 1;
    return n;
  }

  static stop too_many(const YAML::Mark& at) {
    return {at, "more than " + std::to_string(document::max_nodes) + " values, aliases written out",
            "split the file, and write no aliases of aliases"};
  }

  void remember(YAML::anchor_t anchor, const node& n) {
    if (anchor != 0)
      anchors_[anchor] = &n;
  }

  void open(const YAML::Mark& at, node::kind what, YAML::anchor_t anchor) {
    if (open_.size() >= document::max_depth)
      throw too_deep(at);
    open_.push_back({&make(at, what), nullptr, at, anchor});
  }

  static stop too_deep(const YAML::Mark& at) {
    return {at, "nested more than " + std::to_string(document::max_depth) + " deep",
            "write fewer levels"};
  }

  void close() {
    const auto done = open_.back();
    open_.pop_back();
    // Only now: an alias inside it would make a circle.
    remember(done.anchor, *done.container);
    attach(*done.container, done.at);
  }

  void attach(const node& n, const YAML::Mark& at) {
    if (open_.empty()) {
      if (root_ != nullptr && n.what != node::kind::null)
        throw stop{at, "a second document begins here", "keep one document in a file"};
      if (root_ == nullptr)
        root_ = &n;
      return;
    }
    auto& top = open_.back();
    auto& container = *top.container;
    container.weight += n.weight;
    container.height = std::max(container.height, n.height + 1);
    if (container.weight > document::max_nodes)
      throw too_many(at);
    if (open_.size() + n.height > document::max_depth + 1)
      throw too_deep(at);
    if (container.what == node::kind::list)
      container.items.push_back(&n);
    else if (top.key == nullptr)
      top.key = &n;
    else
      container.pairs.emplace_back(std::exchange(top.key, nullptr), &n);
  }

  std::deque<node>& nodes_;
  std::vector<frame> open_;
  std::map<YAML::anchor_t, const node*> anchors_;
  const node* root_ = nullptr;
};

/// Offset of the first byte that is not UTF-8, if there is one.
std::optional<std::size_t> not_utf8(const std::string& text) {
  for (std::size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i]);
    const std::size_t more = lead < 0x80                   ? 0
                             : lead >= 0xC2 && lead < 0xE0 ? 1
                             : lead >= 0xE0 && lead < 0xF0 ? 2
                             : lead >= 0xF0 && lead < 0xF5 ? 3
                                                           : 9;
    if (more == 9 || i + more >= text.size() + (more == 0 ? 1 : 0))
      return i;
    for (std::size_t k = 1; k <= more; ++k)
      if ((static_cast<unsigned char>(text[i + k]) & 0xC0) != 0x80)
        return i;
    const auto second = more > 0 ? static_cast<unsigned char>(text[i + 1]) : 0u;
    if ((lead == 0xE0 && second < 0xA0) || (lead == 0xED && second >= 0xA0) ||
        (lead == 0xF0 && second < 0x90) || (lead == 0xF4 && second >= 0x90))
      return i;
    i += more + 1;
  }
  return std::nullopt;
}

problem at_offset(const std::string& text, std::size_t offset, const std::string& file) {
  problem p{file, 1, 1, {}, {}, false};
  for (std::size_t i = 0; i < offset; ++i) {
    p.column = text[i] == '\n' ? 1 : p.column + 1;
    p.line += text[i] == '\n' ? 1 : 0;
  }
  return p;
}

/// Whether a line that begins with a tab ends at or before `pos`, or holds it.
bool indented_by_tab(const std::string& text, std::size_t pos) {
  auto begin = text.rfind('\n', std::min(pos, text.size()));
  begin = begin == std::string::npos ? 0 : begin + 1;
  const auto first = text.find_first_not_of(' ', begin);
  return first != std::string::npos && text[first] == '\t';
}

problem syntax_error(const YAML::Exception& e, const std::string& text, const std::string& file) {
  problem p{file, 1, 1, {}, {}, false};
  if (!e.mark.is_null()) {
    p.line = e.mark.line + 1;
    p.column = e.mark.column + 1;
  }
  // Past a colon yaml-cpp may quote the file, and there a secret may stand.
  p.what = "not YAML: " + e.msg.substr(0, e.msg.find(':'));
  const auto pos = static_cast<std::size_t>(e.mark.pos < 0 ? 0 : e.mark.pos);
  const char here = pos < text.size() ? text[pos] : ' ';
  if (here == '@' || here == '`' || here == '%' || here == '*' || here == '&')
    p.instead = std::string{"put quotes around a value that begins with "} + here;
  else if (indented_by_tab(text, pos))
    p.instead = "write spaces, not tabs, before a key";
  else
    p.instead = "look at the indentation, colons, brackets and quotes here and in the line before";
  return p;
}

} // namespace

std::string_view words(node::kind k) {
  switch (k) {
  case node::kind::null:
    return "nothing";
  case node::kind::scalar:
    return "a single value";
  case node::kind::list:
    return "a list";
  case node::kind::mapping:
    return "a mapping";
  }
  return "something else";
}

tl::expected<document, problem> document::parse(const std::string& text, const std::string& file) {
  if (text.size() > max_bytes)
    return tl::unexpected(problem{file, 1, 1, "larger than 1 MiB",
                                  "split the file: agents may stand in agents.d", false});
  if (const auto bad = not_utf8(text)) {
    auto p = at_offset(text, *bad, file);
    p.what = "not UTF-8";
    p.instead = "save the file as UTF-8";
    return tl::unexpected(std::move(p));
  }
  if (const auto zero = text.find('\0'); zero != std::string::npos) {
    auto p = at_offset(text, zero, file);
    p.what = "a zero byte";
    p.instead = "remove it; is this a text file?";
    return tl::unexpected(std::move(p));
  }
  document out;
  try {
    builder handler{out.nodes_};
    std::istringstream in{text};
    YAML::Parser parser{in};
    while (parser.HandleNextDocument(handler)) {
    }
    out.root_ = handler.root();
  } catch (const stop& s) {
    return tl::unexpected(problem{file, s.at.line + 1, s.at.column + 1, s.what, s.instead, false});
  } catch (const YAML::Exception& e) {
    return tl::unexpected(syntax_error(e, text, file));
  } catch (const std::exception&) {
    return tl::unexpected(problem{file, 1, 1, "cannot be read as YAML", "write plain YAML", false});
  }
  if (out.root_ == nullptr)
    out.root_ = &out.nodes_.emplace_back();
  return out;
}

} // namespace pb::config

#pragma once
// A YAML file as a plain tree with places. Built from yaml-cpp's events, not from its nodes: every
// key of a mapping is kept (also the second of the same name), aliases cannot blow up or go round
// in circles, and nothing throws later.

#include "config/problem.hpp"

#include <deque>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>
#include <vector>

namespace pb::config {

struct node {
  enum class kind { null, scalar, list, mapping };

  kind what = kind::null;
  int line = 1, column = 1;
  std::string text;                                       ///< of a scalar
  std::vector<const node*> items;                         ///< of a list
  std::vector<std::pair<const node*, const node*>> pairs; ///< of a mapping: key, value
  std::size_t weight = 1;                                 ///< nodes in it, aliases written out
  std::size_t height = 1;                                 ///< levels in it, aliases written out
};

/// "a text", "a list" …: for messages.
std::string_view words(node::kind k);

class document {
public:
  static constexpr std::size_t max_bytes = std::size_t{1} << 20;
  static constexpr std::size_t max_nodes = 200'000; ///< aliases written out
  static constexpr std::size_t max_depth = 32;

  /// The first fault of the syntax, or a cap that the file passes, is the problem.
  static tl::expected<document, problem> parse(const std::string& text, const std::string& file);

  [[nodiscard]] const node& root() const { return *root_; }

private:
  document() = default;

  std::deque<node> nodes_; ///< keeps addresses; moves with the document
  const node* root_ = nullptr;
};

} // namespace pb::config

#include "config/document.hpp"

#include <catch2/catch.hpp>
#include <chrono>

using namespace pb::config;

namespace {

std::string fault(const std::string& text) {
  const auto tree = document::parse(text, "f.yaml");
  return tree ? "" : to_string(tree.error());
}

bool begins(const std::string& text, const std::string& with) { return text.starts_with(with); }

} // namespace

TEST_CASE("a document keeps both of two equal keys, and where each stands") {
  const auto tree = document::parse("a: 1\nb: [x, y]\na: {c: null}\n", "f.yaml");
  REQUIRE(tree);
  const auto& root = tree->root();
  REQUIRE(root.what == node::kind::mapping);
  REQUIRE(root.pairs.size() == 3);
  CHECK(root.pairs[2].first->text == "a");
  CHECK(root.pairs[2].first->line == 3);
  CHECK(root.pairs[2].first->column == 1);
  CHECK(root.pairs[1].second->items.size() == 2);
  CHECK(root.pairs[1].second->items[1]->column == 8);
  CHECK(root.pairs[2].second->pairs[0].second->what == node::kind::null);
}

TEST_CASE("an empty document is nothing") {
  for (const auto* text : {"", "\n", "# only a comment\n", "---\n", "---\n...\n", "\xEF\xBB\xBF"}) {
    const auto tree = document::parse(text, "f.yaml");
    REQUIRE(tree);
    CHECK(tree->root().what == node::kind::null);
  }
}

TEST_CASE("a syntax error has its place and what to write instead") {
  CHECK(begins(fault("a: b\n  c: d\n"), "f.yaml:2:4: not YAML: "));
  CHECK(begins(fault("a: [1, 2\nb: 3\n"), "f.yaml:"));
  const auto at_sign = fault("users:\n  @alice:example.org: x\n");
  CHECK(begins(at_sign, "f.yaml:2:3: not YAML: "));
  CHECK(at_sign.find("put quotes around a value that begins with @") != std::string::npos);
  CHECK(fault("a:\n\tb: 1\n").find("spaces, not tabs") != std::string::npos);
}

TEST_CASE("a syntax error does not repeat what the file says") {
  CHECK(fault("password: *hunter2\n").find("hunter2") == std::string::npos);
  CHECK(fault("password: \"hunter2\n").find("hunter2") == std::string::npos);
  CHECK(fault("password: !<hunter2\n").find("hunter2") == std::string::npos);
}

TEST_CASE("an alias bomb is refused, quickly") {
  std::string text = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 10; ++i) {
    const auto n = std::to_string(i), before = std::to_string(i - 1);
    text += "a" + n + ": &a" + n + " [";
    for (int k = 0; k < 9; ++k)
      text += (k > 0 ? ", *a" : "*a") + before;
    text += "]\n";
  }
  CHECK(fault(text).find("more than 200000 values, aliases written out") != std::string::npos);
}

TEST_CASE("a small alias is no bomb") {
  const auto tree = document::parse("a: &x {k: 1}\nb: *x\nc: *x\n", "f.yaml");
  REQUIRE(tree);
  CHECK(tree->root().pairs[2].second->pairs[0].second->text == "1");
}

TEST_CASE("an alias within its own anchor is refused") {
  CHECK(begins(fault("a: &x [1, *x]\n"), "f.yaml:1:11: an alias stands within its own anchor"));
  CHECK(begins(fault("&x {a: *x}\n"), "f.yaml:1:8: an alias stands within its own anchor"));
}

TEST_CASE("nesting has a limit, also when aliases do it") {
  const auto nested = [](std::size_t depth) {
    return std::string(depth, '[') + std::string(depth, ']');
  };
  CHECK(fault(nested(document::max_depth)).empty());
  CHECK(fault(nested(document::max_depth + 1)).find("nested more than 32 deep") !=
        std::string::npos);
  CHECK(fault(nested(100'000)).find("nested more than 32 deep") != std::string::npos);
  std::string chain = "a0: &a0 [1]\n";
  for (int i = 1; i < 60; ++i)
    chain += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [*a" + std::to_string(i - 1) +
             "]\n";
  CHECK(fault(chain).find("nested more than 32 deep") != std::string::npos);
}

TEST_CASE("a file over 1 MiB, with too many values, binary or not UTF-8 is refused") {
  CHECK(begins(fault(std::string(document::max_bytes + 1, '#')), "f.yaml:1:1: larger than 1 MiB"));
  std::string many = "[";
  for (int i = 0; i < 250'000; ++i)
    many += "1,";
  CHECK(fault(many + "1]").find("more than 200000 values") != std::string::npos);
  CHECK(begins(fault("a: 1\nb: \xFF\n"), "f.yaml:2:4: not UTF-8"));
  for (const auto* bad : {"\xC0\x80", "\xED\xA0\x80", "\xE2\x82", "\xF5\x80\x80\x80", "\x80",
                          "\xF0\x80\x80\x80", "\xE0\x80\x80"})
    CHECK(begins(fault(bad), "f.yaml:1:1: not UTF-8"));
  CHECK(fault("a: \"\xF0\x9F\x99\x82 \xD1\x8F \xE2\x82\xAC\"\n").empty());
  CHECK(begins(fault(std::string("a: 1\nb: \0", 9)), "f.yaml:2:4: a zero byte"));
}

TEST_CASE("a second document is refused, since it would be ignored") {
  CHECK(begins(fault("a: 1\n---\nb: 2\n"), "f.yaml:3:1: a second document begins here"));
}

TEST_CASE("files of a megabyte that are made to be slow are answered in time") {
  const auto repeated = [](const std::string& piece) {
    std::string out;
    while (out.size() + piece.size() < document::max_bytes)
      out += piece;
    return out;
  };
  for (const auto* piece :
       {"[",    "{",    "? ",       "- ",  "a: ",    "&a ", "!!x ", "\"\\x41", "'",
        "a\n",  "[]: ", "{a: b}: ", "\n ", "a: b\n", "*a ", "%A\n", "--- \n",  "| \n",
        "[a, ", "{a, ", "\\",       "#",   "a ",     ",",   "}"}) {
    CAPTURE(piece);
    const auto begin = std::chrono::steady_clock::now();
    (void)document::parse(repeated(piece), "f.yaml");
    const auto took = std::chrono::steady_clock::now() - begin;
    CHECK(took < std::chrono::seconds{20});
  }
}

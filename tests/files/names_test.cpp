#include "bridges/files/names.hpp"

#include <catch2/catch.hpp>
#include <set>

using namespace pb;
using namespace pb::files;

namespace {

/// The relative path, or "! " and why there is none.
std::string path_of(std::string_view named, const std::string& workspace = "/agents/1") {
  const auto r = relative_path(named, workspace);
  if (!r)
    CHECK(r.error().code == fault_code::refused);
  return r ? *r : "! " + r.error().cause;
}

bool refused(std::string_view named, const std::string& workspace = "/agents/1") {
  return path_of(named, workspace).starts_with("! ");
}

} // namespace

TEST_CASE("what an agent names becomes a path below its workspace", "[names]") {
  CHECK(path_of("out/a.txt") == "out/a.txt");
  CHECK(path_of("./out//./a.txt/") == "out/a.txt");
  CHECK(path_of("/workspace/out/a.txt") == "out/a.txt");
  CHECK(path_of("/agents/1/out/a.txt") == "out/a.txt");
  CHECK(path_of("/agents/1//out/a.txt", "/agents/1/") == "out/a.txt");
  CHECK(path_of("/agents/x/a.txt", "/agents/./y/../x") == "a.txt");
  // Ours first: it may lie under /workspace itself.
  CHECK(path_of("/workspace/1/a.txt", "/workspace/1") == "a.txt");
  CHECK(path_of("имя с пробелом.txt") == "имя с пробелом.txt");
  CHECK(path_of("a..b/..c/d..") == "a..b/..c/d..");
  CHECK(path_of("/workspace/a", "") == "a");
}

TEST_CASE("what is not below the workspace is refused", "[names]") {
  CHECK(refused(""));
  CHECK(refused("."));
  CHECK(refused("///"));
  CHECK(refused("/workspace"));
  CHECK(refused("/workspace/"));
  CHECK(refused("/agents/1"));
  CHECK(refused(".."));
  CHECK(refused("a/../b"));
  CHECK(refused("a/.."));
  CHECK(refused("/workspace/../etc/passwd"));
  CHECK(refused("/etc/passwd"));
  CHECK(refused("/workspaces/a"));
  CHECK(refused("/agents/11/a")); // a border of names, not of letters
  CHECK(refused("/agents/2/a"));
  CHECK(refused(std::string_view("a\0b", 3)));
  CHECK(refused("a\nb"));
  CHECK(refused("a\x7f"));
  CHECK(refused("a\xC2\x85"
                "b"));
  CHECK(refused(std::string(4096, 'a')));
  CHECK(path_of(std::string(4095, 'a')).size() == 4095);
}

TEST_CASE("patterns of files.deny", "[names]") {
  const auto hit = [](std::string_view path, const std::string& pattern) {
    return denied(path, {pattern});
  };
  CHECK(hit("config/a", "config/**"));
  CHECK(hit("config/a/b", "config/**"));
  CHECK_FALSE(hit("config", "config/**"));
  CHECK_FALSE(hit("my/config/a", "config/**")); // a slash ties it to the root
  CHECK_FALSE(hit("configs/a", "config/**"));
  CHECK(hit(".env", ".*"));
  CHECK(hit("a/.git/config", ".*")); // a folder above
  CHECK_FALSE(hit("a.b/c", ".*"));
  CHECK(hit("a/b/secret.key", "*.key"));
  CHECK_FALSE(hit("a/b/secret.keys", "*.key"));
  CHECK(hit("config/a/b", "config"));
  CHECK(hit("x/config/b", "config/")); // no slash but at its end
  CHECK(hit("a/b", "/a"));
  CHECK_FALSE(hit("b/a", "/a"));
  CHECK(hit("a/x/y/b", "a/**/b"));
  CHECK(hit("a/b", "a/**/b"));
  CHECK_FALSE(hit("a/x/c", "a/**/b"));
  CHECK(hit("x/y/z", "**/z"));
  CHECK(hit("z", "**/z"));
  CHECK_FALSE(hit("a/x/b", "a/*b"));
  CHECK(hit("a/xb", "a/?b"));
  CHECK(hit("a/xb/c", "a/[xy]b"));
  CHECK(hit("anything/at/all", "**"));
  CHECK_FALSE(hit("a", ""));
  CHECK_FALSE(denied("a", {}));
  CHECK(denied("b/c", {"x", "b/*"}));
  // Many stars and a long path: no worse than the product of the two.
  std::string stars, path;
  for (int i = 0; i < 100; ++i) {
    stars += "**/a/";
    path += "a/";
  }
  CHECK_FALSE(hit(path + path + "c", stars + "b"));
}

TEST_CASE("no two people share a workspace, and none lies in another", "[names]") {
  const auto of = [](const std::string& id) { return workspace_for("{user}", user_id{id}); };
  CHECK(workspace_for("/agents/1", user_id{"@a:b"}) == "/agents/1");
  CHECK(workspace_for("/a/{user}/w-{user}", user_id{"@bob:e.org"}) ==
        "/a/bob=3ae.org/w-bob=3ae.org");
  CHECK(of("@Bob:e.org") == "=42ob=3ae.org");
  CHECK(of("@../../x:e") == "=2e.=2f..=2fx=3ae");
  CHECK(of("@.:e") == "=2e=3ae");
  const std::string longest(200, 'a'), longer(201, 'a'), odd(100, '=');
  std::set<std::string> all;
  const std::vector<std::string> ids{
      "@a:b",        "a:b",        "@A:b", "@a=3ab:b",          "@a:b=",   "@=61:b",
      "@" + longest, "@" + longer, "@",    "@" + longest + "=", "@" + odd, "@" + odd + "x"};
  for (const auto& id : ids) {
    const auto folder = of(id);
    CHECK(all.insert(folder).second);
    CHECK_FALSE(folder.starts_with("/"));
    CHECK(folder.find("..") != 0);
    for (std::size_t at = 0; at < folder.size();) {
      const auto end = std::min(folder.find('/', at), folder.size());
      CHECK(end - at <= 255);
      at = end + 1;
    }
  }
  for (const auto& a : all)
    for (const auto& b : all)
      CHECK_FALSE(b.starts_with(a + "/"));
}

TEST_CASE("names of people's files become safe ones", "[names]") {
  CHECK(safe_name("report.pdf") == "report.pdf");
  CHECK(safe_name("Отчёт за май.pdf") == "Отчёт за май.pdf");
  CHECK(safe_name("/etc/passwd") == "passwd");
  CHECK(safe_name("..\\..\\boot.ini") == "boot.ini");
  CHECK(safe_name("a/b/") == "b");
  CHECK(safe_name("") == "file");
  CHECK(safe_name("..") == "file");
  CHECK(safe_name("...") == "file");
  CHECK(safe_name(" . ") == "file");
  CHECK(safe_name(".bashrc") == "bashrc");
  CHECK(safe_name("a\nb\x1b[31m\t.txt") == "ab[31m.txt");
  CHECK(safe_name(std::string_view("a\0b", 3)) == "ab");
  CHECK(safe_name("\xE2\x80\xAEgpj.exe") == "gpj.exe"); // right-to-left override
  CHECK(safe_name("a\xC2\x85"
                  "b") == "ab");
  CHECK(safe_name("\xFFx\xC0\xAF.txt") == "_x__.txt");
  CHECK(safe_name("\xED\xA0\x80") == "___"); // half of a surrogate pair
  CHECK(safe_name("\U0001F468\u200D\U0001F469.png") == "\U0001F468\u200D\U0001F469.png");
}

TEST_CASE("long names are cut at a border of characters and keep their extension", "[names]") {
  const auto plain = safe_name(std::string(300, 'a') + ".tar");
  CHECK(plain == std::string(196, 'a') + ".tar");
  std::string cyrillic;
  for (int i = 0; i < 150; ++i)
    cyrillic += "ж";
  const auto cut = safe_name("x" + cyrillic + ".pdf");
  CHECK(cut.size() == 199); // 196 would be half a letter
  CHECK(cut.ends_with("ж.pdf"));
  const auto no_extension = safe_name("a." + std::string(300, 'b'));
  CHECK(no_extension.size() == 200);
  CHECK(numbered_name("a.txt", 1) == "a.txt");
  CHECK(numbered_name("a.txt", 2) == "a (2).txt");
  CHECK(numbered_name("a.tar.gz", 3) == "a.tar (3).gz");
  CHECK(numbered_name("noext", 12) == "noext (12)");
  CHECK(numbered_name(".x", 2) == ".x (2)");
  CHECK(numbered_name(plain, 1000).size() == 200);
}

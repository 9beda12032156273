#include "bridges/matrix/json_scan.hpp"
#include "bridges/matrix/markdown.hpp"
#include "bridges/matrix/markdown_link.hpp"
#include "bridges/matrix/text.hpp"
#include "html_check.hpp"

#include <catch2/catch.hpp>
#include <random>

using namespace pb::matrix;
using pb::matrix::test::html_fault;

namespace {

std::string html(std::string_view markdown) { return to_html(markdown).value_or("nothing"); }

} // namespace

TEST_CASE("markdown: what the text says by itself needs no HTML", "[markdown]") {
  for (const char* plain :
       {"", " \n\t\n", "Hello.", "Two lines\nof it", "One.\n\nTwo.\n\n\nThree.", "  indented a bit",
        "2 < 3 & 5 > 4, \"so\" they say", "snake_case_name and 2 * 3 * 4", "a [note] (b)",
        "see https://example.org/a?b=c&d=e.",
        "Привет, мир! שלום 👩‍👩‍👧 é", "100% @room !new"}) {
    CAPTURE(plain);
    CHECK_FALSE(to_html(plain));
  }
}

TEST_CASE("markdown: emphasis, headings, rules and line ends", "[markdown]") {
  CHECK(html("a **b** _c_ ~~d~~ `e < f`") ==
        "<p>a <strong>b</strong> <em>c</em> <del>d</del> <code>e &lt; f</code></p>");
  CHECK(html("***x***") == "<p><em><strong>x</strong></em></p>");
  CHECK(html("# One\n\n###### Six #\n\nText") == "<h1>One</h1><h6>Six</h6><p>Text</p>");
  CHECK(html("Title\n=====") == "<h1>Title</h1>");
  CHECK(html("a\n\n---\n\nb") == "<p>a</p><hr><p>b</p>");
  CHECK(html("soft *x*\nhard  \nback\\\nend") == "<p>soft <em>x</em><br>hard<br>back<br>end</p>");
  CHECK(html("\\*not\\* emphasised") == "<p>*not* emphasised</p>");
}

TEST_CASE("markdown: code keeps every character and a safe language", "[markdown]") {
  CHECK(html("```cpp\nif (a < b && c)\n\n  x->y = \"z\";\n```") ==
        "<pre><code class=\"language-cpp\">if (a &lt; b &amp;&amp; c)\n\n  x-&gt;y = \"z\";\n"
        "</code></pre>");
  CHECK(html("~~~c# title=\"x\"\na\n~~~") == "<pre><code class=\"language-c#\">a\n</code></pre>");
  CHECK(html("```\"><script>\na\n```") == "<pre><code>a\n</code></pre>");
  CHECK(html("```x&quot;y\na\n```") == "<pre><code>a\n</code></pre>");
  CHECK(html("```\nnever closed") == "<pre><code>never closed\n</code></pre>");
  CHECK(html("    indented") == "<pre><code>indented\n</code></pre>");
  CHECK(html("`&amp; <b>`") == "<p><code>&amp;amp; &lt;b&gt;</code></p>");
  CHECK(html("```\n**not** [a](https://b)\n```") ==
        "<pre><code>**not** [a](https://b)\n</code></pre>");
}

TEST_CASE("markdown: lists nest, count from where they say, and keep task marks as text",
          "[markdown]") {
  CHECK(html("- a\n- b\n  1. c\n  2. d\n") ==
        "<ul><li>a</li><li>b<ol><li>c</li><li>d</li></ol></li></ul>");
  CHECK(html("3. c\n4. d") == "<ol start=\"3\"><li>c</li><li>d</li></ol>");
  CHECK(html("- a\n\n- b") == "<ul><li><p>a</p></li><li><p>b</p></li></ul>");
  CHECK(html("- [x] done\n- [ ] open") == "<ul><li>[x] done</li><li>[ ] open</li></ul>");
  CHECK(html("1. a\n   ```sh\n   ls\n   ```") ==
        "<ol><li>a<pre><code class=\"language-sh\">ls\n</code></pre></li></ol>");
}

TEST_CASE("markdown: tables and quotes", "[markdown]") {
  CHECK(html("| a | b |\n|---|:-:|\n| 1 | **2** |\n| <i> | x\\|y |") ==
        "<table><thead><tr><th>a</th><th>b</th></tr></thead><tbody>"
        "<tr><td>1</td><td><strong>2</strong></td></tr>"
        "<tr><td>&lt;i&gt;</td><td>x|y</td></tr></tbody></table>");
  CHECK(html("> a\n> > b\n\nc") ==
        "<blockquote><p>a</p><blockquote><p>b</p></blockquote></blockquote><p>c</p>");
}

TEST_CASE("markdown: raw HTML is text", "[markdown]") {
  CHECK(html("**a** <script>alert(1)</script>") ==
        "<p><strong>a</strong> &lt;script&gt;alert(1)&lt;/script&gt;</p>");
  CHECK_FALSE(to_html("<mx-reply>forged</mx-reply>")); // shown as it is written
  CHECK(html("<mx-reply><blockquote>*x*</blockquote></mx-reply>") ==
        "<p>&lt;mx-reply&gt;&lt;blockquote&gt;<em>x</em>&lt;/blockquote&gt;&lt;/mx-reply&gt;</p>");
  CHECK(html("<div>\n\n*a*") == "<p>&lt;div&gt;</p><p><em>a</em></p>");
  CHECK(html("<!-- c --> *a* <img src=https://t/x.png>") ==
        "<p>&lt;!-- c --&gt; <em>a</em> &lt;img src=https://t/x.png&gt;</p>");
}

TEST_CASE("markdown: entities are the characters that they name, or what they are", "[markdown]") {
  CHECK(html("&lt;b&gt; &amp; &copy; &#65;&#x416;") == "<p>&lt;b&gt; &amp; © AЖ</p>");
  CHECK(html("*a* &nosuch; &colon;") == "<p><em>a</em> &amp;nosuch; &amp;colon;</p>");
  CHECK(html("&#0; &#xD800; &#x110000; &#7; &#99999999999;") ==
        "<p>\uFFFD \uFFFD \uFFFD \uFFFD &amp;#99999999999;</p>");
}

TEST_CASE("markdown: links have an allowed scheme, or are text and address", "[markdown]") {
  CHECK(html("[a & b](https://e.org/?x=1&y=\"2\" \"title\")") ==
        "<p><a href=\"https://e.org/?x=1&amp;y=%222%22\">a &amp; b</a></p>");
  CHECK(html("[**m**](mailto:a@b.c)") == "<p><a href=\"mailto:a@b.c\"><strong>m</strong></a></p>");
  CHECK(html("<HTTPS://e.org>") == "<p><a href=\"https://e.org\">HTTPS://e.org</a></p>");
  CHECK(html("[a]\n\n[a]: https://e.org") == "<p><a href=\"https://e.org\">a</a></p>");
  CHECK(html("*see* https://e.org/x.") ==
        "<p><em>see</em> <a href=\"https://e.org/x\">https://e.org/x</a>.</p>");
  CHECK(html("[](https://e.org)") == "<p><a href=\"https://e.org\">https://e.org</a></p>");
  CHECK(html("[click](javascript:alert(1))") == "<p>click (<code>javascript:alert(1)</code>)</p>");
  CHECK(html("[x](JaVaScRiPt&#58;alert)") == "<p>x (<code>JaVaScRiPt:alert</code>)</p>");
  CHECK(html("[x](<java\tscript:a>)") == "<p>x (<code>java\tscript:a</code>)</p>");
  CHECK(html("<javascript:alert(1)>") == "<p><code>javascript:alert(1)</code></p>");
  CHECK(html("[d](data:text/html;base64,PHN2Zz4=)") ==
        "<p>d (<code>data:text/html;base64,PHN2Zz4=</code>)</p>");
  CHECK(html("[the notes](docs/notes.md)") == "<p>the notes (<code>docs/notes.md</code>)</p>");
  CHECK(html("[nothing]()") == "<p>nothing</p>");
}

TEST_CASE("markdown: nothing that an agent writes becomes a mention", "[markdown]") {
  CHECK(html("[Alice](https://matrix.to/#/@alice:hs)") ==
        "<p>Alice (<code>https://matrix.to/#/@alice:hs</code>)</p>");
  CHECK(html("https://matrix.to/#/@alice:hs") ==
        "<p><code>https://matrix.to/#/@alice:hs</code></p>");
  CHECK(html("[Alice](matrix:u/alice:hs)") == "<p>Alice (<code>matrix:u/alice:hs</code>)</p>");
  for (const char* bad : {"https://matrix.to",
                          "HTTPS://MATRIX.TO/#/@a:h",
                          "https://www.matrix.to/#/@a:h",
                          "https://matrix.to:443/#/@a:h",
                          "https://matrix.to./#/@a:h",
                          "https://matrix%2Eto/",
                          "https://e.org@matrix.to/#/@a:h",
                          "https://ｍatrix.to/",
                          "https://matrix。to/",
                          "https://ma\u00ADtrix.to/",
                          "https:/matrix.to/",
                          "https:matrix.to",
                          "https:///matrix.to/",
                          "https:\\\\matrix.to/",
                          "https://app.element.io/#/user/@a:h",
                          "https://app.element.io/#/room/!r:h",
                          "https://app.element.io/#%2Fuser/@a:h",
                          "https://e.org/#/@a:h",
                          "https://",
                          "http://?",
                          "vbscript:x",
                          "file:///etc/passwd",
                          "//e.org/x",
                          "www.e.org",
                          "mailto:nobody",
                          "mailto:",
                          "magnet:x",
                          "mxc://hs/a",
                          ":",
                          ""}) {
    CAPTURE(bad);
    CHECK_FALSE(link_target(bad));
  }
  for (const char* good :
       {"https://e.org", "http://127.0.0.1:8080/x#y", "https://[::1]:8448/", "https://пример.рф/ё",
        "https://e.org/#/dashboard", "ftp://e.org/a", "magnet:?xt=urn:btih:0",
        "https://matrix.tools/", "https://spec.matrix.org/#client"}) {
    CAPTURE(good);
    CHECK(link_target(good) == good);
  }
  CHECK_FALSE(link_target("https://e.org/" + std::string(3000, 'a')));
}

TEST_CASE("markdown: a picture is a link, never something that is fetched", "[markdown]") {
  CHECK(html("![a *b*](https://e.org/p.png \"t\")") ==
        "<p><a href=\"https://e.org/p.png\">a <em>b</em></a></p>");
  CHECK(html("![](https://e.org/p.png)") ==
        "<p><a href=\"https://e.org/p.png\">https://e.org/p.png</a></p>");
  CHECK(html("![p](data:image/png;base64,AAAA)") ==
        "<p>p (<code>data:image/png;base64,AAAA</code>)</p>");
  CHECK(html("[![build](https://e.org/b.svg)](https://e.org/ci)") ==
        "<p><a href=\"https://e.org/ci\">build</a></p>");
  CHECK(html("![a [b](https://x.org) c](https://e.org)") ==
        "<p><a href=\"https://e.org\">a b c</a></p>");
}

TEST_CASE("markdown: scripts, emoji and broken bytes", "[markdown]") {
  CHECK(html("これは**重要**です") == "<p>これは<strong>重要</strong>です</p>");
  CHECK(html("**Важно:** слово") == "<p><strong>Важно:</strong> слово</p>");
  CHECK(html("# שלום **עולם**\n- مرحبا") ==
        "<h1>שלום <strong>עולם</strong></h1><ul><li>مرحبا</li></ul>");
  CHECK(html("*👩‍👩‍👧 🇩🇪 👍🏽 ✅️ é*") ==
        "<p><em>👩‍👩‍👧 🇩🇪 👍🏽 ✅️ é</em></p>");
  CHECK(html("*a\xFF\xE2\x82*") == "<p><em>a\uFFFD\uFFFD</em></p>");
  CHECK(html(std::string_view("*a\0b\x1B[0m*", 9)) == "<p><em>a\uFFFDb\uFFFD[0m</em></p>");
  CHECK(html("*a*\r\nb\rc") == "<p><em>a</em><br>b<br>c</p>");
}

TEST_CASE("markdown: what grows or nests too far has no HTML", "[markdown]") {
  CHECK(html(std::string(60, '>') + " a").size() > 1000);
  for (const char* deep : {">", "1. ", "- ", "> - ", "*a **b "}) {
    CAPTURE(deep);
    std::string text;
    while (text.size() < 2000)
      text += deep;
    CHECK_FALSE(to_html(text + "a"));
  }
  CHECK_FALSE(to_html("*a*" + std::string(part_bytes, 'a')));
  // Rows that are filled up with cells: the square of the input.
  std::string table = "|";
  for (int i = 0; i < 1000; ++i)
    table += "|";
  table += "\n|";
  for (int i = 0; i < 1000; ++i)
    table += "---|";
  for (int i = 0; i < 2000; ++i)
    table += "\n|";
  CHECK_FALSE(to_html(table));
  // The parser ends an emphasis here that it never began.
  CHECK_FALSE(to_html("[](*)*"));
}

TEST_CASE("markdown: whatever comes in, HTML of the allowed kind comes out", "[markdown]") {
  const std::vector<std::string> atoms{
      "*",        "**",          "_",           "`",    "```",    "~~",      "~~~",      "\n",
      "\n\n",     "  ",          "    ",        "- ",   "1. ",    "77) ",    "> ",       "# ",
      "|",        "|---|---|\n", "[",           "]",    "](",     ")",       "!",        "![",
      "<",        ">",           "&",           "&lt;", "&#x3C;", "\"",      "'",        "\\",
      "https://", "a",           "b c",         "<b>",  "</p>",   "<!--",    "http://e", "@room",
      "[x]: y",   "javascript:", "#/@a:h",      ":",    "=",      "---\n",   "\x01",     "\xFF",
      "\u202E",   "é",           "👩‍👧", "\t",   "\r",     "ftp://x/"};
  std::mt19937 dice(7);
  int formatted = 0;
  for (int round = 0; round < 4000; ++round) {
    std::string text;
    for (std::size_t n = 1 + dice() % 60; n > 0; --n)
      text += atoms[dice() % atoms.size()];
    const auto out = to_html(text);
    if (!out)
      continue;
    ++formatted;
    CAPTURE(text, *out);
    REQUIRE(html_fault(*out, max_html_depth).empty());
    REQUIRE(json::is_utf8(*out));
    REQUIRE(out->size() <= max_html_bytes + 4096);
  }
  CHECK(formatted > 3000);
}

TEST_CASE("markdown: the judge of the tests sees what is wrong", "[markdown]") {
  for (const char* bad :
       {"<b>x</b>", "<p>", "</p>", "<p><em></p></em>", "<p onclick=\"x\">y</p>", "a > b", "a & b",
        "<a href=\"javascript:x\">y</a>", "<a href=\"https://e\" x=\"\">y</a>", "<img src=\"x\">",
        "<a href=\"https://e\"><a href=\"https://e\">y</a></a>", "<code class=\"x\">y</code>"}) {
    CAPTURE(bad);
    CHECK_FALSE(html_fault(bad).empty());
  }
  CHECK(html_fault("<p>a &lt; <a href=\"https://e.org/?a&amp;b\">b</a><br></p>").empty());
}

#include "bridges/files/content.hpp"
#include "bridges/files/image.hpp"

#include <catch2/catch.hpp>
#include <string>

using namespace pb::files;

namespace {

std::string bytes(std::initializer_list<int> list) {
  std::string out;
  for (const int b : list)
    out += static_cast<char>(b);
  return out;
}

const std::string png = "\x89PNG\r\n\x1a\n" + bytes({0, 0, 0, 13}) + "IHDR" +
                        bytes({0, 0, 1, 0x2c, 0, 0, 0, 0x96, 8, 2, 0, 0, 0, 0, 0, 0, 0});
const std::string gif = "GIF89a" + bytes({0x2c, 1, 0x96, 0, 0, 0, 0});
const std::string jpeg = bytes({0xff, 0xd8, 0xff, 0xe0, 0, 16}) + "JFIF" +
                         bytes({0, 1, 1, 0, 0, 1, 0, 1, 0, 0}) +
                         bytes({0xff, 0xdb, 0, 5, 9, 9, 9}) +                // a table
                         bytes({0xff, 0xff, 0xff, 0xc4, 0, 4, 1, 2}) +       // filled up
                         bytes({0xff, 0xc2, 0, 17, 8, 0, 0x96, 1, 0x2c, 3}); // progressive
const std::string webp_head = "RIFF" + bytes({0x40, 0, 0, 0}) + "WEBP";
const std::string lossy = webp_head + "VP8 " + bytes({0x20, 0, 0, 0, 0, 0, 0, 0x9d, 1, 0x2a}) +
                          bytes({0x2c, 0x41, 0x96, 0}); // the upper two bits are a scale
const std::string lossless = webp_head + "VP8L" + bytes({0x20, 0, 0, 0, 0x2f, 0x2b, 0x41, 0x25, 0});
const std::string extended =
    webp_head + "VP8X" + bytes({10, 0, 0, 0, 0, 0, 0, 0, 0x2b, 1, 0, 0x95, 0, 0});

} // namespace

TEST_CASE("the size of pictures", "[content]") {
  for (const auto& picture : {png, gif, jpeg, lossy, lossless, extended}) {
    CAPTURE(picture.substr(0, 16));
    const auto size = size_of_image(picture);
    REQUIRE(size);
    CHECK(size->width == 300);
    CHECK(size->height == 150);
    // Cut anywhere: no size, and never one that is wrong.
    for (std::size_t n = 0; n < picture.size(); ++n)
      if (const auto cut = size_of_image(std::string_view(picture).substr(0, n))) {
        CHECK(cut->width == 300);
        CHECK(cut->height == 150);
      }
  }
}

TEST_CASE("what is no picture, or a damaged one, has no size", "[content]") {
  CHECK_FALSE(size_of_image(""));
  CHECK_FALSE(size_of_image("GIF89a"));
  CHECK_FALSE(size_of_image("BM" + std::string(100, 'x')));
  auto zero = png;
  zero[18] = zero[19] = 0;
  CHECK_FALSE(size_of_image(zero));
  auto huge = png;
  huge[16] = '\xff';
  CHECK_FALSE(size_of_image(huge));
  CHECK_FALSE(size_of_image(bytes({0xff, 0xd8, 0xff, 0xe0, 0, 0}))); // would stand still
  CHECK_FALSE(size_of_image(bytes({0xff, 0xd8, 0xff, 0xda, 0, 2}) + jpeg));
  CHECK_FALSE(size_of_image(bytes({0xff, 0xd8}) + std::string(300'000, '\xff')));
}

TEST_CASE("the type of a file is that of its content", "[content]") {
  content_types types;
  const auto type = [&](const std::string& text, const char* name = "file.bin") {
    return types.look(text, name).mimetype;
  };
  CHECK(type(png, "picture.txt") == "image/png");
  CHECK(type(jpeg) == "image/jpeg");
  CHECK(type(gif) == "image/gif");
  CHECK(type("%PDF-1.4\n%\xE2\xE3\xCF\xD3\n1 0 obj\n") == "application/pdf");
  CHECK(type(R"({"a": [1, 2, 3]})") == "application/json");
  CHECK(type("fLaC" + bytes({0, 0, 0, 0x22, 0x10, 0, 0x10, 0}) + std::string(40, '\0')) ==
        "audio/flac");
  CHECK(type("") == "application/octet-stream");
  CHECK(type("plain words\n", "picture.png") == "text/plain");
  CHECK(type("# Title\n\nwords\n", "notes.MD") == "text/markdown");
  CHECK(type("a,b\n1,2\n", "table.csv") == "text/csv");
  const auto seen = types.look(png, "");
  CHECK(seen.width == 300);
  CHECK(seen.height == 150);
  CHECK(seen.header == "image/png");
}

TEST_CASE("nothing that a browser would run keeps a type that says so", "[content]") {
  content_types types;
  const auto type = [&](const std::string& text, const char* name = "a.png") {
    return types.look(text, name).mimetype;
  };
  CHECK(type("<!DOCTYPE html><html><script>alert(1)</script></html>") == "text/plain");
  CHECK(type("<html><body>x</body></html>", "a.html") == "text/plain");
  const auto svg =
      type("<?xml version=\"1.0\"?>\n<svg xmlns=\"http://www.w3.org/2000/svg\"></svg>");
  CHECK(svg == "application/octet-stream");
  CHECK_FALSE(type("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"9\"><path/></svg>")
                  .starts_with("image/"));
  CHECK(type("#!/bin/sh\necho hello\n") == "text/plain");
  CHECK_FALSE(type("BM" + bytes({70, 0, 0, 0, 0, 0, 0, 0, 54, 0, 0, 0, 40, 0,
                                 0,  0, 2, 0, 0, 0, 2, 0, 0,  0, 1, 0, 24, 0}) +
                   std::string(60, '\0'))
                  .starts_with("image/"));
}

TEST_CASE("text says that it is UTF-8 when it is", "[content]") {
  content_types types;
  CHECK(types.look("Привет, мир\n", "a.txt").header == "text/plain; charset=utf-8");
  CHECK(types.look("hello\n", "a.txt").header == "text/plain; charset=utf-8");
  CHECK(types.look("caf\xE9 cr\xE8me\n", "a.txt").header == "text/plain");
}

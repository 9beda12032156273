# cmake -DDIR=folder -DOUT=file.cpp -P embed_assets.cmake
# Writes every file of the folder as bytes into one C++ source (bridges/admin/assets.hpp).
file(GLOB files RELATIVE ${DIR} ${DIR}/*)
list(SORT files)
set(arrays "")
set(rows "")
set(n 0)
foreach(name ${files})
  if(name MATCHES "\\.html$")
    set(type "text/html; charset=utf-8")
  elseif(name MATCHES "\\.js$")
    set(type "text/javascript; charset=utf-8")
  elseif(name MATCHES "\\.css$")
    set(type "text/css; charset=utf-8")
  elseif(name MATCHES "\\.svg$")
    set(type "image/svg+xml")
  else()
    message(FATAL_ERROR "no content type for ${name}")
  endif()
  file(READ ${DIR}/${name} hex HEX)
  string(LENGTH "${hex}" length)
  math(EXPR bytes "${length} / 2")
  string(REGEX REPLACE "(................................................................)" "\\1\n" hex "${hex}")
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "'\\\\x\\1'," hex "${hex}")
  string(APPEND arrays "constexpr char file_${n}[] = {\n${hex}'\\0'};\n")
  if(name STREQUAL "index.html")
    set(path "/")
  else()
    set(path "/${name}")
  endif()
  string(APPEND rows "    {\"${path}\", \"${type}\", {file_${n}, ${bytes}}},\n")
  math(EXPR n "${n} + 1")
endforeach()
file(WRITE ${OUT} "// Made from ${n} files by cmake/embed_assets.cmake.
#include \"bridges/admin/assets.hpp\"

namespace pb::admin {
namespace {

${arrays}
constexpr asset all[] = {
${rows}};

} // namespace

const asset* find_asset(std::string_view path) {
  for (const auto& a : all)
    if (a.path == path)
      return &a;
  return nullptr;
}

} // namespace pb::admin
")

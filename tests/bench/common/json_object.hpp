#pragma once
// One line of JSON, field by field: what a run reports.

#include "tests/bench/common/text.hpp"

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

namespace pb::bench {

class json_object {
public:
  void add(const char* name, double value) {
    char text[64];
    std::snprintf(text, sizeof text, "%.6g", std::isfinite(value) ? value : 0.0);
    put(name, text);
  }
  void add(const char* name, std::uint64_t value) { put(name, std::to_string(value)); }
  void add(const char* name, const std::string& value) { put(name, json_string(value)); }
  void add(const char* name, const std::vector<std::string>& values) {
    std::string all = "[";
    for (const auto& v : values) {
      if (all.size() > 1)
        all += ',';
      append_json(all, v);
    }
    put(name, all + "]");
  }
  void add(const char* name, const std::vector<double>& values) {
    std::string all = "[";
    for (const auto v : values) {
      char text[64];
      std::snprintf(text, sizeof text, "%s%.6g", all.size() > 1 ? "," : "", v);
      all += text;
    }
    put(name, all + "]");
  }
  [[nodiscard]] std::string text() const { return out_ + "}"; }

private:
  void put(const char* name, const std::string& value) {
    out_ += out_.size() > 1 ? ",\"" : "\"";
    out_ += name;
    out_ += "\":" + value;
  }
  std::string out_ = "{";
};

} // namespace pb::bench

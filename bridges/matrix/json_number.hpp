#pragma once
// The grammar of JSON numbers and the range of a double.

#include <string_view>

namespace pb::matrix::json {

/// -? (0 | [1-9][0-9]*) (. [0-9]+)? ([eE] [+-]? [0-9]+)?, and no larger than a double can be.
bool is_number(std::string_view word);

/// Whether a number of that form is beyond the largest double. Too small is not: that is 0.
bool overflows(std::string_view number);

} // namespace pb::matrix::json

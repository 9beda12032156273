#pragma once
// What agents write that the parser would refuse or let through wrongly, made harmless.

#include <string>
#include <string_view>

namespace pb::agent_json {

/// True if a string may hold an escaped surrogate (\ud800 to \udfff): the parser passes a lone one
/// on as bytes that are not UTF-8.
bool may_have_surrogates(std::string_view json);

/// The same document with lone surrogates replaced by \ufffd and with numbers that fit neither 64
/// bits nor a double (1e400, 30 digits) as strings of their digits. What is not JSON stays not
/// JSON.
std::string repaired(std::string_view json);

} // namespace pb::agent_json

#pragma once
// The rules of what goes wrong, and the replies that carry them out.

#include "bridges/http_server.hpp"
#include "bridges/matrix/homeserver/fault_rule.hpp"

#include <cstdint>
#include <memory>
#include <regex>
#include <string>
#include <vector>

namespace pb::hs {

class fault_book {
public:
  /// A malformed path_regex never matches.
  std::uint64_t add(fault_rule rule);
  void clear() { rules_.clear(); }
  [[nodiscard]] std::uint64_t hits(std::uint64_t id) const;
  [[nodiscard]] nlohmann::json report() const;
  [[nodiscard]] bool empty() const { return rules_.empty(); }

  /// Counts a use; nullptr: nothing goes wrong with this request.
  std::shared_ptr<const fault_rule> take(const server_request& request, const std::string& user);

private:
  struct entry {
    std::uint64_t id = 0;
    std::shared_ptr<const fault_rule> rule;
    std::regex regex;
    bool bad_regex = false;
    std::uint64_t seen = 0, used = 0;
  };
  std::vector<entry> rules_;
  std::uint64_t last_id_ = 0;
};

/// Reads a rule of the control interface; throws api_error 400.
fault_rule fault_rule_from(const nlohmann::json& body);

/// Passes the answer on as the rule says: later, shorter, changed, another one, or not at all.
std::shared_ptr<http_reply> tampered(std::shared_ptr<http_reply> reply,
                                     std::shared_ptr<const fault_rule> rule, timers& clock);

} // namespace pb::hs

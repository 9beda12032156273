// What the server says about itself.

#include "bridges/matrix/homeserver/endpoints.hpp"
#include "bridges/matrix/homeserver/push_rules.hpp"

namespace pb::hs::api {

answer versions(server&, call&) {
  return json_answer({{"versions",
                       {"r0.6.1", "v1.1", "v1.2", "v1.3", "v1.4", "v1.5", "v1.6", "v1.7", "v1.8",
                        "v1.9", "v1.10", "v1.11"}},
                      {"unstable_features", json::object()}});
}

answer well_known(server&, call& c) {
  const auto host = header(c.request.headers, "Host");
  if (host.empty())
    refuse(404, "M_NOT_FOUND", "No host was asked for.");
  return json_answer({{"m.homeserver", {{"base_url", "http://" + std::string(host)}}}});
}

answer capabilities(server&, call&) {
  return json_answer({{"capabilities",
                       {{"m.room_versions",
                         {{"default", room_version}, {"available", {{room_version, "stable"}}}}},
                        {"m.change_password", {{"enabled", false}}},
                        {"m.set_displayname", {{"enabled", true}}},
                        {"m.set_avatar_url", {{"enabled", true}}},
                        {"m.3pid_changes", {{"enabled", false}}}}}});
}

answer turn_server(server&, call&) { return json_answer(json::object()); }
answer third_party_protocols(server&, call&) { return json_answer(json::object()); }

answer push_rules(server&, call& c) {
  if (!c.param("state_key").empty())
    refuse(404, "M_UNRECOGNIZED", "Unrecognized request");
  return json_answer(default_push_rules(*c.who));
}

answer push_rules_global(server&, call& c) {
  if (!c.param("state_key").empty())
    refuse(404, "M_UNRECOGNIZED", "Unrecognized request");
  return json_answer(default_push_rules(*c.who)["global"]);
}

answer push_rule(server&, call& c) {
  const auto rules = default_push_rules(*c.who);
  // The kind stands where the trailing slash of the path above may have nothing.
  const auto* found = find_push_rule(rules, c.param("state_key"), c.param("rule"));
  if (found == nullptr)
    refuse(404, "M_NOT_FOUND", "The push rule was not found.");
  return json_answer(*found);
}

} // namespace pb::hs::api

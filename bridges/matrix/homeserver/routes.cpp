// The table of all endpoints. What is not here is answered 404 M_UNRECOGNIZED.

#include "bridges/matrix/homeserver/endpoints.hpp"
#include "bridges/matrix/homeserver/router.hpp"

namespace pb::hs {

router::router() {
  constexpr auto none = body_kind::none;
  constexpr auto object = body_kind::object;
  constexpr auto maybe = body_kind::optional_object;
  constexpr auto raw = body_kind::raw;

  add("GET", "/_matrix/client/versions", {api::versions, false, none});
  add("GET", "/.well-known/matrix/client", {api::well_known, false, none});
  add("GET", "v3:/capabilities", {api::capabilities, true, none});
  add("GET", "v3:/voip/turnServer", {api::turn_server, true, none});
  add("GET", "v3:/thirdparty/protocols", {api::third_party_protocols, true, none});
  add("GET", "v3:/pushrules", {api::push_rules, true, none});
  add("GET", "v3:/pushrules/{state_key}", {api::push_rules, true, none}); // the trailing slash
  add("GET", "v3:/pushrules/global/{state_key}", {api::push_rules_global, true, none});
  add("GET", "v3:/pushrules/global/{state_key}/{rule}", {api::push_rule, true, none});

  add("GET", "v3:/login", {api::login_flows, false, none});
  add("POST", "v3:/login", {api::login, false, object});
  add("POST", "v3:/refresh", {api::refresh, false, object});
  add("POST", "v3:/register", {api::register_account, false, object});
  add("GET", "v3:/register/available", {api::register_available, false, none});
  add("POST", "v3:/logout", {api::logout, true, maybe});
  add("POST", "v3:/logout/all", {api::logout_all, true, maybe});
  add("GET", "v3:/account/whoami", {api::whoami, true, none});
  add("GET", "v3:/devices", {api::devices, true, none});
  add("GET", "v3:/devices/{device}", {api::get_device, true, none});
  add("PUT", "v3:/devices/{device}", {api::put_device, true, object});

  add("GET", "v3:/profile/{user}", {api::get_profile, false, none});
  add("GET", "v3:/profile/{user}/{field}", {api::get_profile_field, false, none});
  add("PUT", "v3:/profile/{user}/{field}", {api::put_profile_field, true, object});
  add("GET", "v3:/presence/{user}/status", {api::get_presence, true, none});
  add("PUT", "v3:/presence/{user}/status", {api::put_presence, true, object});
  add("POST", "v3:/user_directory/search", {api::user_directory, true, object});

  add("POST", "v3:/createRoom", {api::create_room, true, object});
  add("POST", "v3:/join/{room}", {api::join, true, maybe});
  add("GET", "v3:/joined_rooms", {api::joined_rooms, true, none});
  add("POST", "v3:/rooms/{room}/join", {api::join_by_id, true, maybe});
  add("POST", "v3:/rooms/{room}/leave", {api::leave, true, maybe});
  add("POST", "v3:/rooms/{room}/forget", {api::forget, true, maybe});
  add("POST", "v3:/rooms/{room}/invite", {api::invite, true, object});
  add("POST", "v3:/rooms/{room}/kick", {api::kick, true, object});
  add("POST", "v3:/rooms/{room}/ban", {api::ban, true, object});
  add("POST", "v3:/rooms/{room}/unban", {api::unban, true, object});
  add("GET", "v3:/rooms/{room}/joined_members", {api::joined_members, true, none});
  add("GET", "v3:/rooms/{room}/members", {api::members, true, none});
  add("GET", "v3:/rooms/{room}/aliases", {api::room_aliases, true, none});
  add("GET", "v3:/directory/room/{alias}", {api::get_alias, false, none});
  add("PUT", "v3:/directory/room/{alias}", {api::put_alias, true, object});
  add("DELETE", "v3:/directory/room/{alias}", {api::delete_alias, true, none});
  add("GET", "/_matrix/client/v1/rooms/{room}/hierarchy", {api::hierarchy, true, none});

  add("GET", "v3:/rooms/{room}/state", {api::get_state, true, none});
  for (const auto* path :
       {"v3:/rooms/{room}/state/{type}", "v3:/rooms/{room}/state/{type}/{state_key}"}) {
    add("GET", path, {api::get_state_event, true, none});
    add("PUT", path, {api::put_state_event, true, object});
  }
  add("PUT", "v3:/rooms/{room}/send/{type}/{txn}", {api::send_event, true, object});
  add("PUT", "v3:/rooms/{room}/redact/{event}/{txn}", {api::redact, true, maybe});
  add("GET", "v3:/rooms/{room}/messages", {api::messages, true, none});
  add("GET", "v3:/rooms/{room}/event/{event}", {api::get_event, true, none});
  add("GET", "v3:/rooms/{room}/context/{event}", {api::context, true, none});
  for (const auto* path : {"/_matrix/client/v1/rooms/{room}/relations/{event}",
                           "/_matrix/client/v1/rooms/{room}/relations/{event}/{relation}",
                           "/_matrix/client/v1/rooms/{room}/relations/{event}/{relation}/{type}"})
    add("GET", path, {api::relations, true, none});
  add("GET", "/_matrix/client/v1/rooms/{room}/threads", {api::threads, true, none});
  add("PUT", "v3:/rooms/{room}/typing/{user}", {api::typing, true, object});
  add("POST", "v3:/rooms/{room}/receipt/{kind}/{event}", {api::post_receipt, true, maybe});
  add("POST", "v3:/rooms/{room}/read_markers", {api::read_markers, true, object});

  add("GET", "v3:/sync", {api::sync, true, none});
  add("POST", "v3:/user/{user}/filter", {api::post_filter, true, object});
  add("GET", "v3:/user/{user}/filter/{filter}", {api::get_filter, true, none});
  for (const auto* path : {"v3:/user/{user}/account_data/{type}",
                           "v3:/user/{user}/rooms/{room}/account_data/{type}"}) {
    add("GET", path, {api::get_account_data, true, none});
    add("PUT", path, {api::put_account_data, true, object});
  }
  add("GET", "v3:/user/{user}/rooms/{room}/tags", {api::get_tags, true, none});
  add("PUT", "v3:/user/{user}/rooms/{room}/tags/{tag}", {api::put_tag, true, object});
  add("DELETE", "v3:/user/{user}/rooms/{room}/tags/{tag}", {api::delete_tag, true, none});

  add("POST", "v3:/keys/upload", {api::upload_keys, true, object});
  add("POST", "v3:/keys/upload/{device}", {api::upload_keys, true, object});
  add("POST", "v3:/keys/query", {api::query_keys, true, object});
  add("POST", "v3:/keys/claim", {api::claim_keys, true, object});
  add("GET", "v3:/room_keys/version", {api::no_key_backup, true, none});
  add("PUT", "v3:/sendToDevice/{type}/{txn}", {api::send_to_device, true, object});

  for (const auto* path : {"/_matrix/media/v3/config", "/_matrix/client/v1/media/config"})
    add("GET", path, {api::media_config, true, none});
  add("POST", "/_matrix/media/v3/upload", {api::upload, true, raw});
  // The older paths are open to everybody, as they are on servers that still serve them.
  for (const auto* path : {"download/{server}/{media}", "download/{server}/{media}/{name}",
                           "thumbnail/{server}/{media}"}) {
    add("GET", std::string("/_matrix/media/v3/") + path, {api::download, false, none});
    add("GET", std::string("/_matrix/client/v1/media/") + path, {api::download, true, none});
  }

  add("POST", "/_dev/faults", {api::dev_add_fault, false, object});
  add("GET", "/_dev/faults", {api::dev_list_faults, false, none});
  add("DELETE", "/_dev/faults", {api::dev_clear_faults, false, none});
  add("PUT", "/_dev/limits", {api::dev_limits, false, object});
  add("POST", "/_dev/expire", {api::dev_expire, false, object});
  add("POST", "/_dev/inject", {api::dev_inject, false, object});
}

} // namespace pb::hs

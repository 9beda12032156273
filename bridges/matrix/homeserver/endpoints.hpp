#pragma once
// Every endpoint by the name of its operation; the table that binds them to paths is routes.cpp.

#include "bridges/matrix/homeserver/server.hpp"

namespace pb::hs::api {

// server
answer versions(server&, call&);
answer well_known(server&, call&);
answer capabilities(server&, call&);
answer turn_server(server&, call&);
answer third_party_protocols(server&, call&);
answer push_rules(server&, call&);
answer push_rules_global(server&, call&);
answer push_rule(server&, call&);
// accounts
answer login_flows(server&, call&);
answer login(server&, call&);
answer refresh(server&, call&);
answer register_account(server&, call&);
answer register_available(server&, call&);
answer logout(server&, call&);
answer logout_all(server&, call&);
answer whoami(server&, call&);
answer devices(server&, call&);
answer get_device(server&, call&);
answer put_device(server&, call&);
// people
answer get_profile(server&, call&);
answer get_profile_field(server&, call&);
answer put_profile_field(server&, call&);
answer get_presence(server&, call&);
answer put_presence(server&, call&);
answer user_directory(server&, call&);
// rooms and membership
answer create_room(server&, call&);
answer join(server&, call&);
answer join_by_id(server&, call&);
answer leave(server&, call&);
answer forget(server&, call&);
answer invite(server&, call&);
answer kick(server&, call&);
answer ban(server&, call&);
answer unban(server&, call&);
answer joined_rooms(server&, call&);
answer joined_members(server&, call&);
answer members(server&, call&);
answer get_alias(server&, call&);
answer put_alias(server&, call&);
answer delete_alias(server&, call&);
answer room_aliases(server&, call&);
answer hierarchy(server&, call&);
// events
answer get_state(server&, call&);
answer get_state_event(server&, call&);
answer put_state_event(server&, call&);
answer send_event(server&, call&);
answer redact(server&, call&);
answer messages(server&, call&);
answer get_event(server&, call&);
answer context(server&, call&);
answer relations(server&, call&);
answer threads(server&, call&);
answer typing(server&, call&);
answer post_receipt(server&, call&);
answer read_markers(server&, call&);
// sync
answer sync(server&, call&);
answer post_filter(server&, call&);
answer get_filter(server&, call&);
// account data
answer get_account_data(server&, call&);
answer put_account_data(server&, call&);
answer get_tags(server&, call&);
answer put_tag(server&, call&);
answer delete_tag(server&, call&);
// keys and devices
answer upload_keys(server&, call&);
answer query_keys(server&, call&);
answer claim_keys(server&, call&);
answer no_key_backup(server&, call&);
answer send_to_device(server&, call&);
// media
answer media_config(server&, call&);
answer upload(server&, call&);
answer download(server&, call&);
// control of tests
answer dev_add_fault(server&, call&);
answer dev_list_faults(server&, call&);
answer dev_clear_faults(server&, call&);
answer dev_limits(server&, call&);
answer dev_expire(server&, call&);
answer dev_inject(server&, call&);

} // namespace pb::hs::api

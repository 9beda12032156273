#include "actors/crash_point.hpp"

#include <charconv>
#include <csignal>
#include <unistd.h>

namespace pb {

namespace crash_detail {

std::atomic<crash_point> armed{crash_point::none};

namespace {
std::atomic<unsigned> left{0};
}

void count_down() {
  if (left.fetch_sub(1) != 1)
    return;
  ::kill(::getpid(), SIGKILL);
  for (;;) // the signal comes before anything else happens on this thread
    ::pause();
}

} // namespace crash_detail

namespace {

/// As in the enumeration, without `none`.
constexpr std::string_view names =
    "sync_received, before_admit_commit, after_admit_commit, turn_begun, before_dispatch_commit, "
    "after_dispatch_commit, frame_written, agent_spoke, agent_ended, before_settle_commit, "
    "after_settle_commit, before_put, put_answered, after_record_commit, intent_written, "
    "before_create_room, room_created, room_recorded, link_sent";

} // namespace

std::string_view crash_point_names() { return names; }

bool arm_crash(std::string_view text) {
  const auto colon = text.find(':');
  const auto wanted = text.substr(0, colon);
  unsigned nth = 1;
  if (colon != std::string_view::npos) {
    const auto number = text.substr(colon + 1);
    const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), nth);
    if (error != std::errc{} || end != number.data() + number.size() || nth == 0)
      return false;
  }
  int index = 1;
  for (auto rest = names; !rest.empty(); ++index) {
    const auto end = rest.find(", ");
    if (rest.substr(0, end) == wanted) {
      crash_detail::left = nth;
      crash_detail::armed = static_cast<crash_point>(index);
      return true;
    }
    rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 2);
  }
  return false;
}

} // namespace pb

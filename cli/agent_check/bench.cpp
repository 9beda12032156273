#include "cli/agent_check/bench.hpp"

#include <algorithm>
#include <utility>

namespace pb::agent_check {

bench::bench(environment around) : around_(std::move(around)) {}

bench::~bench() {
  for (auto& [id, l] : lines_)
    l.wire->close();
}

line_id bench::dial(link_request to, std::int64_t chat, line_user& user) {
  const auto id = ++last_;
  log_.add(now(), passage::remark, chat, id,
           "connecting to " + (to.url.empty() ? to.child.command.empty() ? "a child process"
                                                                         : to.child.command.front()
                                              : to.url));
  auto& l = lines_[id];
  l.user = &user;
  l.chat = chat;
  l.wire = around_.net.dial(std::move(to), make_postman(box_, id));
  return id;
}

bool bench::send(line_id id, std::string text) {
  const auto i = lines_.find(id);
  if (i == lines_.end())
    return false;
  log_.add(now(), passage::sent, i->second.chat, id, text);
  return i->second.wire->send(std::move(text));
}

void bench::close(line_id id) {
  const auto i = lines_.find(id);
  if (i == lines_.end())
    return;
  log_.add(now(), passage::closed, i->second.chat, id, "by us");
  i->second.wire->close();
  lines_.erase(i);
}

bool bench::is_open(line_id id) const {
  const auto i = lines_.find(id);
  return i != lines_.end() && i->second.open;
}

void bench::join(line_user& user) { users_.push_back(&user); }

void bench::forget(line_user& user) {
  std::vector<line_id> own;
  for (const auto& [id, l] : lines_)
    if (l.user == &user)
      own.push_back(id);
  for (const auto id : own)
    close(id);
  users_.erase(std::remove(users_.begin(), users_.end(), &user), users_.end());
}

bool bench::until(const std::function<bool()>& holds, milliseconds most) {
  const auto deadline = now() + most;
  for (;;) {
    if (holds())
      return true;
    const auto left = deadline - now();
    if (left <= milliseconds(0))
      return false;
    if (letter l; box_->take(l)) {
      deliver(std::move(l));
      continue;
    }
    ring_alarms();
    if (holds())
      return true;
    auto time = left;
    if (const auto alarm = next_alarm())
      time = std::clamp(*alarm - now(), milliseconds(1), left);
    around_.rest(*box_, time);
  }
}

void bench::pause(milliseconds time) {
  until([] { return false; }, time);
}

void bench::deliver(letter l) {
  const auto i = lines_.find(l.line);
  if (i == lines_.end())
    return; // we closed it
  const auto chat = i->second.chat;
  auto* user = i->second.user;
  switch (l.what) {
  case letter::kind::opened:
    i->second.open = true;
    log_.add(now(), passage::opened, chat, l.line, {});
    user->line_opened(l.line);
    break;
  case letter::kind::text:
    i->second.wire->consumed(l.text.size());
    log_.add(now(), passage::received, chat, l.line, l.text);
    ++totals_.frames;
    totals_.bytes += l.text.size();
    totals_.largest = std::max(totals_.largest, l.text.size());
    user->line_said(l.line, std::move(l.text));
    break;
  case letter::kind::closed:
    log_.add(now(), passage::closed, chat, l.line, words(l.why));
    lines_.erase(i);
    user->line_closed(l.line, l.why);
    break;
  }
}

std::optional<milliseconds> bench::next_alarm() const {
  std::optional<milliseconds> first;
  for (const auto* user : users_)
    if (const auto at = user->alarm_at(); at && (!first || *at < *first))
      first = at;
  return first;
}

void bench::ring_alarms() {
  const auto all = users_; // ring() may change who is there
  for (auto* user : all)
    if (const auto at = user->alarm_at(); at && *at <= now())
      user->ring();
}

void bench::remark(std::int64_t chat, std::string_view text) {
  log_.add(now(), passage::remark, chat, 0, text);
}

std::string words(const link_closed& why) {
  using how = link_closed::how;
  const auto with = [&](std::string text) {
    return why.cause.empty() ? text : text + ": " + beginning(why.cause, 200);
  };
  const auto code = std::to_string(why.code);
  switch (why.reason) {
  case how::refused:
    return with("it cannot be reached");
  case how::rejected:
    return with("it rejects the connection with status " + code);
  case how::timed_out:
    return with("it does not answer");
  case how::closed:
    return with("it closed" + (why.code != 0 ? " with code " + code : std::string()));
  case how::broken:
    return with("the connection broke");
  case how::protocol:
    break;
  }
  return with("it broke a rule of the connection");
}

} // namespace pb::agent_check

#include "bridges/matrix/homeserver/fault_book.hpp"

#include "bridges/matrix/homeserver/checks.hpp"
#include "messages/json_text.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace pb::hs {
namespace {

constexpr std::size_t rules_cap = 1'000;

/// What a rule changes inside the body of an answer.
void tamper_sync(json& body, const fault_rule& rule) {
  auto& rooms = body["rooms"];
  if (!rooms.is_object())
    rooms = json::object();
  auto& join = rooms["join"];
  if (!join.is_object())
    join = json::object();
  if (rule.extra_events.is_object())
    for (const auto& [room, events] : rule.extra_events.items()) {
      auto& timeline = join[room]["timeline"];
      if (!timeline.contains("events"))
        timeline["events"] = json::array();
      for (const auto& e : events)
        timeline["events"].push_back(e);
    }
  for (auto& [room, entry] : join.items()) {
    auto& timeline = entry["timeline"];
    if (!timeline.is_object() || !timeline["events"].is_array())
      continue;
    auto& events = timeline["events"];
    if (rule.duplicate_events) {
      json twice = json::array();
      for (const auto& e : events) {
        twice.push_back(e);
        twice.push_back(e);
      }
      events = std::move(twice);
    }
    if (rule.reverse_events)
      std::reverse(events.begin(), events.end());
    if (rule.force_limited || rule.deny_limited)
      timeline["limited"] = rule.force_limited;
  }
}

http_response tampered_response(http_response response, const fault_rule& rule) {
  if (rule.answer)
    response = *rule.answer;
  const bool in_sync = rule.duplicate_events || rule.force_limited || rule.deny_limited ||
                       rule.reverse_events || rule.extra_events.is_object();
  if (in_sync || rule.patch.is_array()) {
    auto body = json::parse(response.body, nullptr, false);
    if (body.is_object()) {
      try {
        if (in_sync)
          tamper_sync(body, rule);
        if (rule.patch.is_array())
          body = body.patch(rule.patch);
      } catch (const json::exception&) {
        // A patch that does not fit this answer changes nothing.
      }
      response.body = json_text(body);
    }
  }
  if (rule.truncate && *rule.truncate < response.body.size())
    response.body.resize(*rule.truncate);
  return response;
}

class tampering_reply final : public http_reply {
public:
  tampering_reply(std::shared_ptr<http_reply> to, std::shared_ptr<const fault_rule> rule,
                  timers& clock)
      : to_(std::move(to)), rule_(std::move(rule)), clock_(clock) {}

  void send(http_response response) override {
    if (rule_->hang_up) {
      if (rule_->delay.count() > 0)
        clock_.after(rule_->delay, [to = std::exchange(to_, nullptr)] { hang_up(*to); });
      else if (const auto to = std::exchange(to_, nullptr))
        hang_up(*to);
      return;
    }
    response = tampered_response(std::move(response), *rule_);
    if (rule_->delay.count() > 0)
      clock_.after(rule_->delay, [to = to_, response = std::move(response)]() mutable {
        to->send(std::move(response));
      });
    else
      to_->send(std::move(response));
  }
  void stream(http_response head) override { to_->stream(std::move(head)); }
  bool chunk(std::string data) override { return to_->chunk(std::move(data)); }
  void end() override { to_->end(); }
  void on_gone(std::function<void()> gone) override { to_->on_gone(std::move(gone)); }

private:
  /// An answer that began and is let go without its end: the server closes the connection.
  static void hang_up(http_reply& to) { to.stream({200, {}, {}}); }

  std::shared_ptr<http_reply> to_;
  std::shared_ptr<const fault_rule> rule_;
  timers& clock_;
};

} // namespace

std::uint64_t fault_book::add(fault_rule rule) {
  entry e;
  e.id = ++last_id_;
  if (!rule.path_regex.empty()) {
    try {
      e.regex = std::regex(rule.path_regex);
    } catch (const std::regex_error&) {
      e.bad_regex = true;
    }
  }
  e.rule = std::make_shared<const fault_rule>(std::move(rule));
  if (rules_.size() >= rules_cap)
    rules_.erase(rules_.begin());
  rules_.push_back(std::move(e));
  return last_id_;
}

std::uint64_t fault_book::hits(std::uint64_t id) const {
  const auto i = std::ranges::find_if(rules_, [&](const entry& e) { return e.id == id; });
  return i == rules_.end() ? 0 : i->used;
}

json fault_book::report() const {
  json out = json::array();
  for (const auto& e : rules_)
    out.push_back({{"id", e.id},
                   {"method", e.rule->method},
                   {"path", e.rule->path},
                   {"path_regex", e.rule->path_regex},
                   {"seen", e.seen},
                   {"hits", e.used},
                   {"left", e.rule->times - e.used}});
  return out;
}

std::shared_ptr<const fault_rule> fault_book::take(const server_request& request,
                                                   const std::string& user) {
  for (auto& e : rules_) {
    const auto& r = *e.rule;
    if (e.used >= r.times || e.bad_regex || (!r.method.empty() && r.method != request.method) ||
        !request.path.starts_with(r.path) || (!r.user.empty() && r.user != user) ||
        // libstdc++'s matcher recurses for each character: a long path could end the stack.
        (!r.path_regex.empty() &&
         (request.path.size() > 2'000 || !std::regex_search(request.path, e.regex))))
      continue;
    if (++e.seen <= r.skip)
      continue;
    ++e.used;
    return e.rule;
  }
  return nullptr;
}

fault_rule fault_rule_from(const json& body) {
  fault_rule r;
  const auto count = [&](const char* key, std::int64_t fallback) {
    const auto value = maybe_int(body, key).value_or(fallback);
    if (value < 0 || value > std::numeric_limits<std::uint32_t>::max())
      refuse(400, "M_INVALID_PARAM", std::string("'") + key + "' is out of range");
    return value;
  };
  r.method = maybe_text(body, "method").value_or("");
  r.path = maybe_text(body, "path").value_or("");
  r.path_regex = maybe_text(body, "path_regex").value_or("");
  r.user = maybe_text(body, "user").value_or("");
  r.skip = static_cast<std::uint32_t>(count("skip", 0));
  r.times = static_cast<std::uint32_t>(count("times", 1));
  r.delay = std::chrono::milliseconds(count("delay_ms", 0));
  r.commit = maybe_bool(body, "commit").value_or(false);
  r.hang_up = maybe_bool(body, "hang_up").value_or(false);
  r.duplicate_events = maybe_bool(body, "duplicate_events").value_or(false);
  r.force_limited = maybe_bool(body, "force_limited").value_or(false);
  r.deny_limited = maybe_bool(body, "deny_limited").value_or(false);
  r.reverse_events = maybe_bool(body, "reverse_events").value_or(false);
  if (body.contains("truncate"))
    r.truncate = static_cast<std::size_t>(count("truncate", 0));
  if (const auto* patch = member(body, "patch"))
    r.patch = *patch;
  if (const auto* events = member(body, "extra_events"))
    r.extra_events = *events;
  if (const auto* given = member(body, "answer"); given != nullptr && given->is_object()) {
    http_response response;
    response.status = static_cast<int>(maybe_int(*given, "status").value_or(500));
    if (response.status < 200 || response.status > 599)
      refuse(400, "M_INVALID_PARAM", "'status' must be 200 to 599");
    if (const auto* headers = member(*given, "headers"); headers != nullptr)
      for (const auto& [name, value] : headers->items())
        if (value.is_string())
          response.headers.push_back({name, value.get<std::string>()});
    const auto* content = member(*given, "body");
    if (content != nullptr)
      response.body = content->is_string() ? content->get<std::string>() : content->dump();
    r.answer = std::move(response);
  }
  return r;
}

std::shared_ptr<http_reply> tampered(std::shared_ptr<http_reply> reply,
                                     std::shared_ptr<const fault_rule> rule, timers& clock) {
  return std::make_shared<tampering_reply>(std::move(reply), std::move(rule), clock);
}

} // namespace pb::hs

#include "actors/agent/endpoints_logic.hpp"

#include "messages/json_text.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace pb {

endpoint_pool::endpoint* endpoint_pool::find(const std::string& url) {
  const auto i = endpoints_.find(url);
  return i == endpoints_.end() ? nullptr : &i->second;
}

bool endpoint_pool::usable(const endpoint& e, time_point now) {
  return !e.gone && !e.probing && now >= e.out_until;
}

void endpoint_pool::replace(const std::vector<std::string>& urls) {
  for (auto& [url, e] : endpoints_)
    e.gone = true;
  for (std::size_t i = 0; i < urls.size(); ++i) {
    auto& e = endpoints_[urls[i]];
    e.gone = false;
    e.order = i;
  }
  for (auto i = endpoints_.begin(); i != endpoints_.end();)
    i = i->second.gone && i->second.turns == 0 ? endpoints_.erase(i) : std::next(i);
}

std::optional<std::string> endpoint_pool::pick(platform_chat_id chat, time_point now) {
  std::pair<const std::string, endpoint>* best = nullptr;
  const auto same = sticky_.find(chat.value);
  for (auto& one : endpoints_) {
    if (!usable(one.second, now))
      continue;
    if (same != sticky_.end() && same->second == one.first) {
      best = &one;
      break;
    }
    if (!best || std::pair(one.second.turns, one.second.order) <
                     std::pair(best->second.turns, best->second.order))
      best = &one;
  }
  if (!best)
    return std::nullopt;
  auto& [url, e] = *best;
  ++e.turns;
  e.probing = e.failures >= trips_after;
  if (endpoints_.size() > 1) {
    if (same == sticky_.end()) {
      sticky_order_.push_back(chat.value);
      if (sticky_order_.size() > sticky_cap) {
        sticky_.erase(sticky_order_.front());
        sticky_order_.pop_front();
      }
    }
    sticky_[chat.value] = url;
  }
  return url;
}

void endpoint_pool::took(const std::string& url) {
  if (auto* e = find(url))
    ++e->turns;
}

void endpoint_pool::ended(const std::string& url, bool reached) {
  const auto i = endpoints_.find(url);
  if (i == endpoints_.end())
    return;
  if (i->second.turns > 0)
    --i->second.turns;
  if (i->second.turns == 0 || !reached)
    i->second.probing = false; // taken back before it could tell
  if (i->second.gone && i->second.turns == 0)
    endpoints_.erase(i);
}

void endpoint_pool::failed(const std::string& url, time_point now, const random_bits& luck) {
  auto* e = find(url);
  if (!e)
    return;
  e->troubled = true;
  e->probing = false;
  if (++e->failures < trips_after)
    return;
  const auto doubled = first_pause * (1U << std::min(e->failures - trips_after, 5U));
  const auto whole = std::min(doubled, longest_pause);
  const auto half = static_cast<std::uint64_t>(whole.count() / 2);
  e->out_until = now + milliseconds(static_cast<std::int64_t>(half + luck() % (half + 1)));
}

void endpoint_pool::broke(const std::string& url) {
  if (auto* e = find(url))
    e->troubled = true;
}

void endpoint_pool::connected(const std::string& url) {
  if (auto* e = find(url))
    e->probing = false;
}

void endpoint_pool::spoke(const std::string& url) {
  auto* e = find(url);
  if (!e)
    return;
  e->failures = 0;
  e->troubled = e->probing = false;
  e->out_until = {};
}

bool endpoint_pool::troubled(const std::string& url) const {
  const auto i = endpoints_.find(url);
  return i != endpoints_.end() && i->second.troubled;
}

std::size_t endpoint_pool::out_of_service(time_point now) const {
  return static_cast<std::size_t>(
      std::count_if(endpoints_.begin(), endpoints_.end(),
                    [&](const auto& e) { return !e.second.gone && now < e.second.out_until; }));
}

endpoint_pool::milliseconds endpoint_pool::pause(time_point now) const {
  std::optional<milliseconds> least;
  for (const auto& [url, e] : endpoints_) {
    if (e.gone)
      continue;
    const auto left = std::chrono::ceil<milliseconds>(std::max(e.out_until, now) - now);
    least = least ? std::min(*least, left) : left;
  }
  return least.value_or(milliseconds(0));
}

std::string endpoint_pool::json(time_point now) const {
  auto list = nlohmann::ordered_json::array();
  for (const auto& [url, e] : endpoints_)
    list.push_back({{"url", url},
                    {"turns", e.turns},
                    {"failures", e.failures},
                    {"out_of_service_ms",
                     std::chrono::ceil<milliseconds>(std::max(e.out_until, now) - now).count()}});
  return json_text(list);
}

} // namespace pb

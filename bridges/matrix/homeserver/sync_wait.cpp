#include "bridges/matrix/homeserver/sync_wait.hpp"

#include <algorithm>

namespace pb::hs {
namespace {

constexpr std::size_t polls_cap = 64; ///< of one user
constexpr std::size_t cache_cap = 100;
constexpr unix_ms cache_ms = 120'000; ///< Synapse's sync_response_cache_duration

} // namespace

answer sync_hall::sync(world& w, timers& clock, sync_question q, std::chrono::milliseconds wait,
                       const std::string& cache_key, std::shared_ptr<http_reply> reply) {
  const bool first = !q.since;
  if (first)
    if (const auto* body = cached(cache_key, w.now()))
      return http_response{200, {{"Content-Type", "application/json"}}, *body};
  auto told = answer_sync(w, q);
  if (first || q.full_state || !told.empty || wait.count() <= 0) {
    auto response = json_answer(told.body);
    if (first) {
      if (cache_.size() >= cache_cap)
        cache_.pop_front();
      cache_.push_back({cache_key, response.body, w.now()});
    }
    return response;
  }
  // All up to here was looked at and nothing of it concerns this poll: it need not be read again.
  q.since->stream = std::max(q.since->stream, w.head());
  auto one = std::make_shared<waiter>(waiter{std::move(q), std::move(reply), false});
  const auto user = one->question.who->id;
  std::shared_ptr<waiter> oldest;
  auto& mine = waiters_[user];
  mine.push_back(one);
  if (mine.size() > polls_cap) {
    oldest = mine.front();
    mine.erase(mine.begin());
  }
  const std::weak_ptr<waiter> weak = one;
  one->reply->on_gone([this, weak, user] {
    if (const auto gone = weak.lock(); gone && !gone->done) {
      gone->done = true;
      forget_done(user);
    }
  });
  clock.after(wait, [this, weak, user, &w] {
    // The waiter dies with this hall, so a live one means that both are there.
    if (const auto late = weak.lock(); late && !late->done) {
      finish(late, answer_sync(w, late->question).body);
      forget_done(user);
    }
  });
  // Last, because the client may call again from inside.
  if (oldest)
    finish(oldest, answer_sync(w, oldest->question).body);
  return std::nullopt;
}

void sync_hall::note(const account& who) {
  if (waiters_.contains(who.id))
    noted_.insert(who.id);
}

void sync_hall::wake_all(world& w) {
  const auto noted = std::exchange(noted_, {});
  for (const auto& user : noted) {
    const auto i = waiters_.find(user);
    if (i == waiters_.end())
      continue;
    const auto polls = i->second;
    for (const auto& one : polls) {
      if (one->done)
        continue;
      auto told = answer_sync(w, one->question);
      if (told.empty)
        one->question.since->stream = w.head();
      else
        finish(one, told.body);
    }
    forget_done(user);
  }
}

void sync_hall::end(const std::string& user, const std::string& device,
                    const http_response& response) {
  const auto i = waiters_.find(user);
  if (i == waiters_.end())
    return;
  const auto polls = i->second;
  for (const auto& one : polls)
    if (!one->done && (device.empty() || one->question.device == device)) {
      one->done = true;
      one->reply->send(response);
    }
  forget_done(user);
}

void sync_hall::finish(const std::shared_ptr<waiter>& one, const json& body) {
  one->done = true;
  one->reply->send(json_answer(body));
}

void sync_hall::forget_done(const std::string& user) {
  const auto i = waiters_.find(user);
  if (i == waiters_.end())
    return;
  std::erase_if(i->second, [](const auto& one) { return one->done; });
  if (i->second.empty())
    waiters_.erase(i);
}

std::size_t sync_hall::waiting() const {
  std::size_t n = 0;
  for (const auto& [user, polls] : waiters_)
    n += polls.size();
  return n;
}

const std::string* sync_hall::cached(const std::string& key, unix_ms now) {
  while (!cache_.empty() && cache_.front().at + cache_ms < now)
    cache_.pop_front();
  const auto i = std::ranges::find_if(cache_, [&](const auto& c) { return c.key == key; });
  return i == cache_.end() ? nullptr : &i->body;
}

} // namespace pb::hs

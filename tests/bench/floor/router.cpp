#include "tests/bench/floor/router.hpp"

#include "tests/bench/common/text.hpp"

#include <cstdio>
#include <random>
#include <stdexcept>
#include <utility>

namespace pb::bench {

namespace http = boost::beast::http;

namespace {

constexpr std::size_t send_lane_count = 16;
constexpr std::size_t receipts_at_most = 4'096; // then they commit without waiting for company

} // namespace

floor_router::floor_router(floor_settings s)
    : settings_(std::move(s)), server_(boost::asio::ip::address_v4::loopback(), settings_.port),
      host_("127.0.0.1:" + std::to_string(settings_.port)), signals_(io_, SIGTERM, SIGINT),
      store_(settings_.database, settings_.full), sync_lane_(io_, server_, host_, settings_.token) {
  for (std::size_t i = 0; i < send_lane_count; ++i)
    send_lanes_.push_back(std::make_unique<http_lane>(io_, server_, host_, settings_.token));
  // Row numbers begin again with a new database, transaction ids must not.
  char prefix[20];
  std::random_device chance;
  std::snprintf(prefix, sizeof prefix, "f%08x%08x-", chance(), chance());
  transaction_prefix_ = prefix;
  listener_.ready = [this](std::shared_ptr<turn> t) { ready_.push_back(std::move(t)); };
  listener_.answered = [this](const std::shared_ptr<turn>& t) { on_answered(t); };
}

void floor_router::run() {
  signals_.async_wait([this](boost::system::error_code, int) { stopping_ = true; });
  sync_lane_.send(http::verb::get, "/_matrix/client/v3/account/whoami", {}, [](std::string&) {});
  sync_lane_.send(http::verb::get, "/_matrix/client/v3/sync?timeout=1&full_state=true", {},
                  [this](std::string& body) { on_first_sync(body); });
  while (!stopping_) {
    io_.run_one();
    io_.poll(); // everything that is ready now shares one commit
    flush();
  }
  store_.begin();
  for (const auto& r : sent_)
    store_.mark_sent(r.outbox, r.event_id);
  store_.commit();
}

void floor_router::on_first_sync(std::string& body) {
  simdjson::dom::parser parser;
  const simdjson::dom::element doc = parser.parse(body);
  since_ = std::string_view(doc["next_batch"]);
  for (const auto& [id, joined] : simdjson::dom::object(doc["rooms"]["join"])) {
    for (const auto event : joined["state"]["events"].get_array()) {
      std::string_view type;
      if (event["type"].get(type) || type != "io.patchbay.chat")
        continue;
      room r;
      r.id = id;
      r.encoded = percent_encode(id);
      r.chat_id = event["content"]["platform_chat_id"].get_uint64();
      const std::string_view agent = event["content"]["agent_id"]; // agent-K
      r.path = "/agent_" + std::string(agent.substr(6)) + "/v1/agent_ws/" +
               std::to_string(r.chat_id) + "/";
      room_index_.emplace(r.id, static_cast<std::uint32_t>(rooms_.size()));
      rooms_.push_back(std::move(r));
    }
  }
  std::puts("ready");
  std::fflush(stdout);
  poll();
}

void floor_router::poll() {
  polled_ = false;
  sync_lane_.send(http::verb::get,
                  "/_matrix/client/v3/sync?filter=1&timeout=30000&since=" + percent_encode(since_),
                  {}, [this](std::string& body) { on_sync(body); });
}

void floor_router::on_sync(const std::string& body) {
  polled_ = true;
  auto doc = sync_parser_.iterate(body.data(), body.size(), body.capacity());
  since_ = std::string_view(doc["next_batch"].get_string());
  simdjson::ondemand::object joined;
  if (doc["rooms"]["join"].get_object().get(joined))
    return;
  for (auto field : joined) {
    const std::string id(std::string_view(field.unescaped_key()));
    const auto found = room_index_.find(id);
    if (found == room_index_.end())
      continue;
    for (auto event : field.value()["timeline"]["events"]) {
      if (std::string_view(event["type"].get_string()) != "m.room.message")
        continue;
      message m;
      m.room = found->second;
      m.event_id = std::string_view(event["event_id"].get_string());
      m.sender = std::string_view(event["sender"].get_string());
      if (m.sender == settings_.user_id)
        continue;
      auto content = event["content"];
      if (std::string_view(content["msgtype"].get_string()) != "m.text")
        continue;
      m.text = std::string_view(content["body"].get_string());
      admitted_.push_back(std::move(m));
    }
  }
}

void floor_router::on_answered(const std::shared_ptr<turn>& t) {
  reply_row r;
  r.of = t;
  r.outbox = next_outbox_++;
  r.transaction = transaction_prefix_ + std::to_string(r.outbox);
  if (slip(fault::alter))
    t->answer += '!';
  r.body = "{\"msgtype\":\"m.text\",\"body\":";
  append_json(r.body, t->answer);
  r.body += ",\"m.mentions\":{\"user_ids\":[";
  append_json(r.body, t->msg.sender);
  r.body += "]},\"m.relates_to\":{\"m.in_reply_to\":{\"event_id\":";
  append_json(r.body, t->msg.event_id);
  r.body += "}}}";
  answered_.push_back(std::move(r));
}

/// The three durable commits, for whatever is ready: admitted messages with the cursor, dispatched
/// marks, answers with the end of their messages. Receipts ride along.
void floor_router::flush() {
  if (!polled_ && ready_.empty() && answered_.empty() && sent_.size() < receipts_at_most)
    return;
  store_.begin();
  for (auto& m : admitted_)
    if (const auto id = store_.admit(m.event_id, rooms_[m.room].id, m.sender, m.text))
      m.inbox = *id;
  if (polled_)
    store_.move_cursor(since_);
  for (const auto& t : ready_)
    store_.mark_dispatched(t->msg.inbox);
  for (const auto& r : answered_)
    store_.answer(r.of->msg.inbox, r.outbox, r.transaction, rooms_[r.of->msg.room].id, r.body);
  for (const auto& r : sent_)
    store_.mark_sent(r.outbox, r.event_id);
  store_.commit();
  sent_.clear();
  for (const auto& t : std::exchange(ready_, {}))
    t->speak(rooms_[t->msg.room].chat_id, slip(fault::again));
  for (auto& r : std::exchange(answered_, {})) {
    const auto index = r.of->msg.room;
    put(std::move(r));
    rooms_[index].busy = false;
    start_next(index);
  }
  for (auto& m : std::exchange(admitted_, {})) {
    if (m.inbox == 0)
      continue; // known already
    const auto index = m.room;
    rooms_[index].waiting.push_back(std::move(m));
    start_next(index);
  }
  if (polled_)
    poll();
}

void floor_router::start_next(std::uint32_t index) {
  auto& r = rooms_[index];
  if (r.busy || r.waiting.empty())
    return;
  if (r.waiting.size() > 1 && slip(fault::overtake))
    std::swap(r.waiting[0], r.waiting[1]);
  r.busy = true;
  auto t = std::make_shared<turn>(io_, listener_, frame_parser_, std::move(r.waiting.front()));
  r.waiting.pop_front();
  t->open(server_, host_, slip(fault::stray) ? "/agent_1/v1/agent_ws/7/" : r.path);
}

/// A room always uses the same lane, so its answers stay in order.
void floor_router::put(reply_row r) {
  if (slip(fault::lose))
    return;
  const auto index = r.of->msg.room;
  const auto send = [&](const std::string& transaction, std::string body) {
    send_lanes_[index % send_lanes_.size()]->send(
        http::verb::put,
        "/_matrix/client/v3/rooms/" + rooms_[index].encoded + "/send/m.room.message/" + transaction,
        std::move(body), [this, outbox = r.outbox](std::string& answer) {
          auto doc = sync_parser_.iterate(answer.data(), answer.size(), answer.capacity());
          sent_.push_back({outbox, std::string(std::string_view(doc["event_id"].get_string()))});
        });
  };
  if (slip(fault::twice))
    send(r.transaction + "-again", r.body);
  send(r.transaction, std::move(r.body));
}

bool floor_router::slip(fault f) {
  return settings_.mistake == f && ++slips_ % settings_.mistake_every == 0;
}

} // namespace pb::bench

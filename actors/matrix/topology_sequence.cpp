// platform_chat_ids are drawn below a mark that the bot's account data keeps: a database that is
// lost, or is an old copy, goes on behind everything that was ever given out.

#include "actors/matrix/topology.hpp"
#include "bridges/matrix/api.hpp"

#include <nlohmann/json.hpp>

namespace pb {

using namespace std::chrono_literals;

namespace {

constexpr const char* type = "io.patchbay.sequence";

/// The mark of a content; 0: there is none, or none that can be understood.
std::int64_t mark_of(const std::string& content) {
  const auto j = nlohmann::json::parse(content, nullptr, false);
  if (!j.is_object() || !j.contains("platform_chat_id") ||
      !j["platform_chat_id"].is_number_integer())
    return 0;
  const auto n = j["platform_chat_id"].get<std::int64_t>();
  return n > 0 && n < (std::int64_t{1} << 53) ? n : 0;
}

} // namespace

void topology_state::load_mark(unsigned tries) {
  http_->send(matrix::ask::get_account_data(deps_.session, type), [this, tries](http_result& r) {
    const auto got = matrix::read::content(r, deps_.around.wall());
    if (!got && got.error().kind != failure::kind_t::not_found && !got.error().final())
      return again(got.error(), tries, [this, tries] { load_mark(tries + 1); });
    mark_.value = got ? mark_of(*got) : 0;
    if (!got && got.error().kind != failure::kind_t::not_found)
      deps_.around.log->warning("sequence_mark_unreadable", {},
                                "the mark of platform_chat_id cannot be read: " + got.error().cause,
                                {});
    const auto go_on = [this] {
      marked_ = true;
      draw_next();
    };
    if (mark_ <= last_)
      return go_on();
    // Ids up to the mark may have been used by a database that is gone.
    self_->request(deps_.store, 60s, store_raise_chat_id{mark_})
        .then(
            [this, go_on](done) {
              last_ = std::max(last_, mark_);
              go_on();
            },
            [this](caf::error& e) { self_->quit(std::move(e)); });
  });
}

void topology_state::draw(std::function<void(platform_chat_id)> then) {
  draws_.push_back(std::move(then));
  draw_next();
}

void topology_state::draw_next() {
  if (!marked_ || drawing_ || draws_.empty())
    return;
  drawing_ = true;
  if (last_.value + 1 > mark_.value)
    return raise_mark(0);
  self_->request(deps_.store, 60s, store_draw_chat_id{})
      .then(
          [this](platform_chat_id drawn) {
            drawing_ = false;
            last_ = std::max(last_, drawn);
            if (drawn > mark_) // the store was ahead of us: not below the mark, so not to be used
              return draw_next();
            auto then = std::move(draws_.front());
            draws_.pop_front();
            then(drawn);
            draw_next();
          },
          [this](caf::error& e) {
            store_trouble(e, [this] {
              drawing_ = false;
              draw_next();
            });
          });
}

void topology_state::raise_mark(unsigned tries) {
  const auto wanted = last_.value + block;
  auto body = nlohmann::json{{"platform_chat_id", wanted}}.dump();
  http_->send(matrix::ask::put_account_data(deps_.session, type, std::move(body)),
              [this, wanted, tries](http_result& r) {
                const auto put = matrix::read::done(r, deps_.around.wall());
                if (!put && !put.error().final())
                  return again(put.error(), tries, [this, tries] { raise_mark(tries + 1); });
                if (!put) // a server without account data: the database alone remembers
                  deps_.around.log->error("sequence_mark_refused", {},
                                          "the mark of platform_chat_id cannot be kept in the "
                                          "account: " +
                                              put.error().cause,
                                          {});
                mark_.value = wanted;
                drawing_ = false;
                draw_next();
              });
}

} // namespace pb

#include "cli/agent_check/mailbox.hpp"

#include <utility>

namespace pb::agent_check {

void mailbox::put(letter l) {
  {
    const std::lock_guard lock(guard_);
    letters_.push_back(std::move(l));
  }
  came_.notify_one();
}

bool mailbox::take(letter& into) {
  const std::lock_guard lock(guard_);
  if (letters_.empty())
    return false;
  into = std::move(letters_.front());
  letters_.pop_front();
  return true;
}

void mailbox::wait(std::chrono::milliseconds most) {
  std::unique_lock lock(guard_);
  came_.wait_for(lock, most, [this] { return !letters_.empty(); });
}

namespace {

class postman final : public link_listener {
public:
  postman(std::shared_ptr<mailbox> box, line_id line) : box_(std::move(box)), line_(line) {}
  void on_open() override { box_->put({letter::kind::opened, line_, {}, {}}); }
  void on_text(std::string text) override {
    box_->put({letter::kind::text, line_, std::move(text), {}});
  }
  void on_closed(link_closed why) override {
    box_->put({letter::kind::closed, line_, {}, std::move(why)});
  }

private:
  std::shared_ptr<mailbox> box_;
  line_id line_;
};

} // namespace

std::shared_ptr<link_listener> make_postman(std::shared_ptr<mailbox> box, line_id line) {
  return std::make_shared<postman>(std::move(box), line);
}

} // namespace pb::agent_check

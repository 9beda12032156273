#include "bridges/net/line.hpp"

#include <simdjson.h>

namespace pb::net {

namespace {

class held_link final : public link {
public:
  held_link(std::shared_ptr<core> c, std::shared_ptr<line> s)
      : core_(std::move(c)), session_(std::move(s)) {}
  held_link(const held_link&) = delete;
  held_link& operator=(const held_link&) = delete;
  ~held_link() override { session_->close(1000); }
  bool send(std::string text) override { return session_->send(std::move(text)); }
  void consumed(std::size_t bytes) override { session_->consumed(bytes); }
  void close(int code) override { session_->close(code); }

private:
  std::shared_ptr<core> core_; // declared first: the socket must go before the context
  std::shared_ptr<line> session_;
};

} // namespace

std::shared_ptr<link> make_link(std::shared_ptr<core> c, std::shared_ptr<line> session) {
  return std::make_shared<held_link>(std::move(c), std::move(session));
}

bool is_utf8(std::string_view text) { return simdjson::validate_utf8(text.data(), text.size()); }

} // namespace pb::net

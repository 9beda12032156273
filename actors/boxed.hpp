#pragma once
// An optional whose value lies on the heap: for what is large, and mostly not there, in an actor of
// which there are many.

#include <memory>
#include <utility>

namespace pb {

template <class T>
class boxed {
public:
  template <class... Args>
  T& emplace(Args&&... args) {
    value_ = std::make_unique<T>(std::forward<Args>(args)...);
    return *value_;
  }
  void reset() { value_.reset(); }

  explicit operator bool() const { return value_ != nullptr; }
  T& operator*() { return *value_; }
  const T& operator*() const { return *value_; }
  T* operator->() { return value_.get(); }
  const T* operator->() const { return value_.get(); }

private:
  std::unique_ptr<T> value_;
};

} // namespace pb

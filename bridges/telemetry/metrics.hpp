#pragma once
// Numbers for Prometheus. Handles are cheap to copy and do nothing when default-constructed.

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace prometheus {
class Counter;
class Gauge;
class Histogram;
} // namespace prometheus

namespace pb {

/// Only grows. Valid as long as the `metrics` that made it; thread-safe.
class counter {
public:
  counter() = default;
  void inc() const { add(1); }
  void add(double n) const; ///< a negative number is ignored
  [[nodiscard]] double value() const;

private:
  friend class metrics;
  explicit counter(prometheus::Counter* target) : target_(target) {}
  prometheus::Counter* target_ = nullptr;
};

class gauge {
public:
  gauge() = default;
  void set(double value) const;
  void add(double n) const; ///< may be negative
  [[nodiscard]] double value() const;

private:
  friend class metrics;
  explicit gauge(prometheus::Gauge* target) : target_(target) {}
  prometheus::Gauge* target_ = nullptr;
};

class histogram {
public:
  histogram() = default;
  void observe(double value) const;

private:
  friend class metrics;
  explicit histogram(prometheus::Histogram* target) : target_(target) {}
  prometheus::Histogram* target_ = nullptr;
};

using metric_labels = std::map<std::string, std::string>;

/// Asking twice for the same name and labels gives the same number. A name that cannot be used (not
/// [a-zA-Z_:][a-zA-Z0-9_:]*, or taken by another kind) gives a handle that does nothing, counted in
/// patchbay_metrics_refused_total. A family holds 2,000 sets of labels; any further one is counted
/// under the label values "other", and `on_cap` is called once with the family's name.
class metrics {
public:
  static constexpr std::size_t label_cap = 2'000;

  explicit metrics(std::function<void(std::string_view family)> on_cap = {});
  ~metrics();
  metrics(const metrics&) = delete;
  metrics& operator=(const metrics&) = delete;

  counter counter_of(const std::string& name, const std::string& help, metric_labels labels = {});
  gauge gauge_of(const std::string& name, const std::string& help, metric_labels labels = {});
  /// `buckets`: upper bounds, ascending; the family's first call decides.
  histogram histogram_of(const std::string& name, const std::string& help,
                         const std::vector<double>& buckets, metric_labels labels = {});

  /// Everything in Prometheus's text format, with process_* (memory, CPU, descriptors) at the end.
  [[nodiscard]] std::string text() const;

private:
  struct inside;
  std::unique_ptr<inside> in_;
};

/// Upper bounds in seconds, 1 ms to 60 s.
const std::vector<double>& latency_buckets();

} // namespace pb

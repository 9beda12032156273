#include "bridges/telemetry/metrics.hpp"

#include "bridges/telemetry/process.hpp"

#include <algorithm>
#include <mutex>
#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>
#include <set>

#include <nlohmann/json.hpp>

namespace pb {
namespace {

enum class kind { counter, gauge, histogram };

bool valid_name(const std::string& s, bool colon) {
  const auto letter = [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (colon && c == ':');
  };
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  return !s.empty() && s.size() <= 200 && letter(s[0]) && !s.starts_with("__") &&
         std::all_of(s.begin(), s.end(), [&](char c) { return letter(c) || digit(c); });
}

/// Label values come from the outside: at most 200 bytes of valid UTF-8.
std::string clean(std::string_view value) {
  const auto quoted = nlohmann::json(value.substr(0, 200))
                          .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  return nlohmann::json::parse(quoted).get<std::string>();
}

} // namespace

struct metrics::inside {
  struct family {
    pb::kind what;
    void* builder; ///< prometheus::Family<T>, T by `what`; the registry owns it
    std::set<metric_labels> seen;
    bool capped = false;
    std::vector<double> buckets;
  };

  std::function<void(std::string_view)> on_cap;
  std::mutex mutex;
  prometheus::Registry registry;
  std::map<std::string, family> families;

  template <class T>
  T* find(const std::string& name, const std::string& help, metric_labels labels, pb::kind what,
          const std::vector<double>* buckets = nullptr) try {
    std::string capped;
    T* out = nullptr;
    {
      const std::lock_guard hold(mutex);
      out = find_locked<T>(name, help, std::move(labels), what, buckets, capped);
    }
    // Outside the lock: who is told may use metrics itself.
    if (!capped.empty() && on_cap)
      on_cap(capped);
    return out;
  } catch (...) {
    return nullptr; // a number less is better than a router less
  }

  template <class T>
  T* find_locked(const std::string& name, const std::string& help, metric_labels labels,
                 pb::kind what, const std::vector<double>* buckets, std::string& capped) {
    const bool names_ok = valid_name(name, true) &&
                          std::all_of(labels.begin(), labels.end(),
                                      [](const auto& l) { return valid_name(l.first, false); });
    const bool buckets_ok = buckets == nullptr ||
                            (!buckets->empty() && std::is_sorted(buckets->begin(), buckets->end()));
    auto at = families.find(name);
    const bool kind_ok = at == families.end() || at->second.what == what;
    const bool all_ok = names_ok && kind_ok && buckets_ok;
    if (!all_ok) {
      own("patchbay_metrics_refused_total", "Numbers whose name cannot be used.").Increment();
      return nullptr;
    }
    if (at == families.end()) {
      auto& made = build<T>(name, help);
      at = families
               .emplace(name,
                        family{what, &made, {}, false, buckets ? *buckets : std::vector<double>{}})
               .first;
    }
    auto& f = at->second;
    for (auto& [key, value] : labels)
      value = clean(value);
    if (!f.seen.contains(labels)) {
      if (f.seen.size() >= label_cap) {
        own("patchbay_metric_labels_capped_total", "Sets of labels counted as other.").Increment();
        for (auto& [key, value] : labels)
          value = "other";
        if (!std::exchange(f.capped, true))
          capped = name;
      } else {
        f.seen.insert(labels);
      }
    }
    auto& typed = *static_cast<prometheus::Family<T>*>(f.builder);
    const prometheus::Labels set(labels.begin(), labels.end());
    if constexpr (std::is_same_v<T, prometheus::Histogram>)
      return &typed.Add(set, f.buckets);
    else
      return &typed.Add(set);
  }

  template <class T>
  prometheus::Family<T>& build(const std::string& name, const std::string& help) {
    if constexpr (std::is_same_v<T, prometheus::Counter>)
      return prometheus::BuildCounter().Name(name).Help(help).Register(registry);
    else if constexpr (std::is_same_v<T, prometheus::Gauge>)
      return prometheus::BuildGauge().Name(name).Help(help).Register(registry);
    else
      return prometheus::BuildHistogram().Name(name).Help(help).Register(registry);
  }

  prometheus::Counter& own(const std::string& name, const std::string& help) {
    return build<prometheus::Counter>(name, help).Add({});
  }
};

void counter::add(double n) const {
  if (target_ != nullptr && n > 0)
    target_->Increment(n);
}
double counter::value() const { return target_ == nullptr ? 0 : target_->Value(); }

void gauge::set(double value) const {
  if (target_ != nullptr)
    target_->Set(value);
}
void gauge::add(double n) const {
  if (target_ != nullptr)
    target_->Increment(n);
}
double gauge::value() const { return target_ == nullptr ? 0 : target_->Value(); }

void histogram::observe(double value) const {
  if (target_ != nullptr)
    target_->Observe(value);
}

metrics::metrics(std::function<void(std::string_view)> on_cap) : in_(std::make_unique<inside>()) {
  in_->on_cap = std::move(on_cap);
}
metrics::~metrics() = default;

counter metrics::counter_of(const std::string& name, const std::string& help,
                            metric_labels labels) {
  return counter(in_->find<prometheus::Counter>(name, help, std::move(labels), kind::counter));
}
gauge metrics::gauge_of(const std::string& name, const std::string& help, metric_labels labels) {
  return gauge(in_->find<prometheus::Gauge>(name, help, std::move(labels), kind::gauge));
}
histogram metrics::histogram_of(const std::string& name, const std::string& help,
                                const std::vector<double>& buckets, metric_labels labels) {
  return histogram(
      in_->find<prometheus::Histogram>(name, help, std::move(labels), kind::histogram, &buckets));
}

std::string metrics::text() const {
  return prometheus::TextSerializer().Serialize(in_->registry.Collect()) + process_metrics();
}

const std::vector<double>& latency_buckets() {
  static const std::vector<double> bounds{0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25,
                                          0.5,   1,      2.5,   5,    10,    30,   60};
  return bounds;
}

} // namespace pb

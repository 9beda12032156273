#include "bridges/telemetry/metrics.hpp"

#include <catch2/catch.hpp>
#include <thread>

using namespace pb;
using Catch::Matchers::Contains;

TEST_CASE("numbers appear in Prometheus's text with help, type and labels") {
  metrics m;
  m.counter_of("patchbay_turns_total", "Turns that ended.", {{"agent", "a1"}}).add(3);
  m.gauge_of("patchbay_rooms", "Rooms.").set(7);
  m.histogram_of("patchbay_wait_seconds", "Waiting.", {0.1, 1}).observe(0.5);
  const auto text = m.text();
  CHECK_THAT(text, Contains("# HELP patchbay_turns_total Turns that ended."));
  CHECK_THAT(text, Contains("# TYPE patchbay_turns_total counter"));
  CHECK_THAT(text, Contains("patchbay_turns_total{agent=\"a1\"} 3"));
  CHECK_THAT(text, Contains("patchbay_rooms 7"));
  CHECK_THAT(text, Contains("patchbay_wait_seconds_bucket{le=\"0.1\"} 0"));
  CHECK_THAT(text, Contains("patchbay_wait_seconds_bucket{le=\"1\"} 1"));
  CHECK_THAT(text, Contains("patchbay_wait_seconds_count 1"));
  CHECK_THAT(text, Contains("process_resident_memory_bytes "));
  CHECK_THAT(text, Contains("process_cpu_seconds_total "));
}

TEST_CASE("the same name and labels are the same number") {
  metrics m;
  const auto a = m.counter_of("x_total", "", {{"k", "v"}});
  const auto b = m.counter_of("x_total", "", {{"k", "v"}});
  const auto c = m.counter_of("x_total", "", {{"k", "w"}});
  a.inc();
  b.inc();
  CHECK(a.value() == 2);
  CHECK(c.value() == 0);
}

TEST_CASE("a counter never goes down") {
  metrics m;
  const auto c = m.counter_of("x_total", "");
  c.add(2);
  c.add(-1);
  CHECK(c.value() == 2);
}

TEST_CASE("past its cap a family counts under other, and says so once") {
  std::vector<std::string> told;
  metrics m([&](std::string_view family) { told.emplace_back(family); });
  for (std::size_t i = 0; i < metrics::label_cap; ++i)
    m.counter_of("rooms_total", "", {{"room", std::to_string(i)}}).inc();
  CHECK(told.empty());
  m.counter_of("rooms_total", "", {{"room", "one too many"}}).inc();
  m.counter_of("rooms_total", "", {{"room", "two too many"}}).inc();
  CHECK(told == std::vector<std::string>{"rooms_total"});
  m.counter_of("rooms_total", "", {{"room", "5"}}).inc(); // known ones go on as they were
  const auto text = m.text();
  CHECK_THAT(text, Contains("rooms_total{room=\"other\"} 2"));
  CHECK_THAT(text, Contains("rooms_total{room=\"5\"} 2"));
  CHECK_THAT(text, Contains("patchbay_metric_labels_capped_total 2"));
  CHECK(text.find("too many") == std::string::npos);
}

TEST_CASE("a name that cannot be used gives a handle that does nothing") {
  metrics m;
  m.counter_of("fine_total", "");
  m.counter_of("not fine", "").inc();
  m.counter_of("", "").inc();
  m.counter_of("bad_label", "", {{"a-b", "v"}}).inc();
  m.gauge_of("fine_total", "another kind").set(1);
  m.histogram_of("no_buckets", "", {}).observe(1);
  m.histogram_of("unsorted", "", {2, 1}).observe(1);
  CHECK_THAT(m.text(), Contains("patchbay_metrics_refused_total 6"));
  counter().inc();
  gauge().set(1);
  histogram().observe(1);
}

TEST_CASE("label values of any bytes leave the text readable") {
  metrics m;
  m.counter_of("x_total", "", {{"k", "a\xff\"\n\\b"}}).inc();
  m.counter_of("x_total", "", {{"k", std::string(5'000, 'z')}}).inc();
  const auto text = m.text();
  CHECK_THAT(text, Contains("x_total{k=\"a\xEF\xBF\xBD\\\"\\n\\\\b\"} 1"));
  CHECK(text.find(std::string(201, 'z')) == std::string::npos);
}

TEST_CASE("threads may make and use numbers at once") {
  metrics m;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&m] {
      for (int i = 0; i < 500; ++i)
        m.counter_of("x_total", "", {{"i", std::to_string(i % 10)}}).inc();
    });
  for (int i = 0; i < 20; ++i)
    CHECK_FALSE(m.text().empty());
  for (auto& t : threads)
    t.join();
  double sum = 0;
  for (int i = 0; i < 10; ++i)
    sum += m.counter_of("x_total", "", {{"i", std::to_string(i)}}).value();
  CHECK(sum == 2'000);
}

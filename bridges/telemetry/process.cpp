#include "bridges/telemetry/process.hpp"

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <sys/resource.h>
#include <unistd.h>

namespace pb {
namespace {

void put(std::string& out, const char* name, const char* kind, const char* help,
         const std::string& value) {
  out += std::string("# HELP ") + name + ' ' + help + "\n# TYPE " + name + ' ' + kind + '\n' +
         name + ' ' + value + '\n';
}

} // namespace

std::string process_metrics() {
  std::string out;
  std::ifstream statm("/proc/self/statm");
  std::uint64_t total = 0, resident = 0;
  if (statm >> total >> resident)
    put(out, "process_resident_memory_bytes", "gauge", "Memory that is in RAM.",
        std::to_string(resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE))));
  rusage used{};
  if (::getrusage(RUSAGE_SELF, &used) == 0) {
    const auto micro = (used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1'000'000LL +
                       used.ru_utime.tv_usec + used.ru_stime.tv_usec;
    auto fraction = std::to_string(micro % 1'000'000);
    fraction.insert(0, 6 - fraction.size(), '0');
    put(out, "process_cpu_seconds_total", "counter", "User and system time.",
        std::to_string(micro / 1'000'000) + '.' + fraction);
  }
  std::error_code failed;
  std::size_t open = 0;
  auto i = std::filesystem::directory_iterator("/proc/self/fd", failed);
  for (; !failed && i != std::filesystem::directory_iterator(); i.increment(failed))
    ++open;
  if (!failed)
    put(out, "process_open_fds", "gauge", "Open file descriptors.", std::to_string(open));
  return out;
}

} // namespace pb

#pragma once
#include <string>

namespace pb {

/// process_resident_memory_bytes, process_cpu_seconds_total and process_open_fds of this process in
/// Prometheus's text format; what cannot be read is left out.
std::string process_metrics();

} // namespace pb

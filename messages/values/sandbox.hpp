#pragma once
// Whether a child process is confined.

namespace pb {

enum class sandbox_mode {
  automatic, ///< where the system can do it; the log says where it cannot
  required,  ///< not started where the system cannot
  off,
};

} // namespace pb

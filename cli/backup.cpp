#include "persistence/sqlite/backup.hpp"

#include "cli/store_commands.hpp"

#include <iostream>
#include <nlohmann/json.hpp>
#include <sys/stat.h>

namespace pb::cli {

std::string database_path(const settings& process) {
  return process.storage.path.empty() ? process.data_dir + "/patchbay.db" : process.storage.path;
}

int work_failed(const fault& why, bool json) {
  const auto& sentence = why.sentence.empty() ? why.cause : why.sentence;
  complain(sentence);
  if (json)
    std::cout << nlohmann::json{{"ok", false}, {"error", sentence}}.dump(
                     -1, ' ', false, nlohmann::json::error_handler_t::replace)
              << '\n';
  switch (why.code) {
  case fault_code::configuration:
  case fault_code::newer_schema:
  case fault_code::foreign_file:
    return configuration;
  case fault_code::busy:
    return unavailable;
  case fault_code::bug:
    return bug;
  default:
    return failed;
  }
}

int backup(const file_options& options) {
  ::umask(077);
  config::loaded conf;
  if (!load_configuration(options.config, conf))
    return configuration;
  backup_options o;
  o.from = database_path(conf.process);
  o.to = options.file;
  o.dry_run = options.dry_run;
  const auto made = back_up(o);
  if (!made)
    return work_failed(made.error(), options.json);
  if (options.json) {
    std::cout << nlohmann::ordered_json{{"ok", true},
                                        {"dry_run", options.dry_run},
                                        {"from", o.from},
                                        {"file", made->file},
                                        {"bytes", made->bytes},
                                        {"rows", made->rows},
                                        {"schema", made->schema}}
                     .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace)
              << '\n';
    return ok;
  }
  if (options.dry_run) {
    std::cout << "would copy " << o.from << " to " << made->file << ": about " << made->bytes
              << " bytes, " << made->rows << " rows, schema " << made->schema << '\n';
    return ok;
  }
  std::cout << "copied " << o.from << " to " << made->file << ": " << made->bytes << " bytes, "
            << made->rows << " rows, schema " << made->schema << ", checked\n"
            << "It holds people's messages and maybe the bot's token: keep it closed to others.\n"
            << "To restore: stop the router; move " << o.from << ", " << o.from << "-wal and "
            << o.from << "-shm away; copy the backup to " << o.from << " (mode 0600); start.\n";
  return ok;
}

} // namespace pb::cli

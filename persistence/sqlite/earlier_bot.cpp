#include "persistence/sqlite/earlier_bot.hpp"

#include "persistence/sqlite/database.hpp"
#include "persistence/sqlite/identity.hpp"

#include <filesystem>

namespace pb {
namespace {

constexpr std::size_t key_limit = 1'000'000;

} // namespace

result<std::vector<surface_entry>> read_earlier_bot(const std::string& path) {
  std::error_code error;
  const auto full = std::filesystem::canonical(path, error);
  if (error || !std::filesystem::is_regular_file(full, error))
    return fail(fault_code::configuration, "no file " + path,
                "There is no file " + path + " to take anything from.");
  auto db = sqlite::database::open(full.string(), true);
  if (!db)
    return tl::unexpected<fault>(db.error());
  auto is_bots = sqlite::is_earlier_bots(*db);
  if (!is_bots)
    return tl::unexpected<fault>(is_bots.error());
  if (!*is_bots)
    return fail(fault_code::foreign_file, path + ": no table kv with surfaces",
                path + " is no database of the earlier bot: it has no table kv with rooms, people "
                       "or chats.");
  std::vector<surface_entry> all;
  bool too_many = false;
  auto ask =
      db->prepare("earlier bot's rows", "SELECT CAST(key AS TEXT), CAST(value AS TEXT) FROM kv"
                                        " ORDER BY key LIMIT ?");
  auto ok = ask.each(
      [&](sqlite::row& r) {
        auto& e = all.emplace_back();
        r >> e.key >> e.value;
        too_many = all.size() > key_limit;
      },
      static_cast<std::int64_t>(key_limit + 1));
  if (!ok)
    return tl::unexpected<fault>(ok.error());
  if (too_many)
    return fail(fault_code::too_large, path + ": more than a million keys",
                path + " has more than a million keys; that is no database of the earlier bot.");
  return all;
}

} // namespace pb

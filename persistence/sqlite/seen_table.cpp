#include "persistence/sqlite/seen_table.hpp"

#include <openssl/evp.h>

namespace pb::sqlite {
namespace {

constexpr unix_ms day_ms = 86'400'000;

/// The first 128 bits of the id's SHA-256: a collision would swallow a message, so no cheaper hash
/// that somebody could aim at.
result<std::string> key_of(const event_id& event) {
  unsigned char bits[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  if (EVP_Digest(event.value.data(), event.value.size(), bits, &size, EVP_sha256(), nullptr) != 1 ||
      size < 16)
    return fail(fault_code::bug, "SHA-256 is not there");
  return std::string{reinterpret_cast<const char*>(bits), 16};
}

} // namespace

seen_table::seen_table(database& db)
    : db_(db), add_(db.prepare("remember event", "INSERT OR IGNORE INTO seen VALUES (?, ?)")),
      has_(db.prepare("event seen", "SELECT 1 FROM seen WHERE id = ?")),
      prune_(db.prepare("forget events",
                        "DELETE FROM seen WHERE id IN (SELECT id FROM seen INDEXED BY seen_day"
                        " WHERE day < ? ORDER BY day LIMIT ?)")) {}

result<void> seen_table::add(const event_id& event, unix_ms admitted_at) {
  auto key = key_of(event);
  if (!key)
    return tl::unexpected<fault>(key.error());
  return add_.run(blob{*key}, admitted_at / day_ms);
}

result<bool> seen_table::has(const event_id& event) {
  auto key = key_of(event);
  if (!key)
    return tl::unexpected<fault>(key.error());
  bool there = false;
  if (auto ok = has_.each([&](row&) { there = true; }, blob{*key}); !ok)
    return tl::unexpected<fault>(ok.error());
  return there;
}

result<void> seen_table::add(const outbox_id& row, unix_ms made_at) {
  return add(event_id{"outbox " + row.value}, made_at); // no event is called so
}

result<bool> seen_table::has(const outbox_id& row) { return has(event_id{"outbox " + row.value}); }

result<std::size_t> seen_table::prune(unix_ms before, std::int64_t limit) {
  if (auto ok = prune_.run(before / day_ms, limit); !ok)
    return tl::unexpected<fault>(ok.error());
  return static_cast<std::size_t>(db_.changes());
}

} // namespace pb::sqlite

#include "persistence/sqlite/memory_table.hpp"

#include "persistence/store.hpp"

namespace pb::sqlite {

memory_table::memory_table(database& db)
    // REPLACE gives a new seq, and by it the retention goes from the oldest to the newest.
    : put_(db.prepare("put session memory", "INSERT OR REPLACE INTO session_memory"
                                            " (agent, chat, memory, at) VALUES (?, ?, ?, ?)")),
      forget_(db.prepare("forget session memory",
                         "DELETE FROM session_memory WHERE agent = ? AND chat = ?")),
      find_(db.prepare("session memory",
                       "SELECT memory FROM session_memory WHERE agent = ? AND chat = ?")) {}

result<void> memory_table::put(const agent_id& agent, platform_chat_id chat,
                               const std::string& memory, unix_ms now) {
  if (memory.empty())
    return forget_.run(agent, chat);
  if (memory.size() > memory_cap)
    return fail(fault_code::too_large, "session memory of " + std::to_string(memory.size()) +
                                           " bytes of agent " + agent.value);
  return put_.run(agent, chat, memory, now);
}

result<std::string> memory_table::find(const agent_id& agent, platform_chat_id chat) {
  std::string memory;
  if (auto ok = find_.each([&](row& r) { r >> memory; }, agent, chat); !ok)
    return tl::unexpected<fault>(ok.error());
  return memory;
}

} // namespace pb::sqlite

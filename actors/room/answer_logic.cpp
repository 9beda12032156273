#include "actors/room/answer_logic.hpp"

#include "actors/phrases.hpp"

namespace pb {
namespace {

std::string shortened(const std::string& text, std::size_t limit) {
  if (text.size() <= limit)
    return text;
  auto end = limit;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U)
    --end; // not inside a character
  return text.substr(0, end) + "…";
}

std::string cause_of(language lang, turn_ending ending, const std::string& agent,
                     const std::string& detail) {
  switch (ending) {
  case turn_ending::answered:
    return say(lang, phrase::empty_answer, {agent});
  case turn_ending::agent_error:
    return say(lang, phrase::agent_error, {agent, shortened(detail, 64)});
  case turn_ending::unreachable:
    return say(lang, phrase::agent_unreachable, {agent});
  case turn_ending::rejected:
    return say(lang, phrase::agent_rejected, {agent, detail});
  case turn_ending::interrupted:
    return say(lang, phrase::interrupted, {agent});
  case turn_ending::idle:
    return say(lang, phrase::agent_idle, {agent});
  case turn_ending::too_long:
    return say(lang, phrase::agent_too_long, {agent});
  case turn_ending::too_large:
    return say(lang, phrase::answer_too_large, {agent});
  case turn_ending::malformed:
    return say(lang, phrase::agent_malformed, {agent});
  case turn_ending::disabled:
    return say(lang, phrase::agent_gone, {agent});
  case turn_ending::busy:
  case turn_ending::storage:
    return say(lang, phrase::agent_busy, {agent});
  case turn_ending::cancelled:
    return say(lang, phrase::stopped);
  }
  return {};
}

} // namespace

bool answer_fold::add(const agent_event& event) {
  using namespace agent_says;
  if (const auto* chunk = std::get_if<text_chunk>(&event)) {
    if (text_.size() + chunk->text.size() > cap) {
      text_ += shortened(chunk->text, cap - std::min(cap, text_.size()));
      return false;
    }
    text_ += chunk->text;
  } else if (const auto* question = std::get_if<confirm>(&event)) {
    confirmations_.push_back(question->id);
    note(say(lang_, phrase::confirm_declined, {shortened(question->prompt, 2'000)}));
  } else if (const auto* file = std::get_if<send_file>(&event)) {
    note(say(lang_, phrase::file_declined, {shortened(file->path, 200)}));
  } else if (const auto* e = std::get_if<error>(&event)) {
    error_code_ = e->code;
  }
  return true;
}

std::string closing_text(language lang, turn_ending ending, const std::string& answer,
                         const std::string& agent, const std::string& detail) {
  const bool blank = answer.find_first_not_of(" \t\r\n") == std::string::npos;
  if (ending == turn_ending::answered && !blank)
    return answer;
  auto cause = cause_of(lang, ending, agent, detail);
  return blank ? cause : answer + "\n\n" + cause;
}

} // namespace pb

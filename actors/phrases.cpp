#include "actors/phrases.hpp"

#include <array>
#include <utility>

namespace pb {
namespace {

struct entry {
  phrase what;
  std::string_view en, ru;
};

constexpr std::array entries{
    entry{phrase::help,
          "Write a message and the agent answers it.\n"
          "!help – this list\n"
          "!new [name] – a new chat room in your Space\n"
          "!clear (or !reset) – a fresh context for this room\n"
          "!stop (or !cancel) – ends the answer that is running\n"
          "!retry – sends the last interrupted message again\n"
          "!start – where your Space is",
          "Напишите сообщение, и агент на него ответит.\n"
          "!help – этот список\n"
          "!new [имя] – новая комната в вашем пространстве\n"
          "!clear (или !reset) – начать в этой комнате заново\n"
          "!stop (или !cancel) – прервать ответ, который идёт\n"
          "!retry – ещё раз отправить последнее прерванное сообщение\n"
          "!start – где ваше пространство"},
    entry{phrase::lobby_help,
          "This room is only the entrance. Your chats are in your Space: !start shows the way.",
          "Эта комната – только вход. Ваши чаты – в вашем пространстве: !start покажет дорогу."},
    entry{phrase::unknown_command, "I do not know {0}. Did you mean {1}? !help lists what I know.",
          "Команды {0} нет. Может быть, {1}? !help покажет список."},
    entry{phrase::no_such_command, "I do not know {0}. !help lists what I know.",
          "Команды {0} нет. !help покажет список."},
    entry{phrase::not_there_yet, "{0} is not there yet in this version. !help lists what is.",
          "{0} в этой версии ещё нет. !help покажет, что есть."},
    entry{
        phrase::text_too_long,
        "This message has {0} bytes, and {1} is the limit, so it was not passed on. Please send it "
        "in parts.",
        "В этом сообщении {0} байт, а можно {1}, поэтому оно не передано. Отправьте его частями."},
    entry{
        phrase::queue_full,
        "{0} messages are waiting in this room already, so this one was not taken. Please send it "
        "again when there are answers.",
        "В этой комнате уже ждут {0} сообщений, поэтому это не принято. Отправьте его ещё раз, "
        "когда придут ответы."},
    entry{phrase::no_files_yet,
          "I cannot pass files to the agent yet in this version. Please send text.",
          "В этой версии файлы агенту ещё не передаются. Отправьте текст."},
    entry{phrase::no_kind_yet,
          "I cannot pass a message of the kind {0} to the agent. Please send text.",
          "Сообщение вида {0} агенту передать нельзя. Отправьте текст."},
    entry{
        phrase::edit_too_late,
        "The agent has this message already, so the change was not passed on. Please send it as a "
        "new message.",
        "Агент уже получил это сообщение, поэтому правка не передана. Отправьте новое сообщение."},
    entry{phrase::context_cleared,
          "This room has a fresh context now. The agent remembers nothing of before.",
          "В этой комнате всё начато заново. Что было раньше, агент не помнит."},
    entry{phrase::new_chat_failed, "The new chat could not be made: {0}. Please try again later.",
          "Новый чат не получился: {0}. Попробуйте позже."},
    entry{phrase::chat_made, "{0} is ready: {1}", "{0} готов: {1}"},
    entry{phrase::home_made,
          "Welcome! I made a Space for you, with a first chat in it: {0} – accept the invitations "
          "and "
          "write there.",
          "Добро пожаловать! Для вас создано пространство и в нём первый чат: {0} – примите "
          "приглашения и пишите туда."},
    entry{phrase::home_is, "Your chats are in your Space: {0}",
          "Ваши чаты – в вашем пространстве: {0}"},
    entry{phrase::nothing_runs, "Nothing is running here.", "Здесь ничего не выполняется."},
    entry{phrase::stopped, "Stopped.", "Остановлено."},
    entry{
        phrase::no_agent,
        "No agent is assigned to you. Please ask whoever runs this bot to add you to its registry.",
        "Вам не назначен агент. Попросите того, кто ведёт этого бота, добавить вас в реестр."},
    entry{
        phrase::agent_gone,
        "The agent {0} is not in service. Please ask whoever runs this bot, then send your message "
        "again.",
        "Агент {0} не работает. Спросите того, кто ведёт этого бота, и отправьте сообщение снова."},
    entry{phrase::agent_unreachable,
          "I cannot reach {0}, so your message was not passed on. Please send it again in a while.",
          "До {0} не достучаться, поэтому ваше сообщение не передано. Отправьте его снова чуть "
          "позже."},
    entry{phrase::agent_rejected,
          "{0} refused the connection (HTTP {1}), so your message was not passed on. Whoever runs "
          "this "
          "bot can check the agent's address and token.",
          "{0} не принял соединение (HTTP {1}), поэтому ваше сообщение не передано. Тот, кто ведёт "
          "этого бота, может проверить адрес и ключ агента."},
    entry{phrase::agent_error, "{0} reports an error ({1}). You can send your message again.",
          "{0} сообщает об ошибке ({1}). Можно отправить сообщение снова."},
    entry{phrase::agent_idle,
          "{0} has said nothing for too long, so I ended this answer. You can send "
          "your message again.",
          "{0} слишком долго молчит, поэтому ответ прерван. Можно отправить сообщение снова."},
    entry{phrase::agent_too_long,
          "{0} took longer than a turn may take, so I ended this answer. You can "
          "send your message again.",
          "{0} отвечает дольше, чем разрешено, поэтому ответ прерван. Можно отправить сообщение "
          "снова."},
    entry{phrase::answer_too_large,
          "The answer of {0} is too large, so I ended it here. You can ask for a "
          "shorter one.",
          "Ответ {0} слишком велик, поэтому здесь он прерван. Можно попросить покороче."},
    entry{phrase::agent_malformed,
          "{0} sent something that I do not understand, so I ended this answer. Whoever runs this "
          "bot "
          "finds the cause in the log.",
          "{0} прислал что-то непонятное, поэтому ответ прерван. Тот, кто ведёт этого бота, найдёт "
          "причину в журнале."},
    entry{phrase::agent_busy,
          "{0} has too much to do at the moment. Please send your message again later.",
          "У {0} сейчас слишком много дел. Отправьте сообщение позже."},
    entry{phrase::agent_slow, "{0} takes longer than usual. I go on waiting; !stop ends it.",
          "{0} отвечает дольше обычного. Жду дальше; !stop прервёт."},
    entry{phrase::interrupted,
          "The connection to {0} ended before the answer did. !retry sends your message again.",
          "Связь с {0} прервалась раньше ответа. !retry отправит ваше сообщение снова."},
    entry{phrase::router_interrupted,
          "I was stopped while the agent worked on this, and its answer is lost. !retry sends your "
          "message again.",
          "Меня остановили, пока агент над этим работал, и ответ потерян. !retry отправит ваше "
          "сообщение снова."},
    entry{phrase::empty_answer, "{0} ended without a word.", "{0} закончил, не сказав ни слова."},
    entry{phrase::answer_cut, "(The rest of this answer was too long to show.)",
          "(Остаток ответа слишком длинный и не показан.)"},
    entry{
        phrase::confirm_declined,
        "The agent asked for a confirmation. Confirmations are not there yet in this version, so "
        "it "
        "was answered with no. It asked: {0}",
        "Агент просил подтверждения. В этой версии подтверждений ещё нет, поэтому ответ – нет. Он "
        "спрашивал: {0}"},
    entry{phrase::file_declined,
          "The agent wanted to send the file {0}. Files are not there yet in this version; it is "
          "still "
          "in the agent's workspace.",
          "Агент хотел прислать файл {0}. В этой версии файлов ещё нет; он остался в рабочей папке "
          "агента."},
    entry{phrase::unknown_room,
          "I have no record of this room ({0}), so I cannot pass on what you write. Invite me to a "
          "new "
          "direct chat and I make you a room that works.",
          "Об этой комнате у меня нет записи ({0}), поэтому написанное не передано. Пригласите "
          "меня в "
          "новый личный чат, и я создам рабочую комнату."},
    entry{phrase::encrypted_room,
          "This room is encrypted, and I cannot read encrypted rooms yet. Please write to me in a "
          "room "
          "without encryption.",
          "Эта комната зашифрована, а читать такие я ещё не умею. Пишите мне в комнате без "
          "шифрования."},
    entry{
        phrase::messages_missing,
        "Messages in this room may have gone past me ({0}). If one of yours has no answer, please "
        "send it again.",
        "Возможно, сообщения в этой комнате прошли мимо меня ({0}). Если на ваше нет ответа, "
        "отправьте его ещё раз."},
    entry{phrase::records_lost,
          "My records of the time before now are gone, so this message was not passed on. Please "
          "send it again.",
          "Мои записи о прошлом потеряны, поэтому это сообщение не передано. Отправьте его ещё "
          "раз."},
    entry{phrase::nothing_to_retry,
          "Nothing was interrupted here, so there is nothing to send again.",
          "Здесь ничего не прерывалось, повторять нечего."},
    entry{phrase::moved_here, "This room replaces the old one: the chat goes on here.",
          "Эта комната заменяет прежнюю: чат продолжается здесь."},
    entry{
        phrase::upgrade_not_followed,
        "This room was replaced by another one, but I cannot go on there: {0}. Use !new in another "
        "room of mine to get a new chat.",
        "Эта комната заменена другой, но продолжить там я не могу: {0}. Напишите !new в другой "
        "моей "
        "комнате, чтобы получить новый чат."},
    entry{phrase::storage_trouble, "the database cannot be written",
          "база данных не принимает запись"},
    entry{phrase::undelivered,
          "An answer of mine could not be delivered: {0}. You can ask again, or whoever runs this "
          "bot finds the cause in the log.",
          "Мой ответ не доставлен: {0}. Можно спросить ещё раз; причину в журнале найдёт тот, кто "
          "ведёт этого бота."},
    entry{phrase::why_too_large, "it is too large for this homeserver",
          "он слишком велик для этого сервера"},
    entry{phrase::why_refused, "the homeserver refused it ({0})", "сервер его не принял ({0})"},
    entry{
        phrase::perhaps_delivered,
        "An answer of mine waited so long that nobody can tell any more whether it is in this "
        "room. I do not send it a second time; if you miss it, please ask again.",
        "Мой ответ ждал так долго, что уже не узнать, есть ли он в этой комнате. Второй раз я его "
        "не отправляю; если его не видно, спросите ещё раз."},
};

} // namespace

std::string say(language lang, phrase what, std::initializer_list<std::string_view> args) {
  std::string_view pattern;
  for (const auto& e : entries)
    if (e.what == what)
      pattern = lang == language::ru ? e.ru : e.en;
  std::string out;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] == '{' && i + 2 < pattern.size() && pattern[i + 2] == '}') {
      const auto n = static_cast<std::size_t>(pattern[i + 1] - '0');
      if (n < args.size())
        out += *(args.begin() + n);
      i += 2;
    } else {
      out.push_back(pattern[i]);
    }
  }
  return out;
}

std::string chat_title(language lang, std::int64_t number) {
  return (lang == language::ru ? "Чат " : "Chat ") + std::to_string(number);
}

} // namespace pb

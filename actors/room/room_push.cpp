// Files of the agent, and what it says outside turns: both through the outbox.

#include "actors/phrases.hpp"
#include "actors/room/room.hpp"
#include "actors/rows.hpp"
#include "bridges/files/names.hpp"

namespace pb {

namespace {

/// The path as it is below the workspace, if it is one that may leave it.
result<std::string> sendable(const std::string& root, const std::string& named,
                             const std::vector<std::string>& deny) {
  if (root.empty())
    return fail(fault_code::refused, "the agent has no workspace");
  auto path = files::relative_path(named, root);
  if (path && files::denied(*path, deny))
    return fail(fault_code::refused, "files.deny names it");
  return path;
}

} // namespace

/// Looked at now as far as its name goes, opened when its place in the outbox has come.
void room_core::send_file(const std::string& path) {
  if (row_.encrypted)
    return;
  const auto root = turn_->workspace.empty()
                        ? std::string{}
                        : files::workspace_for(turn_->workspace, turn_->request.asker);
  const auto& source = turn_->what.row;
  settlement s;
  const auto named = sendable(root, path, deps_->deny_files);
  if (named) {
    file_order order;
    order.workspace = root;
    order.path = *named;
    order.turn = turn_->request.id;
    order.reply_to = source.event.id;
    order.thread = turn_->what.thread;
    order.mention = turn_->request.asker;
    s.outbox.push_back(file_row(order));
  } else {
    deps_->around.log->warning("file_refused", turn_->request.tr,
                               "a file of the agent was refused: " + named.error().cause,
                               {{"room", id_}, {"agent", turn_->request.agent}});
    const auto why = turn_->workspace.empty() ? say(lang(), phrase::no_workspace, {turn_->label})
                                              : say(lang(), phrase::why_file_denied);
    words w{say(lang(), phrase::file_out_refused, {std::string{matrix::cut_utf8(path, 200)}, why}),
            matrix::delivery::notice};
    w.reply_to = source.event.id;
    w.thread = turn_->what.thread;
    w.turn = turn_->request.id;
    s.outbox.push_back(message(std::move(w)));
  }
  s.outbox.back().tr = turn_->request.tr;
  commit(std::move(s), {});
}

/// Rows are named after the event: the second time the store has them already.
caf::result<done> room_core::push(const room_push& p) {
  if (!known_ || row_.kind != room_kind::chat)
    return to_error({fault_code::not_found, "no such chat", {}});
  if (row_.agent != p.agent)
    return to_error({fault_code::not_found, "this chat is with another agent", {}});
  if (row_.state != room_state::active || row_.encrypted)
    return to_error({fault_code::refused, "this chat is not active", {}});
  const auto key = "push " + p.agent.value + "\n" + p.what.event_id;
  const bool loud = p.what.kind != "task_progress";
  settlement s;
  const auto laid = laid_out(p.what.text, {});
  for (std::size_t i = 0; i < laid.parts.size(); ++i) {
    words w{laid.parts[i], matrix::delivery::notice};
    w.markdown = true;
    w.silent = !loud;
    if (loud)
      w.mention = row_.owner;
    w.part = static_cast<int>(i);
    w.row = outbox_id{name_after(i == 0 ? key : key + "\npart " + std::to_string(i))};
    s.outbox.push_back(message(std::move(w)));
  }
  if (laid.as_file) {
    file_order whole;
    whole.path = say(lang(), phrase::answer_file);
    whole.text = p.what.text;
    s.outbox.push_back(file_row(whole, outbox_id{name_after(key + "\nwhole")}));
  }
  auto promise = self_->make_response_promise<done>();
  self_->request(deps_->agents, in_house, find_agent{p.agent})
      .then(
          [this, p, key, promise, s](const found_agent& agent) mutable {
            const auto root = agent.workspace.empty()
                                  ? std::string{}
                                  : files::workspace_for(agent.workspace, row_.owner);
            for (std::size_t i = 0; i < p.what.attachments.size() && i < files_cap; ++i) {
              if (const auto named = sendable(root, p.what.attachments[i], deps_->deny_files)) {
                file_order order;
                order.workspace = root;
                order.path = *named;
                s.outbox.push_back(
                    file_row(order, outbox_id{name_after(key + "\n" + std::to_string(i))}));
              } else {
                deps_->around.log->warning("file_refused", {},
                                           "a file of a push was refused: " + named.error().cause,
                                           {{"room", id_}, {"agent", p.agent}});
                words no{say(lang(), phrase::file_out_refused,
                             {std::string{matrix::cut_utf8(p.what.attachments[i], 200)},
                              say(lang(), phrase::why_file_denied)}),
                         matrix::delivery::notice};
                no.row = outbox_id{name_after(key + "\nno " + std::to_string(i))};
                s.outbox.push_back(message(std::move(no)));
              }
            }
            if (s.outbox.empty()) {
              promise.deliver(to_error(
                  {fault_code::malformed, "neither text nor a file that may be sent", {}}));
              return;
            }
            self_
                ->request(deps_->store, in_house,
                          store_settle{std::make_shared<const settlement>(std::move(s))})
                .then([promise](done) mutable { promise.deliver(done{}); },
                      [promise](caf::error& e) mutable {
                        if (to_fault(e).code == fault_code::conflict)
                          promise.deliver(done{}); // said before
                        else
                          promise.deliver(std::move(e));
                      });
          },
          [promise](caf::error& e) mutable { promise.deliver(std::move(e)); });
  return promise;
}

} // namespace pb

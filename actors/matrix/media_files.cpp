// Files, both ways.

#include "actors/matrix/media.hpp"
#include "bridges/files/beneath.hpp"
#include "bridges/files/names.hpp"
#include "bridges/matrix/compose.hpp"

namespace pb {

using namespace std::chrono_literals;
using failure = matrix::matrix_failure;
using matrix::media_path;

struct matrix_media_state::download {
  task_ptr<staged_file> owner;
  matrix::mxc file;
  std::string name;
  std::unique_ptr<files::arrival> to;
  int redirects = 0;
  std::optional<fault> first; ///< of the place with a token, while the old one is asked
};

struct matrix_media_state::upload {
  task_ptr<uploaded_file> owner;
  outbox_id row;
  file_order order;
  std::string name;
  files::content what;
  std::shared_ptr<file_body> body; ///< null: order.text
  std::uint64_t size = 0;
};

namespace {

constexpr int most_redirects = 3;

http_request patient(http_request r) {
  r.timeout = matrix_media_state::transfer_time;
  r.idle_timeout = matrix_media_state::idle_time;
  r.answer_timeout = matrix_media_state::answer_time;
  return r;
}

} // namespace

// -- in
// ------------------------------------------------------------------------------------------------

void matrix_media_state::fetch(const task_ptr<staged_file>& j, fetch_file m) {
  const auto file = matrix::parse_mxc(m.file.mxc);
  if (!file)
    return fail(j, {fault_code::malformed, "the address of the file is no mxc", {}});
  if (m.workspace.empty())
    return fail(j, {fault_code::refused, "the agent has no workspace_path", {}});
  auto to = files::arrival::begin(deps_.files, {std::move(m.workspace), std::move(m.user), m.chat},
                                  random_id(engine_), m.file.size);
  if (!to)
    return fail(j, to.error());
  auto d = std::make_shared<download>();
  d->owner = j;
  d->file = *file;
  d->name = std::move(m.file.name);
  d->to = std::move(*to);
  load(d, media_path::authenticated);
}

void matrix_media_state::load(const download_ptr& d, media_path path) {
  call(
      d->owner,
      [this, d, path] {
        auto r = patient(matrix::ask::download(deps_.session, d->file, path, d->to->limit()));
        r.into = d->to->body();
        return r;
      },
      [this, d, path](http_result& r) { loaded(d, path, r); });
}

/// `path`: nothing after a redirect.
void matrix_media_state::loaded(const download_ptr& d, std::optional<media_path> path,
                                http_result& r) {
  const auto got = matrix::read::download(std::move(r), wall());
  if (!got) {
    const auto kind = got.error().kind;
    auto f = got.error().to_fault();
    const bool elsewhere = kind == failure::kind_t::unrecognised || f.code == fault_code::not_found;
    if (elsewhere && path == media_path::authenticated) {
      if (f.code == fault_code::not_found)
        d->first = f;
      return load(d, media_path::old);
    }
    if (kind == failure::kind_t::unrecognised && d->first)
      f = *d->first; // the old place is gone: what the new one said counts
    if (kind == failure::kind_t::oversized_answer)
      f.cause = std::string(d->to->limit() < deps_.files.max_bytes ? "files.chat_quota"
                                                                   : "files.max_bytes") +
                ": the file is larger than " + std::to_string(d->to->limit()) + " bytes";
    return fail(d->owner, f);
  }
  if (!got->redirect.empty())
    return follow(d, got->redirect);
  auto staged = d->to->finish(d->name);
  if (!staged)
    return fail(d->owner, staged.error());
  in_bytes_.add(static_cast<double>(staged->size));
  answer(d->owner, std::move(*staged));
}

/// Files may lie elsewhere: our token does not go there.
void matrix_media_state::follow(const download_ptr& d, const std::string& url) {
  const auto host = url.find("://") + 3;
  const auto slash = std::min(url.find('/', host), url.size());
  const auto origin = url.substr(0, slash);
  auto target = url.substr(slash, url.find('#') - slash);
  if (target.empty())
    target = "/";
  if (++d->redirects > most_redirects)
    return fail(d->owner, {fault_code::refused, "the homeserver sends us from place to place", {}});
  if (deps_.session.origin.starts_with("https://") && !origin.starts_with("https://"))
    return fail(d->owner, {fault_code::refused, "the homeserver sends us to an open line", {}});
  call(
      d->owner,
      [d, origin, target] {
        http_request r;
        r.origin = origin;
        r.target = target;
        r.response_limit = d->to->limit();
        r.into = d->to->body();
        return patient(std::move(r));
      },
      [this, d](http_result& r) { loaded(d, std::nullopt, r); });
}

// -- out
// -----------------------------------------------------------------------------------------------

void matrix_media_state::send(const task_ptr<uploaded_file>& j, outbox_row row) {
  auto order = matrix::parse_file_order(row.body);
  if (!order)
    return fail(j, {fault_code::malformed, "the row orders no file", {}});
  auto u = std::make_shared<upload>();
  u->owner = j;
  u->row = row.id;
  u->order = std::move(*order);
  with_limit([this, u] { open(u); });
}

void matrix_media_state::with_limit(next_step next) {
  if (limit_until_ && self_->clock().now() < *limit_until_)
    return next();
  limit_waiters_.push_back(std::move(next)); // at most one for each transfer
  if (!std::exchange(limit_asked_, true))
    ask_limit(media_path::authenticated);
}

void matrix_media_state::ask_limit(media_path path) {
  http_->send(matrix::ask::media_config(deps_.session, path), [this, path](http_result& r) {
    const auto got = matrix::read::media_config(r, wall());
    if (!got && path == media_path::authenticated &&
        (got.error().kind == failure::kind_t::unrecognised ||
         got.error().kind == failure::kind_t::not_found))
      return ask_limit(media_path::old);
    // Without an answer the upload itself will tell; what was known goes on counting.
    limit_until_ =
        self_->clock().now() + (got ? std::chrono::minutes(60) : std::chrono::minutes(1));
    if (got)
      upload_limit_ = *got ? std::optional(static_cast<std::uint64_t>(**got)) : std::nullopt;
    limit_asked_ = false;
    for (auto& next : std::exchange(limit_waiters_, {}))
      next();
  });
}

void matrix_media_state::open(const upload_ptr& u) {
  const auto most =
      std::min<std::uint64_t>(deps_.files.max_bytes, upload_limit_.value_or(deps_.files.max_bytes));
  const auto no = [this, &u](const fault& f) { fail(u->owner, f); };
  if (!u->order.text.empty()) {
    u->name = files::safe_name(u->order.path);
    u->what.mimetype = "text/markdown";
    u->what.header = "text/markdown; charset=utf-8";
    u->size = u->order.text.size();
    if (u->size > most)
      return no({fault_code::too_large,
                 "the answer is larger than " + std::to_string(most) + " bytes",
                 {}});
    return put(u);
  }
  const auto path = files::relative_path(u->order.path, u->order.workspace);
  if (!path)
    return no(path.error());
  if (files::denied(*path, deps_.files.deny))
    return no({fault_code::refused, "files.deny names the path", {}});
  if (u->order.workspace.empty())
    return no({fault_code::refused, "the agent has no workspace_path", {}});
  const auto folder = files::open_folder(u->order.workspace);
  if (!folder)
    return no(folder.error());
  auto file = files::open_beneath(folder->get(), *path, most);
  if (!file)
    return no(file.error());
  u->size = file->size;
  u->body = std::make_shared<file_body>(std::move(file->fd), file->size);
  u->name = files::safe_name(*path);
  std::string head(static_cast<std::size_t>(std::min<std::uint64_t>(u->size, files::head_size)),
                   '\0');
  const auto got = u->body->read(0, head.data(), head.size());
  if (!got)
    return no(files::disk_fault(got.error(), "the file"));
  u->what = types_.look(std::string_view(head).substr(0, *got), u->name);
  put(u);
}

void matrix_media_state::put(const upload_ptr& u) {
  call(
      u->owner,
      [this, u] {
        auto r = patient(matrix::ask::upload(deps_.session, u->name, u->what.header,
                                             u->body ? std::string{} : u->order.text));
        r.from = u->body;
        return r;
      },
      [this, u](http_result& r) {
        const auto got = matrix::read::upload(r, wall());
        if (!got)
          return fail(u->owner, got.error().to_fault());
        out_bytes_.add(static_cast<double>(u->size));
        matrix::uploaded_content c;
        c.mxc = matrix::to_string(*got);
        c.name = u->name;
        c.mimetype = u->what.mimetype;
        c.size = static_cast<std::int64_t>(u->size);
        c.width = u->what.width;
        c.height = u->what.height;
        answer(u->owner, uploaded_file{matrix::compose_file(u->order, c, u->row)});
      });
}

} // namespace pb

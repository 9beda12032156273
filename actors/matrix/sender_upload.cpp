// A row that orders a file becomes a message: uploaded first, then its bytes are frozen on the
// disk, then it leaves like any other. Meanwhile its room waits, and nobody else does.

#include "actors/matrix/sender.hpp"
#include "actors/phrases.hpp"
#include "bridges/matrix/compose.hpp"

namespace pb {

using namespace std::chrono_literals;

void matrix_sender_state::upload(const outbox_row& row) {
  self_->request(deps_.media, caf::infinite, upload_file{row})
      .then(
          [this, row](uploaded_file& got) {
            self_->request(deps_.store, in_house, store_freeze{row.id, got.body})
                .then(
                    [this, room = row.room, body = got.body](done) {
                      queue_.freeze(room, body);
                      queue_.retry(room, now(), true);
                      pump();
                    },
                    [this, row](caf::error& e) {
                      const auto f = to_fault(e);
                      if (f.code != fault_code::disk_full && f.code != fault_code::storage)
                        return self_->quit(std::move(e)); // be born again from the disk
                      upload_failed(row, f);
                    });
          },
          [this, row](caf::error& e) { upload_failed(row, to_fault(e)); });
}

void matrix_sender_state::upload_failed(const outbox_row& row, const fault& why) {
  if (is_final(why.code)) {
    const auto order = matrix::parse_file_order(row.body);
    const auto reason = why.code == fault_code::not_found   ? phrase::why_file_gone
                        : why.code == fault_code::refused   ? phrase::why_file_denied
                        : why.code == fault_code::too_large ? phrase::why_file_large
                                                            : phrase::why_file_upload;
    return bury(row, why.cause,
                say(deps_.lang, phrase::file_out_refused,
                    {order ? order->path.substr(0, 200) : "?", say(deps_.lang, reason)}));
  }
  if (why.code == fault_code::unauthorised)
    doubt(deps_.session.access_token);
  ++retried_;
  const auto rests = backoff(engine_, past_[row.id].tries++, 1000ms, 60s);
  clock_.after(rests, [this, room = row.room] {
    queue_.retry(room, now());
    pump();
  });
}

} // namespace pb

#include "engine/run/journal.h"

#include "engine/run/arrival.h"
#include "engine/run/masking.h"

namespace canorun::run {

namespace asio = boost::asio;

void Journal::add(std::vector<store::Row> rows) {
  if (!masker_.empty()) {
    for (store::Row& made : rows) mask(masker_, made);
  }
  for (store::Row& made : rows) {
    fit_end(made);
    apply(run_, made);
  }
  if (added_.empty()) {
    added_ = std::move(rows);
  } else {
    added_.insert(added_.end(), std::make_move_iterator(rows.begin()), std::make_move_iterator(rows.end()));
  }
}

// By all that comes before it.
void Journal::fit_end(store::Row& row) const {
  auto* const ended = std::get_if<store::RunEnded>(&row.body);
  if (ended == nullptr || run_.outcome) return;
  const bool stands = ended->entered && ended->status != store::Status::kRolledBack;
  if (!stands && !run_.rollback && (rolls_back_ || run_.still_owed() > 0)) {
    if (ended->status == store::Status::kFailed) ended->status = store::Status::kRolledBack;
    row.body = store::RollbackStarted{std::move(*ended)};
  } else if (holds_end_) {
    row.body = store::OutcomeReached{std::move(*ended)};
  }
}

void Journal::end() {
  store::RunEnded ended = *run_.outcome;
  ended.via.clear();
  ended.entered = false;
  holds_end_ = false;
  add(std::move(ended));
}

asio::awaitable<store::StoreResult<void>> Journal::create(store::Texts texts, std::string group, bool queues) {
  store::NewRun run{run_.id, std::exchange(added_, {}), std::move(texts), std::move(group), queues};
  const auto ask = [&](auto done) { runtime_.store.create(std::move(run), std::move(done)); };
  auto number = co_await answer_of<store::RunNumber>(runtime_.executor, interrupt_, ask);
  if (!number) co_return std::unexpected(std::move(number.error()));
  number_ = *number;
  co_return store::StoreResult<void>{};
}

asio::awaitable<store::StoreResult<void>> Journal::commit() {
  if (!committed_) committed_ = std::make_shared<Arrival<void>>(runtime_.executor);
  const auto arrival = committed_;
  const std::uint64_t first = run_.rows - added_.size();
  runtime_.store.append(*number_, first, std::exchange(added_, {}),
                        [arrival](store::StoreResult<void> result) { arrival->arrive(std::move(result)); });
  if (!arrival->arrived()) co_await arrival->wait();
  if (interrupt_.reason() != Reason::kNone) co_await calm();
  auto result = arrival->take();
  co_return result;
}

}  // namespace canorun::run

#include "engine/store/fault_store.h"

#include <fmt/format.h>

#include <charconv>
#include <csignal>

namespace canorun::store {

StoreResult<std::optional<CrashPoint>> crash_point_from(std::string_view text) {
  if (text.empty()) return std::nullopt;
  const std::size_t colon = text.find(':');
  const std::string_view word = text.substr(0, colon);
  std::string_view number = colon == std::string_view::npos ? std::string_view{} : text.substr(colon + 1);
  CrashPoint crash;
  if (const std::size_t at = number.find('@'); at != std::string_view::npos) {
    crash.run = number.substr(at + 1);
    number = number.substr(0, at);
  }
  crash.point = word == "after" ? FaultPoint::kAfter : FaultPoint::kBefore;
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), crash.row);
  if ((word != "before" && word != "after") || error != std::errc{} || end != number.data() + number.size()) {
    return std::unexpected(StoreError{
        StoreErrorKind::kIo, fmt::format("'{}' is no place to crash at", text),
        "CANORUN_CRASH takes before:N or after:N, N being a row of a run, and @ID behind it to name the run"});
  }
  return crash;
}

void FaultStore::create(NewRun run, Completion<RunNumber> done) {
  const std::size_t count = is_meant(run.id) ? run.rows.size() : 0;
  if (auto error = fault(FaultPoint::kBefore, 0, count)) return done(std::unexpected(std::move(*error)));
  auto met = [this, id = run.id, done = std::move(done)](StoreResult<RunNumber> number) mutable {
    if (number) meet(*number, id);
    done(std::move(number));
  };
  store_->create(std::move(run), guarded<RunNumber>(std::move(met), 0, count));
}

void FaultStore::claim(std::string id, Completion<RunRecord> done) {
  store_->claim(std::move(id), [this, done = std::move(done)](StoreResult<RunRecord> record) mutable {
    if (record) meet(record->number, record->summary.id);
    done(std::move(record));
  });
}

void FaultStore::append(RunNumber run, std::uint64_t first, std::vector<Row> rows, Completion<void> done) {
  std::size_t count = rows.size();
  {
    const std::lock_guard lock(mutex_);
    if (!meant_.contains(run)) count = 0;
  }
  if (auto error = fault(FaultPoint::kBefore, first, count)) return done(std::unexpected(std::move(*error)));
  store_->append(run, first, std::move(rows), guarded(std::move(done), first, count));
}

void FaultStore::meet(RunNumber run, std::string_view id) {
  if (!is_meant(id)) return;
  const std::lock_guard lock(mutex_);
  meant_.insert(run);
}

std::optional<StoreError> FaultStore::fault(FaultPoint point, std::uint64_t first, std::size_t count) const {
  if (crash_.point != point || crash_.row < first || crash_.row - first >= count) return std::nullopt;
  if (!error_) std::raise(SIGKILL);
  return error_;
}

template <class T>
Completion<T> FaultStore::guarded(Completion<T> done, std::uint64_t first, std::size_t count) const {
  return [this, done = std::move(done), first, count](StoreResult<T> result) mutable {
    if (result) {
      if (auto error = fault(FaultPoint::kAfter, first, count)) result = std::unexpected(std::move(*error));
    }
    done(std::move(result));
  };
}

}  // namespace canorun::store

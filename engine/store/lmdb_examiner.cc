#include "engine/store/lmdb_examiner.h"

#include <fmt/format.h>

#include "engine/base/ids.h"
#include "engine/store/big_endian.h"
#include "engine/store/lmdb_tables.h"
#include "engine/store/row_effects.h"
#include "engine/store/shared_records.h"

namespace canorun::store {
namespace {

// What one transaction looks at: as long as it lasts, pages that others give up are not used again.
constexpr std::uint64_t kEntriesPerLook = 10'000;
constexpr std::size_t kMostTold = 50;
constexpr std::size_t kDigest = 64;

bool is_number(std::string_view bytes) { return bytes.size() == kNumberSize; }

}  // namespace

void LmdbExaminer::damaged(std::string what) {
  if (found_.damage.size() < kMostTold) {
    found_.damage.push_back(std::move(what));
  } else {
    ++found_.more_damage;
  }
}

StoreResult<void> LmdbExaminer::examine() {
  const auto look = [this](auto member) {
    return [this, member](Txn& txn, std::string_view key, std::string_view value) {
      return (this->*member)(txn, key, value);
    };
  };
  const auto breaker = [this](Txn&, std::string_view, std::string_view value) {
    found_.unread += !decode_breaker(value);
    return 1;
  };
  const auto limit = [this](Txn&, std::string_view, std::string_view value) {
    found_.unread += !decode_limit(value);
    return 1;
  };
  const auto place = [this](Txn& txn, std::string_view key, std::string_view run) {
    if (key.size() != kDigest + kNumberSize) damaged("a place in a group cannot be read");
    if (!is_there(txn, run)) damaged("a place in a group belongs to a run that is not there");
    return 1;
  };
  auto done = walk(Table::kRuns, "runs", look(&LmdbExaminer::look_at_run));
  const auto then = [&](Table table, std::string_view name, const Look& next) {
    if (done) done = walk(table, name, next);
  };
  then(Table::kIds, "ids", look(&LmdbExaminer::look_at_id));
  then(Table::kTexts, "texts", look(&LmdbExaminer::look_at_text));
  then(Table::kSignals, "signals", look(&LmdbExaminer::look_at_signal));
  then(Table::kGroups, "groups", place);
  then(Table::kBreakers, "breakers", breaker);
  then(Table::kWindows, "windows", limit);
  if (done) done = look_for_runs(Table::kRows, "rows");
  if (done) done = look_for_runs(Table::kRequests, "requests");
  return done;
}

StoreResult<void> LmdbExaminer::walk(Table table, std::string_view name, const Look& look) {
  std::string from;
  std::string last;
  for (bool more = true; more;) {
    auto txn = env_.read();
    if (!txn) return std::unexpected(std::move(txn.error()));
    Cursor cursor(*txn, table);
    more = false;
    std::uint64_t cost = 0;
    for (bool there = cursor.seek(from); there; there = cursor.next()) {
      if (!last.empty() && cursor.key() <= last) {
        damaged(fmt::format("the table '{}' is out of order", name));
        return {};
      }
      if (cost >= kEntriesPerLook) {
        from = cursor.key();
        more = true;
        break;
      }
      last = cursor.key();
      cost += look(*txn, cursor.key(), cursor.value());
    }
    if (txn->failed()) damaged(fmt::format("the table '{}': {}", name, txn->error().message));
  }
  return {};
}

std::uint64_t LmdbExaminer::look_at_id(Txn& txn, std::string_view id, std::string_view value) {
  const auto entry = is_number(value) ? read_entry(txn, number_from(value)) : std::unexpected(StoreError{});
  if (!is_run_id(id)) damaged("the table 'ids' has a name that can be no run's");
  // What a later canorun wrote was counted with the runs.
  const bool unknown = !entry && entry.error().kind == StoreErrorKind::kNewerVersion;
  if (!unknown && (!entry || entry->summary.id != id)) damaged(fmt::format("run '{}': its record is not there", id));
  return 1;
}

std::uint64_t LmdbExaminer::look_at_run(Txn& txn, std::string_view key, std::string_view record) {
  ++found_.runs;
  if (!is_number(key)) {
    damaged("the table 'runs' has a key that is no number");
    return 1;
  }
  const RunNumber number = number_from(key);
  const auto entry = decode_entry(record);
  if (!entry && entry.error().kind == StoreErrorKind::kNewerVersion) {
    ++found_.newer;
    return 1;
  }
  if (!entry) {
    damaged(fmt::format("run number {}: {}", number, entry.error().message));
    return 1;
  }
  const Summary& run = entry->summary;
  if (find_run(txn, run.id) != number) damaged(fmt::format("run '{}': it is not found by its id", run.id));
  if (number >= next_run(txn)) damaged(fmt::format("run '{}': its number would be given once more", run.id));
  if (!run.parent.empty() && !find_run(txn, run.parent)) {
    damaged(fmt::format("run '{}': its parent '{}' is not there", run.id, run.parent));
  }
  if (needs_owner(run.status) && !lives_(entry->owner)) ++found_.interrupted;
  return 1 + look_at_rows(txn, number, *entry);
}

std::uint64_t LmdbExaminer::look_at_rows(Txn& txn, RunNumber run, const RunEntry& entry) {
  const std::string& id = entry.summary.id;
  Summary folded;
  folded.id = id;
  std::uint64_t count = 0;
  std::optional<StoreError> error;
  const bool whole = for_each_row(txn, run, [&](std::uint64_t sequence, StoreResult<Row> row) {
    ++count;
    if (!row) {
      error = std::move(row.error());
      if (error->kind == StoreErrorKind::kCorrupt)
        damaged(fmt::format("run '{}': row {}: {}", id, sequence, error->message));
      return false;
    }
    folded.rows += gap_before(*row);
    if (folded.rows != sequence) {
      damaged(fmt::format("run '{}': row {} is missing", id, folded.rows));
      return false;
    }
    if (sequence == 0 && !std::holds_alternative<RunStarted>(row->body)) {
      damaged(fmt::format("run '{}': it does not begin with its start", id));
    }
    look_at_row(txn, run, id, *row);
    apply(folded, *row);
    return true;
  });
  found_.rows += count;
  if (error && error->kind == StoreErrorKind::kNewerVersion) ++found_.newer;
  if (!whole) return count;
  if (folded.rows != entry.summary.rows) {
    damaged(fmt::format("run '{}': row {} of {} is missing", id, folded.rows, entry.summary.rows));
  } else if (folded != entry.summary) {
    damaged(fmt::format("run '{}': its record does not agree with its rows", id));
  }
  return count;
}

void LmdbExaminer::look_at_row(Txn& txn, RunNumber run, std::string_view id, const Row& row) {
  for (const std::string_view digest : texts_of(row)) {
    if (!find_text(txn, digest)) damaged(fmt::format("run '{}': the text {} of a flow is not there", id, digest));
    if (!refers_to_text(txn, digest, run)) damaged(fmt::format("run '{}': it does not keep the text {}", id, digest));
  }
}

std::uint64_t LmdbExaminer::look_at_text(Txn& txn, std::string_view key, std::string_view text) {
  const std::string_view name = key.substr(0, kDigest);
  if (key.size() == kDigest) {
    if (digest(text) != key) damaged(fmt::format("the text {} of a flow is not what it was", key));
  } else if (key.size() != kDigest + 1 + kNumberSize || key[kDigest] != '\0') {
    damaged("the table 'texts' has a key that is none");
  } else {
    const bool kept = find_text(txn, name) && is_there(txn, key.substr(kDigest + 1));
    if (!kept) damaged(fmt::format("the text {} of a flow, or a run that refers to it, is not there", name));
  }
  return 1;
}

std::uint64_t LmdbExaminer::look_at_signal(Txn& txn, std::string_view key, std::string_view value) {
  const auto signal = decode_signal(value);
  if (!signal && signal.error().kind == StoreErrorKind::kCorrupt) damaged(signal.error().message);
  if (!is_there(txn, key.substr(0, kNumberSize))) damaged("a signal was sent to a run that is not there");
  return 1;
}

StoreResult<void> LmdbExaminer::look_for_runs(Table table, std::string_view name) {
  auto txn = env_.read();
  if (!txn) return std::unexpected(std::move(txn.error()));
  Cursor cursor(*txn, table);
  std::string next = number_bytes(0);
  for (bool there = cursor.first(); there; there = cursor.seek(next)) {
    const std::string_view run = cursor.key().substr(0, kNumberSize);
    if (cursor.key().size() != 2 * kNumberSize || run < next) {
      damaged(fmt::format("the table '{}' is out of order, or has a key that is none", name));
      break;
    }
    if (!is_there(*txn, run)) damaged(fmt::format("the table '{}' has entries of a run that is not there", name));
    next = number_bytes(number_from(run) + 1);
  }
  if (txn->failed()) damaged(fmt::format("the table '{}': {}", name, txn->error().message));
  return {};
}

bool LmdbExaminer::is_there(Txn& txn, std::string_view run_key) {
  return is_number(run_key) && txn.get(Table::kRuns, run_key).has_value();
}

}  // namespace canorun::store

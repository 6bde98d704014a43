#include "engine/store/lmdb_tables.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <set>

#include "engine/base/ids.h"
#include "engine/store/big_endian.h"
#include "engine/store/errors.h"
#include "engine/store/row_effects.h"

namespace canorun::store {
namespace {

constexpr std::uint64_t kStoreVersion = 1;
constexpr std::string_view kVersionKey = "version";
constexpr std::string_view kNextRunKey = "next_run";

std::string key(std::uint64_t number) { return number_bytes(number); }

std::string key(std::uint64_t run, std::uint64_t place) { return key(run) + key(place); }

std::string reference(std::string_view digest) { return std::string(digest) + '\0'; }

// Groups have names of any length: their digests have one.
std::string group_key(std::string_view group) { return digest(group); }

StoreError newer_version(std::uint64_t version) {
  return {StoreErrorKind::kNewerVersion,
          fmt::format("the store has version {}, and this canorun reads up to {}", version, kStoreVersion),
          "a later version of canorun made it: use that one"};
}

StoreError foreign() {
  return {StoreErrorKind::kNotAStore, "data.mdb belongs to another program", std::string(kOtherFolderHint)};
}

StoreResult<void> check_version(Txn& txn) {
  const auto stored = txn.get(Table::kMeta, kVersionKey);
  if (!stored || stored->size() != kNumberSize) return std::unexpected(foreign());
  const std::uint64_t version = number_from(*stored);
  if (version > kStoreVersion) return std::unexpected(newer_version(version));
  return {};
}

bool open_all(Txn& txn, Table first, std::size_t end, bool create) {
  for (auto i = static_cast<std::size_t>(first); i < end; ++i) {
    if (!txn.open(static_cast<Table>(i), create)) return false;
  }
  return true;
}

bool open_kept(Txn& txn, bool create) {
  return open_all(txn, Table::kMeta, static_cast<std::size_t>(Table::kBuckets), create);
}

// False where tables are missing that may be made.
StoreResult<bool> open_existing(LmdbEnv& env) {
  auto txn = env.read();
  if (!txn) return std::unexpected(std::move(txn.error()));
  const bool blank = txn->is_blank();
  if (!blank && txn->open(Table::kMeta, false)) {
    if (auto checked = check_version(*txn); !checked) return std::unexpected(std::move(checked.error()));
    if (open_kept(*txn, false)) {
      auto kept = txn->commit();  // and with it the tables' handles
      return kept ? StoreResult<bool>(true) : std::unexpected(std::move(kept.error()));
    }
  } else if (!blank && !txn->failed()) {
    return std::unexpected(foreign());
  }
  if (txn->failed()) return std::unexpected(txn->error());
  return false;
}

bool has_any(Txn& txn, Table table, std::string_view prefix) {
  Cursor cursor(txn, table);
  return cursor.seek(prefix) && cursor.key().starts_with(prefix);
}

// What is in a table under keys that begin with `prefix`.
template <class Take>
void for_each(Txn& txn, Table table, std::string_view prefix, Take take) {
  Cursor cursor(txn, table);
  for (bool there = cursor.seek(prefix); there && cursor.key().starts_with(prefix); there = cursor.next()) take(cursor);
}

// Behind what is in the table for the run.
std::uint64_t next_place(Txn& txn, Table table, RunNumber run) {
  std::uint64_t place = 0;
  for_each(txn, table, key(run),
           [&](const Cursor& cursor) { place = number_from(cursor.key().substr(kNumberSize)) + 1; });
  return place;
}

}  // namespace

StoreResult<void> open_tables(LmdbEnv& env) {
  const auto existing = open_existing(env);
  if (!existing) return std::unexpected(existing.error());
  if (*existing) return {};
  auto txn = env.write(0);
  if (!txn) return std::unexpected(std::move(txn.error()));
  open_kept(*txn, true);
  txn->put(Table::kMeta, kVersionKey, key(kStoreVersion));
  return txn->commit();
}

StoreResult<void> open_passing_tables(LmdbEnv& env) {
  {  // who only looks does not wait for who writes
    auto txn = env.read();
    if (!txn) return std::unexpected(std::move(txn.error()));
    if (open_all(*txn, Table::kBuckets, kTables, false) || txn->failed()) return txn->commit();
  }
  auto txn = env.write(0);
  if (!txn) return std::unexpected(std::move(txn.error()));
  open_all(*txn, Table::kBuckets, kTables, true);
  return txn->commit();
}

std::optional<RunNumber> find_run(Txn& txn, std::string_view id) {
  const auto number = txn.get(Table::kIds, id);
  return number ? std::optional(number_from(*number)) : std::nullopt;
}

StoreResult<RunEntry> read_entry(Txn& txn, RunNumber run) {
  const auto bytes = txn.get(Table::kRuns, key(run));
  if (bytes) return decode_entry(*bytes);
  return std::unexpected(txn.failed() ? txn.error() : no_such_run(run));
}

void write_entry(Txn& txn, RunNumber run, const RunEntry& entry) { txn.put(Table::kRuns, key(run), encode(entry)); }

RunNumber next_run(Txn& txn) {
  const auto next = txn.get(Table::kMeta, kNextRunKey);
  return next ? number_from(*next) : 1;
}

RunNumber add_run(Txn& txn, std::string_view id) {
  const RunNumber run = next_run(txn);
  txn.put(Table::kMeta, kNextRunKey, key(run + 1));
  txn.put(Table::kIds, id, key(run));
  return run;
}

bool for_each_row(Txn& txn, RunNumber run, const std::function<bool(std::uint64_t, StoreResult<Row>)>& take) {
  Cursor cursor(txn, Table::kRows);
  const std::string prefix = key(run);
  for (bool there = cursor.seek(prefix); there && cursor.key().starts_with(prefix); there = cursor.next()) {
    if (!take(number_from(cursor.key().substr(kNumberSize)), decode_row(cursor.value()))) return false;
  }
  return true;
}

StoreResult<std::vector<Row>> read_rows(Txn& txn, RunNumber run, std::uint64_t count) {
  std::vector<Row> rows;
  std::uint64_t next = 0;
  std::optional<StoreError> error;
  const bool whole = for_each_row(txn, run, [&](std::uint64_t sequence, StoreResult<Row> row) {
    if (!row) {
      error = std::move(row.error());
      error->message = fmt::format("row {}: {}", sequence, error->message);
      return false;
    }
    if (sequence != next + gap_before(*row)) return false;
    next = sequence + 1;
    rows.push_back(std::move(*row));
    return true;
  });
  if (txn.failed()) return std::unexpected(txn.error());
  if (error) return std::unexpected(std::move(*error));
  if (whole && next == count) return rows;
  return std::unexpected(
      StoreError{StoreErrorKind::kCorrupt, fmt::format("row {} of {} is missing in the store", next, count)});
}

void write_row(Txn& txn, RunNumber run, std::uint64_t sequence, std::string_view row) {
  txn.put(Table::kRows, key(run, sequence), row);
}

void erase_row(Txn& txn, RunNumber run, std::uint64_t sequence) { txn.erase(Table::kRows, key(run, sequence)); }

std::optional<Row> find_row(Txn& txn, RunNumber run, std::uint64_t sequence) {
  const auto bytes = txn.get(Table::kRows, key(run, sequence));
  auto row = bytes ? decode_row(*bytes) : std::unexpected(StoreError{});
  return row ? std::optional(std::move(*row)) : std::nullopt;
}

std::optional<std::string_view> find_text(Txn& txn, std::string_view digest) { return txn.get(Table::kTexts, digest); }

void write_text(Txn& txn, std::string_view digest, std::string_view text) {
  if (!find_text(txn, digest)) txn.put(Table::kTexts, digest, text);
}

void refer_to_text(Txn& txn, std::string_view digest, RunNumber run) {
  txn.put(Table::kTexts, reference(digest) + key(run), {});
}

bool refers_to_text(Txn& txn, std::string_view digest, RunNumber run) {
  return txn.get(Table::kTexts, reference(digest) + key(run)).has_value();
}

void erase_unused_texts(Txn& txn) {
  std::vector<std::string> unused;
  for_each(txn, Table::kTexts, {}, [&](const Cursor& cursor) {
    const std::string_view at = cursor.key();
    if (at.find('\0') == std::string_view::npos && !has_any(txn, Table::kTexts, reference(at))) unused.emplace_back(at);
  });
  for (const std::string& digest : unused) txn.erase(Table::kTexts, digest);
}

void erase_run(Txn& txn, RunNumber run, std::string_view id) {
  std::set<std::string> digests;
  for_each(txn, Table::kRows, key(run), [&](Cursor& cursor) {
    if (const auto row = decode_row(cursor.value())) {
      for (const std::string_view digest : texts_of(*row)) digests.emplace(digest);
    }
    cursor.erase();
  });
  for (const std::string& digest : digests) {
    txn.erase(Table::kTexts, reference(digest) + key(run));
    if (!has_any(txn, Table::kTexts, reference(digest))) txn.erase(Table::kTexts, digest);
  }
  store::take_requests(txn, run);
  for_each(txn, Table::kSignals, key(run), [](Cursor& cursor) { cursor.erase(); });
  txn.erase(Table::kRuns, key(run));
  txn.erase(Table::kIds, id);
}

std::vector<RunNumber> find_children(Txn& txn, std::string_view id) {
  std::vector<RunNumber> children;
  for_each(txn, Table::kIds, std::string(id) + '.', [&](const Cursor& cursor) {
    if (child_number(id, cursor.key())) children.push_back(number_from(cursor.value()));
  });
  std::ranges::sort(children, std::greater());
  return children;
}

bool has_requests(Txn& txn, RunNumber run) { return has_any(txn, Table::kRequests, key(run)); }

void write_request(Txn& txn, RunNumber run, Request request) {
  const char byte = static_cast<char>(request);
  txn.put(Table::kRequests, key(run, next_place(txn, Table::kRequests, run)), {&byte, 1});
}

std::vector<Request> take_requests(Txn& txn, RunNumber run) {
  std::vector<Request> requests;
  for_each(txn, Table::kRequests, key(run), [&](Cursor& cursor) {
    for (const Request known : {Request::kCancel, Request::kGiveWay}) {
      const char byte = static_cast<char>(known);
      if (cursor.value() == std::string_view(&byte, 1)) requests.push_back(known);
    }
    cursor.erase();
  });
  return requests;
}

void write_signal(Txn& txn, RunNumber run, std::string_view signal) {
  txn.put(Table::kSignals, key(run, next_place(txn, Table::kSignals, run)), signal);
}

StoreResult<std::vector<Signal>> read_signals(Txn& txn, RunNumber run) {
  std::vector<Signal> signals;
  std::optional<StoreError> error;
  for_each(txn, Table::kSignals, key(run), [&](const Cursor& cursor) {
    auto signal = decode_signal(cursor.value());
    if (signal) {
      signal->number = number_from(cursor.key().substr(kNumberSize));
      signals.push_back(std::move(*signal));
    } else if (!error) {
      error = std::move(signal.error());
    }
  });
  if (txn.failed()) return std::unexpected(txn.error());
  if (error) return std::unexpected(std::move(*error));
  return signals;
}

void erase_signal(Txn& txn, RunNumber run, std::uint64_t number) { txn.erase(Table::kSignals, key(run, number)); }

std::vector<RunNumber> group_places(Txn& txn, std::string_view group) {
  std::vector<RunNumber> runs;
  for_each(txn, Table::kGroups, group_key(group),
           [&](const Cursor& cursor) { runs.push_back(number_from(cursor.value())); });
  return runs;
}

void add_to_group(Txn& txn, std::string_view group, RunNumber run) {
  std::uint64_t place = 0;
  const std::string prefix = group_key(group);
  for_each(txn, Table::kGroups, prefix,
           [&](const Cursor& cursor) { place = number_from(cursor.key().substr(prefix.size())) + 1; });
  txn.put(Table::kGroups, prefix + key(place), key(run));
}

void leave_group(Txn& txn, std::string_view group, RunNumber run) {
  for_each(txn, Table::kGroups, group_key(group), [&](Cursor& cursor) {
    if (number_from(cursor.value()) == run) cursor.erase();
  });
}

void for_each_run(Txn& txn, bool newest_first, const std::function<bool(RunNumber, std::string_view)>& take) {
  Cursor cursor(txn, Table::kRuns);
  bool there = newest_first ? cursor.last() : cursor.first();
  while (there && take(number_from(cursor.key()), cursor.value())) {
    there = newest_first ? cursor.previous() : cursor.next();
  }
}

}  // namespace canorun::store

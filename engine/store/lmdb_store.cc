#include "engine/store/lmdb_store.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <limits>

#include "engine/base/ids.h"
#include "engine/store/errors.h"
#include "engine/store/lmdb_tables.h"
#include "engine/store/row_effects.h"

namespace canorun::store {

namespace {

StoreResult<std::vector<std::string>> encode_all(const std::vector<Row>& rows) {
  std::vector<std::string> encoded;
  encoded.reserve(rows.size());
  for (const Row& row : rows) {
    auto bytes = encode(row);
    if (!bytes) return std::unexpected(std::move(bytes.error()));
    encoded.push_back(std::move(*bytes));
  }
  return encoded;
}

std::size_t size_of(const std::vector<std::string>& encoded) {
  std::size_t bytes = 0;
  for (const std::string& row : encoded) bytes += row.size();
  return bytes;
}

bool has_logs(const std::string& folder) {
  std::error_code error;
  const std::filesystem::path logs = folder + "/logs";
  return std::filesystem::exists(logs, error) && !std::filesystem::is_empty(logs, error) && !error;
}

// A data file that is there but empty is new, unless the store was complete before.
StoreResult<void> check_data_file(const std::string& folder, StoreUsers& users) {
  struct stat found{};
  const bool missing = ::stat((folder + "/data.mdb").c_str(), &found) != 0;
  if (!missing && found.st_size > 0) return {};
  if (users.alone() && (!users.complete() || (missing && !has_logs(folder)))) return users.begin_anew();
  return std::unexpected(StoreError{StoreErrorKind::kCorrupt,
                                    fmt::format("the store '{}' is truncated: data.mdb is {}", folder,
                                                !missing        ? "empty"
                                                : users.alone() ? "missing, and logs of runs are there"
                                                                : "missing while the store is in use"),
                                    "restore the folder from a backup; without one, remove it"});
}

}  // namespace

StoreResult<std::unique_ptr<LmdbStore>> LmdbStore::open(const LmdbOptions& options) {
  if (auto ours = LmdbEnv::check_foreign(options.folder); !ours) return std::unexpected(std::move(ours.error()));
  auto folder = make_store_folder(options.folder);
  if (!folder) return std::unexpected(std::move(folder.error()));
  if (auto local = check_local(*folder); !local) return std::unexpected(std::move(local.error()));
  auto users = options.alone ? StoreUsers::join_alone(*folder) : StoreUsers::join(*folder);
  if (!users) return std::unexpected(std::move(users.error()));
  // Who is not alone must first know that the others are like it: LMDB cannot tell.
  if (!users->alone()) {
    if (auto settled = users->settle(); !settled) return std::unexpected(std::move(settled.error()));
  }
  if (auto checked = check_data_file(*folder, *users); !checked) return std::unexpected(std::move(checked.error()));
  auto env = LmdbEnv::open(*folder);
  if (!env) return std::unexpected(std::move(env.error()));
  if (auto opened = open_tables(**env); !opened) return std::unexpected(std::move(opened.error()));
  if (users->alone()) {
    if (!users->complete()) {
      if (auto synced = sync_folder(*folder); !synced) return std::unexpected(std::move(synced.error()));
    }
    auto settled = options.alone ? users->keep_alone() : users->settle();
    if (!settled) return std::unexpected(std::move(settled.error()));
  }
  return std::unique_ptr<LmdbStore>(new LmdbStore(std::move(*folder), std::move(*users), std::move(*env)));
}

LmdbStore::LmdbStore(std::string folder, StoreUsers users, std::unique_ptr<LmdbEnv> env)
    : folder_(std::move(folder)),
      users_(std::move(users)),
      env_(std::move(env)),
      owners_(folder_ + "/owners"),
      shared_(folder_, *env_, writer_, owners_),
      writer_(*env_) {}

void LmdbStore::create(NewRun run, Completion<RunNumber> done) {
  const bool starts = !run.rows.empty() && std::holds_alternative<RunStarted>(run.rows.front().body);
  if (!starts || !is_run_id(run.id) || !replace_rightly(run.rows, nullptr))
    return done(std::unexpected(not_a_run(run.id)));
  auto encoded = encode_all(run.rows);
  if (!encoded) return done(std::unexpected(std::move(encoded.error())));
  std::size_t bytes = size_of(*encoded);
  for (const auto& [digest, text] : run.texts) bytes += text.size();
  writer_.submit<RunNumber>(
      bytes,
      [this, run = std::move(run), encoded = std::move(*encoded)](Txn& txn) -> StoreResult<RunNumber> {
        auto own = owners_.own();
        if (!own) return std::unexpected(std::move(own.error()));
        if (find_run(txn, run.id)) return std::unexpected(run_exists(run.id));
        const auto is_there = [&](std::string_view digest) {
          return run.texts.contains(digest) || find_text(txn, digest);
        };
        if (auto missing = missing_text(run.rows, is_there)) return std::unexpected(no_such_text(*missing));
        if (!run.group.empty() && !run.queues) {
          const auto others = living_before(txn, run.group, 0, 1);
          if (!others.empty()) return std::unexpected(group_taken(run.group, others.front()));
        }
        const RunNumber number = add_run(txn, run.id);
        for (const auto& [digest, text] : run.texts) write_text(txn, digest, text);
        RunEntry entry;
        entry.summary.id = run.id;
        entry.owner = std::move(*own);
        if (!run.group.empty()) (void)place_in_group(txn, number, entry, run.group, true);
        write_rows(txn, number, entry, run.rows, encoded);
        return number;
      },
      std::move(done));
}

void LmdbStore::append(RunNumber run, std::uint64_t first, std::vector<Row> rows, Completion<void> done) {
  auto encoded = encode_all(rows);
  if (!encoded) return done(std::unexpected(std::move(encoded.error())));
  const std::size_t bytes = size_of(*encoded);
  auto then = [this, done = std::move(done)](StoreResult<void> result) mutable {
    done(std::move(result));
    wake_next();
  };
  writer_.submit<void>(
      bytes,
      [this, run, first, rows = std::move(rows), encoded = std::move(*encoded)](Txn& txn) -> StoreResult<void> {
        auto entry = own_entry(txn, run);
        if (!entry) return std::unexpected(std::move(entry.error()));
        const Summary& summary = entry->summary;
        if (first != summary.rows) return std::unexpected(row_exists(summary.id, first, summary.rows));
        const auto is_there = [&](std::string_view digest) { return find_text(txn, digest).has_value(); };
        if (auto missing = missing_text(rows, is_there)) return std::unexpected(no_such_text(*missing));
        const bool replaces = !rows.empty() && gap_before(rows.front()) > 0;
        const auto before = replaces && first > 0 ? find_row(txn, run, first - 1) : std::nullopt;
        if (!replace_rightly(rows, before ? &*before : nullptr)) return std::unexpected(replaces_nothing(summary.id));
        write_rows(txn, run, *entry, rows, encoded);
        return {};
      },
      std::move(then));
}

void LmdbStore::write_rows(Txn& txn, RunNumber run, RunEntry& entry, const std::vector<Row>& rows,
                           const std::vector<std::string>& encoded) {
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (gap_before(rows[i]) > 0) erase_row(txn, run, entry.summary.rows - 1);
    write_row(txn, run, entry.summary.rows, encoded[i]);
    apply(entry.summary, rows[i]);
    for (const std::string_view digest : texts_of(rows[i])) refer_to_text(txn, digest, run);
    if (const auto signal = signal_of(rows[i])) erase_signal(txn, run, *signal);
    if (gives_up_ownership(rows[i])) let_go(txn, run, entry);
  }
  write_entry(txn, run, entry);
}

StoreResult<RunEntry> LmdbStore::own_entry(Txn& txn, RunNumber run) const {
  auto entry = read_entry(txn, run);
  if (entry && !owners_.is_own(entry->owner)) return std::unexpected(not_owner(entry->summary.id));
  return entry;
}

void LmdbStore::claim(std::string id, Completion<RunRecord> done) {
  auto take = [this, id = std::move(id)](Txn& txn) -> StoreResult<RunRecord> {
    auto own = owners_.own();
    if (!own) return std::unexpected(std::move(own.error()));
    const auto number = find_run(txn, id);
    if (!number) return std::unexpected(no_such_run(id));
    auto entry = read_entry(txn, *number);
    if (!entry) return std::unexpected(std::move(entry.error()));
    if (!entry->owner.empty() && owners_.alive(entry->owner)) return std::unexpected(owned(id));
    let_go(txn, *number, *entry);
    RunRecord record{*number, shown(*entry), {}};
    entry->owner = std::move(*own);
    write_entry(txn, *number, *entry);
    return record;
  };
  // It is ours then: nobody else changes it, and long runs are read outside of the transaction.
  auto read = [this, done = std::move(done)](StoreResult<RunRecord> record) mutable {
    wake_next();
    if (!record) return done(std::move(record));
    auto txn = env_->read();
    auto rows = txn ? read_rows(*txn, record->number, record->summary.rows)
                    : StoreResult<std::vector<Row>>(std::unexpected(std::move(txn.error())));
    if (rows) {
      record->rows = std::move(*rows);
      return done(std::move(record));
    }
    auto refuse = [done = std::move(done), error = std::move(rows.error())](StoreResult<void>) mutable {
      done(std::unexpected(std::move(error)));
    };
    writer_.submit<void>(0, giving_up(record->number), std::move(refuse));
  };
  writer_.submit<RunRecord>(0, std::move(take), std::move(read));
}

StoreResult<void> LmdbStore::release(RunNumber run) {
  std::promise<StoreResult<void>> promise;
  auto result = promise.get_future();
  writer_.submit<void>(0, giving_up(run), [this, promise = std::move(promise)](StoreResult<void> released) mutable {
    wake_next();
    promise.set_value(std::move(released));
  });
  return result.get();
}

LmdbWriter::Work<void> LmdbStore::giving_up(RunNumber run) {
  return [this, run](Txn& txn) -> StoreResult<void> {
    auto entry = own_entry(txn, run);
    if (!entry) return std::unexpected(std::move(entry.error()));
    let_go(txn, run, *entry);
    write_entry(txn, run, *entry);
    return {};
  };
}

void LmdbStore::let_go(Txn& txn, RunNumber run, RunEntry& entry) {
  entry.owner.clear();
  store::take_requests(txn, run);
  if (entry.group.empty()) return;
  leave_group(txn, entry.group, run);
  for (const RunNumber next : group_places(txn, entry.group)) {
    if (auto waiting = living_in(txn, entry.group, next)) {
      to_wake_.push_back(std::move(waiting->owner));
      break;
    }
  }
  entry.group.clear();
}

void LmdbStore::wake_next() {
  for (const std::string& owner : std::exchange(to_wake_, {})) owners_.wake(owner);
}

void LmdbStore::join_group(RunNumber run, std::string group, bool queues, Completion<void> done) {
  writer_.submit<void>(
      0,
      [this, run, group = std::move(group), queues](Txn& txn) -> StoreResult<void> {
        auto entry = own_entry(txn, run);
        if (!entry) return std::unexpected(std::move(entry.error()));
        auto placed = place_in_group(txn, run, *entry, group, queues);
        if (placed) write_entry(txn, run, *entry);
        return placed;
      },
      std::move(done));
}

StoreResult<void> LmdbStore::place_in_group(Txn& txn, RunNumber run, RunEntry& entry, const std::string& group,
                                            bool queues) {
  if (entry.group == group) return {};
  if (!queues) {
    const auto others = living_before(txn, group, run, 1);
    if (!others.empty()) return std::unexpected(group_taken(group, others.front()));
  }
  // Those whose process died come no more: who resumes one of them takes a new place. Behind one that lives they are
  // in nobody's way, and may be thousands that live.
  for (const RunNumber other : group_places(txn, group)) {
    if (living_in(txn, group, other)) break;
    leave_group(txn, group, other);
  }
  add_to_group(txn, group, run);
  entry.group = group;
  return {};
}

std::optional<RunEntry> LmdbStore::living_in(Txn& txn, std::string_view group, RunNumber run) const {
  auto entry = read_entry(txn, run);
  if (!entry || entry->group != group || !owners_.alive(entry->owner)) return std::nullopt;
  return std::move(*entry);
}

std::vector<std::string> LmdbStore::living_before(Txn& txn, std::string_view group, RunNumber run,
                                                  std::size_t most) const {
  std::vector<std::string> ids;
  for (const RunNumber other : group_places(txn, group)) {
    if (other == run || ids.size() == most) break;
    if (auto entry = living_in(txn, group, other)) ids.push_back(std::move(entry->summary.id));
  }
  return ids;
}

StoreResult<std::vector<std::string>> LmdbStore::before_in_group(RunNumber run) const {
  auto txn = env_->read();
  if (!txn) return std::unexpected(std::move(txn.error()));
  const auto entry = read_entry(*txn, run);
  if (!entry) return std::unexpected(entry.error());
  auto ids = living_before(*txn, entry->group, run, std::numeric_limits<std::size_t>::max());
  if (txn->failed()) return std::unexpected(txn->error());
  return ids;
}

StoreResult<RunRecord> LmdbStore::load(std::string_view id) const {
  auto txn = env_->read();
  if (!txn) return std::unexpected(std::move(txn.error()));
  const auto number = find_run(*txn, id);
  if (!number) return std::unexpected(txn->failed() ? txn->error() : no_such_run(id));
  const auto entry = read_entry(*txn, *number);
  if (!entry) return std::unexpected(entry.error());
  auto rows = read_rows(*txn, *number, entry->summary.rows);
  if (!rows) return std::unexpected(std::move(rows.error()));
  return RunRecord{*number, shown(*entry), std::move(*rows)};
}

StoreResult<Summary> LmdbStore::find(std::string_view id) const {
  auto txn = env_->read();
  if (!txn) return std::unexpected(std::move(txn.error()));
  const auto number = find_run(*txn, id);
  if (!number) return std::unexpected(txn->failed() ? txn->error() : no_such_run(id));
  const auto entry = read_entry(*txn, *number);
  if (!entry) return std::unexpected(entry.error());
  return shown(*entry);
}

StoreResult<std::vector<Summary>> LmdbStore::list(const ListFilter& filter) const {
  auto txn = env_->read();
  if (!txn) return std::unexpected(std::move(txn.error()));
  std::vector<Summary> result;
  std::optional<StoreError> error;
  const auto take = [&](StoreResult<RunEntry> entry) {
    if (!entry) {
      error = std::move(entry.error());
      return false;
    }
    if (filter.parent && entry->summary.parent != *filter.parent) return true;
    if (filter.flow && entry->summary.flow != *filter.flow) return true;
    Summary summary = shown(*entry);
    if (filter.status && summary.status != *filter.status) return true;
    result.push_back(std::move(summary));
    return result.size() != filter.limit;
  };
  if (filter.parent && !filter.parent->empty()) {
    const auto children = find_children(*txn, *filter.parent);
    (void)std::ranges::all_of(children, [&](RunNumber child) { return take(read_entry(*txn, child)); });
  } else {
    for_each_run(*txn, true, [&](RunNumber, std::string_view record) { return take(decode_entry(record)); });
  }
  if (txn->failed()) error = txn->error();
  if (error) return std::unexpected(std::move(*error));
  return result;
}

StoreResult<std::string> LmdbStore::text(std::string_view digest) const {
  auto txn = env_->read();
  if (!txn) return std::unexpected(std::move(txn.error()));
  if (const auto found = find_text(*txn, digest)) return std::string(*found);
  return std::unexpected(txn->failed() ? txn->error() : no_such_text(digest));
}

StoreResult<void> LmdbStore::put_text(std::string_view digest, std::string_view text) {
  return writer_.run<void>([digest, text](Txn& txn) -> StoreResult<void> {
    write_text(txn, digest, text);
    return {};
  });
}

StoreResult<bool> LmdbStore::post(std::string_view id, Request request) {
  auto asked = writer_.run<std::string>([this, id, request](Txn& txn) -> StoreResult<std::string> {
    const auto number = find_run(txn, id);
    if (!number) return std::unexpected(no_such_run(id));
    auto entry = read_entry(txn, *number);
    if (!entry) return std::unexpected(std::move(entry.error()));
    if (!owners_.alive(entry->owner)) return std::string();
    write_request(txn, *number, request);
    return std::move(entry->owner);
  });
  if (!asked) return std::unexpected(std::move(asked.error()));
  owners_.wake(*asked);
  return !asked->empty();
}

StoreResult<std::vector<Request>> LmdbStore::take_requests(RunNumber run) {
  {
    auto txn = env_->read();
    if (!txn) return std::unexpected(std::move(txn.error()));
    if (!has_requests(*txn, run)) return std::vector<Request>{};
  }
  return writer_.run<std::vector<Request>>(
      [run](Txn& txn) -> StoreResult<std::vector<Request>> { return store::take_requests(txn, run); });
}

StoreResult<bool> LmdbStore::send(std::string_view id, Signal signal) {
  const auto encoded = encode(signal);
  if (!encoded) return std::unexpected(encoded.error());
  const auto owner = writer_.run<std::string>([this, id, &encoded](Txn& txn) -> StoreResult<std::string> {
    const auto number = find_run(txn, id);
    if (!number) return std::unexpected(no_such_run(id));
    auto entry = read_entry(txn, *number);
    if (!entry) return std::unexpected(std::move(entry.error()));
    write_signal(txn, *number, *encoded);
    return owners_.alive(entry->owner) ? std::move(entry->owner) : std::string();
  });
  if (!owner) return std::unexpected(owner.error());
  owners_.wake(*owner);
  return !owner->empty();
}

StoreResult<std::vector<Signal>> LmdbStore::signals(std::string_view id) const {
  auto txn = env_->read();
  if (!txn) return std::unexpected(std::move(txn.error()));
  const auto number = find_run(*txn, id);
  if (!number) return std::unexpected(txn->failed() ? txn->error() : no_such_run(id));
  return read_signals(*txn, *number);
}

std::string LmdbStore::log_folder(std::string_view id) const { return fmt::format("{}/logs/{}", folder_, id); }

Summary LmdbStore::shown(const RunEntry& entry) const {
  Summary summary = entry.summary;
  if (needs_owner(summary.status) && !owners_.alive(entry.owner)) summary.status = Status::kInterrupted;
  return summary;
}

}  // namespace canorun::store

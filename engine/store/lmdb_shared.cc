#include "engine/store/lmdb_shared.h"

#include <filesystem>

#include "engine/store/errors.h"
#include "engine/store/lmdb_tables.h"
#include "engine/store/store_folder.h"

namespace canorun::store {

namespace fs = std::filesystem;

namespace {

class TableEntries final : public Entries {
 public:
  TableEntries(Txn& txn, Table table) : txn_(txn), table_(table) {}

  std::optional<std::string> get(std::string_view key) override {
    const auto value = txn_.get(table_, key);
    return value ? std::optional<std::string>(*value) : std::nullopt;
  }
  void put(std::string_view key, std::string_view value) override { txn_.put(table_, key, value); }
  void erase(std::string_view key) override { txn_.erase(table_, key); }
  std::optional<Entry> first(std::string_view prefix, std::string_view from) override {
    Cursor cursor(txn_, table_);
    const bool there = from.empty() ? cursor.first() : cursor.seek(from);
    if (!there || !cursor.key().starts_with(prefix)) return std::nullopt;
    return Entry(cursor.key(), cursor.value());
  }

 private:
  Txn& txn_;
  Table table_;
};

}  // namespace

void LmdbShared::ask_breaker(std::string key, policy::BreakerRule rule, WallTime now, Completion<Admission> done) {
  {
    auto txn = env_.read();
    if (!txn) return done(std::unexpected(std::move(txn.error())));
    TableEntries breakers(*txn, Table::kBreakers);
    auto answer = look_at_breaker(breakers, key, rule, now);
    if (txn->failed()) return done(std::unexpected(txn->error()));
    if (answer) return done(std::move(*answer));
  }
  writer_.submit<Admission>(
      0,
      [this, key = std::move(key), rule, now](Txn& txn) -> StoreResult<Admission> {
        auto who = asker();
        if (!who) return std::unexpected(std::move(who.error()));
        TableEntries breakers(txn, Table::kBreakers);
        return store::ask_breaker(breakers, key, rule, now, *who);
      },
      std::move(done));
}

void LmdbShared::tell_breaker(std::string key, policy::BreakerRule rule, policy::Permit permit,
                              policy::CallOutcome outcome, WallTime now, Completion<Millis> done) {
  {
    auto txn = env_.read();
    if (!txn) return done(std::unexpected(std::move(txn.error())));
    TableEntries breakers(*txn, Table::kBreakers);
    const bool changes = changes_breaker(breakers, key, rule, permit, outcome, now);
    const Millis shut = changes ? Millis{0} : store::tell_breaker(breakers, key, rule, permit, outcome, now);
    if (txn->failed()) return done(std::unexpected(txn->error()));
    if (!changes) return done(shut);
  }
  writer_.submit<Millis>(
      0,
      [key = std::move(key), rule, permit, outcome, now](Txn& txn) -> StoreResult<Millis> {
        TableEntries breakers(txn, Table::kBreakers);
        return store::tell_breaker(breakers, key, rule, permit, outcome, now);
      },
      std::move(done));
}

StoreResult<std::vector<BreakerRecord>> LmdbShared::breakers() const {
  auto txn = env_.read();
  if (!txn) return std::unexpected(std::move(txn.error()));
  TableEntries breakers(*txn, Table::kBreakers);
  auto records = all_breakers(breakers);
  if (txn->failed()) return std::unexpected(txn->error());
  return records;
}

StoreResult<bool> LmdbShared::reset_breaker(std::string_view key) {
  return writer_.run<bool>([key](Txn& txn) -> StoreResult<bool> {
    TableEntries breakers(txn, Table::kBreakers);
    return store::reset_breaker(breakers, key);
  });
}

StoreResult<LimitAnswer> LmdbShared::take(Entries* windows, const LimitRequest& request) const {
  auto who = asker();
  if (!who) return std::unexpected(std::move(who.error()));
  LimitAnswer answer;
  Woken woken;
  auto done = in_passing(windows,
                         [&](const LimitTables& tables) { answer = store::take_limits(tables, request, *who, woken); });
  if (!done) return std::unexpected(std::move(done.error()));
  wake(woken);
  return answer;
}

void LmdbShared::take_limits(const LimitRequest& request, Completion<LimitAnswer> done) {
  if (!has_windows(request.costs)) return done(take(nullptr, request));
  auto work = [this, request](Txn& txn) {
    TableEntries windows(txn, Table::kWindows);
    return take(&windows, request);
  };
  writer_.submit<LimitAnswer>(0, std::move(work), std::move(done));
}

StoreResult<void> LmdbShared::leave_queue(const std::vector<LimitCost>& costs, Ticket ticket) {
  Woken woken;
  auto left =
      in_passing(nullptr, [&](const LimitTables& tables) { store::leave_queue(*tables.queue, costs, ticket, woken); });
  if (left) wake(woken);
  return left;
}

void LmdbShared::give_back_limits(const std::vector<LimitCost>& costs, Moment taken, Completion<void> done) {
  const auto give = [this, costs, taken](Entries* windows) {
    return in_passing(windows, [&](const LimitTables& tables) { store::give_back_limits(tables, costs, taken); });
  };
  if (!has_windows(costs)) return done(give(nullptr));
  auto work = [give](Txn& txn) {
    TableEntries windows(txn, Table::kWindows);
    return give(&windows);
  };
  writer_.submit<void>(0, std::move(work), std::move(done));
}

StoreResult<std::vector<LimitRecord>> LmdbShared::limits() const {
  auto txn = env_.read();
  if (!txn) return std::unexpected(std::move(txn.error()));
  TableEntries windows(*txn, Table::kWindows);
  std::vector<LimitRecord> records;
  const auto look = [&](const LimitTables& tables) { records = all_limits(tables); };
  auto there = has_passing();
  if (!there) return std::unexpected(std::move(there.error()));
  if (*there) {
    if (auto read = in_passing(&windows, look); !read) return std::unexpected(std::move(read.error()));
  } else {
    look({.windows = &windows});
  }
  if (txn->failed()) return std::unexpected(txn->error());
  return records;
}

StoreResult<void> LmdbShared::in_passing(Entries* windows, const std::function<void(const LimitTables&)>& work) const {
  auto env = passing();
  if (!env) return std::unexpected(std::move(env.error()));
  auto txn = (*env)->write(0);
  if (!txn) return std::unexpected(std::move(txn.error()));
  TableEntries buckets(*txn, Table::kBuckets);
  TableEntries queue(*txn, Table::kQueue);
  work({windows, &buckets, &queue});
  return txn->commit();
}

StoreResult<std::string> LmdbShared::passing_folder() const {
  auto boot = boot_id();
  if (!boot) return boot;
  return folder_ + "/" + *boot;
}

StoreResult<bool> LmdbShared::has_passing() const {
  const auto mine = passing_folder();
  if (!mine) return std::unexpected(mine.error());
  std::error_code error;
  const bool there = fs::exists(*mine + "/data.mdb", error);
  if (error) return std::unexpected(system_error(error.value(), *mine));
  return there;
}

StoreResult<LmdbEnv*> LmdbShared::passing() const {
  const std::lock_guard lock(mutex_);
  if (passing_) return passing_.get();
  const auto folder = passing_folder();
  if (!folder) return std::unexpected(folder.error());
  const std::string& mine = *folder;
  if (auto made = make_inner_folder(folder_); !made) return std::unexpected(std::move(made.error()));
  if (auto made = make_inner_folder(mine); !made) return std::unexpected(std::move(made.error()));
  std::error_code error;
  for (fs::directory_iterator it(folder_, error), end; !error && it != end; it.increment(error)) {
    std::error_code ignored;
    if (it->path() != mine) fs::remove_all(it->path(), ignored);
  }
  auto env = LmdbEnv::open(mine, Durability::kLost);
  if (!env) return std::unexpected(std::move(env.error()));
  if (auto opened = open_passing_tables(**env); !opened) return std::unexpected(std::move(opened.error()));
  passing_ = std::move(*env);
  return passing_.get();
}

StoreResult<Asker> LmdbShared::asker() const {
  auto own = owners_.own();
  if (!own) return std::unexpected(std::move(own.error()));
  return Asker{std::move(*own), [this](std::string_view owner) { return owners_.alive(owner); }};
}

void LmdbShared::wake(const Woken& woken) const {
  for (const std::string& owner : woken) {
    if (!owners_.is_own(owner)) owners_.wake(owner);
  }
}

void erase_shared_of(Txn& txn, std::string_view run) {
  TableEntries breakers(txn, Table::kBreakers);
  TableEntries windows(txn, Table::kWindows);
  erase_own(breakers, run);
  erase_own(windows, run);
}

}  // namespace canorun::store

#include "engine/store/lmdb_shared.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <map>

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

// Keeps what is put into a table aside. What is put is not asked for again before it is written.
class PutLater final : public Entries {
 public:
  explicit PutLater(Entries& table) : table_(table) {}

  std::optional<std::string> get(std::string_view key) override { return table_.get(key); }
  void put(std::string_view key, std::string_view value) override { later_.insert_or_assign(std::string(key), value); }
  void erase(std::string_view key) override { table_.erase(key); }
  std::optional<Entry> first(std::string_view prefix, std::string_view from) override {
    return table_.first(prefix, from);
  }
  void write() const {
    for (const auto& [key, value] : later_) table_.put(key, value);
  }

 private:
  Entries& table_;
  std::map<std::string, std::string> later_;
};

// What is wrong with the folder of what is in passing, which can be done without.
StoreError of_passing(StoreError error, const std::string& folder) {
  if (error.kind == StoreErrorKind::kCorrupt || error.kind == StoreErrorKind::kNotAStore ||
      error.kind == StoreErrorKind::kNewerVersion) {
    return {StoreErrorKind::kCorrupt, fmt::format("the buckets of rate limits in '{}' cannot be read", folder),
            "nothing else is damaged: when no canorun runs, remove that folder, and they begin anew"};
  }
  return error;
}

StoreResult<void> work_in(StoreResult<Txn> txn, Entries* windows, const std::function<void(const LimitTables&)>& work) {
  if (!txn) return std::unexpected(std::move(txn.error()));
  TableEntries buckets(*txn, Table::kBuckets);
  TableEntries queue(*txn, Table::kQueue);
  work({windows, &buckets, &queue});
  return txn->commit();
}

// Those of windows, or of buckets.
std::vector<LimitCost> only(const std::vector<LimitCost>& costs, bool windows) {
  std::vector<LimitCost> some;
  std::ranges::copy_if(costs, std::back_inserter(some), [&](const LimitCost& cost) {
    return std::holds_alternative<policy::Window>(cost.rule) == windows;
  });
  return some;
}

}  // namespace

void LmdbShared::ask_breaker(BreakerCall call, Completion<Admission> done) {
  {
    auto txn = env_.read();
    if (!txn) return done(std::unexpected(std::move(txn.error())));
    TableEntries breakers(*txn, Table::kBreakers);
    auto answer = look_at_breaker(breakers, call.key, call.rule, call.time());
    if (txn->failed()) return done(std::unexpected(txn->error()));
    if (answer) return done(std::move(*answer));
  }
  writer_.submit<Admission>(
      0,
      [this, call = std::move(call)](Txn& txn) -> StoreResult<Admission> {
        auto who = asker();
        if (!who) return std::unexpected(std::move(who.error()));
        TableEntries breakers(txn, Table::kBreakers);
        return store::ask_breaker(breakers, call.key, call.rule, call.time(), *who);
      },
      std::move(done));
}

void LmdbShared::tell_breaker(BreakerCall call, policy::Permit permit, policy::CallOutcome outcome,
                              Completion<Millis> done) {
  {
    auto txn = env_.read();
    if (!txn) return done(std::unexpected(std::move(txn.error())));
    TableEntries breakers(*txn, Table::kBreakers);
    const auto shut_for = look_at_outcome(breakers, call.key, call.rule, permit, outcome, call.time());
    if (txn->failed()) return done(std::unexpected(txn->error()));
    if (shut_for) return done(*shut_for);
  }
  writer_.submit<Millis>(
      0,
      [call = std::move(call), permit, outcome](Txn& txn) -> StoreResult<Millis> {
        TableEntries breakers(txn, Table::kBreakers);
        return store::tell_breaker(breakers, call.key, call.rule, permit, outcome, call.time());
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
  auto done = in_passing(Access::kChange, windows,
                         [&](const LimitTables& tables) { answer = store::take_limits(tables, request, *who, woken); });
  if (!done) return std::unexpected(std::move(done.error()));
  wake_others(woken);
  return answer;
}

void LmdbShared::take_limits(const LimitRequest& request, Completion<LimitAnswer> done) {
  if (!has_windows(request.costs)) return done(take(nullptr, request));
  auto work = [this, again = request, before = std::optional<LimitAnswer>()](Txn& txn) mutable {
    // Its group was not kept, but what is in passing was.
    if (before) take_back(again, *before);
    TableEntries windows(txn, Table::kWindows);
    // What is only advice is committed first. Where that fails the request is refused, and must have taken nothing of
    // what is kept; the other way round, buckets that miss something are full again by and by.
    PutLater later(windows);
    auto answer = take(&later, again);
    if (!answer) return answer;
    later.write();
    before = *answer;
    return answer;
  };
  writer_.submit<LimitAnswer>(0, std::move(work), std::move(done));
}

StoreResult<void> LmdbShared::leave_queue(const std::vector<LimitCost>& costs, Ticket ticket) {
  Woken woken;
  auto left = in_passing(Access::kChange, nullptr,
                         [&](const LimitTables& tables) { store::leave_queue(*tables.queue, costs, ticket, woken); });
  if (left) wake_others(woken);
  return left;
}

StoreResult<void> LmdbShared::give_back(Entries* windows, const std::vector<LimitCost>& costs, Moment taken) const {
  Woken woken;
  auto given = in_passing(Access::kChange, windows,
                          [&](const LimitTables& tables) { store::give_back_limits(tables, costs, taken, woken); });
  if (given) wake(woken);
  return given;
}

void LmdbShared::take_back(LimitRequest& request, const LimitAnswer& answer) const {
  if (const auto* wait = std::get_if<LimitWait>(&answer)) {
    if (wait->ticket) request.ticket = wait->ticket;
    return;
  }
  (void)give_back(nullptr, only(request.costs, false), std::get<LimitTaken>(answer).at);
}

void LmdbShared::give_back_limits(const std::vector<LimitCost>& costs, Moment taken, Completion<void> done) {
  const auto buckets = only(costs, false);
  auto given = buckets.empty() ? StoreResult<void>() : give_back(nullptr, buckets, taken);
  auto of_windows = only(costs, true);
  if (!given || of_windows.empty()) return done(std::move(given));
  auto work = [this, of_windows = std::move(of_windows), taken](Txn& txn) {
    TableEntries windows(txn, Table::kWindows);
    return give_back(&windows, of_windows, taken);
  };
  writer_.submit<void>(0, std::move(work), std::move(done));
}

StoreResult<std::vector<LimitRecord>> LmdbShared::limits() const {
  auto txn = env_.read();
  if (!txn) return std::unexpected(std::move(txn.error()));
  TableEntries windows(*txn, Table::kWindows);
  std::vector<LimitRecord> records;
  const auto look = [&](const LimitTables& tables) {
    records = all_limits(tables, [this](std::string_view owner) { return owners_.alive(owner); });
  };
  if (has_passing()) {
    if (auto read = in_passing(Access::kLook, &windows, look); !read) return std::unexpected(std::move(read.error()));
  } else {
    look({.windows = &windows});
  }
  if (txn->failed()) return std::unexpected(txn->error());
  return records;
}

StoreResult<void> LmdbShared::in_passing(Access access, Entries* windows,
                                         const std::function<void(const LimitTables&)>& work) const {
  auto env = passing();
  if (!env) return std::unexpected(std::move(env.error()));
  auto done = work_in(access == Access::kLook ? (*env)->read() : (*env)->write(0), windows, work);
  if (done) return done;
  return std::unexpected(of_passing(std::move(done.error()), passing_folder().value_or(folder_)));
}

StoreResult<std::string> LmdbShared::passing_folder() const {
  auto boot = boot_id();
  if (!boot) return boot;
  return folder_ + "/" + *boot;
}

StoreResult<LmdbEnv*> LmdbShared::passing() const {
  const std::lock_guard lock(mutex_);
  if (passing_) return passing_.get();
  const auto folder = passing_folder();
  if (!folder) return std::unexpected(folder.error());
  if (auto made = make_inner_folder(folder_); !made) return std::unexpected(std::move(made.error()));
  if (auto made = make_inner_folder(*folder); !made) return std::unexpected(std::move(made.error()));
  earlier_boots(true);
  auto env = LmdbEnv::open(*folder, Durability::kLost);
  if (!env) return std::unexpected(of_passing(std::move(env.error()), *folder));
  if (auto opened = open_passing_tables(**env); !opened) {
    return std::unexpected(of_passing(std::move(opened.error()), *folder));
  }
  passing_ = std::move(*env);
  return passing_.get();
}

std::uint64_t LmdbShared::earlier_boots(bool removes) const {
  const auto mine = passing_folder();
  std::uint64_t count = 0;
  std::error_code error;
  for (fs::directory_iterator it(folder_, error), end; mine && !error && it != end; it.increment(error)) {
    if (it->path() == *mine) continue;
    ++count;
    std::error_code ignored;
    if (removes) fs::remove_all(it->path(), ignored);
  }
  return count;
}

bool LmdbShared::has_passing() const {
  const auto mine = passing_folder();
  std::error_code ignored;
  return mine && fs::exists(*mine + "/data.mdb", ignored);
}

StoreResult<Asker> LmdbShared::asker() const {
  auto own = owners_.own();
  if (!own) return std::unexpected(std::move(own.error()));
  return Asker{std::move(*own), [this](std::string_view owner) { return owners_.alive(owner); }};
}

void LmdbShared::wake(const Woken& woken) const {
  for (const std::string& owner : woken) owners_.wake(owner);
}

void LmdbShared::wake_others(const Woken& woken) const {
  for (const std::string& owner : woken) {
    if (!owners_.is_own(owner)) owners_.wake(owner);
  }
}

void LmdbShared::erase_own(Txn& txn, std::string_view run) const {
  TableEntries breakers(txn, Table::kBreakers);
  TableEntries windows(txn, Table::kWindows);
  store::erase_own(breakers, run);
  store::erase_own(windows, run);
  // What stays there is in nobody's way, and lasts no longer than the machine runs.
  if (has_passing())
    (void)in_passing(Access::kChange, nullptr,
                     [&](const LimitTables& tables) { store::erase_own(*tables.buckets, run); });
}

}  // namespace canorun::store

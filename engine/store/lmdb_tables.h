// What stands where in the databases: FORMAT.md, "Databases".
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/store/lmdb_env.h"
#include "engine/store/row_codec.h"

namespace canorun::store {

/// Opens the tables, and makes those that are missing. kNotAStore, kNewerVersion.
StoreResult<void> open_tables(LmdbEnv& env);
/// The same for those of an environment that lasts as long as the machine runs.
StoreResult<void> open_passing_tables(LmdbEnv& env);

/// None where there is no such run, and where the transaction has failed.
std::optional<RunNumber> find_run(Txn& txn, std::string_view id);

/// kNoSuchRun.
StoreResult<RunEntry> read_entry(Txn& txn, RunNumber run);
void write_entry(Txn& txn, RunNumber run, const RunEntry& entry);

/// Gives a run its number.
RunNumber add_run(Txn& txn, std::string_view id);

/// The number that the next run gets.
RunNumber next_run(Txn& txn);

/// Calls `take(sequence, row)` for each row of a run that is there, or what cannot be read, until it gives false; then
/// it gives false, too.
bool for_each_row(Txn& txn, RunNumber run, const std::function<bool(std::uint64_t, StoreResult<Row>)>& take);
/// All rows of a run that are there. kCorrupt if with their gaps they are not `count`.
StoreResult<std::vector<Row>> read_rows(Txn& txn, RunNumber run, std::uint64_t count);
void write_row(Txn& txn, RunNumber run, std::uint64_t sequence, std::string_view row);
void erase_row(Txn& txn, RunNumber run, std::uint64_t sequence);
/// One row; none where it is not there, or cannot be read.
std::optional<Row> find_row(Txn& txn, RunNumber run, std::uint64_t sequence);

std::optional<std::string_view> find_text(Txn& txn, std::string_view digest);
/// Keeps a text, if it is not kept already.
void write_text(Txn& txn, std::string_view digest, std::string_view text);
/// The run needs the text.
void refer_to_text(Txn& txn, std::string_view digest, RunNumber run);

bool refers_to_text(Txn& txn, std::string_view digest, RunNumber run);

/// Takes away texts that no run refers to. Who keeps one for a row that is still to come must not be there.
void erase_unused_texts(Txn& txn);

/// Takes away all there is of a run, and texts that nobody else refers to. Not its children.
void erase_run(Txn& txn, RunNumber run, std::string_view id);

/// The runs with ids as children of the run have them, the newest first: who looks at their records sees whether they
/// are.
std::vector<RunNumber> find_children(Txn& txn, std::string_view id);

bool has_requests(Txn& txn, RunNumber run);
void write_request(Txn& txn, RunNumber run, Request request);
/// Gives the requests, oldest first, and takes them away.
std::vector<Request> take_requests(Txn& txn, RunNumber run);

void write_signal(Txn& txn, RunNumber run, std::string_view signal);
/// Oldest first.
StoreResult<std::vector<Signal>> read_signals(Txn& txn, RunNumber run);
void erase_signal(Txn& txn, RunNumber run, std::uint64_t number);

/// Places in a concurrency group, first come first; whether their runs live is not known here.
std::vector<RunNumber> group_places(Txn& txn, std::string_view group);
void add_to_group(Txn& txn, std::string_view group, RunNumber run);
void leave_group(Txn& txn, std::string_view group, RunNumber run);

/// Calls `take(number, record)` for each run, from the newest or the oldest, until it gives false.
void for_each_run(Txn& txn, bool newest_first, const std::function<bool(RunNumber, std::string_view)>& take);

}  // namespace canorun::store

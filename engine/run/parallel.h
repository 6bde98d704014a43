// Parts of a state's work, side by side: the branches of a split, the items of a batch.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "engine/run/perform.h"

namespace canorun::run {

/// One part.
struct Part {
  std::string name;  ///< see Piece::part
  const model::Action* action = nullptr;
  const Json* item = nullptr;  ///< `item` in its expressions; null: it has none
};

/// What is to be done, and when it is enough. All that is referred to outlives the work.
struct Parts {
  std::uint64_t total = 0;
  std::uint64_t at_once = 1;  ///< at most
  bool branches = false;      ///< their ends are rows of branches, else of items
  std::function<Part(std::uint64_t index)> part;
  /// Told of every part that has ended, in the order of the rows, those of earlier processes first. True: no other
  /// part is needed.
  std::function<bool(bool succeeded)> enough;
};

/// Works on the parts that have not ended yet, in order, until all have ended, it is enough, or the run's
/// interrupt is raised; then ends those that still run, and waits for them. Every part that ended by itself is
/// in the journal by then. The store's error is the first of a commit; after an interrupt the caller can wait.
boost::asio::awaitable<store::StoreResult<void>> work_on_parts(RunContext& context, Journal& journal,
                                                               const model::State& state, const Parts& parts);

/// The list that an expression of the shape gives, as `where` for messages.
Result<Json, model::RunError> list_of(RunContext& context, std::string_view where, const expr::Expression& expression);

/// What the shape's output shows of its parts: `{status, output, error}` each. Takes the outputs out of what it
/// borrows.
class PartOutputs {
 public:
  explicit PartOutputs(std::vector<EndedPart>& parts);

  /// One that has not ended was cancelled.
  Json take(const std::string& name);
  /// Of those that were taken.
  std::uint64_t succeeded() const { return succeeded_; }
  std::uint64_t failed() const { return failed_; }

 private:
  std::unordered_map<std::string_view, EndedPart*> by_name_;
  std::uint64_t succeeded_ = 0;
  std::uint64_t failed_ = 0;
};

/// The failure of a shape, with what one of its parts wrote to stderr.
model::Failure parts_failed(std::string_view kind, std::string message, const std::vector<EndedPart>& parts);

/// `eu (exit code 3), us (…)`: the parts that failed, in the order of their names, the first few.
std::string failed_parts(const std::vector<EndedPart>& parts);

}  // namespace canorun::run

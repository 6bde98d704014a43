// The one way rows of a run are written: folded and made durable together.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <memory>
#include <vector>

#include "engine/base/masker.h"
#include "engine/run/interrupt.h"
#include "engine/run/run_state.h"
#include "engine/run/runtime.h"

namespace canorun::run {

template <class T>
class Arrival;

/// Belongs to one run that this process owns. Event-loop thread only.
///
/// Rows are folded into the run's state at once and made durable by the next commit: nothing may act
/// on the new state before that has returned success. After an error the state is ahead of the store,
/// and the process must let the run go. A commit is not cut short by an interrupt; who awaited it can
/// wait again, and looks at the interrupt's reason.
class Journal {
 public:
  /// `number` is none until the run was created in the store. The masker outlives it.
  Journal(Runtime& runtime, RunState& run, Interrupt& interrupt, std::optional<store::RunNumber> number = {},
          const Masker& masker = kNoSecrets)
      : runtime_(runtime), run_(run), interrupt_(interrupt), masker_(masker), number_(number) {}

  /// From now on a run's end is its outcome only: more is to be done, until `end`.
  void hold_end() { holds_end_ = true; }
  /// Adds the end that the run's outcome says.
  void end();
  /// What is to be undone is not the run's alone: it is rolled back though it may owe nothing itself.
  void roll_back() { rolls_back_ = true; }

  /// Adds a row with the time of now. Rows are masked before they are folded. A failure, a cancellation or an
  /// `exit: rollback` of a run that owes something is the start of its rollback.
  void add(store::Body body) { add(std::vector<store::Row>{{runtime_.clock.now(), std::move(body)}}); }
  void add(std::vector<store::Row> rows);

  /// Commits what was added, in one transaction; the first time of a new run with the texts that it refers to
  /// and its concurrency group.
  boost::asio::awaitable<store::StoreResult<void>> create(store::Texts texts, std::string group = {},
                                                          bool queues = false);
  boost::asio::awaitable<store::StoreResult<void>> commit();

  const std::optional<store::RunNumber>& number() const { return number_; }

 private:
  Runtime& runtime_;
  RunState& run_;
  Interrupt& interrupt_;
  const Masker& masker_;
  void fit_end(store::Row& row) const;

  bool holds_end_ = false;
  bool rolls_back_ = false;
  std::optional<store::RunNumber> number_;
  std::vector<store::Row> added_;
  std::shared_ptr<Arrival<void>> committed_;  ///< one for all commits, which come one after another
};

}  // namespace canorun::run

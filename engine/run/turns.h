// Who in this process stands in the queue of a rate limit.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "engine/run/bell.h"
#include "engine/store/shared.h"

namespace canorun::run {

/// One per process: of those who wait for the same limit only the first asks the store again. Event-loop thread only.
class Turns {
 public:
  /// One who waits, for as long as it lives.
  class Stand {
   public:
    Stand(Turns& turns, const boost::asio::any_io_executor& executor, store::Ticket ticket,
          const std::vector<store::LimitCost>& costs)
        : turns_(turns), bell_(executor), ticket_(ticket), costs_(costs) {
      for (const store::LimitCost& cost : costs_) turns_.queues_[cost.key].emplace(ticket_, this);
    }
    Stand(const Stand&) = delete;
    Stand& operator=(const Stand&) = delete;
    ~Stand() {
      for (const store::LimitCost& cost : costs_) {
        const auto queue = turns_.queues_.find(cost.key);
        queue->second.erase(ticket_);
        if (queue->second.empty()) {
          turns_.queues_.erase(queue);
        } else {
          queue->second.begin()->second->bell_.ring();
        }
      }
    }

    /// Nobody else of this process stands before it.
    bool is_first() const {
      return std::ranges::all_of(costs_, [this](const store::LimitCost& cost) {
        return turns_.queues_.find(cost.key)->second.begin()->first == ticket_;
      });
    }
    store::Ticket ticket() const { return ticket_; }
    /// Rings when its turn may have come.
    Bell& bell() { return bell_; }

   private:
    friend class Turns;
    Turns& turns_;
    Bell bell_;
    store::Ticket ticket_;
    const std::vector<store::LimitCost>& costs_;  ///< the waiter's
  };

  /// Another process has gone from before somebody.
  void ring_first() {
    for (auto& [key, queue] : queues_) queue.begin()->second->bell_.ring();
  }

 private:
  std::map<std::string, std::map<store::Ticket, Stand*>> queues_;  ///< none is empty
};

}  // namespace canorun::run

// Who in this process stands in a queue that it shares with others: of a rate limit, or of a concurrency group.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "engine/run/bell.h"

namespace canorun::run {

/// One per process and kind of queue: of those who stand in the same one only the first asks the store again.
/// Event-loop thread only.
class Turns {
 public:
  /// One who waits, for as long as it lives.
  class Stand {
   public:
    /// In the queues of these names, each once, at a place that nobody else of this process has.
    Stand(Turns& turns, const boost::asio::any_io_executor& executor, std::uint64_t place,
          std::vector<std::string> queues)
        : turns_(turns), bell_(executor), place_(place), queues_(std::move(queues)) {
      for (const std::string& name : queues_) turns_.queues_[name].emplace(place_, this);
    }
    Stand(const Stand&) = delete;
    Stand& operator=(const Stand&) = delete;
    ~Stand() {
      for (const std::string& name : queues_) {
        const auto queue = turns_.queues_.find(name);
        queue->second.erase(place_);
        if (queue->second.empty()) {
          turns_.queues_.erase(queue);
        } else {
          queue->second.begin()->second->ring();
        }
      }
    }

    /// Nobody else of this process stands before it.
    bool is_first() const {
      return std::ranges::all_of(queues_, [this](const std::string& name) {
        return turns_.queues_.find(name)->second.begin()->first == place_;
      });
    }
    std::uint64_t place() const { return place_; }
    /// Rings when its turn may have come; so often it has.
    Bell& bell() { return bell_; }
    std::uint64_t rings() const { return rings_; }

   private:
    friend class Turns;
    void ring() {
      ++rings_;
      bell_.ring();
    }

    Turns& turns_;
    Bell bell_;
    std::uint64_t place_;
    std::vector<std::string> queues_;
    std::uint64_t rings_ = 0;
  };

  /// A place behind all that were given.
  std::uint64_t last_place() { return ++last_place_; }

  /// Another process has gone from before somebody.
  void ring_first() {
    for (auto& [name, queue] : queues_) queue.begin()->second->ring();
  }

 private:
  std::map<std::string, std::map<std::uint64_t, Stand*>> queues_;  ///< none is empty
  std::uint64_t last_place_ = 0;
};

}  // namespace canorun::run

// What other processes ask of a run that this one owns.
#pragma once

#include <functional>
#include <memory>

#include "engine/run/interrupt.h"
#include "engine/run/runtime.h"

namespace canorun::run {

/// One for a run and all below it: the store wakes it, and it looks by itself now and then, in case a wake-up is lost.
/// Event-loop thread only.
class RequestWatch {
  struct Watch;

 public:
  explicit RequestWatch(Runtime& runtime);
  RequestWatch(const RequestWatch&) = delete;
  RequestWatch& operator=(const RequestWatch&) = delete;
  ~RequestWatch();

  /// While it lives, raises the interrupt when a cancellation of the run is asked for, and rings the bell whenever
  /// there may be a signal.
  class Listener {
   public:
    Listener(RequestWatch& watch, store::RunNumber run, Interrupt& interrupt, std::function<void()> ring);
    Listener(const Listener&) = delete;
    Listener& operator=(const Listener&) = delete;
    ~Listener();

   private:
    std::shared_ptr<Watch> watch_;
    store::RunNumber run_;
  };

 private:
  std::shared_ptr<Watch> watch_;
};

}  // namespace canorun::run

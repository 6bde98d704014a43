// What other processes ask of a run that this one owns.
#pragma once

#include <memory>

#include "engine/run/bell.h"
#include "engine/run/runtime.h"

namespace canorun::run {

/// Raises the interrupt when a cancellation is asked for, and rings the bell whenever there may be a signal, as
/// long as it lives: the store wakes it, and it looks by itself now and then, in case a wake-up is lost.
/// Event-loop thread only.
class RequestWatch {
 public:
  RequestWatch(Runtime& runtime, store::RunNumber run, Interrupt& interrupt, Bell& signals);
  RequestWatch(const RequestWatch&) = delete;
  RequestWatch& operator=(const RequestWatch&) = delete;
  ~RequestWatch();

 private:
  struct Watch;
  std::shared_ptr<Watch> watch_;
};

}  // namespace canorun::run

// `wait`: for a signal from outside.
#include <fmt/format.h>

#include "engine/model/task.h"
#include "engine/run/bell.h"
#include "engine/run/shapes.h"

namespace canorun::run {
namespace {

namespace asio = boost::asio;

// The oldest of that name.
store::StoreResult<std::optional<store::Signal>> find_signal(RunContext& context, const std::string& name) {
  auto signals = context.runtime().store.signals(context.run().id);
  if (!signals) return std::unexpected(std::move(signals.error()));
  for (store::Signal& signal : *signals) {
    if (signal.name == name) return std::move(signal);
  }
  return std::nullopt;
}

// It was checked when it was sent; the flow may have changed since.
Worked received(const model::WaitShape& wait, const Json& data) {
  if (model::fits(wait.type, data)) {
    Json output = data;
    model::convert(wait.type, output);
    return {model::Success{std::move(output)}, 1};
  }
  return {
      model::failure(model::kind::kTask, fmt::format("signal '{}' came with {}, and the state wants {}", wait.signal,
                                                     type_name(data), model::input_type_name(wait.type))),
      1};
}

}  // namespace

asio::awaitable<Worked> work_wait(RunContext& context, Journal& journal, const model::State& state) {
  const auto& wait = std::get<model::WaitShape>(state.shape);
  const Interrupt& interrupt = context.interrupt();
  const auto until = deadline_of(context, state);
  bool told = false;
  while (!context.run().current->signal) {
    if (interrupt.reason() != Reason::kNone) model::cut_off();
    auto signal = find_signal(context, wait.signal);
    if (!signal) co_return store_failed(std::move(signal.error()));
    if (*signal) {
      journal.add(store::SignalReceived{.state = state.name,
                                        .visit = context.run().current->visit,
                                        .signal = wait.signal,
                                        .number = (*signal)->number,
                                        .data = std::move((*signal)->data)});
      auto committed = co_await journal.commit();
      if (!committed) co_return store_failed(std::move(committed.error()));
      break;
    }
    const auto left = until ? std::optional(*until - context.runtime().clock.now()) : std::nullopt;
    if (lets_go(context, left)) {
      co_return lets_go_for({.until = until, .signal = wait.signal});
    }
    if (!std::exchange(told, true)) context.tell(model::Waiting{state.name, until, wait.signal});
    co_await context.signals().wait(interrupt);
  }
  co_return received(wait, *context.run().current->signal);
}

}  // namespace canorun::run

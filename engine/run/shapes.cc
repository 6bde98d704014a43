#include "engine/run/shapes.h"

#include <array>
#include <cassert>

namespace canorun::run {
namespace {

namespace asio = boost::asio;

using End = Result<WallTime, model::RunError> (*)(const model::State&, const model::Scope&, WallTime);

struct Row {
  asio::awaitable<Worked> (*work)(RunContext&, const model::State&);
  End end = nullptr;  ///< null: nothing is known of a visit's end
};

// In the order of model::Shape. `route` and `exit` are passed and reached, never worked on.
constexpr std::array<Row, std::variant_size_v<model::Shape>> kShapes{
    {{work_action}, {work_timer, timer_end}, {}, {}, {}, {}, {}, {}, {}, {}}};

const Row& row(const model::State& state) { return kShapes[state.shape.index()]; }

}  // namespace

asio::awaitable<Worked> work(RunContext& context, const model::State& state) {
  assert(row(state).work != nullptr);
  return row(state).work(context, state);
}

bool has_deadline(const model::State& state) { return row(state).end != nullptr; }

std::optional<WallTime> deadline(const model::State& state, const model::Scope& scope, WallTime now) {
  const auto end = row(state).end(state, scope, now);
  return end ? std::optional(*end) : std::nullopt;
}

}  // namespace canorun::run

// `batch`: one action over many items.
#include <fmt/format.h>

#include "engine/model/task.h"
#include "engine/run/parallel.h"

namespace canorun::run {
namespace {

namespace asio = boost::asio;

Json output_of(std::uint64_t total, std::vector<EndedPart>& parts) {
  PartOutputs outputs(parts);
  Json items = Json::array();
  for (std::uint64_t i = 0; i < total; ++i) items.push_back(outputs.take(std::to_string(i)));
  Json output{{"succeeded", outputs.succeeded()}, {"failed", outputs.failed()}};
  normalize(output);
  output["items"] = std::move(items);
  return output;
}

}  // namespace

asio::awaitable<Worked> work_batch(RunContext& context, Journal& journal, const model::State& state) {
  const auto& batch = std::get<model::BatchShape>(state.shape);
  const auto items = list_of(context, "batch.items", batch.items);
  if (!items) co_return Worked{model::Failure{items.error()}, 1};
  const std::uint64_t total = items->size();
  std::uint64_t failed = 0;
  const auto part = [&](std::uint64_t i) { return Part{std::to_string(i), &batch.each, &(*items)[i]}; };
  const auto enough = [&](bool succeeded) {
    if (!succeeded) ++failed;
    return false;
  };
  const Parts parts{.total = total, .at_once = batch.concurrency, .branches = false, .part = part, .enough = enough};
  auto worked = co_await work_on_parts(context, journal, state, parts);
  if (!worked) co_return store_failed(std::move(worked.error()));
  if (context.interrupt().reason() != Reason::kNone && context.run().current->parts.size() < total) {
    model::cut_off();
  }
  std::vector<EndedPart>& ended = context.run().current->parts;
  const std::uint64_t needed = batch.min_success.of(total);
  if (total - failed < needed) {
    auto message =
        fmt::format("{} of {} items failed, and {} must succeed: {}", failed, total, needed, failed_parts(ended));
    co_return Worked{parts_failed(model::kind::kBatch, std::move(message), ended), 1};
  }
  co_return Worked{model::Success{output_of(total, ended)}, 1};
}

}  // namespace canorun::run

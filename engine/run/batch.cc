// `batch`: one action over many items.
#include <fmt/format.h>

#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>
#include <unordered_map>

#include "engine/run/parallel.h"

namespace canorun::run {
namespace {

namespace asio = boost::asio;

Json output_of(std::uint64_t total, std::uint64_t failed, std::vector<EndedPart>& parts) {
  std::unordered_map<std::string_view, EndedPart*> by_name;
  for (EndedPart& part : parts) by_name.emplace(part.name, &part);
  Json items = Json::array();
  for (std::uint64_t i = 0; i < total; ++i) items.push_back(part_output(by_name.at(std::to_string(i))));
  Json output{{"succeeded", total - failed}, {"failed", failed}};
  normalize(output);
  output["items"] = std::move(items);
  return output;
}

model::Failure too_many_failed(std::uint64_t total, std::uint64_t failed, std::uint64_t needed,
                               const std::vector<EndedPart>& parts) {
  auto failure = model::failure(model::kind::kBatch, fmt::format("{} of {} items failed, and {} must succeed: {}",
                                                                 failed, total, needed, failed_parts(parts)));
  for (const EndedPart& part : parts) {
    if (!part.error.is_null() && failure.error.stderr_tail.empty()) failure.error.stderr_tail = part.stderr_tail;
  }
  return failure;
}

}  // namespace

asio::awaitable<Worked> work_batch(RunContext& context, Journal& journal, const model::State& state) {
  const auto& batch = std::get<model::BatchShape>(state.shape);
  const auto items = list_of(context, "batch.items", batch.items);
  if (!items) co_return Worked{model::Failure{items.error()}, 1};
  const std::uint64_t total = items->size();
  std::uint64_t failed = 0;
  const auto part = [&](std::uint64_t i) { return Part{std::to_string(i), &batch.each, &(*items)[i]}; };
  const auto enough = [&](const EndedPart& ended) {
    if (!ended.error.is_null()) ++failed;
    return false;
  };
  const Parts parts{.total = total, .at_once = batch.concurrency, .branches = false, .part = part, .enough = enough};
  auto worked = co_await work_on_parts(context, journal, state, parts);
  if (!worked) co_return Worked{.store_error = std::move(worked.error())};
  if (context.interrupt().reason() != Reason::kNone && context.run().current->parts.size() < total) {
    throw boost::system::system_error(asio::error::operation_aborted);
  }
  std::vector<EndedPart>& ended = context.run().current->parts;
  const std::uint64_t needed = batch.min_success.of(total);
  if (total - failed < needed) co_return Worked{too_many_failed(total, failed, needed, ended), 1};
  co_return Worked{model::Success{output_of(total, failed, ended)}, 1};
}

}  // namespace canorun::run

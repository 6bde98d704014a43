#include "engine/run/attempt.h"

#include <fmt/format.h>
#include <unistd.h>

#include "engine/run/guards.h"

namespace canorun::run {
namespace {

// Linux refuses a longer string in the environment (MAX_ARG_STRLEN is 128 KiB, name included).
constexpr std::size_t kLongestScriptValue = 96 * 1024;

// Values of a script go into its environment, where nothing can read them as code.
Result<void, model::Failure> put_script_values(const model::Action& action, model::Scope& scope, Json& params) {
  std::size_t number = 0;
  for (const expr::Tree& tree : action.script_values) {
    const auto value = tree.evaluate(scope);
    if (!value)
      return std::unexpected(model::Failure{expression_error("script", value.error().message, value.error().hint)});
    std::string text = to_text(*value);
    ++number;
    if (text.size() > kLongestScriptValue || text.find('\0') != std::string::npos) {
      const char* what = text.size() > kLongestScriptValue ? "is longer than 96 KiB" : "has a NUL byte";
      return std::unexpected(
          bad_params("script", {fmt::format("value {} of the script {}", number, what), "pass it through 'stdin'"}));
    }
    params["env"][fmt::format("CANORUN_V{}", number)] = std::move(text);
  }
  return {};
}

// A failure that the retry rule lets pass to another attempt; its expression may fail itself.
Result<bool, model::RunError> may_retry(const model::Action& action, model::Scope& scope, const Json& error) {
  if (!action.retry.when) return true;
  slot(scope, model::Slot::kError) = expr::Value::view(error);
  const auto holds = action.retry.when->evaluate(scope);
  slot(scope, model::Slot::kError) = {};
  return truth("retry.when", holds);
}

// The delay before the next attempt; none: that was the last one. The error is that of the rule.
Result<std::optional<Millis>, model::RunError> delay_after(RunContext& context, const Piece& piece,
                                                           std::uint32_t attempt, model::Scope& scope,
                                                           const model::RunError& error) {
  const policy::Retry& policy = piece.action.retry.policy;
  if (attempt >= policy.attempts() || error.kind == model::kind::kCompensation) return std::nullopt;
  const auto again = may_retry(piece.action, scope, error.to_json());
  if (!again) return std::unexpected(again.error());
  if (!*again) return std::nullopt;
  return policy::delay_before(policy, attempt - 1, context.runtime().random.unit(), error.retry_after);
}

void complete(const Piece& piece, std::uint32_t attempt, model::Failure& failure) {
  failure.error.state = piece.state.name;
  failure.error.attempts = attempt;
}

void tell_failed(RunContext& context, const Piece& piece, const model::RunError& error,
                 std::optional<Millis> retry_in = {}) {
  context.tell(model::AttemptFailed{piece.state.name, error.attempts, piece.action.retry.policy.attempts(), &error,
                                    retry_in, piece.part});
}

}  // namespace

Attempt::~Attempt() {
  for (const std::string& path : scratch_) ::unlink(path.c_str());
}

Result<std::string> Attempt::scratch_file(std::string_view purpose) {
  const auto folder = context_.scratch_folder();
  if (!folder) return std::unexpected(folder.error());
  scratch_.push_back(fmt::format("{}/{}.{}.scratch", *folder, name().file_name(), purpose));
  return scratch_.back();
}

Result<std::string> Attempt::kept_file() { return context_.kept_file(idempotency_key()); }

boost::asio::awaitable<model::Outcome> Attempt::run_flow(const std::string& file, Json inputs) {
  const auto& children = context_.flow().children;
  const auto flow = children.find(file);
  if (flow == children.end()) {
    co_return model::failure(model::kind::kTask, fmt::format("flow file '{}' was not read with the flow", file));
  }
  auto outcome = co_await run_child(context_, piece_, view_, *flow->second, std::move(inputs));
  co_return outcome;
}

void Attempt::write_log(model::Stream stream, std::string_view bytes) {
  if (!log_) log_ = std::make_unique<AttemptLog>(context_.log_folder(), name(), context_.runtime().clock);
  log_->write(stream, bytes);
  context_.tell(model::Wrote{state(), stream, bytes, part()});
}

void Attempt::say(model::LogLevel level, std::string_view message) {
  context_.tell(model::Said{state(), level, message, part()});
}

AttemptName Attempt::name() const {
  const RunState& run = context_.run();
  // While it undoes something the run gets no row.
  const std::uint64_t begun = run.outcome ? run.outcome_row : run.current ? run.current->row : 0;
  return {piece_.undoes != nullptr ? run.rows : begun, run.resumes, view_.attempt, state(), part()};
}

model::Failure bad_params(std::string_view where, const Error& error) {
  return model::Failure{expression_error(where, error.message, error.hint)};
}

Result<Json, model::Failure> make_params(const model::Action& action, model::Scope& scope) {
  const Json* literal = action.params.literal();
  auto evaluated = literal != nullptr ? std::expected<Json, expr::Problem>(*literal) : action.params.evaluate(scope);
  if (!evaluated)
    return std::unexpected(
        model::Failure{expression_error("parameters", evaluated.error().message, evaluated.error().hint)});
  Json params = std::move(*evaluated);
  if (literal == nullptr) {
    for (auto& [name, value] : params.items()) {
      const model::Param* param = model::find_param(*action.kind, name);
      if (param == nullptr) continue;
      if (auto checked = model::check_param(*param, value); !checked)
        return std::unexpected(bad_params(name, checked.error()));
    }
    if (action.kind->check != nullptr) {
      if (auto checked = action.kind->check(params); !checked)
        return std::unexpected(bad_params("parameters", checked.error()));
    }
  }
  if (auto put = put_script_values(action, scope, params); !put) return std::unexpected(put.error());
  return params;
}

Result<Environment, model::Failure> make_environment(RunContext& context, const model::Action& action,
                                                     model::Scope& scope) {
  Environment environment = context.environment();
  for (const auto& [name, value] : action.env) {
    const auto text = value.evaluate(scope);
    if (!text)
      return std::unexpected(
          model::Failure{expression_error(fmt::format("env.{}", name), text.error().message, text.error().hint)});
    environment.emplace_back(name, to_text(*text));
  }
  return environment;
}

std::optional<Millis> after_failure(RunContext& context, const Piece& piece, const Guards* guards,
                                    std::uint32_t attempt, model::Scope& scope, model::Failure& failure) {
  context.mask(failure.error);
  if (guards != nullptr && guards->is_shut()) {
    complete(piece, attempt - 1, failure);
    tell_failed(context, piece, failure.error);
    return std::nullopt;
  }
  complete(piece, attempt, failure);
  auto again = delay_after(context, piece, attempt, scope, failure.error);
  if (!again) {
    failure.error = std::move(again.error());
    context.mask(failure.error);
    return std::nullopt;
  }
  auto shut = guards != nullptr && *again ? guards->shut_after(**again) : std::nullopt;
  if (shut) again->reset();
  tell_failed(context, piece, failure.error, *again);
  if (shut) {
    failure = std::move(*shut);
    context.mask(failure.error);
    complete(piece, attempt, failure);
    tell_failed(context, piece, failure.error);
  }
  return *again;
}

}  // namespace canorun::run

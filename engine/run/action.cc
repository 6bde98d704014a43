// `run` and `task` states: one action, its attempts and what stands between them.
#include <fmt/format.h>
#include <unistd.h>

#include <boost/asio/error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

#include "engine/base/duration.h"
#include "engine/model/task.h"
#include "engine/run/attempt_log.h"
#include "engine/run/shapes.h"

namespace canorun::run {
namespace {

namespace asio = boost::asio;

// Linux refuses a longer string in the environment (MAX_ARG_STRLEN is 128 KiB, name included).
constexpr std::size_t kLongestScriptValue = 96 * 1024;

// One attempt, as its task sees it.
class Attempt final : public model::TaskContext {
 public:
  Attempt(RunContext& context, const model::State& state, const ActionView& view,
          const std::vector<std::pair<std::string, std::string>>& environment)
      : context_(context), state_(state), view_(view), environment_(environment) {}
  ~Attempt() override {
    for (const std::string& path : scratch_) ::unlink(path.c_str());
  }

  asio::any_io_executor executor() const override { return context_.runtime().executor; }
  const Clock& clock() const override { return context_.runtime().clock; }
  const std::string& run_id() const override { return context_.run().id; }
  const std::string& flow_name() const override { return context_.flow().name; }
  const std::string& folder() const override { return context_.flow().folder; }
  const std::string& state() const override { return state_.name; }
  std::uint64_t visit() const override { return view_.visit(); }
  std::uint32_t attempt() const override { return view_.attempt; }
  const std::string& idempotency_key() const override { return view_.idempotency_key(); }
  const std::vector<std::pair<std::string, std::string>>& environment() const override { return environment_; }

  Result<std::string> scratch_file(std::string_view purpose) override {
    const auto folder = context_.scratch_folder();
    if (!folder) return std::unexpected(folder.error());
    scratch_.push_back(fmt::format("{}/{}.{}.scratch", *folder, name().file_name(), purpose));
    return scratch_.back();
  }
  Result<std::string> kept_file() override { return context_.kept_file(idempotency_key()); }
  void write_log(model::Stream stream, std::string_view bytes) override {
    if (!log_) log_.emplace(context_.log_folder(), name(), context_.runtime().clock);
    log_->write(stream, bytes);
    context_.tell(model::Wrote{state_.name, stream, bytes});
  }
  void say(model::LogLevel level, std::string_view message) override {
    context_.tell(model::Said{state_.name, level, message});
  }

 private:
  AttemptName name() const {
    const RunState& run = context_.run();
    return {run.current->row, run.resumes, view_.attempt, state_.name};
  }

  RunContext& context_;
  const model::State& state_;
  const ActionView& view_;
  const std::vector<std::pair<std::string, std::string>>& environment_;
  std::optional<AttemptLog> log_;
  std::vector<std::string> scratch_;
};

using Environment = std::vector<std::pair<std::string, std::string>>;

model::Failure bad_params(std::string_view where, const Error& error) {
  return model::Failure{expression_error(where, error.message, error.hint)};
}

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

// The parameters of one attempt, checked as far as they were not when the flow was read.
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

// One attempt's work. What goes wrong before there is a task is the attempt's failure.
asio::awaitable<model::Outcome> run_task(RunContext& context, const model::State& state, const model::Action& action,
                                         const ActionView& view, model::Scope& scope) {
  const auto environment = make_environment(context, action, scope);
  if (!environment) co_return environment.error();
  auto params = make_params(action, scope);
  if (!params) co_return std::move(params.error());
  auto task = action.kind->make(std::move(*params));
  if (!task) co_return bad_params("parameters", task.error());
  Attempt current(context, state, view, *environment);
  if (action.timeout) context.alarm().arm(*action.timeout);
  auto outcome = co_await (*task)->run(current);
  co_return outcome;
}

// One attempt under its timeout: the one place where exceptions are caught. Cancellation goes on to
// who is further out; any other is a fault, and fails the attempt.
asio::awaitable<model::Outcome> attempt(RunContext& context, const model::State& state, const model::Action& action,
                                        const ActionView& view, model::Scope& scope) {
  Interrupt& interrupt = context.interrupt();
  std::optional<model::Outcome> outcome;
  bool cut_off = false;
  try {
    auto result = co_await run_task(context, state, action, view, scope);
    outcome = std::move(result);
  } catch (const boost::system::system_error& error) {
    cut_off = error.code() == asio::error::operation_aborted;
    if (!cut_off) outcome = model::failure(model::kind::kTask, error.what());
  } catch (const std::exception& error) {
    outcome = model::failure(model::kind::kTask, fmt::format("a fault in canorun: {}", error.what()));
  }
  if (action.timeout) context.alarm().disarm();
  if (interrupt.reason() == Reason::kTimeout) {
    interrupt.forget_timeout();
    co_await calm();
    if (outcome) co_return std::move(*outcome);  // it ended just in time
    co_return model::failure(model::kind::kTimeout,
                             fmt::format("no result within {}", format_duration(*action.timeout)));
  }
  // What was raised while the task was cleaning up was not heard by anything that waits.
  if (cut_off || (interrupt.reason() != Reason::kNone && std::holds_alternative<model::Failure>(*outcome))) {
    throw boost::system::system_error(asio::error::operation_aborted);
  }
  co_return std::move(*outcome);
}

bool uses_expressions(const model::Action& action) {
  return action.params.literal() == nullptr || !action.script_values.empty() || !action.env.empty() ||
         action.retry.when;
}

// A failure that the retry rule lets pass to another attempt; its expression may fail itself.
Result<bool, model::RunError> may_retry(const model::Action& action, model::Scope& scope, const Json& error) {
  if (!action.retry.when) return true;
  slot(scope, model::Slot::kError) = expr::Value::view(error);
  const auto holds = action.retry.when->evaluate(scope);
  slot(scope, model::Slot::kError) = {};
  return truth("retry.when", holds);
}

}  // namespace

asio::awaitable<Worked> work_action(RunContext& context, const model::State& state) {
  const model::Action& action = std::get<model::ActionShape>(state.shape).action;
  const std::uint32_t most = action.retry.policy.attempts();
  ActionView view(context.run(), state.name);
  model::Scope scope;
  if (uses_expressions(action)) {
    scope = context.scope();
    slot(scope, model::Slot::kAction) = expr::Value::object(view);
  }
  for (view.attempt = 1;; ++view.attempt) {
    context.tell(model::AttemptBegan{state.name, view.attempt, most});
    model::Outcome outcome = co_await attempt(context, state, action, view, scope);
    auto* failed = std::get_if<model::Failure>(&outcome);
    if (failed == nullptr) co_return Worked{std::move(outcome), view.attempt};
    failed->error.state = state.name;
    failed->error.attempts = view.attempt;
    model::AttemptFailed told{state.name, view.attempt, most, &failed->error, {}};
    if (view.attempt < most) {
      const Json error = failed->error.to_json();
      const auto again = may_retry(action, scope, error);
      if (!again) co_return Worked{model::Failure{again.error()}, view.attempt};
      if (*again) {
        Random& random = context.runtime().random;
        told.retry_in =
            policy::delay_before(action.retry.policy, view.attempt - 1, random.unit(), failed->error.retry_after);
      }
    }
    context.tell(told);
    if (!told.retry_in) co_return Worked{std::move(outcome), view.attempt};
    Timer timer(context.runtime().executor);
    timer.expires_after(*told.retry_in);
    co_await timer.async_wait(asio::use_awaitable);
  }
}

}  // namespace canorun::run

#include "engine/model/error.h"

namespace canorun::model {

bool is_final(std::string_view error_kind) {
  return error_kind == kind::kRunTimeout || error_kind == kind::kCancelled || error_kind == kind::kCompensation ||
         error_kind == kind::kStore;
}

Json RunError::to_json() const {
  Json value = {{"kind", kind}, {"message", message}, {"state", state}, {"attempts", attempts}};
  if (exit_code) value["exit_code"] = *exit_code;
  if (!run.empty()) value["run"] = run;
  return value;
}

RunError RunError::from_json(const Json& value) {
  RunError error;
  if (!value.is_object()) return error;
  error.kind = value.value("kind", std::string{});
  error.message = value.value("message", std::string{});
  error.state = value.value("state", std::string{});
  error.run = value.value("run", std::string{});
  error.attempts = value.value("attempts", std::uint32_t{0});
  if (const auto code = value.find("exit_code"); code != value.end() && code->is_number_integer()) {
    error.exit_code = code->get<int>();
  }
  return error;
}

}  // namespace canorun::model

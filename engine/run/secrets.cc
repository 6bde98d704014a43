#include "engine/run/secrets.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/model/inputs.h"
#include "engine/run/run_context.h"

namespace canorun::run {

Secrets::Secrets(Json values, const Under& under) : values_(std::move(values)) {
  if (under.parent != nullptr) masker_ = &under.parent->masker();
  std::vector<std::string> all = masker_->secrets();
  const std::size_t above = all.size();
  for (const Json& value : values_) {
    const auto& text = value.get_ref<const std::string&>();
    if (std::ranges::find(all, text) == all.end()) all.push_back(text);
  }
  if (all.size() == above) return;
  own_ = std::make_unique<const Masker>(std::move(all));
  masker_ = own_.get();
}

Secrets Secrets::take_from(Json& inputs, const model::Flow& flow, const Under& under) {
  Json values = Json::object();
  for (const model::Input& input : flow.inputs) {
    const auto value = input.secret ? inputs.find(input.name) : inputs.end();
    if (value == inputs.end()) continue;
    values[input.name] = std::move(*value);
    inputs.erase(value);
  }
  Secrets secrets(std::move(values), under);
  for (Json& value : inputs) secrets.masker().mask(value);
  return secrets;
}

Result<Secrets> Secrets::find_in(const Json& given, const store::RunStarted& start, const Under& under) {
  Json values = Json::object();
  for (const auto& [name, source] : start.secrets) {
    const auto value = given.find(name);
    if (value == given.end()) return fail(fmt::format("the secret input '{}' is not given again", name));
    auto checked = model::check_secret(name, *value);
    if (!checked) return std::unexpected(std::move(checked.error()));
    values[name] = *value;
  }
  return Secrets(std::move(values), under);
}

}  // namespace canorun::run

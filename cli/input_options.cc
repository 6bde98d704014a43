#include "cli/input_options.h"

#include "cli/input_values.h"
#include "cli/secret_inputs.h"
#include "engine/model/inputs.h"

namespace canorun::cli {

void InputOptions::declare(CommandLine& line) {
  line.repeated(
      texts_, "-i,--input", "NAME=VALUE",
      "one input; may be given many times, and wins over --inputs; a secret one also as @env:NAME, @file:PATH");
  line.option(file_, "--inputs", "FILE", "a JSON object with inputs by name; - reads it from stdin");
}

OrRefusal<InputOptions::Bound> InputOptions::bind(const model::Flow& flow) const {
  auto values = file_ ? read_input_file(*file_) : OrRefusal<Json>(Json());
  if (!values) return std::unexpected(values.error());
  auto texts = split_inputs(texts_);
  if (!texts) return std::unexpected(texts.error());
  auto given = read_secrets(flow, *values, std::move(*texts));
  if (!given) return std::unexpected(given.error());
  auto bound = model::bind_inputs(flow, *values, given->texts);
  if (!bound) return refuse_inputs(std::move(bound.error()));
  return Bound{std::move(*bound), std::move(given->sources)};
}

}  // namespace canorun::cli

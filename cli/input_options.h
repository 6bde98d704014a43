// The inputs of a flow, as the command line gives them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/command_line.h"
#include "cli/refusal.h"
#include "engine/model/flow.h"
#include "engine/run/run.h"

namespace canorun::cli {

/// `-i` and `--inputs`.
class InputOptions {
 public:
  void declare(CommandLine& line);

  struct Bound {
    Json values;           ///< the secret ones among them
    run::Sources sources;  ///< of these
  };
  /// What was given, read and checked against the flow.
  OrRefusal<Bound> bind(const model::Flow& flow) const;

 private:
  std::vector<std::string> texts_;
  std::optional<std::string> file_;
};

}  // namespace canorun::cli

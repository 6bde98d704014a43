// The options that every verb takes.
#pragma once

#include <optional>
#include <string>

namespace canorun::cli {

struct Options {
  std::optional<std::string> store;
  bool json = false;
  bool quiet = false;
  bool verbose = false;
  std::string color = "auto";  ///< auto, always or never
};

}  // namespace canorun::cli

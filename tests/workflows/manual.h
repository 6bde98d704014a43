// The examples of the manual and of the README, each a whole flow.
#pragma once

#include <string>
#include <vector>

namespace canorun::workflows::testing {

struct Example {
  std::string form;  ///< what follows ```yaml; in the manual: flow, top or states
  std::string text;
  int line = 0;  ///< of the document
};

std::string manual();

/// Every example, made whole: the parts get what they take for granted.
std::vector<Example> manual_examples();
/// Those of the README are whole as they are.
std::vector<Example> readme_examples();

}  // namespace canorun::workflows::testing

// What holds for whatever RapidCheck makes up. For test programs that link it.
#pragma once

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <rapidcheck.h>

#include <algorithm>
#include <sstream>
#include <utility>

namespace canorun::test {

/// Fails the test case with the smallest counterexample that is found, and says how to find it again. To look for
/// longer: RC_PARAMS="max_success=100000".
template <class Property>
void check_property(Property&& property) {
  rc::detail::TestParams params = rc::detail::configuration().testParams;
  params.maxSuccess = std::max(params.maxSuccess, 500);
  const auto result = rc::detail::checkTestable(std::forward<Property>(property), rc::detail::TestMetadata{}, params);
  std::ostringstream said;
  rc::detail::printResultMessage(result, said);
  const bool holds = result.template is<rc::detail::SuccessResult>();
  CHECK_MESSAGE(holds, fmt::format("{}\n\nrepeat it with RC_PARAMS=\"seed={}\"", said.str(), params.seed));
}

}  // namespace canorun::test

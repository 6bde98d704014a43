#include "engine/policy/join.h"

#include <doctest/doctest.h>

#include <limits>
#include <string>
#include <vector>

using namespace canorun;
using policy::Join;
using policy::JoinKind;
using policy::Share;
using policy::Tally;
using policy::Verdict;

namespace {

constexpr auto kOpen = Verdict::kOpen;
constexpr auto kSatisfied = Verdict::kSatisfied;
constexpr auto kFailed = Verdict::kFailed;
constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();

/// What is said of so many branches after each of them that ends: `s` succeeds, `f` fails.
std::vector<Verdict> verdicts(const Join& join, std::uint64_t total, const std::string& ends) {
  Tally tally{.total = total};
  std::vector<Verdict> said{join.judge(tally)};
  for (const char end : ends) {
    ++(end == 's' ? tally.succeeded : tally.failed);
    said.push_back(join.judge(tally));
  }
  return said;
}

Verdict late(const Join& join, std::uint64_t total, std::uint64_t succeeded, std::uint64_t failed) {
  return join.judge_late({.total = total, .succeeded = succeeded, .failed = failed});
}

Join percentage(std::uint32_t hundredths) { return {.kind = JoinKind::kPercentage, .share = {hundredths}}; }
Join quorum(std::uint64_t count) { return {.kind = JoinKind::kQuorum, .count = count}; }
Join partial_results(std::uint64_t count) { return {.kind = JoinKind::kPartialResults, .count = count}; }
constexpr Join kAll{};
constexpr Join kAny{.kind = JoinKind::kAny};
constexpr Join kPartialTimeout{.kind = JoinKind::kPartialTimeout};

using Verdicts = std::vector<Verdict>;

}  // namespace

TEST_CASE("all is satisfied by the last branch, and fails with the first that fails") {
  CHECK(verdicts(kAll, 3, "sss") == Verdicts{kOpen, kOpen, kOpen, kSatisfied});
  CHECK(verdicts(kAll, 3, "sf") == Verdicts{kOpen, kOpen, kFailed});
  CHECK(verdicts(kAll, 3, "f") == Verdicts{kOpen, kFailed});
  CHECK(verdicts(kAll, 1, "s") == Verdicts{kOpen, kSatisfied});
}

TEST_CASE("any is satisfied by the first that succeeds, and fails when none is left") {
  CHECK(verdicts(kAny, 3, "fs") == Verdicts{kOpen, kOpen, kSatisfied});
  CHECK(verdicts(kAny, 3, "fff") == Verdicts{kOpen, kOpen, kOpen, kFailed});
}

TEST_CASE("a quorum is satisfied as soon as it is reached, and fails as soon as it cannot be reached") {
  CHECK(verdicts(quorum(2), 3, "sfs") == Verdicts{kOpen, kOpen, kOpen, kSatisfied});
  CHECK(verdicts(quorum(2), 3, "ff") == Verdicts{kOpen, kOpen, kFailed});
  CHECK(verdicts(quorum(3), 3, "f") == Verdicts{kOpen, kFailed});
  CHECK(verdicts(quorum(3), 3, "sss").back() == kSatisfied);
  CHECK(verdicts(quorum(1), 2, "fs").back() == kSatisfied);
}

TEST_CASE("a percentage is rounded up to whole branches, exactly") {
  CHECK(verdicts(percentage(3'333), 3, "fs") == Verdicts{kOpen, kOpen, kSatisfied});
  CHECK(verdicts(percentage(3'334), 3, "sff") == Verdicts{kOpen, kOpen, kOpen, kFailed});
  CHECK(verdicts(percentage(9'000), 10, "sssssssss").back() == kSatisfied);
  CHECK(verdicts(percentage(9'000), 10, "fssssssss") ==
        Verdicts{kOpen, kOpen, kOpen, kOpen, kOpen, kOpen, kOpen, kOpen, kOpen, kOpen});
  CHECK(verdicts(percentage(9'000), 10, "ff") == Verdicts{kOpen, kOpen, kFailed});
  CHECK(verdicts(percentage(9'001), 10, "f") == Verdicts{kOpen, kFailed});
  CHECK(verdicts(percentage(1), 3, "ff") == Verdicts{kOpen, kOpen, kOpen});
  CHECK(verdicts(percentage(1), 3, "ffs").back() == kSatisfied);
}

TEST_CASE("a share is the smallest count that is at least so much") {
  CHECK(Share{3'333}.of(3) == 1);
  CHECK(Share{3'334}.of(3) == 2);
  CHECK(Share{6'666}.of(3) == 2);
  CHECK(Share{6'667}.of(3) == 3);
  CHECK(Share{9'000}.of(10) == 9);
  CHECK(Share{9'000}.of(11) == 10);
  CHECK(Share{10'000}.of(7) == 7);
  CHECK(Share{1}.of(1) == 1);
  CHECK(Share{1}.of(10'000) == 1);
  CHECK(Share{1}.of(10'001) == 2);
  CHECK(Share{0}.of(100) == 0);
  for (const std::uint32_t hundredths : {0U, 1U, 5'000U, 10'000U}) CHECK(Share{hundredths}.of(0) == 0);
}

TEST_CASE("no number of branches overflows a share") {
  CHECK(Share{10'000}.of(kMost) == kMost);
  CHECK(Share{5'000}.of(kMost) == kMost / 2 + 1);
  CHECK(Share{1}.of(kMost) == kMost / 10'000 + 1);
  CHECK(percentage(10'000).judge({.total = kMost, .succeeded = kMost - 1, .failed = 0}) == kOpen);
  CHECK(percentage(10'000).judge({.total = kMost, .succeeded = kMost - 1, .failed = 1}) == kFailed);
}

TEST_CASE("partial results count every end") {
  CHECK(verdicts(partial_results(2), 3, "fs") == Verdicts{kOpen, kOpen, kSatisfied});
  CHECK(verdicts(partial_results(2), 3, "ff").back() == kSatisfied);
  CHECK(verdicts(partial_results(3), 3, "fff").back() == kSatisfied);
}

TEST_CASE("a partial timeout waits for all, until the time is up") {
  CHECK(verdicts(kPartialTimeout, 2, "ff") == Verdicts{kOpen, kOpen, kSatisfied});
  CHECK(late(kPartialTimeout, 3, 0, 0) == kFailed);
  CHECK(late(kPartialTimeout, 3, 1, 0) == kSatisfied);
  CHECK(late(kPartialTimeout, 3, 0, 1) == kSatisfied);
}

TEST_CASE("when the time is up every other join fails, unless it was satisfied before") {
  CHECK(late(kAll, 3, 2, 0) == kFailed);
  CHECK(late(kAll, 3, 3, 0) == kSatisfied);
  CHECK(late(kAny, 3, 0, 2) == kFailed);
  CHECK(late(kAny, 3, 1, 0) == kSatisfied);
  CHECK(late(quorum(2), 3, 1, 1) == kFailed);
  CHECK(late(quorum(2), 3, 2, 0) == kSatisfied);
  CHECK(late(percentage(5'000), 4, 1, 0) == kFailed);
  CHECK(late(percentage(5'000), 4, 2, 0) == kSatisfied);
  CHECK(late(partial_results(2), 3, 1, 0) == kFailed);
  CHECK(late(partial_results(2), 3, 1, 1) == kSatisfied);
}

TEST_CASE("of no branches all and any percentage are satisfied, and nothing else is") {
  CHECK(verdicts(kAll, 0, "") == Verdicts{kSatisfied});
  CHECK(verdicts(percentage(10'000), 0, "") == Verdicts{kSatisfied});
  CHECK(verdicts(percentage(1), 0, "") == Verdicts{kSatisfied});
  CHECK(verdicts(kAny, 0, "") == Verdicts{kFailed});
  CHECK(verdicts(quorum(1), 0, "") == Verdicts{kFailed});
  CHECK(verdicts(partial_results(1), 0, "") == Verdicts{kFailed});
  CHECK(verdicts(kPartialTimeout, 0, "") == Verdicts{kFailed});
  CHECK(late(kPartialTimeout, 0, 0, 0) == kFailed);
}

TEST_CASE("a join that wants more than there is, or nothing, is impossible") {
  const auto message = [](const Join& join, std::uint64_t total) {
    const auto problem = join.impossible(total);
    return problem ? problem->message : std::string();
  };
  CHECK(message(quorum(3), 3) == "");
  CHECK(message(quorum(4), 3) == "the join wants 4 branches, and there are 3");
  CHECK(message(partial_results(2), 1) == "the join wants 2 branches, and there is 1");
  CHECK(message(partial_results(1), 1) == "");
  CHECK(message(quorum(0), 3) == "a join of 0 branches waits for nothing");
  CHECK(message(partial_results(0), 0) == "a join of 0 branches waits for nothing");
  CHECK(message(percentage(0), 3) == "a percentage is more than 0 and at most 100");
  CHECK(message(percentage(10'001), 3) == "a percentage is more than 0 and at most 100");
  CHECK(message(percentage(10'000), 3) == "");
  CHECK(message(percentage(1), 0) == "");
  for (const Join& join : {kAll, kAny, kPartialTimeout}) {
    CHECK(message(join, 0) == "");
    CHECK(message(join, 1) == "");
  }
  // An empty list is not known to stay one: the join is judged as it is.
  CHECK(message(quorum(4), 0) == "");
}

// Patterns are for those who check files without this program: they say what the parsers take.
#include <doctest/doctest.h>

#include <regex>

#include "engine/base/clock.h"
#include "engine/base/duration.h"
#include "engine/base/ids.h"

using namespace canorun;

namespace {

bool matches(std::string_view pattern, const std::string& text) {
  return std::regex_match(text, std::regex(std::string(pattern)));
}

}  // namespace

TEST_CASE("the pattern of durations takes what is parsed") {
  for (const std::string text :
       {"0s",   "1ms",  "250ms", "5s",  "1m30s", "2h",  "1d",  "1d2h3m4s5ms", "0d0h", "007s", "",     "5",     "s",
        "1s1m", "1s2s", "-1s",   "+1s", "1.5s",  " 1s", "1s ", "1 s",         "1S",   "1min", "1msx", "36525d"}) {
    const auto parsed = parse_duration(text);
    CHECK_MESSAGE(matches(duration_pattern(false), text) == parsed.has_value(), text);
    CHECK_MESSAGE(matches(duration_pattern(true), text) == (parsed && *parsed > Millis{0}), text);
  }
}

TEST_CASE("the pattern of sizes takes what is parsed") {
  for (const std::string text : {"0", "512", "512B", "64KiB", "1MiB", "2GiB", "1TiB", "", "B", "1kB", "1MB", "1.5MiB",
                                 "-1", "1 MiB", "1MiB2KiB", "1MiBx", "0x10"}) {
    CHECK_MESSAGE(matches(size_pattern(), text) == parse_size(text).has_value(), text);
  }
}

TEST_CASE("the pattern of times takes what is parsed") {
  for (const std::string text :
       {"2026-11-23T09:15:00Z", "2026-11-23t09:15:00z", "2026-11-23 09:15:00+01:00", "2026-11-23T09:15:00.123456-00:45",
        "", "2026-11-23", "2026-11-23T08:15:00", "2026-11-23T08:15Z", "2026-11-23T08:15:00.Z", "2026-11-23T08:15:00Zx",
        "-026-11-23T08:15:00Z", "2026-11-23T08:15:00+1:00", "tomorrow"}) {
    CHECK_MESSAGE(matches(kTimePattern, text) == parse_time(text).has_value(), text);
  }
}

TEST_CASE("the patterns of names take what is one") {
  for (const std::string text : {"a", "_", "A9", "9a", "-a", "a-b", "a_b", "a.b", "", "Order", "order-2_b", "\u00fc"}) {
    CHECK_MESSAGE(matches(kFlowNamePattern, text) == is_flow_name(text), text);
    CHECK_MESSAGE(matches(kNamePattern, text) == is_name(text), text);
  }
  for (const std::size_t size : {62U, 63U, 64U}) {
    const std::string text(size, 'a');
    CHECK_MESSAGE(matches(kFlowNamePattern, text) == is_flow_name(text), size);
    CHECK_MESSAGE(matches(kNamePattern, text) == is_name(text), size);
  }
}

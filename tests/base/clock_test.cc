#include "engine/base/clock.h"

#include <doctest/doctest.h>

#include "engine/base/duration.h"

using namespace canorun;

TEST_CASE("times are written in UTC with milliseconds, and read back in every zone") {
  const auto time = parse_time("2026-11-23T09:15:00.123456+01:00");
  REQUIRE(time);
  CHECK(format_time(*time) == "2026-11-23T08:15:00.123Z");
  CHECK(parse_time("2026-11-23t08:15:00.123z") == *time);
  CHECK(format_time(parse_time("1969-12-31T23:59:59.999Z").value()) == "1969-12-31T23:59:59.999Z");
  CHECK(format_time(parse_time("9999-12-31T23:59:59Z").value()) ==
        "9999-12-31T23:59:59.000Z");  // beyond 64 bits of nanoseconds
  CHECK(format_time(parse_time("2024-02-29T23:30:00-00:45").value()) == "2024-03-01T00:15:00.000Z");
}

TEST_CASE("what is no time is refused with an example") {
  for (const char* text :
       {"", "2026-11-23", "2026-11-23T08:15:00", "2026-02-30T00:00:00Z", "2026-11-23T24:00:00Z",
        "2026-11-23T08:15:00.Z", "2026-11-23T08:15:00Zx", "-026-11-23T08:15:00Z", "2026-11-23T08:15:00+1:00"}) {
    CAPTURE(text);
    const auto time = parse_time(text);
    REQUIRE(!time);
    CHECK(time.error().message == std::string("'") + text + "' is not a time");
    CHECK(time.error().hint == "write it like 2026-12-01T09:00:00+01:00");
  }
}

TEST_CASE("durations are units in falling order") {
  CHECK(parse_duration("250ms") == Millis{250});
  CHECK(parse_duration("5s") == Millis{5'000});
  CHECK(parse_duration("1m30s") == Millis{90'000});
  CHECK(parse_duration("2h") == Millis{7'200'000});
  CHECK(parse_duration("1d2h3m4s5ms") == Millis{93'784'005});
  CHECK(parse_duration("0s") == Millis{0});
  for (const char* text : {"", "5", "s", "5x", "-5s", "5s1m", "5s5s", "1.5s", " 5s", "5 s", "99999999999999999999d"}) {
    CAPTURE(text);
    CHECK(!parse_duration(text));
  }
  CHECK(parse_duration("36526d").error().message == "'36526d' is longer than 100 years");
}

TEST_CASE("a formatted duration reads back as itself") {
  for (const std::int64_t ms : {0LL, 1LL, 999LL, 1'000LL, 90'000LL, 93'784'005LL, 36'525LL * 86'400'000}) {
    CHECK(parse_duration(format_duration(Millis{ms})) == Millis{ms});
  }
  CHECK(format_duration(Millis{90'500}) == "1m30s500ms");
  CHECK(human_duration(Millis{120}) == "120ms");
  CHECK(human_duration(Millis{3'456}) == "3.4s");
  CHECK(human_duration(Millis{72'000}) == "1m 12s");
  CHECK(human_duration(Millis{90'000'000}) == "1d 1h");
}

TEST_CASE("sizes take binary units and plain bytes") {
  CHECK(parse_size("64KiB") == 65'536);
  CHECK(parse_size("1MiB") == 1'048'576);
  CHECK(parse_size("12") == 12);
  CHECK(parse_size("0B") == 0);
  for (const char* text : {"", "KiB", "1KB", "1 MiB", "-1B", "1.5MiB", "1KiB1B", "2000000000000000000000"}) {
    CAPTURE(text);
    CHECK(!parse_size(text));
  }
  CHECK(parse_size("2TiB").error().message == "'2TiB' is more than 1 TiB");
  CHECK(human_size(1'572'864) == "1.5 MiB");
  CHECK(human_size(12) == "12 B");
}

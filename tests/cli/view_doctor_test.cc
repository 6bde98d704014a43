#include "cli/view_doctor.h"

#include <doctest/doctest.h>

using namespace canorun;
using namespace canorun::cli;

namespace {

const CommandText kCommand = [](std::string_view words) { return "canorun " + std::string(words); };

std::string text(const Diagnosis& diagnosis) { return diagnosis_text(diagnosis, kCommand, {}); }

store::Examination sound() { return {.runs = 3, .rows = 40, .bytes = 3 << 20, .unused = 1 << 20, .left = 1ULL << 40}; }

}  // namespace

TEST_CASE("a sound store is well") {
  CHECK(text({.folder = "/s", .found = sound()}) == R"(/s
3 runs; 40 rows
3.0 MiB, 1.0 MiB of it unused; 1.0 TiB left on the disk
the store is well
)");
}

TEST_CASE("a store that is not there is no damage") {
  CHECK(text({.folder = "/s", .is_there = false}) == "/s\nnote: there is no store yet\n  do: the first run makes it\n");
}

TEST_CASE("what may be done is told with it") {
  store::Examination found = sound();
  found.interrupted = 1;
  found.newer = 2;
  found.unread = 1;
  found.readers = 1;
  found.bytes = 100 << 20;
  found.unused = 60 << 20;
  found.left = 10 << 20;
  found.litter = {.owners = 1, .logs = 2, .limits = 1, .compactions = 1};
  CHECK(text({.folder = "/s", .found = found}) == R"(/s
3 runs, 1 interrupted; 40 rows
100.0 MiB, 60.0 MiB of it unused; 10.0 MiB left on the disk
note: 1 run is interrupted
  do: canorun resume --all
note: of 2 runs not all could be checked: a later canorun wrote it
  do: check with that one
note: 1 breaker or limit cannot be read, and begins anew
note: 1 reader that had died no longer holds back space
note: processes that died have left: 1 owner's file, 2 folders of logs, 1 earlier boot's limits, 1 compaction that was cut off
  do: canorun doctor --fix
note: 60.0 MiB of the store are unused
  do: canorun prune --compact
note: only 10.0 MiB are left on the disk
  do: make room; canorun prune --older-than 30d deletes old runs
the store is well
)");
  found = sound();
  found.litter = {.owners = 2, .logs = 1};
  CHECK(text({.folder = "/s", .found = found, .tidied = true})
            .ends_with("\nnote: removed what processes that died had left: 2 owners' files, 1 folder of logs\nthe "
                       "store is well\n"));
}

TEST_CASE("damage is told first, and once what to do about it") {
  store::Examination found = sound();
  found.damage = {"run 'r1': row 1 is missing", "run 'r2': row \x1b is missing"};
  found.more_damage = 7;
  CHECK(text({.folder = "/s", .found = found}) == R"(/s
3 runs; 40 rows
3.0 MiB, 1.0 MiB of it unused; 1.0 TiB left on the disk
damage: run 'r1': row 1 is missing
damage: run 'r2': row )"
                                                  "\xEF\xBF\xBD"
                                                  R"( is missing
  do: restore the folder from a backup; runs that are not named here can be used as they are
damage: 7 more
the store is damaged
)");
  const Diagnosis closed{.folder = "/s", .failure = "data.mdb is empty", .todo = "restore it"};
  CHECK(text(closed) == "/s\ndamage: data.mdb is empty\n  do: restore it\nthe store is damaged\n");
}

TEST_CASE("a diagnosis as JSON") {
  store::Examination found = sound();
  found.interrupted = 2;
  found.damage = {"run 'r1': row 1 is missing"};
  CHECK(to_json_text(to_json({.folder = "/s", .found = found}, kCommand)) ==
        R"({"bytes":3145728,"bytes_left":1099511627776,"bytes_unused":1048576,)"
        R"("damage":[{"do":"restore the folder from a backup; runs that are not named here can be used as they are",)"
        R"("what":"run 'r1': row 1 is missing"}],"interrupted":2,"more_damage":0,)"
        R"("notes":[{"do":"canorun resume --all","what":"2 runs are interrupted"}],"rows":40,"runs":3,"store":"/s",)"
        R"("well":false})");
  const Json closed = to_json({.folder = "/s", .failure = "data.mdb is empty"}, kCommand);
  CHECK(closed["runs"] == nullptr);
  CHECK(closed["damage"] == Json::array({{{"what", "data.mdb is empty"}, {"do", nullptr}}}));
}

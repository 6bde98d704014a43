#include "cli/view_list.h"

#include <doctest/doctest.h>

#include "cli/rows.h"
#include "engine/store/memory_store.h"

using namespace canorun;
using namespace canorun::test;

namespace {

std::vector<cli::Listed> three_runs() {
  auto running = record({started(0), entered(0, "reserve")}).summary;
  running.id = "backup-monday";
  auto left = running;
  left.id = "backup-sunday";
  left.status = store::Status::kInterrupted;
  return {{running}, {left}, {failed_run().summary}};
}

}  // namespace

TEST_CASE("list is a table of runs") {
  CHECK(cli::list_text(three_runs(), at(90'000), {}) ==
        R"(ID                          STATUS       STATE    STARTED                     TIME
backup-monday               running      reserve  2026-11-23T08:15:00.000Z  1m 30s
backup-sunday               interrupted  reserve  2026-11-23T08:15:00.000Z
order-20261123-081500-k3f9  failed       ship     2026-11-23T08:15:00.000Z    2.4s
)");
}

TEST_CASE("the painted table has the same columns") {
  const std::string plain = cli::list_text(three_runs(), at(90'000), {});
  std::string painted = cli::list_text(three_runs(), at(90'000), {.color = true});
  CHECK(painted.find("\x1b[31mfailed\x1b[0m ") != std::string::npos);
  for (std::size_t begin; (begin = painted.find('\x1b')) != std::string::npos;) {
    painted.erase(begin, painted.find('m', begin) + 1 - begin);
  }
  CHECK(painted == plain);
}

TEST_CASE("a run in the list as JSON") {
  CHECK(to_json_text(cli::to_json(failed_run().summary)) ==
        R"({"ended_at":"2026-11-23T08:15:02.456Z","flow":"order","id":"order-20261123-081500-k3f9","parent":null,)"
        R"("started_at":"2026-11-23T08:15:00.000Z","state":"ship","status":"failed","version":2})");
}

TEST_CASE("children are listed under their parents, and many of them in part") {
  store::MemoryStore store;
  const auto add = [&](const std::string& id, const std::string& parent, store::Status status) {
    store::Row first = started(0);
    std::get<store::RunStarted>(first.body).parent = parent;
    const store::Row end{at(1000), store::RunEnded{.status = status, .state = "end"}};
    store.create({id, {first, end}, {{"d1", "text"}}}, [](const store::StoreResult<store::RunNumber>&) {});
  };
  add("r", "", store::Status::kFailed);
  add("r.1", "r", store::Status::kSucceeded);
  add("r.2", "r", store::Status::kSucceeded);
  add("r.3", "r", store::Status::kFailed);
  add("r.3.1", "r.3", store::Status::kFailed);
  const auto text = [&](std::size_t most) {
    const auto runs = store.list({.parent = ""});
    return cli::list_text(*cli::with_children(store, *runs, most), at(2000), {});
  };
  CHECK(text(0) == R"(ID         STATUS     STATE  STARTED                   TIME
r          failed     end    2026-11-23T08:15:00.000Z  1.0s
  r.1      succeeded  end    2026-11-23T08:15:00.000Z  1.0s
  r.2      succeeded  end    2026-11-23T08:15:00.000Z  1.0s
  r.3      failed     end    2026-11-23T08:15:00.000Z  1.0s
    r.3.1  failed     end    2026-11-23T08:15:00.000Z  1.0s
)");
  CHECK(text(2) == R"(ID          STATUS     STATE  STARTED                   TIME
r           failed     end    2026-11-23T08:15:00.000Z  1.0s
  r.3       failed     end    2026-11-23T08:15:00.000Z  1.0s
    r.3.1   failed     end    2026-11-23T08:15:00.000Z  1.0s
  r.1       succeeded  end    2026-11-23T08:15:00.000Z  1.0s
  (1 more)
)");
}

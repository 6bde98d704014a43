// Who may include whom, and which door each library stands behind.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "house/tree.h"

namespace canorun::test {
namespace {

/// A library's headers, and the beginnings of the paths that may include them.
struct Door {
  std::string_view headers;
  std::vector<std::string_view> paths;
};

const std::vector<Door> kDoors{
    {"yaml-cpp/", {"workflows/document.cc"}},
    {"date/", {"engine/base/time_zone.cc"}},
    {"lmdb.h", {"engine/store/lmdb_"}},
    {"CLI/", {"cli/"}},
    {"curl/", {"tasks/http_c"}},
    {"boost/asio",
     {"engine/run/", "engine/schedule/", "tasks/", "engine/model/task.h", "engine/model/asio.cc", "cli/"}},
};

const std::map<std::string_view, std::set<std::string_view>> kUses{
    {"engine/base", {}},
    {"engine/expr", {"engine/base"}},
    {"engine/policy", {"engine/base"}},
    {"engine/store", {"engine/base", "engine/policy"}},
    {"engine/process", {"engine/base"}},
    {"engine/model", {"engine/base", "engine/expr", "engine/policy"}},
    {"engine/run", {"engine/base", "engine/expr", "engine/policy", "engine/model", "engine/store", "engine/process"}},
    {"tasks", {"engine/base", "engine/expr", "engine/model", "engine/process"}},
    {"workflows", {"engine/base", "engine/expr", "engine/policy", "engine/model"}},
};

/// The folder of a file of ours; empty for a header that is none of ours.
std::string_view folder_of(std::string_view path) {
  for (const std::string_view top : {"engine/", "tasks/", "workflows/", "cli/"}) {
    if (path.starts_with(top)) return path.substr(0, path.rfind('/'));
  }
  return {};
}

/// One line for each include that `file` should not have.
std::string wrong_includes(const SourceFile& file) {
  std::string wrong;
  const auto folder = folder_of(file.path);
  const auto uses = kUses.find(folder);
  for (const Include& include : includes(file.text)) {
    const auto door =
        std::ranges::find_if(kDoors, [&](const Door& d) { return include.header.starts_with(d.headers); });
    const bool shut = door != kDoors.end() && std::ranges::none_of(door->paths, [&](std::string_view path) {
                        return file.path.starts_with(path);
                      });
    const auto target = folder_of(include.header);
    const bool against = uses != kUses.end() && !target.empty() && target != folder && !uses->second.contains(target);
    if (shut || against) wrong += fmt::format("{}:{}: {}\n", file.path, include.line, include.header);
  }
  return wrong;
}

}  // namespace

TEST_CASE("an include against the direction of the house is found") {
  CHECK(wrong_includes({"engine/base/value.cc", "#include <string>\n#include \"engine/store/row.h\"\n"}) ==
        "engine/base/value.cc:2: engine/store/row.h\n");
  CHECK(wrong_includes({"workflows/validate.cc", "#include \"tasks/catalog.h\"\n#include \"engine/model/flow.h\"\n"}) ==
        "workflows/validate.cc:1: tasks/catalog.h\n");
  CHECK(wrong_includes({"tasks/log.cc", "#include \"tasks/log.h\"\n#include \"cli/view.h\"\n"}) ==
        "tasks/log.cc:2: cli/view.h\n");
  CHECK(wrong_includes({"cli/main.cc", "#include \"tasks/catalog.h\"\n#include \"engine/run/loop.h\"\n"}) == "");
}

TEST_CASE("a library behind its door is found when it is included elsewhere") {
  CHECK(wrong_includes({"workflows/read.cc", "#include <yaml-cpp/yaml.h>\n"}) ==
        "workflows/read.cc:1: yaml-cpp/yaml.h\n");
  CHECK(wrong_includes({"workflows/document.cc", "#include <yaml-cpp/yaml.h>\n"}) == "");
  CHECK(wrong_includes({"engine/store/memory_store.cc", "#include <lmdb.h>\n"}) ==
        "engine/store/memory_store.cc:1: lmdb.h\n");
  CHECK(wrong_includes({"engine/model/flow.h", "#include <boost/asio/awaitable.hpp>\n"}) ==
        "engine/model/flow.h:1: boost/asio/awaitable.hpp\n");
}

TEST_CASE("no file of the program includes what it may not") {
  std::string wrong;
  const auto files = source_files(false);
  for (const SourceFile& file : files) wrong += wrong_includes(file);
  CHECK(wrong == "");
  CHECK(files.size() > 50);
}

}  // namespace canorun::test

#include "tasks/output_file.h"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <fstream>

#include "support/temp_folder.h"

namespace canorun::tasks {
namespace {

std::string refused(std::string_view text) {
  auto values = parse_output_values(text);
  REQUIRE_FALSE(values);
  return values.error().message;
}

}  // namespace

TEST_CASE("key=value lines give texts, and a later line wins") {
  CHECK(*parse_output_values("a=1\n\nb=x = 'y'\r\na=\nc=\xff") ==
        Json{{"a", ""}, {"b", "x = 'y'"}, {"c", "\xef\xbf\xbd"}});
}

TEST_CASE("one JSON object gives values of any type") {
  CHECK(*parse_output_values(" \n{\"a\": 1, \"b-c\": [true, null]}\n") == Json{{"a", 1}, {"b-c", {true, nullptr}}});
}

TEST_CASE("nothing gives an empty object") {
  CHECK(*parse_output_values("") == Json::object());
  CHECK(*parse_output_values("\n  \n") == Json::object());
  CHECK(*read_output_file("/no/such/file") == Json::object());
}

TEST_CASE("what is neither is an error that says where") {
  CHECK(refused("a=1\nchatter\n") == "CANORUN_OUTPUT line 2 is no key=value: chatter");
  CHECK(refused("=1") == "CANORUN_OUTPUT line 1 is no key=value: =1");
  CHECK(refused("b-c=1") == "CANORUN_OUTPUT line 1 is no key=value: b-c=1");
  CHECK(refused("{\"a\": ").starts_with("CANORUN_OUTPUT is no JSON object: "));
  CHECK(refused("{} {}").starts_with("CANORUN_OUTPUT is no JSON object: "));
}

TEST_CASE("a file that is too large, or no file any more, is an error") {
  const test::TempFolder folder;
  const std::string path = folder.path() + "/output";
  std::ofstream(path) << "a=" << std::string((1 << 20) - 2, 'x');
  CHECK(read_output_file(path)->at("a").get<std::string>().size() == (1 << 20) - 2);
  std::ofstream(path, std::ios::app) << "x";
  CHECK(read_output_file(path).error().message == "CANORUN_OUTPUT holds more than 1.0 MiB");
  CHECK(read_output_file(folder.path()).error().message == "CANORUN_OUTPUT is not a file any more");
  const std::string fifo = folder.path() + "/fifo";
  REQUIRE(::mkfifo(fifo.c_str(), 0600) == 0);
  CHECK(read_output_file(fifo).error().message == "CANORUN_OUTPUT is not a file any more");
}

}  // namespace canorun::tasks

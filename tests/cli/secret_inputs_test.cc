#include "cli/secret_inputs.h"

#include <doctest/doctest.h>
#include <stdlib.h>

#include <filesystem>

#include "engine/model/inputs.h"
#include "support/program.h"
#include "support/temp_folder.h"

using namespace canorun;
using namespace canorun::cli;

namespace {

const std::string kSecret = "hunter2-hunter2";

model::Input input(const std::string& name, model::InputType type, bool secret) {
  model::Input made;
  made.name = name;
  made.type = type;
  made.secret = secret;
  if (!secret) made.fallback = 1;
  return made;
}

model::Flow flow() {
  model::Flow made;
  made.name = "f";
  made.inputs = {input("token", model::InputType::kString, true), input("other", model::InputType::kString, true),
                 input("n", model::InputType::kInt, false)};
  return made;
}

run::RunState run_with(std::map<std::string, std::string> secrets) {
  run::RunState run;
  run.id = "r1";
  run.start.inputs = {{"n", 1}};
  run.start.secrets = std::move(secrets);
  return run;
}

// The value and its source, or the message and its hint.
std::string read(const std::string& text) {
  const auto secret = read_secret("token", text);
  return secret ? secret->value + " from " + secret->source : secret.error().message + " | " + secret.error().hint;
}

std::string told(const Refusal& refusal) {
  std::string out = refusal.message + " | " + refusal.hint;
  for (const Error& problem : refusal.problems) out += "\n" + problem.message + " | " + problem.hint;
  return out;
}

std::string again(const run::RunState& run, SecretsAgain given) {
  given.verb = "resume";
  const auto secrets = secrets_again(Wiring({.store = "/s"}), run, given);
  return secrets ? to_json_text(*secrets) : std::string(kind_name(secrets.error().kind)) + ": " + told(secrets.error());
}

}  // namespace

TEST_CASE("a secret is given as it is, or named by a variable or a file") {
  ::setenv("CANORUN_TEST_SECRET", kSecret.c_str(), 1);
  const test::TempFolder folder;
  test::write_file(folder.path() + "/secret", kSecret + "\n\n");
  CHECK(read("@home is @env:") == "@home is @env: from ");
  CHECK(read("@env:CANORUN_TEST_SECRET") == kSecret + " from @env:CANORUN_TEST_SECRET");
  CHECK(read("@file:" + folder.path() + "/secret") == kSecret + "\n from @file:" + folder.path() + "/secret");
  const auto here = std::filesystem::current_path();
  std::filesystem::current_path(folder.path());
  CHECK(read("@file:secret").ends_with(" from @file:" + folder.path() + "/secret"));
  std::filesystem::current_path(here);
}

TEST_CASE("what can be read once only is no source") {
  const test::TempFolder folder;
  const std::string path = folder.path() + "/pipe";
  REQUIRE(test::run_program({{"mkfifo", path}, {}, {}}).code == 0);
  test::Program writer({{"sh", "-c", "echo hunter2-hunter2 > " + path}, {}, {}});
  CHECK(read("@file:" + path) == kSecret + " from ");
  CHECK(writer.wait().code == 0);
}

TEST_CASE("a secret that cannot be read is an error that does not quote it") {
  ::unsetenv("CANORUN_TEST_SECRET");
  CHECK(read("@env:CANORUN_TEST_SECRET") ==
        "secret input 'token': the environment variable 'CANORUN_TEST_SECRET' is not set | set and export it");
  CHECK(read("@env:") == "secret input 'token': the environment variable '' is not set | set and export it");
  CHECK(read("@file:/nowhere/s") ==
        "secret input 'token': cannot read /nowhere/s: No such file or directory | name a file that holds the value");
  CHECK(read("@file:/") == "secret input 'token': cannot read /: Is a directory | name a file that holds the value");
  CHECK(read("hunte") == "secret input 'token' has less than 6 characters | what is so short cannot be kept secret");
  CHECK(read("hüntä") == "secret input 'token' has less than 6 characters | what is so short cannot be kept secret");
  CHECK(read("hunter\xff") == "secret input 'token': its value is no UTF-8 text | encode it, as base64 for instance");
  CHECK(read(std::string(65537, 'x')) ==
        "secret input 'token' is longer than 64.0 KiB | give the path of a file, and let a command read it");
}

TEST_CASE("a secret that begins like a name, and is none, is refused") {
  const std::string why =
      "secret input 'token': it begins with '@' and a word, but neither with '@env:' nor with '@file:' | name it with "
      "@env:NAME or @file:PATH; a value that begins so can be given by these only";
  for (const char* text : {"@evn:NAME", "@Env:NAME", "@files:/a", "@x:secret"}) CHECK(read(text) == why);
  for (const char* text : {"@:secret", "@secret", "@a1:secret", "x@env:NAME"})
    CHECK(read(text) == std::string(text) + " from ");
  ::setenv("CANORUN_TEST_SECRET", "@evn:NAME", 1);
  CHECK(read("@env:CANORUN_TEST_SECRET") == "@evn:NAME from @env:CANORUN_TEST_SECRET");
}

TEST_CASE("a file of inputs does not name where a secret is read") {
  const Json values{{"token", "@env:X"}, {"other", "@file:/x"}, {"n", "@env:X"}};
  const auto given = read_secrets(flow(), values, {{"other", "given-direct"}});
  REQUIRE(!given);
  CHECK(told(given.error()) ==
        "secret input 'token': a file of inputs holds its value, and does not name it | name it with -i "
        "token=@env:NAME or -i token=@file:PATH");
  CHECK(read_secrets(flow(), Json{{"token", kSecret}, {"n", "@env:X"}}, {}));
  CHECK(read_secrets(flow(), values, {{"token", kSecret}, {"other", kSecret}}));
}

TEST_CASE("of a new run's inputs only secret ones are read from elsewhere, and the last one given counts") {
  ::setenv("CANORUN_TEST_SECRET", kSecret.c_str(), 1);
  auto given = read_secrets(flow(), Json(),
                            {{"token", "@env:CANORUN_TEST_SECRET"},
                             {"n", "@env:CANORUN_TEST_SECRET"},
                             {"what", "@env:X"},
                             {"other", "@env:CANORUN_TEST_NOT_READ"},
                             {"other", "given-direct"}});
  REQUIRE(given);
  CHECK(given->texts ==
        Texts{{"token", kSecret}, {"n", "@env:CANORUN_TEST_SECRET"}, {"what", "@env:X"}, {"other", "given-direct"}});
  CHECK(given->sources == run::Sources{{"token", "@env:CANORUN_TEST_SECRET"}, {"other", ""}});
  ::unsetenv("CANORUN_TEST_SECRET");
  given = read_secrets(flow(), Json(), {{"token", "@env:CANORUN_TEST_SECRET"}, {"other", "short"}});
  REQUIRE(!given);
  CHECK(told(given.error()) ==
        "2 inputs are wrong: nothing was run | \n"
        "secret input 'token': the environment variable 'CANORUN_TEST_SECRET' is not set | set and export it\n"
        "secret input 'other' has less than 6 characters | what is so short cannot be kept secret");
}

TEST_CASE("no problem of inputs quotes a secret, whichever input it was given to") {
  const auto problems = [](const Json& values, const Texts& texts) {
    std::string out;
    const auto bound = model::bind_inputs(flow(), values, texts);
    for (const Error& problem : bound.error()) out += problem.message + " | " + problem.hint + "\n";
    return out;
  };
  const std::string longer = kSecret + std::string(100, 'x');
  CHECK(problems({{"token", 123456}, {"other", "short"}}, {}) ==
        "secret input 'other' has less than 6 characters | what is so short cannot be kept secret\n"
        "secret input 'token' must be a string, not int | \n");
  CHECK(problems({{"token", longer}, {"n", "x" + longer}}, {{"other", kSecret}}) ==
        "input 'n' must be an int, not string \"x*** | \n");
  CHECK(problems(Json(), {{"token", longer}, {"n", longer}}) ==
        "input 'n' must be an int, not '***' | \n"
        "secret input 'other' is missing (string) | give it with -i other=@env:NAME\n");
}

TEST_CASE("a run that goes on reads its secrets again from where they were, and what is given wins") {
  ::setenv("CANORUN_TEST_SECRET", kSecret.c_str(), 1);
  const auto run = run_with({{"token", "@env:CANORUN_TEST_SECRET"}, {"other", ""}});
  CHECK(again(run, {.texts = {{"other", "short"}, {"other", "given-again"}}}) ==
        R"({"other":"given-again","token":"hunter2-hunter2"})");
  CHECK(again(run, {.texts = {{"other", "@env:CANORUN_TEST_SECRET"}, {"token", "given-again"}}}) ==
        R"({"other":"hunter2-hunter2","token":"given-again"})");
  CHECK(again(run, {.known = {{"other", "known-already"}, {"n", 3}}}) ==
        R"({"other":"known-already","token":"hunter2-hunter2"})");
  CHECK(again(run_with({}), {}) == "{}");
}

TEST_CASE("a run that goes on without a secret is refused with all that is missing, and the command that gives it") {
  ::unsetenv("CANORUN_TEST_SECRET");
  const auto run = run_with({{"a", ""}, {"b", ""}, {"token", "@env:CANORUN_TEST_SECRET"}});
  CHECK(
      again(run, {}) ==
      "invalid_inputs: 2 inputs are wrong: nothing was run | \n"
      "secret input 'token': the environment variable 'CANORUN_TEST_SECRET' is not set | give it with: canorun resume "
      "r1 -i token=@env:NAME --store /s\n"
      "run 'r1' needs what is not kept of it: the secret inputs a, b | give it again with: canorun resume r1 -i "
      "a=@env:NAME -i b=@env:NAME --store /s");
  CHECK(
      again(run_with({{"a", ""}}), {}) ==
      "invalid_inputs: run 'r1' needs what is not kept of it: the secret input a | give it again with: canorun resume "
      "r1 -i a=@env:NAME --store /s");
  CHECK(again(run_with({{"a", ""}}), {.texts = {{"a", "short"}}}) ==
        "invalid_inputs: secret input 'a' has less than 6 characters | give it with: canorun resume r1 -i a=@env:NAME "
        "--store /s");
  CHECK(again(run, {.needed = false}) == "{}");
  CHECK(again(run, {.texts = {{"a", "given-again"}}, .needed = false}) == R"({"a":"given-again"})");
}

TEST_CASE("only secret inputs are given again") {
  CHECK(again(run_with({{"token", ""}}), {.texts = {{"token", kSecret}, {"n", "2"}}}) ==
        "invalid_inputs: input 'n' of run 'r1' is fixed: only secret inputs are given again | ");
  CHECK(again(run_with({{"token", ""}}), {.texts = {{"token", kSecret}, {"tokem", kSecret}}}) ==
        "invalid_inputs: run 'r1' has no secret input 'tokem' | did you mean 'token'?");
  CHECK(again(run_with({}), {.texts = {{"n", "2"}}}) ==
        "invalid_inputs: input 'n' of run 'r1' is fixed: it has no secret inputs | ");
}

TEST_CASE("the command that goes on with a run names the secrets that a person has to give") {
  CHECK(again_options(run_with({{"a", ""}, {"b", "@env:B"}, {"c", ""}}).start) == " -i a=@env:NAME -i c=@env:NAME");
  CHECK(again_options(run_with({}).start).empty());
}

TEST_CASE("inputs are shown without secrets, also where another input has one") {
  CHECK(hidden(flow(), {{"token", kSecret}, {"other", "other-secret"}, {"n", "at " + kSecret}}) ==
        Json{{"token", "***"}, {"other", "***"}, {"n", "at ***"}});
}

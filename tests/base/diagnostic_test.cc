#include "engine/base/diagnostic.h"

#include <doctest/doctest.h>

using namespace canorun;

namespace {

std::shared_ptr<const Source> source(std::string text) {
  return std::make_shared<Source>("flow.yaml", std::move(text));
}

}  // namespace

TEST_CASE("a diagnostic shows place, message, code, line, caret and hint") {
  const auto text = source("name: x\nnext: chrage\n");
  const Diagnostic diagnostic{Code::kUnknownState,      Severity::kError,        text, {14, 20},
                              "unknown state 'chrage'", "did you mean 'charge'?"};
  CHECK(render(diagnostic, false) ==
        "flow.yaml:2:7: error: unknown state 'chrage' [unknown-state]\n"
        "    2 | next: chrage\n"
        "      |       ^^^^^^ did you mean 'charge'?\n");
  CHECK(to_json(diagnostic) == Json{{"file", "flow.yaml"},
                                    {"line", 2},
                                    {"column", 7},
                                    {"severity", "error"},
                                    {"code", "unknown-state"},
                                    {"message", "unknown state 'chrage'"},
                                    {"hint", "did you mean 'charge'?"}});
}

TEST_CASE("columns and carets count characters, not bytes, and a tab is one of them") {
  const auto text = source("\tgr\xC3\xBC\xC3\x9F: nope\r\n");
  CHECK(render({Code::kUnknownKey, Severity::kWarning, text, {9, 13}, "m"}, false) ==
        "flow.yaml:1:8: warning: m [unknown-key]\n"
        "    1 |  gr\xC3\xBC\xC3\x9F: nope\n"
        "      |        ^^^^\n");
}

TEST_CASE("carets stand under characters that are wide, and under those that take no room") {
  const auto text = source("name: 漢字 e\u0301x 😀y");
  CHECK(render({Code::kBadValue, Severity::kError, text, {6, 12}, "wide"}, false) ==
        "flow.yaml:1:7: error: wide [bad-value]\n"
        "    1 | name: 漢字 e\u0301x 😀y\n"
        "      |       ^^^^\n");
  CHECK(render({Code::kBadValue, Severity::kError, text, {16, 17}, "after both"}, false) ==
        "flow.yaml:1:12: error: after both [bad-value]\n"
        "    1 | name: 漢字 e\u0301x 😀y\n"
        "      |             ^\n");
  CHECK(render({Code::kBadValue, Severity::kError, text, {22, 23}, "after an emoji"}, false) ==
        "flow.yaml:1:15: error: after an emoji [bad-value]\n"
        "    1 | name: 漢字 e\u0301x 😀y\n"
        "      |                 ^\n");
}

TEST_CASE("an empty span, one past the end and one over lines still have a caret") {
  const auto text = source("abc\ndef");
  CHECK(render({Code::kMissingKey, Severity::kError, text, {3, 3}, "m"}, false) ==
        "flow.yaml:1:4: error: m [missing-key]\n    1 | abc\n      |    ^\n");
  CHECK(render({Code::kMissingKey, Severity::kError, text, {900, 901}, "m"}, false) ==
        "flow.yaml:2:4: error: m [missing-key]\n    2 | def\n      |    ^\n");
  CHECK(render({Code::kMissingKey, Severity::kError, text, {1, 6}, "m"}, false) ==
        "flow.yaml:1:2: error: m [missing-key]\n    1 | abc\n      |  ^^\n");
}

TEST_CASE("a long line is cut around the caret, and controls never reach a terminal") {
  const std::string text = std::string(300, 'a') + "HERE" + std::string(300, 'b');
  CHECK(render({Code::kBadValue, Severity::kError, source(text), {300, 304}, "m"}, false) ==
        "flow.yaml:1:301: error: m [bad-value]\n"
        "    1 | …" +
            std::string(80, 'a') + "HERE" + std::string(76, 'b') +
            "…\n"
            "      | " +
            std::string(81, ' ') + "^^^^\n");
  CHECK(render({Code::kBadValue, Severity::kError, source("a\x1b[2J\xC2\x9B b\xFF"), {0, 1}, "m"}, false) ==
        "flow.yaml:1:1: error: m [bad-value]\n    1 | a\xEF\xBF\xBD[2J\xEF\xBF\xBD b\xEF\xBF\xBD\n      | ^\n");
}

TEST_CASE("what a message quotes never reaches a terminal as a control") {
  CHECK(render({.code = Code::kBadValue,
                .source = nullptr,
                .span = {},
                .message = "'\x1b[31mred\n'",
                .hint = "\x07x",
                .file = "\x1b.yaml"},
               false) ==
        "\xEF\xBF\xBD.yaml: error: '\xEF\xBF\xBD[31mred\xEF\xBF\xBD' [bad-value]\n      \xEF\xBF\xBDx\n");
}

TEST_CASE("a file that could not be read has no quote") {
  const Diagnostic diagnostic{.code = Code::kFileTooLarge,
                              .source = nullptr,
                              .span = {},
                              .message = "too large",
                              .hint = "split it",
                              .file = "big.yaml"};
  CHECK(render(diagnostic, false) == "big.yaml: error: too large [file-too-large]\n      split it\n");
  CHECK(render(diagnostic, true) ==
        "\x1b[1mbig.yaml:\x1b[0m \x1b[1;31merror:\x1b[0m too large [file-too-large]\n      split it\n");
}

TEST_CASE("diagnostics are sorted by place within their file") {
  const auto a = std::make_shared<Source>("a", "xxxx");
  const auto b = std::make_shared<Source>("b", "xxxx");
  std::vector<Diagnostic> all{{Code::kBadValue, Severity::kError, b, {2, 3}, "b2"},
                              {Code::kBadValue, Severity::kWarning, a, {1, 2}, "a1"},
                              {Code::kBadValue, Severity::kError, b, {0, 1}, "b0"}};
  sort_by_place(all);
  CHECK(all[0].message + all[1].message + all[2].message == "b0b2a1");
  CHECK(has_errors(all));
  CHECK(!has_errors({all[2]}));
}

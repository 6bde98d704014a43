#include "workflows/document.h"

#include <doctest/doctest.h>

#include <random>

#include "workflows/core_schema.h"

using namespace canorun;
using namespace canorun::workflows;

namespace {

struct Parsed {
  std::shared_ptr<const Source> source;
  std::unique_ptr<const Document> document;
  std::vector<Diagnostic> problems;

  explicit Parsed(std::string text) : source(std::make_shared<Source>("flow.yaml", std::move(text))) {
    Report report(source);
    document = Document::parse(source, report);
    problems = report.take();
  }
  std::string at(Span span) const { return std::string(source->text().substr(span.begin, span.end - span.begin)); }
  const Node& operator[](std::string_view key) const { return *document->root().find(key); }
  /// Where `part` of the value of `key` stands.
  std::string found(std::string_view key, std::string_view part) const {
    const Node& node = (*this)[key];
    const auto begin = static_cast<std::uint32_t>(node.text.find(part));
    REQUIRE_MESSAGE(begin < node.text.size(), node.text);
    return at(document->part(node, {begin, begin + static_cast<std::uint32_t>(part.size())}));
  }
};

std::string show(std::string_view plain) {
  const auto value = resolve_plain(plain);
  return value ? value->dump() : "string";
}

}  // namespace

TEST_CASE("plain scalars mean what the core schema of YAML 1.2 says") {
  for (const auto* text : {"null", "Null", "NULL", "~", ""}) CHECK_MESSAGE(show(text) == "null", text);
  for (const auto* text : {"true", "True", "TRUE"}) CHECK_MESSAGE(show(text) == "true", text);
  CHECK(show("False") == "false");
  CHECK(show("012") == "12");
  CHECK(show("-12") == "-12");
  CHECK(show("+3") == "3");
  CHECK(show("0o17") == "15");
  CHECK(show("0xFf") == "255");
  CHECK(show("9223372036854775807") == "9223372036854775807");
  CHECK(show("-9223372036854775808") == "-9223372036854775808");
  CHECK(show("18446744073709551615") == "18446744073709551615");
  CHECK(show("18446744073709551616") == "1.8446744073709552e+19");
  CHECK(show("1.") == "1.0");
  CHECK(show("-.5") == "-0.5");
  CHECK(show("1e3") == "1000.0");
  CHECK(show("6.02E+23") == "6.02e+23");
  for (const auto* text :
       {"yes", "no", "on", "off", "y",   "nULL", "tRUE", "1_000", "0b1",   "12:30:45", "2026-01-01", "-",    "+",
        ".",   "1e", "e3", "0x",  "0o8", "0xG",  "--1",  "1.2.3", "1e999", ".inf",     "-.INF",      ".nan", "0x-1"}) {
    CHECK_MESSAGE(show(text) == "string", text);
  }
  CHECK(is_not_finite("-.Inf"));
  CHECK(!is_not_finite("inf"));
}

TEST_CASE("quoted and block scalars are strings whatever they say") {
  const Parsed parsed("a: '1'\nb: \"true\"\nc: |\n  2\nd: 3\n");
  CHECK(parsed["a"].kind == NodeKind::kString);
  CHECK(parsed["b"].kind == NodeKind::kString);
  CHECK(parsed["c"].kind == NodeKind::kString);
  CHECK(parsed["d"].kind == NodeKind::kInt);
}

TEST_CASE("a part of a scalar is found in the source, whatever its style") {
  const Parsed parsed(
      "plain: one MARK two\n"
      "lines: one\n  two MARK\n\n  three MORK\n"
      "single: 'it''s MARK''MORK'\n"
      "double: \"\\t\\u00fc\\U0001F600\\x41\\e MARK\\\n   MORK \\\"\"\n"
      "literal: |\n  ü\n\n    deep MARK\n  MORK\n"
      "folded: >\n  a\n  MARK\n\n    deep\n\n  MORK\n"
      "kept: |2+\n    MARK\n   MORK\n\n"
      "escape: \"a\\u00fcb\"\n"
      "quote: 'a''b'\n");
  REQUIRE(parsed.problems.empty());
  for (const auto* key : {"plain", "lines", "single", "double", "literal", "folded", "kept"})
    CHECK(parsed.found(key, "MARK") == "MARK");
  for (const auto* key : {"lines", "single", "double", "literal", "folded", "kept"})
    CHECK(parsed.found(key, "MORK") == "MORK");
  CHECK(parsed.found("escape", "ü") == "\\u00fc");
  CHECK(parsed.found("quote", "'") == "''");
  CHECK(parsed.found("folded", "a MARK") == "a\n  MARK");
}

TEST_CASE("what a caret stands under") {
  const Parsed parsed(
      "key: &x 'two'\nflow: {a: [1, 2], b: }  # }\nblock:\n  inner: 1\nlist:\n- 1\nnone:\nalias: *x\nlast: |\n  "
      "text\n");
  REQUIRE(parsed.problems.empty());
  const auto span = [&](std::string_view key) { return parsed.at(parsed.document->span(parsed[key])); };
  CHECK(span("key") == "'two'");
  CHECK(span("flow") == "{a: [1, 2], b: }");
  CHECK(span("block") == "inner");
  CHECK(span("list") == "-");
  CHECK(span("none") == "none");
  CHECK(span("alias") == "'two'");
  CHECK(span("last") == "|\n  text");
}

TEST_CASE("columns are right with CRLF and after characters of several bytes") {
  const Parsed parsed("a: 1\r\nb: \"ü\r\n  MARK\"\r\nc: |\r\n  ü MARK\r\n");
  REQUIRE(parsed.problems.empty());
  CHECK(parsed["c"].text == "ü MARK\n");
  CHECK(parsed.found("b", "MARK") == "MARK");
  CHECK(parsed.found("c", "MARK") == "MARK");
}

TEST_CASE("every byte of random scalars is found where it was written") {
  std::mt19937 random(7);
  const std::vector<std::string> words{"a", "bc", "ü", "€", "x:y", "k#v", "''", "\\\\", "\"q\"", "-", "${{ x }}", "😀"};
  for (int round = 0; round < 2000; ++round) {
    // Words on lines; each word must be found as it is, escapes and doubled quotes aside.
    const bool single = round % 5 == 0, twice = round % 5 == 1, plain = round % 5 == 2;
    const char* const header = round % 5 == 3 ? "|" : ">-";
    std::string text = single ? "v: '" : twice ? "v: \"" : plain ? "v: w" : std::string("v: ") + header + "\n  w";
    std::vector<std::string> used;
    for (int i = 0; i < 12; ++i) {
      const std::string& word = words[random() % words.size()];
      if (single && word == "''") continue;
      if (twice && (word == "\\\\" || word == "\"q\"")) continue;
      const auto gap = random() % 6;
      text += gap == 0 ? "\n  " : gap == 1 ? "\n\n  " : gap == 2 && !plain ? "  " : " ";
      text += word;
      used.push_back(word);
    }
    text += single ? "'\n" : twice ? "\"\n" : "\n";
    const Parsed parsed(text);
    REQUIRE_MESSAGE(parsed.problems.empty(), text);
    const Node& node = parsed["v"];
    std::size_t from = 0;
    for (const std::string& word : used) {
      const auto begin = node.text.find(word, from);
      REQUIRE_MESSAGE(begin != std::string::npos, text);
      from = begin + word.size();
      const Span span =
          parsed.document->part(node, {static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(from)});
      CHECK_MESSAGE(parsed.at(span) == word, text);
    }
  }
}

TEST_CASE("an alias is the node it names, and a tag does not hide what was written") {
  const Parsed parsed("a: &x {k: v}\nb: *x\nc: !vars.x\n");
  CHECK(&parsed["a"] == &parsed["b"]);
  CHECK(parsed["c"].text == "!vars.x");
  REQUIRE(parsed.problems.size() == 1);
  CHECK(parsed.problems[0].message == "'!vars.x' is a YAML tag, and no tag has a meaning here");
}

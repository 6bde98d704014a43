#include "engine/base/masker.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <random>

using namespace canorun;

namespace {

using Strings = std::vector<std::string>;

std::string masked(const Strings& secrets, std::string text) {
  Masker(secrets).mask(text);
  return text;
}

Json masked_json(const Strings& secrets, Json value) {
  Masker(secrets).mask(value);
  return value;
}

// What a masker of plain words should give, by looking for every word everywhere, and in a stream for its beginning at
// the end.
std::string by_looking(const Strings& words, const std::string& text, bool stream) {
  std::vector<std::pair<std::size_t, std::size_t>> found;
  for (const std::string& word : words) {
    for (std::size_t size = 6; stream && size < word.size(); ++size) {
      if (text.ends_with(word.substr(0, size))) found.emplace_back(text.size() - size, text.size());
    }
  }
  for (const std::string& word : words) {
    for (auto at = text.find(word); at != text.npos; at = text.find(word, at + 1))
      found.emplace_back(at, at + word.size());
  }
  std::ranges::sort(found);
  std::string out;
  std::size_t told = 0;
  for (std::size_t i = 0; i < found.size();) {
    auto [begin, end] = found[i];
    for (++i; i < found.size() && found[i].first < end; ++i) end = std::max(end, found[i].second);
    out += text.substr(told, begin - told) + "***";
    told = end;
  }
  return out + text.substr(told);
}

std::string in_pieces(const Masker& masker, const Strings& pieces) {
  MaskedStream stream(masker);
  std::string out;
  for (const std::string& piece : pieces) out += stream.take(piece);
  out += stream.finish();
  return out;
}

// Masks the text in every two pieces, in pieces of one, two and three bytes, and after something else.
void check_every_split(const Masker& masker, const Strings& words, const std::string& text) {
  CAPTURE(text);
  std::string whole = text;
  masker.mask(whole);
  CHECK(whole == by_looking(words, text, false));
  const std::string expected = by_looking(words, text, true);
  for (std::size_t at = 0; at <= text.size(); ++at) {
    CAPTURE(at);
    CHECK(in_pieces(masker, {text.substr(0, at), text.substr(at)}) == expected);
  }
  for (std::size_t size = 1; size <= 3; ++size) {
    Strings pieces;
    for (std::size_t at = 0; at < text.size(); at += size) pieces.push_back(text.substr(at, size));
    CHECK(in_pieces(masker, pieces) == expected);
  }
}

}  // namespace

TEST_CASE("every occurrence of a secret becomes ***") {
  CHECK(masked({"hunter2"}, "the password is hunter2, I said hunter2") == "the password is ***, I said ***");
  CHECK(masked({"hunter2"}, "hunter2hunter2") == "******");
  CHECK(masked({"hunter2"}, "hunter, Hunter2") == "hunter, Hunter2");
  CHECK(masked({"hunter2", "hunter2000"}, "hunter2000 hunter200") == "*** ***00");
  CHECK(masked({"abcdef", "defghi"}, "xabcdefghiy") == "x***y");
  CHECK(masked({"", "hunter2"}, "a hunter2") == "a ***");
}

TEST_CASE("a masker without secrets changes nothing, and gives the bytes that it was given") {
  const std::string text = "all told";
  MaskedStream stream(kNoSecrets);
  CHECK(kNoSecrets.empty());
  CHECK(stream.take(text).data() == text.data());
  CHECK(stream.finish().empty());
  CHECK(Masker({""}).empty());
  const Masker masker({"hunter2"});
  MaskedStream innocent(masker);
  CHECK(innocent.take("no secret").size() == 9);
  CHECK(innocent.take(text).data() == text.data());
}

TEST_CASE("all that is at hand of an occurrence is masked, however the bytes come") {
  const Masker masker({"abcabd", "bcabdd", "dddddd", "cab\ncab-cab"});
  for (const std::string& text :
       Strings{"", "abcabd", "abcabcabd", "abcabdd", "abcabcabddd", "ddddddd", "dddddddddddddd", "abcabdabcabd",
               "abcab", "xabca", "cab\ncab-cab", "cab\ncab-ca", "xxcab\ncab-cabcabdd", "abcabcab\ncab-cabd"}) {
    check_every_split(masker, {"abcabd", "bcabdd", "dddddd", "cab\ncab-cab", "cab-cab"}, text);
  }
}

TEST_CASE("random secrets over few letters are found as by looking everywhere") {
  std::mt19937 random(1);
  const auto word = [&](std::size_t least, std::size_t most, char last) {
    std::string text(std::uniform_int_distribution<std::size_t>(least, most)(random), 'a');
    for (char& c : text) c = std::uniform_int_distribution<char>('a', last)(random);
    return text;
  };
  for (int round = 0; round < 300; ++round) {
    const char last = round % 2 == 0 ? 'b' : 'c';
    const Strings secrets{word(6, 9, last), word(6, 7, last), word(6, 12, last)};
    const std::string text = word(0, 60, last);
    INFO(secrets[0], " ", secrets[1], " ", secrets[2]);
    check_every_split(Masker(secrets), secrets, text);
  }
}

TEST_CASE("what cannot be the beginning of a secret is not held back, and a mask is not either") {
  const Masker masker({"hunter2", "2000000"});
  MaskedStream stream(masker);
  CHECK(stream.take("the hunt") == "the ");
  CHECK(stream.take("s") == "hunts");
  CHECK(stream.take("hunter") == "");
  CHECK(stream.take("2") == "***");  // its end may begin another one
  CHECK(stream.take("00000") == "");
  CHECK(stream.take("0 hu") == " ");
  CHECK(stream.finish() == "hu");
  CHECK(stream.take("hunter2") == "***");
  CHECK(stream.finish() == "");
}

TEST_CASE("six characters and more of a secret that a stream ends in are masked") {
  const Masker masker({"hunter2hunter3", "größer als"});
  CHECK(in_pieces(masker, {"the hun", "ter2hun"}) == "the ***");
  CHECK(in_pieces(masker, {"hunter2hunter3hunter"}) == "******");
  CHECK(in_pieces(masker, {"hunter"}) == "***");
  CHECK(in_pieces(masker, {"hunte"}) == "hunte");
  CHECK(in_pieces(masker, {"hunter\n"}) == "hunter\n");
  CHECK(in_pieces(masker, {"größe"}) == "***");
  CHECK(masked({"hunter2hunter3"}, "hunter2hunter3 hunter2") == "*** hunter2");
}

TEST_CASE("a secret of several lines is found as a whole, and line by line") {
  const std::string key = "-----BEGIN KEY-----\r\n  MIIEvQIBADANBg\nkqh\nJKoZIhvcNAQEFAASC\n-----END KEY-----\n";
  CHECK(masked({key}, "key: " + key + "end") == "key: ***end");
  CHECK(masked({key}, key.substr(0, key.size() - 1)) == "***");
  CHECK(masked({key}, "1 MIIEvQIBADANBg\n2 kqh\n3 JKoZIhvcNAQEFAASC") == "1 ***\n2 kqh\n3 ***");
  CHECK(masked({" spaces around "}, "trimmed: spaces around") == "trimmed: ***");
  CHECK(masked({"ab\ncd\nef"}, "ab cd ef, ab\ncd\nef, ab\\ncd\\nef") == "ab cd ef, ***, ***");
  CHECK(masked({"größer"}, "größer") == "***");
  CHECK(masked({"größe\ngrößer"}, "größe und größer") == "größe und ***");
}

TEST_CASE("a secret is found inside of JSON, however its program escapes, and percent-encoded") {
  const std::string secret = "a\"b\\c/d<é>&\n";
  CHECK(masked({secret}, to_json_text(Json{{"token", secret}})) == R"({"token":"***"})");
  CHECK(masked({secret}, Json(secret).dump(-1, ' ', true)) == "\"***\"");
  CHECK(masked({secret}, R"("a\"b\\c\/d<\u00e9>&\n")") == "\"***\"");
  CHECK(masked({secret}, R"("a\"b\\c/d\u003cé\u003e\u0026\n")") == "\"***\"");
  CHECK(masked({"p@ss word+1"}, "http://127.0.0.1/?q=p%40ss%20word%2B1&x=1") == "http://127.0.0.1/?q=***&x=1");
}

TEST_CASE("a secret is found percent-encoded as the usual functions do it, with digits in either case") {
  for (const char* encoded : {"p%40s%2Fs%20w%C3%B6rd%2B%2A%28%21%27%29~", "p%40s/s%20w%C3%B6rd%2B%2A%28%21%27%29~",
                              "p%40s%2Fs+w%C3%B6rd%2B%2A%28%21%27%29~", "p%40s%2Fs%20w%C3%B6rd%2B*(!')~",
                              "p%40s%2Fs+w%C3%B6rd%2B*%28%21%27%29%7E", "p%40s%2fs%20w%c3%b6rd%2b%2a%28%21%27%29~",
                              "p%40s/s%20w%c3%b6rd%2b%2a%28%21%27%29~", "p%40s%2fs+w%c3%b6rd%2b%2a%28%21%27%29~",
                              "p%40s%2fs%20w%c3%b6rd%2b*(!')~", "p%40s%2fs+w%c3%b6rd%2b*%28%21%27%29%7e"}) {
    CHECK(masked({"p@s/s wörd+*(!')~"}, fmt::format("/?q={}&x=1", encoded)) == "/?q=***&x=1");
  }
}

TEST_CASE("the beginning of a secret that was cut is found, too") {
  const std::string secret = "eyJhbGciOiJIUzI1NiJ9." + std::string(300, 'x');
  CHECK(masked({secret}, "'" + secret.substr(0, 64) + "…' is not an int") == "'***' is not an int");
  CHECK(masked({secret}, "'eyJhbG…' 'eyJhb…' eyJhbGci") == "'***' 'eyJhb…' eyJhbGci");
  CHECK(masked({"größer als"}, "größer…") == "***");
}

TEST_CASE("JSON is masked at every level: texts, keys, and numbers that are a secret") {
  CHECK(masked_json({"hunter2", "123456"}, Json{{"a", {"x hunter2", 3, nullptr, true}},
                                                {"hunter2", {{"hunter2", "hunter2"}}},
                                                {"n", 123456},
                                                {"m", 1234567},
                                                {"f", 123456.5}}) == Json{{"a", {"x ***", 3, nullptr, true}},
                                                                          {"***", {{"***", "***"}}},
                                                                          {"n", "***"},
                                                                          {"m", 1234567},
                                                                          {"f", 123456.5}});
  CHECK(masked_json({"hunter2", "hunter3"}, Json{{"hunter2", 1}, {"hunter3", 1}}) == Json{{"***", 1}});
  CHECK(masked_json({"hunter2"}, Json(3)) == Json(3));
  Json deep = "hunter2";
  Json expected = "***";
  for (int level = 0; level < 1024; ++level) {
    deep = Json::array({std::move(deep)});
    expected = Json::array({std::move(expected)});
  }
  CHECK(masked_json({"hunter2"}, std::move(deep)) == expected);
}

TEST_CASE("megabytes are searched in a time that grows with them, whatever they are made of") {
  Strings secrets;
  for (const char* end : {"b", "c", "d"}) secrets.push_back(std::string(2000, 'a') + end);
  const Masker masker(secrets);
  for (const std::string& unit :
       Strings{std::string(1999, 'a') + "x", std::string(64, 'a'), std::string("no secret in here. ")}) {
    std::string text;
    while (text.size() < (std::size_t{4} << 20)) text += unit;
    const auto begin = std::chrono::steady_clock::now();
    std::string whole = text;
    masker.mask(whole);
    CHECK(whole == text);
    CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(5));
  }
}

#include <doctest/doctest.h>

#include "evaluate.h"

namespace canorun::expr {
namespace {

TEST_CASE("size counts characters, bytes, elements and entries") {
  CHECK(evaluate("size('añ😀')") == "int 3");
  CHECK(evaluate("b'añ'.size()") == "int 3");
  CHECK(evaluate("[1, 2].size()") == "int 2");
  CHECK(evaluate("size({'a': 1})") == "int 1");
}

TEST_CASE("tests of texts") {
  CHECK(evaluate("'abc'.contains('bc') && 'abc'.startsWith('ab') && 'abc'.endsWith('bc')") == "bool true");
  CHECK(evaluate("'abc'.contains('cb') || 'abc'.startsWith('b') || 'abc'.endsWith('b')") == "bool false");
  CHECK(evaluate("'abc'.contains('') && ''.contains('')") == "bool true");
}

TEST_CASE("conversions to numbers") {
  CHECK(evaluate("int('-42') + int(3u) + int(2.9) + int(-2.9)") == "int -39");
  CHECK(evaluate("int(timestamp('1970-01-01T00:01:00Z'))") == "int 60");
  CHECK(evaluate("uint(3) + uint('4') + uint(1.5)") == "uint 8");
  CHECK(evaluate("double('1.5') + double(1)") == "double 2.5");
}

TEST_CASE("signs and sizes of numbers in texts") {
  CHECK(evaluate("[int('+5'), int('-5')]") == "list [5,-5]");
  CHECK(evaluate("int('+-5')") == "0-3: '+-5' is not an int");
  CHECK(evaluate("double('+5.5')") == "double 5.5");
  CHECK(evaluate("double('+-5.0')") == "0-6: '+-5.0' is not a double");
  CHECK(evaluate("uint('+5')") == "0-4: '+5' is not a uint");
  CHECK(evaluate("[double('1e-400'), 1e-400, 0." + std::string(400, '0') + "1]") == "list [0.0,0.0,0.0]");
  CHECK(evaluate("double('1e400')") == "0-6: '1e400' is not a double");
  CHECK(evaluate("1e400") == "0-5: 1e400 does not fit into a double");
}

TEST_CASE("conversions to numbers fail rather than lose") {
  CHECK(evaluate("int('4x')") == "0-3: '4x' is not an int");
  CHECK(evaluate("int('')") == "0-3: '' is not an int");
  CHECK(evaluate("int(1e99)") == "0-3: 1e+99 does not fit into an int");
  CHECK(evaluate("int(0.0 / 0.0)") == "0-3: NaN does not fit into an int");
  CHECK(evaluate("int(18446744073709551615u)") == "0-3: the number does not fit into an int");
  CHECK(evaluate("uint(-1)") == "0-4: the number does not fit into a uint");
  CHECK(evaluate("uint('-1')") == "0-4: '-1' is not a uint");
  CHECK(evaluate("double('1,5')") == "0-6: '1,5' is not a double");
  CHECK(evaluate("int([])") == "0-3: int() does not take (list)");
}

TEST_CASE("conversions to text and bytes") {
  CHECK(evaluate("string(1) + string(2u) + string(true) + string(b'x')") == R"(string "12truex")");
  CHECK(evaluate("string(1.0) + ' ' + string(0.1) + ' ' + string(1e100)") == R"(string "1 0.1 1e+100")");
  CHECK(evaluate("[100000.0, 300000.0, 1e6, 0.0001, 0.00001, -0.0, -123456.5].map(x, string(x)).join(' ')") ==
        R"(string "100000 300000 1e+06 0.0001 1e-05 -0 -123456.5")");
  CHECK(evaluate("'%s %d'.format([1e6, 1e-7])") == R"(string "1000000 0.0000001")");
  CHECK(evaluate("string(duration('90m')) + ' ' + string(timestamp(0))") == R"(string "5400s 1970-01-01T00:00:00Z")");
  CHECK(evaluate("string(b'\\xff')") == "0-6: the bytes are not UTF-8 text");
  CHECK(evaluate("bytes('é') == b'\\xc3\\xa9'") == "bool true");
}

TEST_CASE("conversions to bool") {
  CHECK(evaluate("['1', 't', 'true', 'TRUE', 'True'].all(x, bool(x))") == "bool true");
  CHECK(evaluate("['0', 'f', 'false', 'FALSE', 'False'].exists(x, bool(x))") == "bool false");
  CHECK(evaluate("bool('yes')") == "0-4: 'yes' is not a bool");
}

TEST_CASE("timestamps are read in RFC 3339, to the nanosecond") {
  CHECK(evaluate("timestamp('2026-12-01T09:00:00+01:00')") == R"(timestamp "2026-12-01T08:00:00Z")");
  CHECK(evaluate("timestamp('2026-12-01T09:00:00.123456789Z')") == R"(timestamp "2026-12-01T09:00:00.123456789Z")");
  CHECK(evaluate("timestamp('0001-01-01T00:00:00Z')") == R"(timestamp "0001-01-01T00:00:00Z")");
  CHECK(evaluate("timestamp(1)") == R"(timestamp "1970-01-01T00:00:01Z")");
  CHECK(evaluate("timestamp(1000000000000)") == "0-9: the timestamp is out of range");
  CHECK(evaluate("timestamp('2026-12-01')") ==
        "0-9: '2026-12-01' is not a timestamp (write it like 2026-12-01T09:00:00Z)");
  CHECK(evaluate("timestamp('2026-12-01T09:00:00.Z')").starts_with("0-9: '2026-12-01T09:00:00.Z' is not a timestamp"));
}

TEST_CASE("timestamps that RFC 3339 does not know, or Go does not") {
  for (const char* text : {"2009-02-13 23:31:30Z", "2009-02-13t23:31:30Z", "2009-02-13T23:31:30z",
                           "2009-02-13T23:31:60Z", "2009-02-13T23:31:30", "2009-02-13"}) {
    CHECK(evaluate(fmt::format("timestamp('{}')", text)) ==
          fmt::format("0-9: '{}' is not a timestamp (write it like 2026-12-01T09:00:00Z)", text));
  }
}

TEST_CASE("durations are read in units") {
  CHECK(evaluate("duration('1h30m')") == R"(duration "5400s")");
  CHECK(evaluate("duration('-1.5s')") == R"(duration "-1.5s")");
  CHECK(evaluate("duration('1.5ms') + duration('2us') + duration('3ns')") == R"(duration "0.001502003s")");
  CHECK(evaluate("duration('0')") == R"(duration "0s")");
  CHECK(evaluate("duration('1')") == "0-8: '1' is not a duration (write it like 1h30m or 1.5s)");
  CHECK(evaluate("duration('')").starts_with("0-8: '' is not a duration"));
  CHECK(evaluate("duration('99999999999h')").starts_with("0-8: '99999999999h' is not a duration"));
  CHECK(evaluate("duration('99999999999999999999s')").starts_with("0-8: "));
}

TEST_CASE("parts of timestamps, in UTC or in a zone") {
  const Json scope = {{"at", "2026-11-23T23:15:42.789Z"}};
  const auto part = [&](std::string_view call) { return evaluate(fmt::format("timestamp(at).{}", call), scope); };
  CHECK(part("getFullYear()") == "int 2026");
  CHECK(part("getMonth()") == "int 10");
  CHECK(part("getDate()") == "int 23");
  CHECK(part("getDayOfMonth()") == "int 22");
  CHECK(part("getDayOfYear()") == "int 326");
  CHECK(part("getDayOfWeek()") == "int 1");
  CHECK(part("getHours()") == "int 23");
  CHECK(part("getMinutes()") == "int 15");
  CHECK(part("getSeconds()") == "int 42");
  CHECK(part("getMilliseconds()") == "int 789");
  CHECK(part("getDate('+01:00')") == "int 24");
  CHECK(part("getHours('-02:30')") == "int 20");
  CHECK(part("getHours('02:00')") == "int 1");
  CHECK(part("getHours('Europe/Berlin')") == "int 0");
  CHECK(part("getDate('Europe/Berlin')") == "int 24");
  CHECK(part("getMinutes('America/St_Johns')") == "int 45");
  CHECK(part("getHours('Mars')") ==
        "14-22: 'Mars' is not a known time zone (write it like UTC, +02:00 or Europe/Berlin)");
  CHECK(part("getHours('../../etc/passwd')").starts_with("14-22: '../../etc/passwd' is not a known time zone"));
}

TEST_CASE("a zone keeps summer time, in all years") {
  CHECK(evaluate("timestamp('2026-07-01T12:00:00Z').getHours('Europe/Berlin')") == "int 14");
  CHECK(evaluate("timestamp('2026-01-01T12:00:00Z').getHours('Europe/Berlin')") == "int 13");
  CHECK(evaluate("timestamp('0001-01-01T00:00:00Z').getFullYear('America/New_York')") == "int 0");
  CHECK(evaluate("timestamp('9999-12-31T23:59:59Z').getFullYear('Asia/Tokyo')") == "int 10000");
}

TEST_CASE("durations are counted in whole units") {
  CHECK(evaluate("duration('3730s').getHours()") == "int 1");
  CHECK(evaluate("duration('3730s').getMinutes()") == "int 62");
  CHECK(evaluate("duration('-1.5s').getSeconds()") == "int -1");
  CHECK(evaluate("duration('1.234s').getMilliseconds()") == "int 234");
  CHECK(evaluate("duration('1s').getDate()") == "15-22: getDate() of duration does not take ()");
}

TEST_CASE("places in texts are counted in characters") {
  CHECK(evaluate("'añb'.charAt(1) + 'añb'.charAt(3)") == R"(string "ñ")");
  CHECK(evaluate("'añbñ'.indexOf('b')") == "int 2");
  CHECK(evaluate("'añbñ'.indexOf('ñ', 2)") == "int 3");
  CHECK(evaluate("'añbñ'.lastIndexOf('ñ')") == "int 3");
  CHECK(evaluate("'añbñ'.lastIndexOf('ñ', 2)") == "int 1");
  CHECK(evaluate("'añb'.indexOf('x')") == "int -1");
  CHECK(evaluate("'añb'.substring(1)") == R"(string "ñb")");
  CHECK(evaluate("'añb'.substring(1, 2)") == R"(string "ñ")");
  CHECK(evaluate("'ab'.substring(3)") == "5-14: position 3 is outside of the text");
  CHECK(evaluate("'ab'.substring(2, 1)") == "5-14: the end of substring() is before its begin");
  CHECK(evaluate("'ab'.charAt(-1)") == "5-11: position -1 is outside of the text");
}

TEST_CASE("texts are taken apart and put together") {
  CHECK(evaluate("'a,b,,c'.split(',')") == R"(list ["a","b","","c"])");
  CHECK(evaluate("'a,b,c'.split(',', 2)") == R"(list ["a","b,c"])");
  CHECK(evaluate("'aé'.split('')") == R"(list ["a","é"])");
  CHECK(evaluate("''.split(',')") == R"(list [""])");
  CHECK(evaluate("['a', 'b'].join('-') + [].join('x')") == R"(string "a-b")");
  CHECK(evaluate("[1].join()") == "4-8: join() joins strings, not int");
  CHECK(evaluate("'aXbX'.replace('X', '--')") == R"(string "a--b--")");
  CHECK(evaluate("'aXbX'.replace('X', '', 1)") == R"(string "abX")");
  CHECK(evaluate("'añ'.replace('', '.')") == R"(string ".a.ñ.")");
  CHECK(evaluate("'aBc'.upperAscii() + 'aBÉ'.lowerAscii()") == R"(string "ABCabÉ")");
  CHECK(evaluate("' \\t a b\\u00a0\\n'.trim()") == R"(string "a b")");
  CHECK(evaluate("'añ😀'.reverse()") == R"(string "😀ña")");
  CHECK(evaluate("strings.quote('a\"\\n')") == R"(string "\"a\\\"\\n\"")");
}

TEST_CASE("format fills in values") {
  CHECK(evaluate("'%s %d %.2f %e %x %X %b %o %%'.format(['a', 1, 2.5, 1.0, 255, 255, 5, 8])") ==
        R"(string "a 1 2.50 1.000000e+00 ff FF 101 10 %")");
  CHECK(evaluate("'%s'.format([[1, 'a', null, {'k': 2.5}]])") == R"(string "[1, a, null, {k: 2.5}]")");
  CHECK(evaluate("'%x %x'.format([-255, 'hi'])") == R"(string "-ff 6869")");
  CHECK(evaluate("'%d %d'.format([1])") == "8-14: format() has no value for '%d'");
  CHECK(evaluate("'%q'.format([1])") == "5-11: '%q' is not known (known: %s %d %f %e %b %o %x %X %%)");
  CHECK(evaluate("'%'.format([1])") == "4-10: '%' stands at the end (write '%%' for a percent sign)");
  CHECK(evaluate("'%d'.format(['a'])") == "5-11: '%d' does not go with string");
  CHECK(evaluate("'%.99999f'.format([1.0])") == "11-17: a precision must be a number from 0 to 1000");
}

TEST_CASE("base64") {
  CHECK(evaluate("base64.encode(b'hello')") == R"(string "aGVsbG8=")");
  CHECK(evaluate("string(base64.decode('aGVsbG8=')) + string(base64.decode('aGVsbG8'))") == R"(string "hellohello")");
  CHECK(evaluate("base64.decode('a')") == "0-13: the text is not base64");
  CHECK(evaluate("base64.decode('a*aa')") == "0-13: the text is not base64");
}

TEST_CASE("regular expressions match anywhere, unless they are anchored") {
  CHECK(evaluate("'order-2026'.matches('[0-9]{4}$') && matches('abc', 'b')") == "bool true");
  CHECK(evaluate("'order-2026'.matches('^[0-9]')") == "bool false");
  CHECK(evaluate("'x'.matches('(')") == "4-11: not a regular expression: missing ) (the syntax is RE2's)");
  CHECK(evaluate("'x'.matches('a[secret')") == "4-11: not a regular expression: missing ] (the syntax is RE2's)");
}

TEST_CASE("math") {
  CHECK(evaluate("math.greatest(1, 3u, 2.5)") == "uint 3");
  CHECK(evaluate("math.least([3, 1.5, 2])") == "double 1.5");
  CHECK(evaluate("math.least([])") == "0-10: the list is empty");
  CHECK(evaluate("math.greatest(1, 'a')") == "0-13: math.greatest() does not take (int, string)");
  CHECK(evaluate("[math.round(-1.5), math.ceil(1.2), math.floor(-1.2), math.trunc(-1.9)]") ==
        "list [-2.0,2.0,-2.0,-1.0]");
  CHECK(evaluate("math.abs(-9223372036854775808)") == "0-8: the result of '-' does not fit into an int");
  CHECK(evaluate("[math.abs(-2), math.sign(-5), math.bitAnd(6, 3), math.bitOr(6, 3), math.bitXor(6, 3)]") ==
        "list [2,-1,2,7,5]");
  CHECK(evaluate("[math.bitShiftLeft(1, 3), math.bitShiftLeft(1, 64), math.bitShiftRight(-1, 63)]") == "list [8,0,1]");
  CHECK(evaluate("math.bitShiftLeft(1, -1)") == "0-17: a shift cannot be negative");
  CHECK(evaluate("math.isNaN(0.0 / 0.0) && math.isInf(1.0 / 0.0) && math.isFinite(1.0)") == "bool true");
}

}  // namespace
}  // namespace canorun::expr

#include "engine/store/row_codec.h"

#include <cmath>
#include <limits>
#include <random>

#include "engine/store/cbor.h"
#include "support.h"

using namespace canorun;
using namespace canorun::store;
using namespace canorun::store::test;

namespace {

std::string bytes(std::initializer_list<int> values) {
  std::string result;
  for (const int value : values) result += static_cast<char>(value);
  return result;
}

Row round_trip(const Row& row) {
  const auto encoded = encode(row);
  REQUIRE(encoded);
  auto decoded = decode_row(*encoded);
  REQUIRE(decoded);
  return *decoded;
}

Json nested(std::size_t levels) {
  Json value = 1;
  for (std::size_t i = 0; i < levels; ++i) value = Json::array({std::move(value)});
  return value;
}

template <class T>
constexpr T kMax = std::numeric_limits<T>::max();

// Rows of every type, with everything that a field can hold somewhere.
class Generator {
 public:
  explicit Generator(std::uint64_t seed) : random_(seed) {}

  std::uint64_t number(std::uint64_t below) { return random_() % below; }

  Row row() {
    Row made{WallTime(Millis(integer())), {}};
    switch (number(13)) {
      case 0:
        made.body = RunStarted{text(),  random_(), text(),  text(), text(), text(),
                               json(3), json(3),   flows(), text(), text(), flows()};
        break;
      case 1:
        made.body = StateEntered{text(), random_(), texts(), maybe(WallTime(Millis(integer()))), number(2) == 0};
        break;
      case 2:
        made.body = StateEnded{
            text(), random_(),     static_cast<std::uint32_t>(random_()), Millis(integer()), json(4), json(2), json(2),
            text(), number(2) == 0};
        break;
      case 3: made.body = RunSuspended{text(), maybe(waits()), json(3), number(2) == 0}; break;
      case 5: {
        const PartEnded part{
            text(), random_(),      text(), static_cast<std::uint32_t>(random_()), Millis(integer()), json(4), json(2),
            text(), number(2) == 0, json(3)};
        made.body =
            std::array{Body(BranchEnded{part}), Body(ItemEnded{part}), Body(CompensationEnded{part})}[number(3)];
        break;
      }
      case 6:
        made.body = StepEnded{text(),  random_(), random_(), static_cast<std::uint32_t>(random_()), Millis(integer()),
                              json(3), json(4)};
        break;
      case 7: made.body = SignalReceived{text(), random_(), text(), random_(), json(4)}; break;
      case 4:
        made.body = RunResumed{text(),  number(2) == 0,   maybe(text()), maybe(text()), maybe(text()),
                               flows(), maybe(random_()), json(2),       json(2)};
        break;
      case 8:
        made.body = WindowEnded{.state = text(),
                                .visit = random_(),
                                .window = random_(),
                                .attempts = static_cast<std::uint32_t>(random_()),
                                .duration = Millis(integer()),
                                .items = random_(),
                                .skipped = number(2),
                                .cursor = json(3),
                                .end = static_cast<StreamEnd>(number(3)),
                                .replaces = number(3)};
        break;
      case 9: made.body = RunQueued{text()}; break;
      case 10: made.body = PartBegan{text(), random_(), text(), json(3)}; break;
      default: {
        const RunEnded ended{
            static_cast<Status>(5 + number(5)), text(), texts(), number(2) == 0, json(4), json(2), text()};
        made.body = std::array{Body(ended), Body(OutcomeReached{ended}), Body(RollbackStarted{ended})}[number(3)];
      }
    }
    return made;
  }

  std::string text() {
    std::string result;
    for (std::uint64_t left = number(4) == 0 ? number(400) : number(8); left > 0; --left) {
      result += static_cast<char>(number(3) == 0 ? random_() & 0xFF : 'a' + number(26));
    }
    return result;
  }

 private:
  std::int64_t integer() { return static_cast<std::int64_t>(random_()) >> number(64); }

  template <class T>
  std::optional<T> maybe(T value) {
    return number(2) == 0 ? std::optional(std::move(value)) : std::nullopt;
  }

  WaitsFor waits() {
    WaitsFor made{maybe(WallTime(Millis(integer()))), text()};
    if (number(2) == 0) {
      made.run = text();
      made.children = 1 + number(9);
    }
    return made;
  }

  Flows flows() {
    Flows made;
    for (std::uint64_t i = number(3); i > 0; --i) made[text()] = text();
    return made;
  }

  std::vector<std::string> texts() {
    std::vector<std::string> result;
    for (std::uint64_t left = number(4); left > 0; --left) result.push_back(text());
    return result;
  }

  Json json(int levels) {
    switch (number(levels > 0 ? 8 : 6)) {
      case 0: return nullptr;
      case 1: return number(2) == 0;
      case 2: return integer();
      case 3: return std::ldexp(static_cast<double>(integer()), static_cast<int>(number(40)) - 20);
      case 4: return text();
      case 5: return kMax<std::uint64_t> - number(1000);
      case 6: {
        Json list = Json::array();
        for (std::uint64_t left = number(5); left > 0; --left) list.push_back(json(levels - 1));
        return list;
      }
      default: {
        Json map = Json::object();
        for (std::uint64_t left = number(5); left > 0; --left) map[text()] = json(levels - 1);
        return map;
      }
    }
  }

  std::mt19937_64 random_;
};

}  // namespace

TEST_CASE("a row is read back as it was written, whatever it holds") {
  const std::uint64_t seed = std::random_device{}();
  INFO("seed ", seed);
  Generator generator(seed);
  for (int i = 0; i < 5'000; ++i) {
    const Row row = generator.row();
    REQUIRE(round_trip(row) == row);
  }
}

TEST_CASE("rows with nothing but defaults and rows with extremes are read back") {
  const std::vector<Row> rows{
      {WallTime::min(), RunStarted{}},
      {WallTime::max(), StateEntered{"", kMax<std::uint64_t>, {"", "a"}, WallTime::min()}},
      {kStart,
       StateEnded{"s", 0, kMax<std::uint32_t>, Millis::max(), std::string(1 << 20, '\0'), -0.0, nullptr, "\xFF"}},
      {kStart, StateEnded{"s", 1, 0, Millis::min(), kMax<std::int64_t>, std::numeric_limits<std::int64_t>::min(),
                          Json::object(), ""}},
      {kStart, RunSuspended{}},
      {kStart, RunResumed{}},
      {kStart, RunResumed{"s", true, "", "", ""}},
      {kStart, RunEnded{}},
      {kStart, WindowEnded{}},
      {kStart, RunQueued{}},
      {kStart, OutcomeReached{}},
      {kStart, RollbackStarted{}},
      {kStart, CompensationEnded{}},
      {kStart, PartBegan{}},
      {kStart, RunEnded{Status::kCancelled, "s", {"v"}, true, nested(kMaxRowDepth), nested(kMaxRowDepth)}},
  };
  for (const Row& row : rows) CHECK(round_trip(row) == row);
}

TEST_CASE("numbers keep their type and infinities their value") {
  const Json output = {{"i", 3},
                       {"d", 3.0},
                       {"u", kMax<std::uint64_t>},
                       {"inf", std::numeric_limits<double>::infinity()},
                       {"nan", std::nan("")}};
  const Row row = round_trip({kStart, StateEnded{.state = "s", .output = output}});
  const Json& read = std::get<StateEnded>(row.body).output;
  CHECK(read["i"].type() == Json::value_t::number_integer);
  CHECK(read["d"].type() == Json::value_t::number_float);
  CHECK(read["u"].type() == Json::value_t::number_unsigned);
  CHECK(std::isinf(read["inf"].get<double>()));
  CHECK(std::isnan(read["nan"].get<double>()));
}

TEST_CASE("the bytes of a row are those that the format describes") {
  CHECK(*encode(Row{WallTime(Millis(1)), RunSuspended{"x"}}) == bytes({0x84, 3, 1, 1, 0xA1, 0x61, 'r', 0x61, 'x'}));
  CHECK(*encode(Row{WallTime(Millis(-1)), StateEntered{"s", 300, {}, {}}}) ==
        bytes({0x84, 1, 1, 0x20, 0xA2, 0x61, 's', 0x61, 's', 0x61, 'v', 0x19, 0x01, 0x2C}));
}

TEST_CASE("a value nested too deep to be read again is not written") {
  const auto refused = encode(Row{kStart, StateEnded{.state = "s", .output = nested(kMaxRowDepth + 1)}});
  REQUIRE(!refused);
  CHECK(refused.error().message ==
        "a state_ended row holds a value nested deeper than 1024 levels, which cannot be kept");
  CHECK(kind(encode(Row{kStart, StateEnded{.state = "s", .output = nested(200'000)}})) == "io");
}

TEST_CASE("rows of a later canorun are refused by name") {
  const auto type = decode_row(bytes({0x84, 0x18, 42, 1, 0, 0xA0}));
  REQUIRE(!type);
  CHECK(kind(type) == "newer version");
  CHECK(type.error().message == "a row of unknown type 42");
  const auto version = decode_row(bytes({0x84, 3, 2, 0, 0xA0}));
  REQUIRE(!version);
  CHECK(kind(version) == "newer version");
  CHECK(version.error().message == "a row of type 3 in version 2");
  CHECK(kind(decode_entry(bytes({0x82, 2, 0xA0}))) == "newer version");
}

TEST_CASE("keys that a row does not know are skipped, and keys that it needs are missed") {
  const auto more = decode_row(bytes({0x84, 3, 1, 0, 0xA2, 0x61, 'r', 0x61, 'x', 0x61, '?', 1}));
  REQUIRE(more);
  CHECK(*more == Row{WallTime{}, RunSuspended{"x"}});
  CHECK(kind(decode_row(bytes({0x84, 3, 1, 0, 0xA0}))) == "corrupt");
  CHECK(kind(decode_row(bytes({0x84, 3, 1, 0, 0xA1, 0x61, 'r', 1}))) == "corrupt");
}

TEST_CASE("bytes that nest without end are refused before they are decoded") {
  for (const int head : {0x81, 0x9F, 0x7F, 0x5F, 0xC1, 0xA1, 0xBF}) {
    std::string deep = bytes({0x84, 5, 1, 0});
    deep.append(5'000'000, static_cast<char>(head));
    CHECK(kind(decode_row(deep)) == "corrupt");
  }
}

TEST_CASE("counts that promise more than there is are refused") {
  const std::string huge = bytes({0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF});
  for (const int head : {0x5B, 0x7B, 0x9B, 0xBB}) {
    CHECK(kind(decode_row(bytes({0x84, 3, 1, 0, 0xA1, 0x61, 'r', head}) + huge)) == "corrupt");
  }
  CHECK(kind(decode_row("")) == "corrupt");
  CHECK(kind(decode_row(bytes({0x84}))) == "corrupt");
  CHECK(kind(decode_row(bytes({0xFF}))) == "corrupt");
}

TEST_CASE("damaged bytes give an error or a row, never a crash") {
  const std::uint64_t seed = std::random_device{}();
  INFO("seed ", seed);
  Generator generator(seed);
  std::size_t refused = 0;
  for (int i = 0; i < 20'000; ++i) {
    std::string damaged = i % 10 == 0 ? generator.text() : *encode(generator.row());
    for (std::uint64_t left = 1 + generator.number(4); left > 0 && !damaged.empty(); --left) {
      const std::size_t at = generator.number(damaged.size());
      switch (generator.number(4)) {
        case 0: damaged[at] = static_cast<char>(generator.number(256)); break;
        case 1: damaged[at] = static_cast<char>(damaged[at] ^ (1 << generator.number(8))); break;
        case 2: damaged.erase(at, 1 + generator.number(8)); break;
        default: damaged.insert(at, 1, static_cast<char>(generator.number(256)));
      }
    }
    if (const auto row = decode_row(damaged)) {
      CHECK(decode_row(*encode(*row)));
    } else {
      ++refused;
    }
    static_cast<void>(decode_entry(damaged));
  }
  CHECK(refused > 0);
}

TEST_CASE("the record of a run is read back as it was written") {
  const RunEntry whole{{"r1", "order", kMax<std::uint64_t>, Status::kRolledBack, "s", kStart, WallTime::max(), 7},
                       "12-0f"};
  const RunEntry bare{{"r1", "order", 0, Status::kQueued, "", WallTime::min(), {}, 0}, ""};
  for (const RunEntry& entry : {whole, bare}) {
    const auto read = decode_entry(encode(entry));
    REQUIRE(read);
    CHECK(read->summary == entry.summary);
    CHECK(read->owner == entry.owner);
  }
}

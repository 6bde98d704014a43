#include "workflows/place_set.h"

#include <doctest/doctest.h>

using canorun::workflows::PlaceSet;

namespace {

using Places = std::vector<std::size_t>;

Places forwards(const PlaceSet& set, std::size_t begin, std::size_t end) {
  Places found;
  while (const auto place = set.first(begin, end)) {
    found.push_back(*place);
    begin = *place + 1;
  }
  return found;
}

Places backwards(const PlaceSet& set, std::size_t begin, std::size_t end) {
  Places found;
  while (const auto place = set.last(begin, end)) {
    found.push_back(*place);
    end = *place;
  }
  return found;
}

}  // namespace

TEST_CASE("places are gone through both ways, between two ends") {
  PlaceSet set(300);
  for (const std::size_t place : {0, 1, 62, 63, 64, 65, 127, 128, 200, 299}) set.add(place);
  set.add(100);
  set.remove(100);
  CHECK(forwards(set, 0, 300) == Places{0, 1, 62, 63, 64, 65, 127, 128, 200, 299});
  CHECK(backwards(set, 0, 300) == Places{299, 200, 128, 127, 65, 64, 63, 62, 1, 0});
  CHECK(forwards(set, 1, 128) == Places{1, 62, 63, 64, 65, 127});
  CHECK(backwards(set, 1, 128) == Places{127, 65, 64, 63, 62, 1});
  CHECK(forwards(set, 63, 64) == Places{63});
  CHECK(backwards(set, 63, 64) == Places{63});
  CHECK(forwards(set, 129, 200).empty());
  CHECK(backwards(set, 129, 200).empty());
  CHECK(forwards(set, 64, 64).empty());
  CHECK(backwards(set, 64, 64).empty());
}

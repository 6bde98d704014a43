#include "engine/base/ids.h"

#include <doctest/doctest.h>

#include "engine/base/suggest.h"
#include "support/counting_random.h"
#include "support/manual_clock.h"

using namespace canorun;

TEST_CASE("names and ids keep to their alphabets and lengths") {
  CHECK(is_flow_name("order-2_b"));
  CHECK(!is_flow_name("-order"));
  CHECK(!is_flow_name("Order"));
  CHECK(!is_flow_name(""));
  CHECK(is_flow_name(std::string(63, 'a')));
  CHECK(!is_flow_name(std::string(64, 'a')));
  CHECK(is_name("_Ab9"));
  CHECK(!is_name("9a"));
  CHECK(!is_name("a-b"));
  CHECK(is_run_id("A.b_c-9"));
  CHECK(!is_run_id(".."));
  CHECK(!is_run_id("a/b"));
  CHECK(is_run_id(std::string(128, 'a')));
  CHECK(!is_run_id(std::string(129, 'a')));
}

TEST_CASE("a run id tells flow and time") {
  test::CountingRandom random;
  const std::string id = make_run_id("order", test::ManualClock{}.now(), random);
  CHECK(id.substr(0, 22) == "order-20261123-081500-");
  CHECK(id.size() == 26);
  CHECK(is_run_id(id));
}

TEST_CASE("an idempotency key is fixed by the run's nonce and the work, and by nothing else") {
  test::CountingRandom random;
  const std::string nonce = make_nonce(random);
  const std::string other = make_nonce(random);
  CHECK(nonce.size() == 36);
  CHECK(nonce[14] == '4');
  CHECK(idempotency_key(nonce, "charge/1") == idempotency_key(nonce, "charge/1"));
  CHECK(idempotency_key(nonce, "charge/1") != idempotency_key(nonce, "charge/2"));
  CHECK(idempotency_key(nonce, "charge/1") != idempotency_key(other, "charge/1"));
  // RFC 4122, appendix B, with the name space for DNS names.
  CHECK(idempotency_key("6ba7b810-9dad-11d1-80b4-00c04fd430c8", "www.example.com") ==
        "2ed6657d-e927-568b-95e1-2665a8aea6a2");
}

TEST_CASE("a digest is SHA-256 in hex, as sha256sum prints it") {
  CHECK(digest("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST_CASE("a suggestion is near, or lists what is known") {
  constexpr std::array<std::string_view, 3> known{"charge", "ship", "review"};
  CHECK(suggestion("chrage", known) == "did you mean 'charge'?");
  CHECK(suggestion("shp", known) == "did you mean 'ship'?");
  CHECK(suggestion("zzzzz", known) == "known: charge, ship, review");
  CHECK(suggestion("x", {}).empty());
  std::vector<std::string_view> many(20, "aaaaaaaaaa");
  CHECK(suggestion("zzzz", many).ends_with("aaaaaaaaaa, and 8 more"));
}

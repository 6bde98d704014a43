// A fuzzer of CANORUN_FUZZ_ENTRY, one of the functions of fuzz/entries.h.
#include <cstddef>
#include <cstdint>

#include "fuzz/entries.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  canorun::fuzz::CANORUN_FUZZ_ENTRY({reinterpret_cast<const char*>(data), size});
  return 0;
}

// One reader for any bytes: a fuzz target for libFuzzer (tests/fuzz/fuzz.sh), which chooses the
// format with the environment variable TOKENYARD_FUZZ_FORMAT.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "tests/fuzz/reader_target.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const char* const format = std::getenv("TOKENYARD_FUZZ_FORMAT");
  tokenyard::test::read_any_bytes(format == nullptr ? "" : format,
                                  {reinterpret_cast<const char*>(data), size});
  return 0;
}

#pragma once
// Facts made up by hand, for tests of what comes out of a run.

#include <filesystem>
#include <fstream>
#include <string>

#include "experiments/record/recorder.hpp"
#include "sim/ports/observer.hpp"
#include "tests/support/files.hpp"

namespace tokenyard::made_up {

inline Duration ms(std::int64_t value) {
  return std::chrono::milliseconds(value);
}
inline Time at_ms(std::int64_t value) {
  return kOrigin + ms(value);
}

/// A request that waited `queue`, was prefilled in `prefill` and decoded in `decode` ms.
inline RequestFacts finished(std::uint32_t id, std::int64_t arrival, std::int64_t queue,
                             std::int64_t prefill, std::int64_t decode, std::int64_t tokens) {
  RequestFacts facts;
  facts.request.id = RequestId{id};
  facts.request.arrival = at_ms(arrival);
  facts.request.prompt_tokens = 100;
  facts.output_tokens = facts.sequence_tokens = tokens;
  facts.first_scheduled = at_ms(arrival + queue);
  facts.first_token = at_ms(arrival + queue + prefill);
  facts.ended = at_ms(arrival + queue + prefill + decode);
  facts.phases[0] = ms(queue);
  facts.phases[1] = ms(prefill);
  facts.phases[2] = ms(decode);
  return facts;
}

inline RequestFacts rejected(std::uint32_t id, std::int64_t arrival) {
  RequestFacts facts;
  facts.request.id = RequestId{id};
  facts.request.arrival = at_ms(arrival);
  facts.request.prompt_tokens = 9000;
  facts.end = End::rejected;
  facts.ended = at_ms(arrival);
  return facts;
}

inline Iteration iteration(std::uint64_t id, Time begun, std::int64_t decodes) {
  Iteration made;
  made.id = IterationId{id};
  made.begun = begun;
  made.slots.resize(static_cast<std::size_t>(decodes));
  for (std::int64_t i = 0; i < decodes; ++i) made.load.add_decode(10);
  return made;
}

/// A folder of its own for one test, removed at its end.
class ScratchFolder {
 public:
  ScratchFolder() : path_(folder_.path()) {}

  const std::filesystem::path& path() const { return path_; }

 private:
  test::TemporaryFolder folder_;
  std::filesystem::path path_;
};

inline std::string contents(const std::filesystem::path& file) {
  return test::file_content(file);
}

}  // namespace tokenyard::made_up

#pragma once

#include <cstdint>

#include "engine/engine_request.hpp"
#include "traces/trace_view.hpp"

namespace tokenyard {

/// The requests of a trace as the engine runs them: the prompt's token ids where the trace has
/// them, else tokens drawn from the stream "prompt" (keyed by what names the content: a trace's
/// block hash, or the request), and the recorded output lengths, which are forced. Prompts that the
/// trace says to begin alike do. Refers to the view. For the loop's thread.
class TraceRequests final : public RequestSource {
 public:
  TraceRequests(const TraceView& trace, const ModelConfig& model, std::uint64_t seed)
      : trace_(trace), vocabulary_(model.vocabulary), seed_(seed) {}

  EngineRequest request(RequestId id) override;

 private:
  void draw_prompt(const TraceView::Place& place, RequestId id, std::vector<Token>& prompt) const;

  const TraceView& trace_;
  std::int32_t vocabulary_;
  std::uint64_t seed_;
};

}  // namespace tokenyard

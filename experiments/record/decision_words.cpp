#include "experiments/record/decision_words.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <span>

namespace tokenyard {

namespace {

/// "request 5", "requests 5, 6, 7", "requests 5, 6, … (40 in all)"
std::string requests(const std::vector<std::int64_t>& ids) {
  constexpr std::size_t kMost = 12;
  const std::span<const std::int64_t> shown(ids.data(), std::min(ids.size(), kMost));
  std::string text =
      fmt::format("request{} {}", ids.size() == 1 ? "" : "s", fmt::join(shown, ", "));
  if (ids.size() > kMost) text += fmt::format(", … ({} in all)", ids.size());
  return text;
}

std::int64_t number(RequestId request) {
  return static_cast<std::int64_t>(request);
}

std::string count(std::int64_t things, const char* what) {
  return fmt::format("{} {}{}", things, what, things == 1 ? "" : "s");
}

}  // namespace

std::string DecisionWords::sentence() const {
  std::vector<std::string> parts;
  if (iteration >= 0) {
    parts.push_back(fmt::format("iteration {} of {}", iteration, count(sequences, "sequence")));
    if (prefill_tokens > 0) parts.push_back(count(prefill_tokens, "prompt token"));
    if (!joined.empty()) parts.push_back("with " + requests(joined));
    if (!left.empty()) parts.push_back("without " + requests(left));
    if (repeat > 1) parts.push_back(fmt::format("up to {} times in a row", repeat));
    if (block_copies > 0) parts.push_back(count(block_copies, "block") + " copied on the device");
  }
  if (!copied_out.empty()) parts.push_back("copies to the host " + requests(copied_out));
  if (!copied_in.empty()) parts.push_back("copies back " + requests(copied_in));
  return parts.empty() ? "nothing" : fmt::format("{}", fmt::join(parts, ", "));
}

DecisionWords DecisionTeller::tell(const Iteration& decision) {
  DecisionWords words;
  for (const KvCopy& copy : decision.copies) {
    auto& list = copy.direction == CopyDirection::to_host ? words.copied_out : words.copied_in;
    list.push_back(number(copy.request));
  }
  if (decision.slots.empty()) return words;
  words.iteration = static_cast<std::int64_t>(decision.id);
  words.sequences = static_cast<std::int64_t>(decision.slots.size());
  words.prefill_tokens = decision.load.prefill_tokens;
  words.repeat = decision.repeat.most;
  words.block_copies = static_cast<std::int64_t>(decision.block_copies.size());
  ++batches_;
  batch_.clear();
  for (const Slot& slot : decision.slots) {
    if (slot.place >= seen_.size()) seen_.resize(slot.place + 1);
    Seen& seen = seen_[slot.place];
    const bool known = seen.batch > 0 && seen.request == slot.request;
    if (known && seen.batch == batches_) continue;  // a further sequence
    if (!known || seen.batch + 1 < batches_) words.joined.push_back(number(slot.request));
    seen = {slot.request, batches_};
    batch_.emplace_back(slot.place, slot.request);
  }
  for (const auto& [place, request] : batch_before_) {
    const Seen& seen = seen_[place];
    if (seen.request != request || seen.batch < batches_) words.left.push_back(number(request));
  }
  batch_before_.swap(batch_);
  return words;
}

}  // namespace tokenyard

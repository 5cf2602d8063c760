#include "traces/packed_row.hpp"

#include <optional>
#include <span>

#include "sim/kernel/invariant.hpp"

namespace tokenyard {

namespace {

/// What a row has beside its number, its time and two lengths.
enum Part : std::uint64_t {
  kLabel = 1U << 0U,
  kMaxTokens = 1U << 1U,
  kPredicted = 1U << 2U,
  kPriority = 1U << 3U,
  kTenant = 1U << 4U,
  kCancelAfter = 1U << 5U,
  kN = 1U << 6U,
  kBestOf = 1U << 7U,
  kBeamWidth = 1U << 8U,
  kOutputs = 1U << 9U,
  kBlockHashes = 1U << 10U,
  kPromptTokenIds = 1U << 11U,
  kSession = 1U << 12U,
  kDetails = 1U << 13U
};

constexpr unsigned kBits = 7;  ///< of a number in each byte; the eighth: more follow
constexpr std::uint64_t kMore = 1U << kBits;

void put(std::uint64_t value, std::string& to) {
  for (; value >= kMore; value >>= kBits) to += static_cast<char>((value & (kMore - 1)) | kMore);
  to += static_cast<char>(value);
}

/// Small ones of either sign are short.
void put_signed(std::int64_t value, std::string& to) {
  const auto bits = static_cast<std::uint64_t>(value);
  put(bits << 1U ^ (value < 0 ? ~std::uint64_t{0} : 0), to);
}

void put_text(std::string_view text, std::string& to) {
  put(text.size(), to);
  to += text;
}

void put_list(std::span<const std::int64_t> list, std::string& to) {
  put(list.size(), to);
  for (const std::int64_t value : list) put_signed(value, to);
}

class Bytes {
 public:
  explicit Bytes(std::string_view bytes) : at_(bytes.data()) {}

  std::uint64_t number() {
    std::uint64_t value = 0;
    unsigned shift = 0;
    for (;; shift += kBits) {
      const auto byte = static_cast<unsigned char>(*at_++);
      value |= (byte & (kMore - 1)) << shift;
      if (byte < kMore) return value;
    }
  }
  std::int64_t integer() {
    const std::uint64_t bits = number();
    return static_cast<std::int64_t>(bits >> 1U ^ (~(bits & 1U) + 1));
  }
  std::int32_t small() { return static_cast<std::int32_t>(integer()); }
  std::string_view text() {
    const std::uint64_t size = number();
    const std::string_view text(at_, size);
    at_ += size;
    return text;
  }
  std::span<const std::int64_t> list(std::vector<std::int64_t>& values) {
    values.resize(number());
    for (std::int64_t& value : values) value = integer();
    return values;
  }

 private:
  const char* at_;
};

std::uint64_t parts_of(const TraceRow& row) {
  const auto part = [](bool there, Part bit) { return there ? std::uint64_t{bit} : 0; };
  return part(row.label.has_value(), kLabel) | part(row.max_tokens.has_value(), kMaxTokens) |
         part(row.predicted_output_tokens.has_value(), kPredicted) |
         part(row.priority != 0, kPriority) | part(!row.tenant.empty(), kTenant) |
         part(row.cancel_after.has_value(), kCancelAfter) | part(row.n != 1, kN) |
         part(row.best_of.has_value(), kBestOf) | part(row.beam_width.has_value(), kBeamWidth) |
         part(!row.outputs.empty(), kOutputs) | part(row.block_hashes.has_value(), kBlockHashes) |
         part(row.prompt_token_ids.has_value(), kPromptTokenIds) |
         part(!row.session.empty(), kSession) | part(!row.details.empty(), kDetails);
}

}  // namespace

void pack(const TraceRow& row, std::string& to) {
  invariant(row.number && row.arrival_given && row.parents.empty(),
            "a row that is put in order has a number and a time", "row {}",
            row.number.value_or(-1));
  const std::uint64_t parts = parts_of(row);
  put(parts, to);
  put_signed(*row.number, to);
  put_signed(row.arrival_ns, to);
  put_signed(row.input_tokens, to);
  put_signed(row.output_tokens, to);
  if (parts & kLabel) put_text(*row.label, to);
  if (parts & kMaxTokens) put_signed(*row.max_tokens, to);
  if (parts & kPredicted) put_signed(*row.predicted_output_tokens, to);
  if (parts & kPriority) put_signed(row.priority, to);
  if (parts & kTenant) put_text(row.tenant, to);
  if (parts & kCancelAfter) put_signed(row.cancel_after->count(), to);
  if (parts & kN) put_signed(row.n, to);
  if (parts & kBestOf) put_signed(*row.best_of, to);
  if (parts & kBeamWidth) put_signed(*row.beam_width, to);
  if (parts & kOutputs) put_list(row.outputs, to);
  if (parts & kBlockHashes) put_list(*row.block_hashes, to);
  if (parts & kPromptTokenIds) put_list(*row.prompt_token_ids, to);
  if (parts & kSession) put_text(row.session, to);
  if (parts & kDetails) put_text(row.details, to);
}

const TraceRow& UnpackedRow::unpack(std::string_view bytes) {
  Bytes from(bytes);
  row_ = TraceRow();
  const std::uint64_t parts = from.number();
  row_.number = from.integer();
  row_.arrival_ns = from.integer();
  row_.input_tokens = from.integer();
  row_.output_tokens = from.integer();
  if (parts & kLabel) row_.label = from.text();
  if (parts & kMaxTokens) row_.max_tokens = from.integer();
  if (parts & kPredicted) row_.predicted_output_tokens = from.integer();
  if (parts & kPriority) row_.priority = from.small();
  if (parts & kTenant) row_.tenant = from.text();
  if (parts & kCancelAfter) row_.cancel_after = Duration(from.integer());
  if (parts & kN) row_.n = from.small();
  if (parts & kBestOf) row_.best_of = from.small();
  if (parts & kBeamWidth) row_.beam_width = from.small();
  if (parts & kOutputs) row_.outputs = from.list(outputs_);
  if (parts & kBlockHashes) row_.block_hashes = from.list(block_hashes_);
  if (parts & kPromptTokenIds) row_.prompt_token_ids = from.list(prompt_token_ids_);
  if (parts & kSession) row_.session = from.text();
  if (parts & kDetails) row_.details = from.text();
  return row_;
}

}  // namespace tokenyard

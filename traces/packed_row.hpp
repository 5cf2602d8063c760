#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "traces/trace_builder.hpp"

namespace tokenyard {

/// Appends a row that waits for no other to `to`, in few bytes (some 20 where it has but a time and
/// two lengths). Its number must be known.
void pack(const TraceRow& row, std::string& to);

/// A row made of its bytes. Not to be moved: the row refers to the lists.
class UnpackedRow {
 public:
  UnpackedRow() = default;
  UnpackedRow(const UnpackedRow&) = delete;
  UnpackedRow& operator=(const UnpackedRow&) = delete;

  /// The row that was packed into `bytes`, which must stay as long as it is used; valid until the
  /// next call.
  const TraceRow& unpack(std::string_view bytes);

 private:
  TraceRow row_;
  std::vector<std::int64_t> outputs_, block_hashes_, prompt_token_ids_;
};

}  // namespace tokenyard

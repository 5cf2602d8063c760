#pragma once

#include <cstddef>
#include <istream>
#include <memory>
#include <vector>

struct ZSTD_DCtx_s;

namespace tokenyard {

/// Decompresses zstd, one frame after another. Unlike Boost's filter it sees where a frame is cut
/// off. Refers to the stream, which must outlive it.
class ZstdInput {
 public:
  explicit ZstdInput(std::istream& packed);
  ~ZstdInput();
  ZstdInput(const ZstdInput&) = delete;
  ZstdInput& operator=(const ZstdInput&) = delete;

  /// Reads up to `size` bytes into `to`; 0 means the end. Throws `std::runtime_error` for data that
  /// are damaged or cut off.
  std::size_t read(char* to, std::size_t size);

 private:
  struct Free {
    void operator()(ZSTD_DCtx_s* context) const;
  };

  std::istream& packed_;
  std::unique_ptr<ZSTD_DCtx_s, Free> context_;
  std::vector<char> buffer_;
  std::size_t begin_ = 0, end_ = 0;  ///< of what is read and not yet unpacked
  bool within_frame_ = true;         ///< a file has one frame at least
};

}  // namespace tokenyard

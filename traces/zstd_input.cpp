#include "traces/zstd_input.hpp"

#include <zstd.h>

#include <stdexcept>

namespace tokenyard {

void ZstdInput::Free::operator()(ZSTD_DCtx_s* context) const {
  ZSTD_freeDCtx(context);
}

ZstdInput::ZstdInput(std::istream& packed)
    : packed_(packed), context_(ZSTD_createDCtx()), buffer_(ZSTD_DStreamInSize()) {
  if (!context_) throw std::bad_alloc();
}

ZstdInput::~ZstdInput() = default;

std::size_t ZstdInput::read(char* to, std::size_t size) {
  ZSTD_outBuffer out{to, size, 0};
  while (out.pos == 0 && size > 0) {
    if (begin_ == end_) {
      packed_.read(buffer_.data(), static_cast<std::streamsize>(buffer_.size()));
      begin_ = 0;
      end_ = static_cast<std::size_t>(packed_.gcount());
    }
    const bool at_end = begin_ == end_;
    if (at_end && !within_frame_) return 0;
    ZSTD_inBuffer in{buffer_.data(), end_, begin_};
    const std::size_t left = ZSTD_decompressStream(context_.get(), &out, &in);
    if (ZSTD_isError(left) != 0) throw std::runtime_error(ZSTD_getErrorName(left));
    begin_ = in.pos;
    within_frame_ = left != 0;
    // What the decompressor still held back is out; now there would have to be more.
    if (at_end && out.pos == 0 && within_frame_) throw std::runtime_error("a frame is cut off");
  }
  return out.pos;
}

}  // namespace tokenyard

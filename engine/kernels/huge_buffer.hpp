#pragma once

#include <cstddef>
#include <memory>

namespace tokenyard {

/// Memory for data that is read from end to end again and again: aligned to a cache line, and to
/// huge pages (which the system is asked for) from one such page on, since small pages cost a tenth
/// of the read speed beyond the caches. Its contents are unspecified at first. Owns the memory;
/// moves, but does not copy.
class HugeBuffer {
 public:
  HugeBuffer() = default;
  explicit HugeBuffer(std::size_t bytes);

  std::byte* data() const { return memory_.get(); }
  std::size_t bytes() const { return bytes_; }

 private:
  struct Free {
    void operator()(std::byte* memory) const;
  };

  std::unique_ptr<std::byte, Free> memory_;
  std::size_t bytes_ = 0;
};

}  // namespace tokenyard

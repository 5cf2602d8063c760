#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tokenyard {

/// Many short texts in one string, by number from 0, so that a million cost no allocation each. A
/// value type; safe to read from several threads.
class LabelPool {
 public:
  void add(std::string_view label) {
    text_ += label;
    ends_.push_back(text_.size());
  }

  std::string_view at(std::size_t number) const {
    const std::size_t begin = number == 0 ? 0 : ends_[number - 1];
    return std::string_view(text_).substr(begin, ends_[number] - begin);
  }

  std::size_t size() const { return ends_.size(); }
  bool empty() const { return ends_.empty(); }

 private:
  std::string text_;
  std::vector<std::uint64_t> ends_;  ///< where each label ends in `text_`
};

}  // namespace tokenyard

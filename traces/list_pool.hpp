#pragma once

#include <cstdint>
#include <ranges>
#include <span>
#include <utility>
#include <vector>

namespace tokenyard {

/// Where a list lies in its `ListPool`. A list that is not given is {0, 0}.
struct ListSlice {
  std::uint64_t begin = 0;
  std::uint32_t count = 0;

  friend bool operator==(const ListSlice&, const ListSlice&) = default;
};

/// Many short lists of integers, or texts, in one array, so that those of a million requests cost
/// no allocation each. A value type; safe to read from several threads.
template <typename Value>
class ListPool {
 public:
  /// Appends a list, whose values must fit a `Value`.
  template <std::ranges::contiguous_range List>
  ListSlice add(const List& list) {
    if (list.empty()) return {};
    const ListSlice slice{values_.size(), static_cast<std::uint32_t>(list.size())};
    for (const auto value : list) values_.push_back(static_cast<Value>(value));
    return slice;
  }

  std::span<const Value> at(ListSlice slice) const {
    return std::span(values_).subspan(slice.begin, slice.count);
  }
  std::span<Value> at(ListSlice slice) {
    return std::span(values_).subspan(slice.begin, slice.count);
  }

  bool empty() const { return values_.empty(); }

  /// Lays the lists of `owners` one after another in the owners' order, and forgets all others.
  template <typename Owner>
  void repack(std::vector<Owner>& owners, ListSlice Owner::*slice) {
    std::uint64_t end = 0;
    bool in_order = true;
    for (const Owner& owner : owners) {
      const ListSlice& list = owner.*slice;
      in_order &= list.count == 0 || list.begin == end;
      end += list.count;
    }
    if (in_order && end == values_.size()) return;
    std::vector<Value> packed;
    packed.reserve(end);
    for (Owner& owner : owners) {
      const std::span<const Value> list = at(owner.*slice);
      if (!list.empty()) (owner.*slice).begin = packed.size();
      packed.insert(packed.end(), list.begin(), list.end());
    }
    values_ = std::move(packed);
  }

  friend bool operator==(const ListPool&, const ListPool&) = default;

 private:
  std::vector<Value> values_;
};

}  // namespace tokenyard

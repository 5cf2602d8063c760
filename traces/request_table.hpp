#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "traces/label_pool.hpp"
#include "traces/trace_request.hpp"

namespace tokenyard {

/// The requests of a trace, column by column, so that a plain request takes 16 bytes. Columns that
/// no request needs are not there: 4 bytes more where rows were dropped or sorted, 4 where there
/// are tenants, 4 where some requests have options (and some 120 for each of these), and a label's
/// length and 8 where labels are more than row numbers. A value type; safe to read from several
/// threads.
class RequestTable {
 public:
  /// Room for so many requests.
  void reserve(std::size_t requests);

  /// Appends a request.
  void push_back(const TraceRequest& request);
  /// The same for one whose label is a number: the one of a label in `labels`, given later by
  /// `set_labels`, or the label itself.
  void push_back(std::uint32_t label, Time arrival, std::int64_t input_tokens,
                 std::int64_t output_tokens, TenantId tenant = {},
                 const TraceOptions& options = {});

  std::size_t size() const { return arrivals_.size(); }
  bool empty() const { return arrivals_.empty(); }

  Time arrival(std::size_t at) const { return kOrigin + Duration(arrivals_[at]); }
  std::int64_t input_tokens(std::size_t at) const { return input_tokens_[at]; }
  std::int64_t output_tokens(std::size_t at) const { return output_tokens_[at]; }
  TenantId tenant(std::size_t at) const {
    return tenants_.empty() ? TenantId{} : static_cast<TenantId>(tenants_[at]);
  }
  /// nullptr: it has none.
  const TraceOptions* options(std::size_t at) const {
    if (options_at_.empty() || options_at_[at] == kNoOptions) return nullptr;
    return &options_[options_at_[at]];
  }
  std::string label(std::size_t at) const;
  /// The label's text; `digits` is room for it where the label is a number.
  struct Digits {
    char text[16];
  };
  std::string_view label(std::size_t at, Digits& digits) const;

  /// The whole request.
  TraceRequest operator[](std::size_t at) const;
  TraceRequest front() const { return (*this)[0]; }
  TraceRequest back() const { return (*this)[size() - 1]; }

  /// Replaces a request by another with the same label.
  void set(std::size_t at, const TraceRequest& request);
  void set_arrival(std::size_t at, Time arrival) { arrivals_[at] = (arrival - kOrigin).count(); }
  void set_tenant(std::size_t at, TenantId tenant);
  /// What the numbers given with the requests stand for.
  void set_labels(LabelPool labels) { labels_ = std::move(labels); }

  /// Keeps the first `size` requests, at most those there are.
  void resize(std::size_t size);

  /// Sorts stably by arrival, and puts the options in the order of their requests. `ranks`, where
  /// given, decides between requests that arrive at once. Returns where each request was before;
  /// nothing where all stayed in place.
  std::vector<std::uint32_t> sort(std::span<const std::uint32_t> ranks = {});

  /// The options, in the order of their requests after `sort`.
  std::vector<TraceOptions>& all_options() { return options_; }

  /// Goes through the requests, each made whole.
  class Iterator {
   public:
    using value_type = TraceRequest;
    using difference_type = std::ptrdiff_t;
    Iterator() = default;
    Iterator(const RequestTable& table, std::size_t at) : table_(&table), at_(at) {}
    TraceRequest operator*() const { return (*table_)[at_]; }
    Iterator& operator++() {
      ++at_;
      return *this;
    }
    Iterator operator++(int) {
      const Iterator before = *this;
      ++at_;
      return before;
    }
    friend bool operator==(const Iterator&, const Iterator&) = default;

   private:
    const RequestTable* table_ = nullptr;
    std::size_t at_ = 0;
  };
  Iterator begin() const { return {*this, 0}; }
  Iterator end() const { return {*this, size()}; }

  /// Whether the requests are equal, one by one.
  friend bool operator==(const RequestTable& a, const RequestTable& b);

 private:
  static constexpr std::uint32_t kNoOptions = std::numeric_limits<std::uint32_t>::max();

  void add_label_number(std::uint32_t number);
  void add_tenant(TenantId tenant);
  void add_options(const TraceOptions& options);
  std::size_t label_number(std::size_t at) const {
    return label_numbers_.empty() ? at : label_numbers_[at];
  }

  std::vector<std::int64_t> arrivals_;  ///< nanoseconds
  std::vector<std::int32_t> input_tokens_, output_tokens_;
  // Each of these is empty, or has an entry a request.
  std::vector<std::uint32_t> label_numbers_;  ///< empty: the position is the number
  std::vector<std::uint32_t> tenants_;        ///< empty: all of tenant 0
  std::vector<std::uint32_t> options_at_;     ///< in `options_`; empty: none has any

  std::vector<TraceOptions> options_;
  LabelPool labels_;  ///< by number; empty: a number is its own label
};

}  // namespace tokenyard

#include "traces/request_table.hpp"

#include <algorithm>
#include <charconv>
#include <numeric>
#include <ranges>
#include <utility>

#include "sim/kernel/invariant.hpp"

namespace tokenyard {

namespace {

/// The entries of a column at `order`; a column that is not there stays away.
template <typename Value>
void gather(std::vector<Value>& column, const std::vector<std::uint32_t>& order) {
  if (column.empty()) return;
  std::vector<Value> gathered(order.size());
  std::ranges::transform(order, gathered.begin(), [&](std::uint32_t at) { return column[at]; });
  column = std::move(gathered);
}

template <typename Value>
void shorten(std::vector<Value>& column, std::size_t size) {
  if (column.empty()) return;
  column.resize(size);
  column.shrink_to_fit();
}

}  // namespace

void RequestTable::reserve(std::size_t requests) {
  arrivals_.reserve(requests);
  input_tokens_.reserve(requests);
  output_tokens_.reserve(requests);
}

void RequestTable::add_label_number(std::uint32_t number) {
  const std::size_t at = size();
  if (label_numbers_.empty()) {
    if (number == at) return;
    label_numbers_.resize(at);
    std::iota(label_numbers_.begin(), label_numbers_.end(), 0U);
  }
  label_numbers_.push_back(number);
}

void RequestTable::add_tenant(TenantId tenant) {
  if (tenants_.empty()) {
    if (tenant == TenantId{}) return;
    tenants_.resize(size(), 0);
  }
  tenants_.push_back(static_cast<std::uint32_t>(tenant));
}

void RequestTable::add_options(const TraceOptions& options) {
  const bool none = options == TraceOptions{};
  if (options_at_.empty()) {
    if (none) return;
    options_at_.resize(size(), kNoOptions);
  }
  options_at_.push_back(none ? kNoOptions : static_cast<std::uint32_t>(options_.size()));
  if (!none) options_.push_back(options);
}

void RequestTable::push_back(std::uint32_t label, Time arrival, std::int64_t input_tokens,
                             std::int64_t output_tokens, TenantId tenant,
                             const TraceOptions& options) {
  add_label_number(label);
  add_tenant(tenant);
  add_options(options);
  arrivals_.push_back((arrival - kOrigin).count());
  input_tokens_.push_back(static_cast<std::int32_t>(input_tokens));
  output_tokens_.push_back(static_cast<std::int32_t>(output_tokens));
}

void RequestTable::push_back(const TraceRequest& request) {
  if (labels_.size() < size()) {  // the labels so far are numbers; now they become texts
    LabelPool labels;
    Digits digits;
    for (std::size_t at = 0; at < size(); ++at) labels.add(label(at, digits));
    labels_ = std::move(labels);
    label_numbers_.clear();
  }
  const auto number = static_cast<std::uint32_t>(labels_.size());
  labels_.add(request.label);
  push_back(number, request.arrival, request.input_tokens, request.output_tokens, request.tenant,
            request);
}

std::string_view RequestTable::label(std::size_t at, Digits& digits) const {
  const std::size_t number = label_number(at);
  if (!labels_.empty()) return labels_.at(number);
  char* const begin = digits.text;
  const auto end = std::to_chars(begin, begin + sizeof(digits.text), number).ptr;
  return {begin, static_cast<std::size_t>(end - begin)};
}

std::string RequestTable::label(std::size_t at) const {
  Digits digits;
  return std::string(label(at, digits));
}

TraceRequest RequestTable::operator[](std::size_t at) const {
  TraceRequest request;
  if (const TraceOptions* given = options(at)) static_cast<TraceOptions&>(request) = *given;
  request.label = label(at);
  request.arrival = arrival(at);
  request.input_tokens = input_tokens(at);
  request.output_tokens = output_tokens(at);
  request.tenant = tenant(at);
  return request;
}

void RequestTable::set(std::size_t at, const TraceRequest& request) {
  invariant(request.label == label(at), "a request keeps its label", "'{}' would be '{}'",
            label(at), request.label);
  set_arrival(at, request.arrival);
  input_tokens_[at] = static_cast<std::int32_t>(request.input_tokens);
  output_tokens_[at] = static_cast<std::int32_t>(request.output_tokens);
  set_tenant(at, request.tenant);
  const TraceOptions& wanted = request;
  if (options(at) == nullptr) {
    if (wanted == TraceOptions{}) return;
    if (options_at_.empty()) options_at_.resize(size(), kNoOptions);
    options_at_[at] = static_cast<std::uint32_t>(options_.size());
    options_.emplace_back();
  }
  options_[options_at_[at]] = wanted;
}

void RequestTable::set_tenant(std::size_t at, TenantId tenant) {
  if (tenants_.empty()) {
    if (tenant == TenantId{}) return;
    tenants_.resize(size(), 0);
  }
  tenants_[at] = static_cast<std::uint32_t>(tenant);
}

void RequestTable::resize(std::size_t size) {
  shorten(arrivals_, size);
  shorten(input_tokens_, size);
  shorten(output_tokens_, size);
  shorten(label_numbers_, size);
  shorten(tenants_, size);
  shorten(options_at_, size);
}

std::vector<std::uint32_t> RequestTable::sort(std::span<const std::uint32_t> ranks) {
  std::vector<std::uint32_t> order;
  if (!ranks.empty() || !std::ranges::is_sorted(arrivals_)) {
    order.resize(size());
    std::iota(order.begin(), order.end(), 0U);
    std::ranges::stable_sort(order, {}, [&](std::uint32_t at) {
      return std::pair(arrivals_[at], ranks.empty() ? 0U : ranks[at]);
    });
    if (label_numbers_.empty()) {
      label_numbers_ = order;
    } else {
      gather(label_numbers_, order);
    }
    gather(arrivals_, order);
    gather(input_tokens_, order);
    gather(output_tokens_, order);
    gather(tenants_, order);
    gather(options_at_, order);
  }
  if (options_at_.empty()) return order;
  std::vector<TraceOptions> options;
  for (std::uint32_t& at : options_at_) {
    if (at == kNoOptions) continue;
    options.push_back(options_[at]);
    at = static_cast<std::uint32_t>(options.size() - 1);
  }
  options_ = std::move(options);
  if (options_.empty()) options_at_.clear();
  return order;
}

bool operator==(const RequestTable& a, const RequestTable& b) {
  return std::ranges::equal(a, b);
}

}  // namespace tokenyard

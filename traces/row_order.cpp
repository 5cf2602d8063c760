#include "traces/row_order.hpp"

#include <algorithm>
#include <cstring>
#include <functional>
#include <string_view>
#include <utility>

namespace tokenyard {

namespace {

constexpr std::size_t kReadAtOnce = std::size_t{256} << 10;

void push_heap(std::vector<RowPlace>& heap, RowPlace place) {
  heap.push_back(place);
  std::ranges::push_heap(heap, std::greater<>());
}

RowPlace pop_heap(std::vector<RowPlace>& heap) {
  std::ranges::pop_heap(heap, std::greater<>());
  const RowPlace place = heap.back();
  heap.pop_back();
  return place;
}

}  // namespace

void RowWindow::push(const TraceRow& row) {
  std::uint64_t slot = slots_.size();
  if (free_.empty()) {
    slots_.emplace_back();
  } else {
    slot = free_.back();
    free_.pop_back();
  }
  std::string& bytes = slots_[slot];
  bytes.clear();
  pack(row, bytes);
  bytes_ += bytes.size();
  push_heap(heap_, {row.arrival_ns, rows_++, slot});
}

const TraceRow* RowWindow::pop() {
  if (last_slot_) free_.push_back(*last_slot_);
  const RowPlace first = pop_heap(heap_);
  last_slot_ = first.slot;
  bytes_ -= slots_[first.slot].size();
  if (last_arrival_ns_ && first.arrival_ns < *last_arrival_ns_) return nullptr;
  last_arrival_ns_ = first.arrival_ns;
  return &unpacked_.unpack(slots_[first.slot]);
}

void SortedRuns::add(const TraceRow& row) {
  places_.push_back({row.arrival_ns, places_.size(), rows_.size()});
  pack(row, rows_);
  if (rows_.size() + places_.size() * sizeof(RowPlace) >= run_bytes_) write_run();
}

void SortedRuns::finish() {
  if (!places_.empty()) write_run();
  rows_ = {};
  places_ = {};
}

/// Each row behind its time and its length, so that a reader knows how much to wait for.
void SortedRuns::write_run() {
  std::vector<std::size_t> ends;
  ends.reserve(places_.size());
  for (const RowPlace& place : places_) ends.push_back(place.slot);
  ends.push_back(rows_.size());
  std::ranges::sort(places_, [](const RowPlace& a, const RowPlace& b) { return b > a; });
  const std::uint64_t begin = file_.size();
  std::string out;
  for (const RowPlace& place : places_) {
    const std::size_t size = ends[place.row + 1] - place.slot;
    const std::int64_t head[] = {place.arrival_ns, static_cast<std::int64_t>(size)};
    out.append(reinterpret_cast<const char*>(head), sizeof(head));
    out.append(rows_, place.slot, size);
    if (out.size() < kReadAtOnce) continue;
    file_.append(out);
    out.clear();
  }
  file_.append(out);
  runs_.push_back({begin, file_.size()});
  rows_.clear();
  places_.clear();
}

MergedRows::MergedRows(const SortedRuns& runs) : runs_(runs), cursors_(runs.runs_.size()) {
  for (std::size_t run = 0; run < cursors_.size(); ++run) {
    cursors_[run].next = runs.runs_[run].begin;
    cursors_[run].end = runs.runs_[run].end;
    advance(run);
  }
}

/// Has the buffer hold so many bytes from `at` on, where the run has them.
bool MergedRows::fill(Cursor& cursor, std::size_t wanted) const {
  const std::size_t held = cursor.buffer.size() - cursor.at;
  if (held >= wanted) return true;
  const std::uint64_t left = cursor.end - cursor.next;
  if (held + left < wanted) return false;
  cursor.buffer.erase(0, cursor.at);
  cursor.at = 0;
  const auto more =
      static_cast<std::size_t>(std::min<std::uint64_t>(left, std::max(kReadAtOnce, wanted - held)));
  cursor.buffer.resize(held + more);
  runs_.file_.read(cursor.next, cursor.buffer.data() + held, more);
  cursor.next += more;
  return true;
}

/// Puts the next row of a run in front, where there is one.
void MergedRows::advance(std::size_t run) {
  Cursor& cursor = cursors_[run];
  cursor.at = cursor.row_end;
  std::int64_t head[2];
  if (!fill(cursor, sizeof(head))) return;
  std::memcpy(head, cursor.buffer.data() + cursor.at, sizeof(head));
  const auto size = static_cast<std::size_t>(head[1]);
  fill(cursor, sizeof(head) + size);
  cursor.at += sizeof(head);
  cursor.row_end = cursor.at + size;
  push_heap(heap_, {head[0], run, run});
}

const TraceRow* MergedRows::next() {
  if (taken_) advance(*std::exchange(taken_, std::nullopt));
  if (heap_.empty()) return nullptr;
  const std::size_t run = pop_heap(heap_).slot;
  taken_ = run;
  const Cursor& cursor = cursors_[run];
  const std::string_view held = cursor.buffer;
  return &unpacked_.unpack(held.substr(cursor.at, cursor.row_end - cursor.at));
}

}  // namespace tokenyard

#pragma once
// What is due, in one total order that depends on no order of posting.

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <iterator>
#include <limits>
#include <mutex>
#include <optional>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "sim/kernel/time.hpp"

namespace tokenyard {

/// The part of an event queue that a clock needs: when the next event is due, and a way to sleep
/// until then or until another thread posts.
class EventSchedule {
 public:
  virtual ~EventSchedule() = default;

  /// The time of the earliest event whose kind is below `kinds`, or `kNever`.
  virtual Time next_time(std::size_t kinds) = 0;

  /// Returns at `deadline`, or as soon as another thread has posted.
  virtual void sleep_until(std::chrono::steady_clock::time_point deadline) = 0;
};

/// Events ordered by (time, kind, key): the kind is the alternative's index in the `Payload`
/// variant, the key a dense id. Equal (time, kind, key) never occurs among pending events.
///
/// The loop's thread owns the queue; `post_from_thread` alone may be called from other threads.
/// Posting and taking cost O(log n) and allocate nothing in the steady state.
template <typename... Payloads>
class EventQueue final : public EventSchedule {
 public:
  using Payload = std::variant<Payloads...>;
  static constexpr std::size_t kKinds = sizeof...(Payloads);

  struct Event {
    Time at;
    std::uint64_t key = 0;
    Payload payload;

    std::size_t kind() const { return payload.index(); }
  };

  void post(Time at, std::uint64_t key, Payload payload) {
    push(Event{at, key, std::move(payload)});
  }

  void post_from_thread(Time at, std::uint64_t key, Payload payload) {
    {
      const std::lock_guard lock(mutex_);
      inbox_.push_back(Event{at, key, std::move(payload)});
      posted_.store(true, std::memory_order_release);
    }
    wake_.notify_one();
  }

  Time next_time(std::size_t kinds) override {
    take_inbox();
    Time earliest = kNever;
    for (std::size_t kind = 0; kind < std::min(kinds, kKinds); ++kind) {
      if (!heaps_[kind].empty()) earliest = std::min(earliest, heaps_[kind].front().at);
    }
    return earliest;
  }

  /// Moves every event with time <= now into `due` (emptied first), in order.
  void take_due(Time now, std::vector<Event>& due) {
    take_inbox();
    due.clear();
    for (;;) {
      std::size_t best = kKinds;
      for (std::size_t kind = 0; kind < kKinds; ++kind) {
        if (heaps_[kind].empty() || heaps_[kind].front().at > now) continue;
        if (best == kKinds || heaps_[kind].front().at < heaps_[best].front().at) best = kind;
      }
      if (best == kKinds) return;
      std::pop_heap(heaps_[best].begin(), heaps_[best].end(), later);
      due.push_back(std::move(heaps_[best].back()));
      heaps_[best].pop_back();
    }
  }

  /// The kind of the events with this payload.
  template <typename P>
  static constexpr std::size_t kind_of() {
    std::size_t kind = 0;
    static_cast<void>(((!std::is_same_v<P, Payloads> && (++kind, true)) && ...));
    return kind;
  }

  /// Takes back the pending event with this kind and key, if there is one. O(n) in those of the
  /// kind.
  std::optional<Event> withdraw(std::size_t kind, std::uint64_t key) {
    take_inbox();
    auto& heap = heaps_[kind];
    const auto found =
        std::find_if(heap.begin(), heap.end(), [key](const Event& e) { return e.key == key; });
    if (found == heap.end()) return std::nullopt;
    std::optional<Event> taken(std::move(*found));
    if (std::next(found) != heap.end()) *found = std::move(heap.back());
    heap.pop_back();
    std::make_heap(heap.begin(), heap.end(), later);
    return taken;
  }

  bool empty() { return next_time(kKinds) == kNever; }

  /// Whether an event of this kind is pending.
  bool has(std::size_t kind) {
    take_inbox();
    return !heaps_[kind].empty();
  }

  void sleep_until(std::chrono::steady_clock::time_point deadline) override {
    std::unique_lock lock(mutex_);
    wake_.wait_until(lock, deadline, [this] { return posted_.load(std::memory_order_relaxed); });
  }

 private:
  /// Within one kind the order is (time, key); between kinds `take_due` prefers the smaller kind.
  static bool later(const Event& a, const Event& b) {
    return a.at != b.at ? a.at > b.at : a.key > b.key;
  }

  void push(Event event) {
    auto& heap = heaps_[event.kind()];
    heap.push_back(std::move(event));
    std::push_heap(heap.begin(), heap.end(), later);
  }

  void take_inbox() {
    if (!posted_.load(std::memory_order_acquire)) return;
    const std::lock_guard lock(mutex_);
    for (auto& event : inbox_) push(std::move(event));
    inbox_.clear();
    posted_.store(false, std::memory_order_relaxed);
  }

  std::array<std::vector<Event>, kKinds> heaps_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<Event> inbox_;
  std::atomic<bool> posted_ = false;
};

}  // namespace tokenyard

#pragma once

#include <algorithm>
#include <initializer_list>
#include <vector>

#include "sim/ports/observer.hpp"

namespace tokenyard {

/// Several observers as one: each fact goes to all of them, in order. The observers are owned
/// elsewhere and outlive it.
class ObserverList final : public Observer {
 public:
  ObserverList(std::initializer_list<Observer*> observers = {}) {
    for (Observer* observer : observers) add(*observer);
  }

  void add(Observer& observer) {
    observers_.push_back(&observer);
    if (observer.watches_iterations()) iterations_.push_back(&observer);
  }

  void fed(Time now, std::span<const Event> due) override {
    for (Observer* observer : observers_) observer->fed(now, due);
  }
  void passed(Time now, const Iteration& decision) override {
    for (Observer* observer : observers_) observer->passed(now, decision);
  }
  void decided(Time now, const Iteration& iteration, const IterationFacts& facts) override {
    for (Observer* observer : iterations_) observer->decided(now, iteration, facts);
  }
  void completed(Time now, const Iteration& iteration) override {
    for (Observer* observer : iterations_) observer->completed(now, iteration);
  }
  void token_gaps(Time now, Duration gap, std::int64_t count) override {
    for (Observer* observer : iterations_) observer->token_gaps(now, gap, count);
  }
  void stepped(const Iteration& iteration, std::int64_t sequences,
               std::span<const StepFacts> steps) override {
    for (Observer* observer : iterations_) observer->stepped(iteration, sequences, steps);
  }
  void staged(const Iteration& iteration, std::size_t stage, Time begun, Time ended) override {
    for (Observer* observer : iterations_) observer->staged(iteration, stage, begun, ended);
  }
  void entered(RequestId request, Phase phase, Time now) override {
    for (Observer* observer : observers_) observer->entered(request, phase, now);
  }
  void ended(const RequestFacts& facts) override {
    for (Observer* observer : observers_) observer->ended(facts);
  }
  bool takes_steps_together() const override {
    return std::ranges::all_of(iterations_,
                               [](auto* each) { return each->takes_steps_together(); });
  }
  bool watches_slots() const override {
    return std::ranges::any_of(observers_, [](auto* each) { return each->watches_slots(); });
  }
  bool reads_tables() const override {
    return std::ranges::any_of(observers_, [](auto* each) { return each->reads_tables(); });
  }

 private:
  std::vector<Observer*> observers_;
  std::vector<Observer*> iterations_;  // those of them that watch iterations
};

}  // namespace tokenyard

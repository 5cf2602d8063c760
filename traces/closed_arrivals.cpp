#include "traces/closed_arrivals.hpp"

#include "traces/think_time.hpp"

namespace tokenyard {

namespace {

class Closed final : public ArrivalProcess {
 public:
  explicit Closed(Parameters& parameters)
      : users_(parameters.integer("users", 1, 1, 10'000'000, "how many users there are")),
        think_(parameters) {}

  std::unique_ptr<ArrivalStream> begin(std::uint64_t seed) const override;
  bool is_closed() const override { return true; }

 private:
  class Stream;

  std::int64_t users_;
  ThinkTime think_;
};

class Closed::Stream final : public ArrivalStream {
 public:
  Stream(const Closed& process, std::uint64_t seed) : process_(process), seed_(seed) {}

  bool next(DrawnArrival& arrival) override {
    Rng rng = named_stream(seed_, "arrivals", request_);
    const double think_s = process_.think_.draw_s(rng);
    const auto users = static_cast<std::uint64_t>(process_.users_);
    if (request_ >= users) arrival.after = request_ - users;
    arrival.think_s = think_s;
    ++request_;
    return true;
  }

 private:
  const Closed& process_;
  std::uint64_t seed_;
  std::uint64_t request_ = 0;
};

std::unique_ptr<ArrivalStream> Closed::begin(std::uint64_t seed) const {
  return std::make_unique<Stream>(*this, seed);
}

}  // namespace

std::unique_ptr<ArrivalProcess> make_closed(Parameters& parameters) {
  return std::make_unique<Closed>(parameters);
}

}  // namespace tokenyard

#include "traces/servegen_arrivals.hpp"

#include <algorithm>
#include <filesystem>
#include <queue>
#include <utility>

#include "traces/servegen_folder.hpp"

namespace tokenyard {

namespace {

/// One client on its way through its windows.
class ClientArrivals {
 public:
  ClientArrivals(const ServegenClient& client, std::uint64_t seed, double start_s, double factor)
      : client_(client), seed_(seed), factor_(factor), now_s_(start_s) {
    const auto ended = [&](const ServegenRate& rate) {
      return rate.begin_s + kServegenRateWindow_s <= start_s;
    };
    window_ = static_cast<std::size_t>(std::ranges::partition_point(client_.rates, ended) -
                                       client_.rates.begin());
    if (window_ == client_.rates.size()) return;
    Rng rng = stream("arrivals");
    go_on(client_.rates[window_].gap.draw_remainder(rng));
  }

  bool ended() const { return window_ == client_.rates.size(); }
  double now_s() const { return now_s_; }
  const ServegenClient& client() const { return client_; }

  /// The lengths of the request that arrives now.
  std::optional<Lengths> lengths() const {
    const ServegenLengths* in_force = client_.lengths_at(now_s_);
    if (in_force == nullptr) return std::nullopt;
    Rng rng = stream("lengths");
    return in_force->draw(rng);
  }

  void next() {
    ++request_;
    Rng rng = stream("arrivals");
    go_on(client_.rates[window_].gap.draw(rng));
  }

 private:
  Rng stream(std::string_view name) const {
    const auto number = static_cast<std::uint64_t>(client_.number);
    return named_stream(seed_, name, (number << 40U) | request_);
  }

  /// Goes to where `gap` more requests are expected.
  void go_on(double gap) {
    for (; window_ < client_.rates.size(); ++window_) {
      const ServegenRate& rate = client_.rates[window_];
      now_s_ = std::max(now_s_, rate.begin_s);
      const double per_s = rate.requests_per_s * factor_;
      const double left = (rate.begin_s + kServegenRateWindow_s - now_s_) * per_s;
      if (gap < left) {
        now_s_ += gap / per_s;
        return;
      }
      gap -= left;
    }
  }

  const ServegenClient& client_;
  std::uint64_t seed_;
  double factor_;
  double now_s_;
  std::size_t window_ = 0;
  std::uint64_t request_ = 0;
};

class ServegenStream final : public ArrivalStream {
 public:
  ServegenStream(std::vector<ServegenClient> clients, std::uint64_t seed, double start_s,
                 double factor)
      : clients_(std::move(clients)), start_s_(start_s) {
    std::vector<std::int64_t> without;
    for (const ServegenClient& client : clients_) {
      tenants_.push_back(fmt::format("client-{}", client.number));
      if (!client.has_dataset) without.push_back(client.number);
      on_their_way_.emplace_back(client, seed, start_s, factor);
      post(on_their_way_.size() - 1);
    }
    without_dataset_ =
        fmt::format("{} {} without a dataset", without.size() > 1 ? "clients" : "client",
                    fmt::join(without, " "));
  }

  bool next(DrawnArrival& arrival) override {
    if (next_.empty()) return false;
    const auto [at_s, at] = next_.top();
    next_.pop();
    ClientArrivals& client = on_their_way_[at];
    arrival.at = kOrigin + from_seconds(at_s - start_s_);
    arrival.tenant = tenants_[at];
    arrival.lengths = client.lengths();
    arrival.without_lengths = {};
    if (!arrival.lengths) {
      arrival.without_lengths = client.client().has_dataset
                                    ? std::string_view("datasets without lengths at that time")
                                    : std::string_view(without_dataset_);
    }
    client.next();
    post(at);
    return true;
  }

 private:
  using Next = std::pair<double, std::size_t>;  ///< when, and which client

  void post(std::size_t client) {
    if (!on_their_way_[client].ended()) next_.push({on_their_way_[client].now_s(), client});
  }

  std::vector<ServegenClient> clients_;
  double start_s_;
  std::string without_dataset_;
  std::vector<std::string> tenants_;
  std::vector<ClientArrivals> on_their_way_;
  std::priority_queue<Next, std::vector<Next>, std::greater<>> next_;
};

class Servegen final : public ArrivalProcess {
 public:
  explicit Servegen(Parameters& parameters)
      : folder_(parameters.text("folder", "", "path",
                                "holds chunk-N-trace.csv and chunk-N-dataset.json of each client "
                                "N (no comma in it)")),
        start_s_(parameters.number("start_s", 0, 0, 3e9,
                                   "where the records are begun, in seconds of their own time")),
        factor_(parameters.number("rate_factor", 1, 1e-9, 1e9,
                                  "multiplies every client's rate; the windows stay")) {
    std::error_code ignored;
    if (!folder_.empty() && !std::filesystem::exists(folder_, ignored)) {
      parameters.refuse("folder", fmt::format("'{}' is not there", printable(folder_)));
    }
  }

  bool draws_lengths() const override { return true; }

  std::unique_ptr<ArrivalStream> begin(std::uint64_t seed) const override {
    return std::make_unique<ServegenStream>(read_servegen_folder(folder_), seed, start_s_, factor_);
  }

 private:
  std::string folder_;
  double start_s_, factor_;
};

}  // namespace

std::unique_ptr<ArrivalProcess> make_servegen(Parameters& parameters) {
  return std::make_unique<Servegen>(parameters);
}

}  // namespace tokenyard

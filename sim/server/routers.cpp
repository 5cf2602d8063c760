#include "sim/server/routers.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "sim/kernel/input_error.hpp"
#include "sim/kernel/rng.hpp"
#include "sim/kernel/text.hpp"

namespace tokenyard {

namespace {

/// A random number below `count`; its bias is below 2^-32.
std::size_t draw_below(Rng& rng, std::size_t count) {
  return static_cast<std::size_t>(rng() % count);
}

class RoundRobin final : public Router {
 public:
  ReplicaId choose(const Request&, RoutingContext& context) override {
    const auto candidates = context.candidates();
    const auto next = std::find_if(candidates.begin(), candidates.end(),
                                   [&](ReplicaId id) { return index(id) >= next_; });
    const ReplicaId chosen = next == candidates.end() ? candidates.front() : *next;
    next_ = index(chosen) + 1;
    return chosen;
  }

 private:
  std::size_t next_ = 0;
};

class RandomRouter final : public Router {
 public:
  explicit RandomRouter(Rng rng) : rng_(rng) {}

  ReplicaId choose(const Request&, RoutingContext& context) override {
    const auto candidates = context.candidates();
    return candidates[draw_below(rng_, candidates.size())];
  }

 private:
  Rng rng_;
};

constexpr std::size_t kNobody = std::numeric_limits<std::size_t>::max();

/// The candidate with the least load. Ties go round, so that idle replicas share the work: the
/// first behind the one chosen last.
template <typename Load>
class LeastLoad final : public Router {
 public:
  explicit LeastLoad(Load load) : load_(load) {}

  ReplicaId choose(const Request&, RoutingContext& context) override {
    const ReplicaId chosen = least(context, load_, last_);
    last_ = index(chosen);
    return chosen;
  }

  static ReplicaId least(RoutingContext& context, const Load& load, std::size_t last) {
    ReplicaId best{};
    std::int64_t least_load = std::numeric_limits<std::int64_t>::max();
    bool best_is_behind = false;
    for (const ReplicaId id : context.candidates()) {
      const std::int64_t here = load(context, id);
      const bool is_behind = index(id) > last;
      if (here > least_load || (here == least_load && (best_is_behind || !is_behind))) continue;
      best = id;
      least_load = here;
      best_is_behind = is_behind;
    }
    return best;
  }

 private:
  Load load_;
  std::size_t last_ = kNobody;
};

struct Requests {
  std::int64_t operator()(RoutingContext& context, ReplicaId id) const {
    return context.outstanding_requests(id);
  }
};

struct Tokens {
  std::int64_t operator()(RoutingContext& context, ReplicaId id) const {
    return context.outstanding_tokens(id);
  }
};

class PowerOfTwo final : public Router {
 public:
  PowerOfTwo(Parameters& parameters, Rng rng)
      : choices_(
            static_cast<std::size_t>(parameters.integer("choices", 2, 1, 1000,
                                                        "replicas drawn, of which the one with the "
                                                        "fewest outstanding requests is taken"))),
        rng_(rng) {}

  ReplicaId choose(const Request&, RoutingContext& context) override {
    const auto candidates = context.candidates();
    drawn_.assign(candidates.begin(), candidates.end());
    const std::size_t choices = std::min(choices_, drawn_.size());
    std::size_t best = 0;
    // Without repetition: the first places of a shuffle. The first drawn wins ties.
    for (std::size_t i = 0; i < choices; ++i) {
      std::swap(drawn_[i], drawn_[i + draw_below(rng_, drawn_.size() - i)]);
      const bool better =
          context.outstanding_requests(drawn_[i]) < context.outstanding_requests(drawn_[best]);
      if (better) best = i;
    }
    return drawn_[best];
  }

 private:
  std::size_t choices_;
  Rng rng_;
  std::vector<ReplicaId> drawn_;
};

/// Who comes alone, or first of its session, goes where the fewest requests are.
class SessionSticky final : public Router {
 public:
  ReplicaId choose(const Request& request, RoutingContext& context) override {
    if (request.session == 0) return anew_.choose(request, context);
    const auto candidates = context.candidates();
    const auto [home, is_new] = homes_.try_emplace(request.session);
    const bool stands =
        !is_new && std::binary_search(candidates.begin(), candidates.end(), home->second);
    if (!stands) home->second = anew_.choose(request, context);
    return home->second;
  }

 private:
  LeastLoad<Requests> anew_{Requests()};
  std::map<std::uint32_t, ReplicaId> homes_;  // by session
};

class PrefixAware final : public Router {
 public:
  explicit PrefixAware(Parameters& parameters)
      : least_match_(parameters.number("least_match", 0.5, 0, 1,
                                       "share of the prompt that must be known for a replica to be "
                                       "chosen by it")),
        imbalance_(parameters.integer("imbalance", 32, 0, 1'000'000'000,
                                      "more outstanding requests than this above the fewest, and")),
        imbalance_ratio_(parameters.number("imbalance_ratio", 1.5, 1, 1e9,
                                           "more than so many times the fewest: then the fewest "
                                           "win, whatever is known")) {}

  ReplicaId choose(const Request& request, RoutingContext& context) override {
    std::int64_t fewest = std::numeric_limits<std::int64_t>::max(), most = 0, longest = 0;
    for (const ReplicaId id : context.candidates()) {
      fewest = std::min(fewest, context.outstanding_requests(id));
      most = std::max(most, context.outstanding_requests(id));
      longest = std::max(longest, context.known_prefix_tokens(id, request));
    }
    const bool unbalanced =
        most - fewest > imbalance_ &&
        static_cast<double>(most) > imbalance_ratio_ * static_cast<double>(fewest);
    const double needed = least_match_ * static_cast<double>(request.prompt_tokens);
    if (unbalanced || longest == 0 || static_cast<double>(longest) < needed) {
      return anew_.choose(request, context);
    }
    // Of those that know the most the least loaded.
    const auto load = [&](RoutingContext& asked, ReplicaId id) {
      const bool knows = asked.known_prefix_tokens(id, request) == longest;
      return knows ? asked.outstanding_requests(id) : std::numeric_limits<std::int64_t>::max();
    };
    return LeastLoad<decltype(load)>::least(context, load, kNobody);
  }

 private:
  double least_match_;
  std::int64_t imbalance_;
  double imbalance_ratio_;
  LeastLoad<Requests> anew_{Requests()};
};

Rng router_stream(std::uint64_t seed) {
  return named_stream(seed, "router");
}

using Made = std::unique_ptr<Router>;
using P = Parameters;

constexpr RouterEntry kEntries[] = {
    {"round-robin", "one after another",
     [](P&, std::uint64_t) -> Made { return std::make_unique<RoundRobin>(); }},
    {"random", "each as likely",
     [](P&, std::uint64_t seed) -> Made {
       return std::make_unique<RandomRouter>(router_stream(seed));
     }},
    {"least-requests", "the fewest outstanding requests (also least-loaded)",
     [](P&, std::uint64_t) -> Made { return std::make_unique<LeastLoad<Requests>>(Requests()); }},
    {"least-tokens", "the fewest tokens of outstanding requests, prompts and outputs so far",
     [](P&, std::uint64_t) -> Made { return std::make_unique<LeastLoad<Tokens>>(Tokens()); }},
    {"power-of-two", "the better of two drawn at random (Mitzenmacher, IEEE TPDS 2001)",
     [](P& parameters, std::uint64_t seed) -> Made {
       return std::make_unique<PowerOfTwo>(parameters, router_stream(seed));
     }},
    {"session-sticky", "where the session was before; new ones to the fewest requests",
     [](P&, std::uint64_t) -> Made { return std::make_unique<SessionSticky>(); }},
    {"prefix-aware", "where the most of the prompt is in the prefix cache, while loads are alike",
     [](P& parameters, std::uint64_t) -> Made {
       return std::make_unique<PrefixAware>(parameters);
     }},
};

}  // namespace

std::span<const RouterEntry> router_entries() {
  return kEntries;
}

std::unique_ptr<Router> make_router(const std::string& text, std::uint64_t seed) {
  const auto colon = text.find(':');
  const std::string given = text.substr(0, colon);
  const std::string name = given == "least-loaded" ? "least-requests" : given;
  std::vector<std::string> names{"least-loaded"};
  for (const RouterEntry& entry : kEntries) {
    names.emplace_back(entry.name);
    if (name != entry.name) continue;
    Parameters parameters = Parameters::parse(
        "router " + name, colon == std::string::npos ? "" : text.substr(colon + 1));
    auto router = entry.make(parameters, seed);
    parameters.refuse_unread();
    return router;
  }
  throw InputError(fmt::format("unknown router '{}'{}; see 'tokenyard list routers'",
                               printable(given), suggestion(given, names)));
}

}  // namespace tokenyard

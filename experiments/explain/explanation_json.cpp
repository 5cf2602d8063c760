#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "experiments/explain/explanation.hpp"
#include "experiments/record/requests_csv.hpp"
#include "sim/kernel/invariant.hpp"

namespace tokenyard {

using Json = nlohmann::ordered_json;

namespace {

std::string dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Json json_of(const Wait& wait) {
  return {{"first_turn_ns", wait.first_turn.count()},
          {"later_ns", wait.later.count()},
          {"waited_ns", wait.total().count()}};
}

/// Sums over all requests may exceed what JSON's readers take for an integer: then it is a number
/// with a fraction's precision.
Json nanoseconds(WideInteger value) {
  constexpr std::int64_t kExact = std::int64_t{1} << 53U;
  if (value <= kExact) return static_cast<std::int64_t>(value);
  return static_cast<double>(value);
}

}  // namespace

std::string explanation_json(const RequestExplanation& explanation) {
  const RequestFacts& facts = explanation.facts;
  Json json;
  json["label"] = explanation.run;
  json["request"] = explanation.request;
  json["status"] = status_name(facts.end);
  if (facts.end == End::rejected) json["reason"] = facts.reason;
  json["prompt_tokens"] = facts.request.prompt_tokens;
  json["output_tokens"] = facts.output_tokens;
  json["arrival_ns"] = (facts.request.arrival - kOrigin).count();
  json["ended_ns"] = (facts.ended - kOrigin).count();
  json["phases_ns"] = Json::object();
  for (std::size_t i = 0; i < kPhases; ++i) {
    json["phases_ns"][std::string(phase_name(static_cast<Phase>(i)))] = facts.phases[i].count();
  }
  json["recomputing_ns"] = explanation.recomputing.count();
  json["life"] = Json::array();
  for (const PhaseSpan& span : explanation.life) {
    json["life"].push_back({{"phase", phase_name(span.phase)},
                            {"from_ns", (span.from - kOrigin).count()},
                            {"until_ns", (span.until - kOrigin).count()}});
  }
  json["waited"] = json_of(explanation.waited);
  json["behind_nobody"] = json_of(explanation.behind_nobody);
  json["behind"] = Json::array();
  for (const Blocker& blocker : explanation.behind) {
    Json entry = {{"request", blocker.request},
                  {"prompt_tokens", blocker.prompt_tokens},
                  {"output_tokens", blocker.output_tokens},
                  {"arrival_ns", (blocker.arrival - kOrigin).count()}};
    entry.update(json_of(blocker.wait));
    json["behind"].push_back(std::move(entry));
  }
  return dump(json);
}

std::string explanation_json(const ClassExplanation& explanation) {
  Json json;
  json["label"] = explanation.run;
  json["by"] = explanation.by;
  json["classes"] = Json::array();
  for (const ClassWait& wait : explanation.classes) {
    Json behind = Json::array();
    for (std::size_t i = 0; i < wait.later.size(); ++i) {
      const bool nobody = i == explanation.classes.size();
      behind.push_back({{"class", nobody ? Json(nullptr) : Json(explanation.classes[i].name)},
                        {"first_turn_ns", nanoseconds(wait.first_turn[i])},
                        {"later_ns", nanoseconds(wait.later[i])}});
    }
    json["classes"].push_back({{"class", wait.name},
                               {"requests", wait.requests},
                               {"ran_ns", nanoseconds(wait.ran)},
                               {"waited_ns", nanoseconds(wait.waited())},
                               {"behind", std::move(behind)}});
  }
  return dump(json);
}

}  // namespace tokenyard

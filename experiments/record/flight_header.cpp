#include "experiments/record/flight_header.hpp"

#include <limits>
#include <nlohmann/json.hpp>

#include "experiments/settings_json.hpp"

namespace tokenyard {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::int64_t kFormat = 1;
constexpr std::int64_t kDepthMost = 1024;
constexpr double kTokensMost = 1e12;

}  // namespace

std::string header_line(const FlightHeader& header) {
  Json json;
  json["flight"] = kFormat;
  json["tokenyard"] = header.version;
  json["policy"] = header.policy;
  if (!header.system.empty()) json["system"] = header.system;
  json["seed"] = header.seed;
  json["clairvoyant"] = header.clairvoyant;
  json["depth"] = header.depth;
  json["output_tokens_mean"] = header.output_tokens_mean;
  if (!header.trace.empty()) json["trace"] = header.trace;
  if (!header.trace_digest.empty()) json["trace_digest"] = header.trace_digest;
  json["settings"] = Json::parse(settings_json(header.settings));
  if (!header.cost_json.empty()) json["cost"] = Json::parse(header.cost_json);
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

FlightHeader read_header(const JsonObject& line) {
  FlightHeader header;
  if (!line.has("flight")) {
    line.refuse("flight", "missing; a flight record ('tokenyard run --record FILE') begins so");
  }
  line.integer("flight", kFormat, kFormat);
  header.version = line.string("tokenyard");
  header.policy = line.string("policy");
  header.system = line.string_or("system", "");
  header.seed =
      static_cast<std::uint64_t>(line.integer("seed", 0, std::numeric_limits<std::int64_t>::max()));
  header.clairvoyant = line.flag("clairvoyant");
  header.depth = static_cast<int>(line.integer("depth", 1, kDepthMost));
  header.output_tokens_mean = line.number("output_tokens_mean", 0, kTokensMost);
  header.trace = line.string_or("trace", "");
  header.trace_digest = line.string_or("trace_digest", "");
  header.settings = settings_from_json(line.object("settings"));
  if (line.has("cost")) header.cost_json = line.object("cost").raw();
  line.refuse_unread();
  return header;
}

}  // namespace tokenyard

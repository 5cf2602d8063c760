#include "experiments/settings.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "sim/kernel/input_error.hpp"
#include "sim/kernel/text.hpp"
#include "sim/server/routers.hpp"

namespace tokenyard {

namespace {

constexpr std::int64_t kMostBlocks = 4'000'000'000;
constexpr std::int64_t kMostTokens = 1'000'000'000'000;

/// Says where a value stands that `read` refuses.
template <typename Read>
void at_place(const GivenSetting& given, Read read) {
  try {
    read();
  } catch (const InputError& error) {
    throw InputError(fmt::format("{}: {}", given.place, error.what()));
  }
}

[[noreturn]] void refuse(const GivenSetting& given, std::string_view expected) {
  throw InputError(
      fmt::format("{}: expected {}, found '{}'", given.place, expected, printable(given.value)));
}

std::int64_t integer(const GivenSetting& given, std::int64_t least, std::int64_t most) {
  const auto value = parse_integer(given.value);
  if (!value || *value < least || *value > most) {
    refuse(given, fmt::format("an integer from {} to {}", least, most));
  }
  return *value;
}

double number(const GivenSetting& given, double least, double most) {
  const auto value = parse_number(given.value);
  if (!value || *value < least || *value > most) {
    refuse(given, fmt::format("a number from {} to {}", least, most));
  }
  return *value;
}

bool flag(const GivenSetting& given) {
  if (given.value != "true" && given.value != "false") refuse(given, "true or false");
  return given.value == "true";
}

template <typename Enum>
Enum choice(const GivenSetting& given, std::initializer_list<std::string_view> options) {
  const auto found = std::find(options.begin(), options.end(), given.value);
  if (found == options.end()) refuse(given, fmt::format("one of {}", fmt::join(options, ", ")));
  return static_cast<Enum>(found - options.begin());
}

std::string name_of(Reserve reserve) {
  constexpr const char* kNames[] = {"paged", "whole", "pow2", "oracle"};
  return kNames[static_cast<std::size_t>(reserve)];
}

std::string name_of(Evict evict) {
  constexpr const char* kNames[] = {"recompute", "swap", "cheaper"};
  return kNames[static_cast<std::size_t>(evict)];
}

std::string name_of(SwapOrder order) {
  return order == SwapOrder::ranking ? "ranking" : "next-scheduled";
}

std::string text_of(bool value) {
  return value ? "true" : "false";
}

/// ID:AT_S or ID:AT_S:FOR_S.
FailReplica parse_failure(std::string_view text, const GivenSetting& given) {
  constexpr std::string_view kForm =
      "ID:AT_S or ID:AT_S:FOR_S, as in 0:10 or 1:10:2.5 (several with commas between)";
  const std::vector<std::string_view> parts = split(text, ':');
  if (parts.size() != 2 && parts.size() != 3) refuse(given, kForm);
  const auto seconds = [&](std::string_view part, double least) {
    constexpr double kMostSeconds = 1e9;
    const auto value = parse_number(part);
    if (!value || *value < least || *value > kMostSeconds) refuse(given, kForm);
    return *value;
  };
  const auto replica = parse_integer(parts[0]);
  if (!replica || *replica < 0) refuse(given, kForm);
  FailReplica failure{*replica, seconds(parts[1], 0), std::nullopt};
  if (parts.size() == 3) failure.for_s = seconds(parts[2], 1e-9);
  return failure;
}

std::string show_failures(const Settings& settings) {
  std::string text;
  for (const FailReplica& failure : settings.failures) {
    text += fmt::format("{}{}:{}", text.empty() ? "" : ",", failure.replica,
                        format_number(failure.at_s));
    if (failure.for_s) text += ":" + format_number(*failure.for_s);
  }
  return text;
}

using S = Settings;
using G = GivenSetting;

constexpr std::string_view kRecent = "recent:";

void read_watermark(Settings& settings, const GivenSetting& given) {
  KvSettings& kv = settings.server.kv;
  kv.watermark = 0;
  kv.watermark_window = Duration{0};
  if (!given.value.starts_with(kRecent)) {
    kv.watermark = number(given, 0, 1);
    return;
  }
  const auto seconds = parse_number(given.value.substr(kRecent.size()));
  constexpr double kMost = 1e6;
  if (!seconds || *seconds < 1e-3 || *seconds > kMost) {
    refuse(given, "a number from 0 to 1, or recent:SECONDS from 0.001 to 1000000");
  }
  kv.watermark_window = from_seconds(*seconds);
}

std::string show_watermark(const Settings& settings) {
  const KvSettings& kv = settings.server.kv;
  if (kv.watermark_window == Duration{0}) return format_number(kv.watermark);
  return std::string(kRecent) + format_number(to_seconds(kv.watermark_window));
}

constexpr std::string_view kBlocks = "blocks:";

void read_resample(Settings& settings, const GivenSetting& given) {
  constexpr double kMostSeconds = 3e9;
  const bool named = given.value.starts_with(kBlocks);
  const auto seconds = parse_number(named ? given.value.substr(kBlocks.size()) : "");
  if (!seconds || *seconds < 1e-9 || *seconds > kMostSeconds) {
    refuse(given, "blocks:SECONDS, as in blocks:60");
  }
  settings.resample_block_s = *seconds;
}

std::string show_resample(const Settings& settings) {
  if (!settings.resample_block_s) return "";
  return std::string(kBlocks) + format_number(*settings.resample_block_s);
}

constexpr SettingEntry kEntries[] = {
    {"executor", false, "model: costs only; engine: a real model computes (model)",
     [](S& s, const G& g) {
       if (g.value != "model" && g.value != "engine") refuse(g, "model or engine");
       s.executor = g.value;
     },
     [](const S& s) { return s.executor; }},
    {"clock", false,
     "simulated, or wall: arrivals and iterations in real time, with the engine (simulated)",
     [](S& s, const G& g) {
       if (g.value != "simulated" && g.value != "wall") refuse(g, "simulated or wall");
       s.clock = g.value;
     },
     [](const S& s) { return s.clock; }},
    {"weights", false,
     "the engine's model: a Hugging Face folder, a llama2.c folder or file, or "
     "random:NAME[,seed=N]",
     [](S& s, const G& g) { s.weights = g.value; }, [](const S& s) { return s.weights; }},
    {"dtype", false, "of the engine's weights: f32, bf16, bf16-widened or auto, as stored (auto)",
     [](S& s, const G& g) {
       const bool known =
           g.value == "f32" || g.value == "bf16" || g.value == "bf16-widened" || g.value == "auto";
       if (!known) refuse(g, "f32, bf16, bf16-widened or auto");
       s.dtype = g.value;
     },
     [](const S& s) { return s.executor == "engine" ? s.dtype : ""; }},
    {"kv-cache-dtype", false,
     "of the engine's KV blocks: f32, bf16 or auto: f32 with weights in f32, else bf16 (auto)",
     [](S& s, const G& g) {
       if (g.value != "f32" && g.value != "bf16" && g.value != "auto") {
         refuse(g, "f32, bf16 or auto");
       }
       s.kv_cache_dtype = g.value;
     },
     [](const S& s) { return s.executor == "engine" ? s.kv_cache_dtype : ""; }},
    {"threads", false, "threads that compute in the engine; 0 = the cores (0)",
     [](S& s, const G& g) { s.threads = integer(g, 0, 1024); },
     [](const S& s) { return s.executor == "engine" ? fmt::to_string(s.threads) : ""; }},
    {"cost", false, "cost model FILE (JSON); then --kv-blocks is needed unless a model is named",
     [](S& s, const G& g) { s.cost_file = g.value; }, [](const S& s) { return s.cost_file; }},
    {"model", false, "model NAME, see 'list models'",
     [](S& s, const G& g) { s.model_name = g.value; }, [](const S& s) { return s.model_name; }},
    {"device", false, "device NAME, see 'list devices'",
     [](S& s, const G& g) { s.device_name = g.value; }, [](const S& s) { return s.device_name; }},
    {"tp", false, "tensor-parallel degree (1)",
     [](S& s, const G& g) { s.tp = integer(g, 1, 1024); },
     [](const S& s) { return fmt::to_string(s.tp); }},
    {"pp", false, "pipeline stages, each with its share of the layers (1)",
     [](S& s, const G& g) { s.pp = integer(g, 1, 1024); },
     [](const S& s) { return fmt::to_string(s.pp); }},
    {"topology", false,
     "what joins the devices: a NAME of 'list topologies' or a .json file (the device's own links)",
     [](S& s, const G& g) { s.topology = g.value; }, [](const S& s) { return s.topology; }},
    {"replicas", false, "servers of this kind behind a router (1)",
     [](S& s, const G& g) { s.replicas = integer(g, 1, 4096); },
     [](const S& s) { return s.replicas > 1 ? fmt::to_string(s.replicas) : ""; }},
    {"prefill-replicas", false,
     "so many of the replicas only prefill and hand their requests over to the others, which "
     "decode "
     "(0: each does both)",
     [](S& s, const G& g) { s.prefill_replicas = integer(g, 0, 4096); },
     [](const S& s) { return s.prefill_replicas > 0 ? fmt::to_string(s.prefill_replicas) : ""; }},
    {"router", false, "which replica gets a request, see 'list routers' (round-robin)",
     [](S& s, const G& g) {
       at_place(g, [&] { make_router(g.value, 0); });
       s.router = g.value;
     },
     [](const S& s) { return s.replicas > 1 ? s.router : ""; }},
    {"fail-replica", false,
     "ID:AT_S[:FOR_S]: replica ID (from 0) fails and loses all it holds, for good or for so long; "
     "may repeat (none)",
     [](S& s, const G& g) {
       for (const std::string_view each : split(g.value, ',')) {
         s.failures.push_back(parse_failure(each, g));
       }
     },
     show_failures, true},
    {"max-num-seqs", false, "most sequences in an iteration (256)",
     [](S& s, const G& g) { s.server.limits.max_num_seqs = integer(g, 1, 1'000'000); },
     [](const S& s) { return fmt::to_string(s.server.limits.max_num_seqs); }},
    {"max-num-batched-tokens", false, "most new tokens in an iteration (2048)",
     [](S& s, const G& g) { s.server.limits.max_num_batched_tokens = integer(g, 1, kMostTokens); },
     [](const S& s) { return fmt::to_string(s.server.limits.max_num_batched_tokens); }},
    {"chunked-prefill", false, "most prompt tokens of a request in an iteration; 0 = whole (0)",
     [](S& s, const G& g) { s.server.limits.chunk_tokens = integer(g, 0, kMostTokens); },
     [](const S& s) { return fmt::to_string(s.server.limits.chunk_tokens); }},
    {"static-batching", true, "a batch runs until its longest member ends (off)",
     [](S& s, const G& g) { s.server.limits.static_batching = flag(g); },
     [](const S& s) { return text_of(s.server.limits.static_batching); }},
    {"look-past", true, "go on past a request that does not fit (off)",
     [](S& s, const G& g) { s.server.limits.look_past = flag(g); },
     [](const S& s) { return text_of(s.server.limits.look_past); }},
    {"no-macro-steps", true, "step every iteration: the same results, slower (off)",
     [](S& s, const G& g) { s.server.macro_steps = !flag(g); },
     [](const S& s) { return text_of(!s.server.macro_steps); }},
    {"max-waiting", false,
     "a request that finds so many waiting for their first turn is rejected; 0 = never (0)",
     [](S& s, const G& g) { s.server.limits.max_waiting = integer(g, 0, kMostTokens); },
     [](const S& s) { return fmt::to_string(s.server.limits.max_waiting); }},
    {"max-preemptions", false,
     "a request that has lost its KV so often is given room for all it may produce; 0 = never (0)",
     [](S& s, const G& g) { s.server.limits.max_preemptions = integer(g, 0, kMostTokens); },
     [](const S& s) { return fmt::to_string(s.server.limits.max_preemptions); }},
    {"max-model-len", false,
     "longest context, longer requests are rejected (the model's; 0 = none)",
     [](S& s, const G& g) { s.server.limits.max_model_len = integer(g, 0, kMostTokens); },
     [](const S& s) { return fmt::to_string(s.server.limits.max_model_len); }},
    {"block-size", false, "tokens a KV block (16)",
     [](S& s, const G& g) { s.server.kv.block_size = integer(g, 1, 1'000'000); },
     [](const S& s) { return fmt::to_string(s.server.kv.block_size); }},
    {"kv-blocks", false, "KV blocks on the device (from model and device)",
     [](S& s, const G& g) { s.server.kv.device_blocks = integer(g, 1, kMostBlocks); },
     [](const S& s) { return fmt::to_string(s.server.kv.device_blocks); }},
    {"reserve", false, "paged, whole, pow2 or oracle (paged)",
     [](S& s, const G& g) {
       s.server.kv.reserve = choice<Reserve>(g, {"paged", "whole", "pow2", "oracle"});
     },
     [](const S& s) { return name_of(s.server.kv.reserve); }},
    {"host-blocks", false, "KV blocks on the host, for swapping (from model and device)",
     [](S& s, const G& g) {
       s.server.kv.host_blocks = integer(g, 0, kMostBlocks);
       s.derive_host_blocks = false;
     },
     [](const S& s) { return fmt::to_string(s.server.kv.host_blocks); }},
    {"evict", false, "under memory pressure: recompute, swap or cheaper (recompute)",
     [](S& s, const G& g) {
       s.server.kv.evict = choice<Evict>(g, {"recompute", "swap", "cheaper"});
     },
     [](const S& s) { return name_of(s.server.kv.evict); }},
    {"proactive-swap", true,
     "copy KV out and in ahead of need (off); needs --evict swap or cheaper",
     [](S& s, const G& g) { s.server.kv.proactive_swap = flag(g); },
     [](const S& s) { return text_of(s.server.kv.proactive_swap); }},
    {"swap-order", false,
     "of proactive swapping: next-scheduled, by the policy's estimate, or ranking (next-scheduled)",
     [](S& s, const G& g) {
       s.server.kv.swap_order = choice<SwapOrder>(g, {"next-scheduled", "ranking"});
     },
     [](const S& s) { return name_of(s.server.kv.swap_order); }},
    {"watermark", false,
     "share of blocks kept free when a request enters, or idle by proactive swapping; recent:S = "
     "what the prompts of the last S seconds need (0)",
     read_watermark, show_watermark},
    {"admit-whole-prompt", true,
     "a request enters only with blocks for its whole prompt, where it is prefilled in chunks "
     "(off)",
     [](S& s, const G& g) { s.server.kv.admit_whole_prompt = flag(g); },
     [](const S& s) { return text_of(s.server.kv.admit_whole_prompt); }},
    {"enable-prefix-caching", true,
     "start on the blocks of a prompt already known, where the trace tells of its content (off)",
     [](S& s, const G& g) { s.server.kv.prefix_caching = flag(g); },
     [](const S& s) { return text_of(s.server.kv.prefix_caching); }},
    {"guard", false,
     "starvation guard around the policy: after_ms=X, skips=K or aging=R, see above (none)",
     [](S& s, const G& g) { s.guard = g.value; }, [](const S& s) { return s.guard; }},
    {"predictor", false,
     "length predictor for policies that need one, see 'list predictors' (oracle)",
     [](S& s, const G& g) { s.predictor = g.value; }, [](const S& s) { return s.predictor; }},
    {"request-rate", false, "stretch all gaps to this mean rate, requests/s (as recorded)",
     [](S& s, const G& g) { s.request_rate = number(g, 1e-9, 1e9); },
     [](const S& s) { return s.request_rate ? format_number(*s.request_rate) : ""; }},
    {"limit", false, "only the first N requests (all)",
     [](S& s, const G& g) { s.limit = integer(g, 1, 4'000'000'000); },
     [](const S& s) { return s.limit ? fmt::to_string(*s.limit) : ""; }},
    {"resample", false,
     "blocks:S: a recorded trace put together anew for each seed, from windows of S seconds (off)",
     read_resample, show_resample},
    {"warmup", false,
     "leave requests of the first S seconds out of the summary; auto: as many as MSER-5 says (0)",
     [](S& s, const G& g) {
       s.find_warmup = g.value == "auto";
       s.warmup_s = s.find_warmup ? 0 : number(g, 0, 1e9);
     },
     [](const S& s) { return s.find_warmup ? "auto" : format_number(s.warmup_s); }},
};

}  // namespace

std::span<const SettingEntry> setting_entries() {
  return kEntries;
}

void apply_settings(Settings& settings, std::span<const GivenSetting> given) {
  for (const GivenSetting& value : given) {
    const auto entry = std::find_if(std::begin(kEntries), std::end(kEntries),
                                    [&](const SettingEntry& e) { return e.name == value.name; });
    if (entry == std::end(kEntries)) {
      std::vector<std::string> names;
      for (const SettingEntry& e : kEntries) names.emplace_back(e.name);
      throw InputError(fmt::format("{}: unknown setting '{}'{}", value.place, printable(value.name),
                                   suggestion(value.name, names)));
    }
    entry->apply(settings, value);
  }
}

}  // namespace tokenyard

#include "experiments/cli/generate_command.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <thread>

#include "experiments/cli/command_line.hpp"
#include "experiments/offline.hpp"
#include "experiments/run_json.hpp"
#include "sim/kernel/input_error.hpp"
#include "sim/kernel/text.hpp"

namespace tokenyard {

namespace {

constexpr const char* kUsage =
    "tokenyard generate --weights W --prompt TEXT [options]\n"
    "\n"
    "Offline inference with the real engine: standard output is the prompt and its completion,\n"
    "nothing else. W is a Hugging Face folder (config.json, safetensors, tokenizer), or a folder "
    "of\n"
    "llama2.c. Several prompts or outputs are separated by a line of three dashes.\n"
    "\n"
    "Examples:\n"
    "  tokenyard generate --weights models/gpt2 --prompt 'Once upon a time' --temperature 0\n"
    "  tokenyard generate --weights models/gpt2 --prompt 'A list:' -n 3 --top-p 0.9 --seed 7\n"
    "  tokenyard generate --weights models/gpt2 --prompt 'In short,' --beam-width 4\n\n";

std::vector<OptionRow> option_rows() {
  return {
      {"weights", "W", "the model"},
      {"prompt", "TEXT", "what to continue; may repeat", true},
      {"max-tokens", "N", "most tokens of the completion (16)"},
      {"min-tokens", "N", "tokens before anything but the length ends it (0)"},
      {"temperature", "T", "0 = greedy (1; with beams 0)"},
      {"top-k", "N", "only the N most likely tokens; 0 = all (0)"},
      {"top-p", "P", "only the most likely tokens of probability P together (1)"},
      {"min-p", "P", "only tokens at least P times as likely as the likeliest (0)"},
      {"repetition-penalty", "R", "for tokens of prompt and completion (1)"},
      {"stop", "TEXT", "text that ends the completion, not part of it; may repeat", true},
      {"ignore-eos", "", "go on past end tokens"},
      {"n", "N", "completions, also -n (1)"},
      {"best-of", "N", "completions drawn, of which the n likeliest are shown (n)"},
      {"beam-width", "N", "beam search; 0 = none (0)"},
      {"length-penalty", "X", "exponent of the length in a beam's score (1)"},
      {"seed", "N", "seed of the samples (1)"},
      {"dtype", "NAME", "f32, bf16, bf16-widened or auto (auto)"},
      {"kv-cache-dtype", "NAME", "f32, bf16 or auto: f32 with weights in f32, else bf16 (auto)"},
      {"threads", "N", "threads that compute; 0 = the cores (0)"},
      {"help", "", "this text"},
  };
}

double number(const CommandLine& line, const char* name, double fallback) {
  const auto text = line.value(name);
  if (!text) return fallback;
  const auto value = parse_number(*text);
  if (!value)
    line.refuse(fmt::format("--{}: expected a number, found '{}'", name, printable(*text)));
  return *value;
}

SamplingParams params_of(const CommandLine& line) {
  constexpr std::int64_t kMost = 2'000'000'000;
  SamplingParams params;
  params.max_tokens = line.integer("max-tokens", 1, kMost, 16);
  params.min_tokens = line.integer("min-tokens", 0, kMost, 0);
  params.temperature = number(line, "temperature", params.temperature);
  params.top_k = static_cast<std::int32_t>(line.integer("top-k", -1, kMost, 0));
  params.top_p = number(line, "top-p", params.top_p);
  params.min_p = number(line, "min-p", params.min_p);
  params.repetition_penalty = number(line, "repetition-penalty", params.repetition_penalty);
  params.stop = line.values("stop");
  params.ignore_eos = line.flag("ignore-eos");
  constexpr std::int64_t kMostSequences = 1024;
  params.n = static_cast<std::int32_t>(line.integer("n", 1, kMostSequences, 1));
  if (line.has("best-of")) {
    params.best_of = static_cast<std::int32_t>(line.integer("best-of", 1, kMostSequences, 1));
  }
  params.beam_width = static_cast<std::int32_t>(line.integer("beam-width", 0, kMostSequences, 0));
  if (params.beam_search() && !line.has("temperature")) params.temperature = 0;
  params.length_penalty = number(line, "length-penalty", params.length_penalty);
  return params;
}

}  // namespace

int run_generate_command(const std::vector<std::string>& arguments) {
  std::vector<std::string> spelled = arguments;
  std::replace(spelled.begin(), spelled.end(), std::string("-n"), std::string("--n"));
  const std::vector<OptionRow> rows = option_rows();
  const CommandLine line("generate", spelled, rows);
  if (line.flag("help")) {
    fmt::print("{}{}", kUsage, options_help(rows));
    return 0;
  }
  if (!line.positionals().empty()) line.refuse("prompts are given with --prompt");
  const std::vector<std::string> prompts = line.values("prompt");
  if (!line.has("weights")) line.refuse("no --weights given; see 'tokenyard generate --help'");
  if (prompts.empty()) line.refuse("no --prompt given; see 'tokenyard generate --help'");
  const SamplingParams params = params_of(line);
  const auto seed = static_cast<std::uint64_t>(line.integer("seed", 0, INT64_MAX, 1));
  const auto cores = static_cast<std::int64_t>(std::thread::hardware_concurrency());
  const std::int64_t threads = line.integer("threads", 0, 1024, 0);
  EngineModel model(*line.value("weights"), line.value("dtype").value_or("auto"),
                    static_cast<int>(threads > 0 ? threads : std::max<std::int64_t>(1, cores)),
                    line.value("kv-cache-dtype").value_or("auto"));
  std::string text;
  for (const OfflineResult& result : generate_texts(model, prompts, params, seed)) {
    for (const GeneratedOutput& output : result.outputs) {
      if (!text.empty()) text += "\n---\n";
      text += result.prompt + output.text;
    }
  }
  if (isatty(STDOUT_FILENO) != 0) text += '\n';
  fmt::print("{}", text);
  return 0;
}

}  // namespace tokenyard

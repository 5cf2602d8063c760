#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "sim/kernel/strict_json.hpp"
#include "sim/ports/cost_model.hpp"

namespace tokenyard {

/// Reads a cost model from a JSON object, by its "kind":
/// - {"kind":"linear", "iteration_s":a, …}: see linear_cost_model.hpp;
/// - {"kind":"roofline", "model":NAME, "device":NAME, "tp":N, "pp":N, "topology":NAME}: see
///   roofline_cost_model.hpp; "tp" and "pp" are 1 when left out, and without a topology the
///   device's own links stand;
/// - {"kind":"pipeline", "stages":[…], "to_next":{"latency_s":a, "token_s":b}}: stages of any other
///   kind; a roofline with "pp":N and "stage":I is the I-th of N;
/// - {"kind":"table", "tokens":{…}, …, "beyond":{"kind":"linear"|"roofline", …}}: see
///   table_cost_model.hpp. With "use":"beyond" the latter charges alone.
/// A KV block holds `block_tokens` tokens. Names are looked up in `data` (the folder with specs/,
/// devices/ and topologies/). Other kinds and unknown keys are refused by name. Throws
/// `InputError`.
std::unique_ptr<CostModel> cost_model_from_json(const JsonObject& file,
                                                const std::filesystem::path& data,
                                                std::int64_t block_tokens = 16);

/// The same for a file.
std::unique_ptr<CostModel> read_cost_model_file(const std::string& path,
                                                const std::filesystem::path& data,
                                                std::int64_t block_tokens = 16);

}  // namespace tokenyard

#pragma once

#include <string>

#include "traces/reader.hpp"

namespace tokenyard {

/// How trace files are read by commands: `format` as `--format` has it, tokenizers by the engine.
ReadOptions trace_options(std::string format);

}  // namespace tokenyard

#pragma once

#include <string_view>

#include "traces/trace_builder.hpp"

namespace tokenyard {

/// Reads a line of the canonical form that is as plain as nearly all are: an object of the known
/// fields whose values are whole numbers in range, not negative, or texts of printable ASCII
/// without escapes, each field once and the required ones there. The texts in `row` point into
/// `line`.
///
/// Fields of `detail_fields` are not plain.
///
/// False for any other line, right or wrong, with `row` in no particular state: the general parser
/// is to read it, or to say what is wrong with it. What this accepts, that reads in the same way.
bool read_plain_row(std::string_view line, TraceRow& row);

}  // namespace tokenyard

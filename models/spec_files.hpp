#pragma once
// Where data files of models and devices are, and which there are.

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "sim/kernel/strict_json.hpp"

namespace tokenyard {

/// The names of the files NAME.json in a folder, sorted; empty if there is no such folder.
std::vector<std::string> list_spec_names(const std::filesystem::path& folder);

/// Reads NAME.json of a folder and checks that the file calls itself NAME. A name without a file is
/// an `InputError` that says what `kind` ("model", "device") of thing is unknown, and what there
/// is.
JsonObject read_spec_file(const std::filesystem::path& folder, std::string_view kind,
                          std::string_view name);

}  // namespace tokenyard

#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace tokenyard {

/// Where the project's data files are: the folder named by the environment variable
/// TOKENYARD_DATA, else the source tree.
std::filesystem::path data_directory();

/// The names (without .json) of the data files in this folder of the data directory, sorted.
std::vector<std::string> data_names(const std::filesystem::path& folder);

/// The path of one of them; an unknown name is an `InputError` with the nearest known. `kind` is
/// for the message ("system").
std::filesystem::path data_file(const std::filesystem::path& folder, const std::string& kind,
                                const std::string& name);

}  // namespace tokenyard

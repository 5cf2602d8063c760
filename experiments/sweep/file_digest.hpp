#pragma once
// What tells files apart, and programs.

#include <filesystem>
#include <string>
#include <string_view>

namespace tokenyard {

/// A fingerprint of a text (`TextHash`): 16 hex digits. No protection against forgery.
std::string text_digest(std::string_view text);

/// The same of a file's bytes. Throws `InputError` where it cannot be read to its end.
std::string file_digest(const std::filesystem::path& file);

/// The same of all regular files in a folder and below, with their names; of a file, its own.
std::string tree_digest(const std::filesystem::path& place);

/// What this program is: its version, its code (the executable's bytes) and its data (models and
/// devices). Computed once a process; thread-safe.
const std::string& program_digest();

}  // namespace tokenyard

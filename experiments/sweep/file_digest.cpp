#include "experiments/sweep/file_digest.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <vector>

#include "experiments/data_files.hpp"
#include "experiments/run_json.hpp"
#include "sim/kernel/input_error.hpp"
#include "traces/text_hash.hpp"

namespace tokenyard {

namespace fs = std::filesystem;

namespace {

std::string digits(const TextHash& hash) {
  return fmt::format("{:016x}", hash.value());
}

void add_file(TextHash& hash, const fs::path& file) {
  constexpr std::size_t kPart = std::size_t{1} << 20U;
  std::ifstream in(file, std::ios::binary);
  std::vector<char> part(kPart);
  while (in) {
    in.read(part.data(), static_cast<std::streamsize>(part.size()));
    hash.text({part.data(), static_cast<std::size_t>(in.gcount())});
  }
  if (!in.eof()) throw InputError(file.string(), 0, "", "cannot be read");
}

/// The regular files at a place, in the order of their names.
std::vector<fs::path> files_at(const fs::path& place) {
  std::error_code error;
  if (!fs::is_directory(place, error)) return {place};
  std::vector<fs::path> files;
  for (fs::recursive_directory_iterator entry(place, error), end; !error && entry != end;
       entry.increment(error)) {
    if (entry->is_regular_file(error)) files.push_back(entry->path());
  }
  if (error) throw InputError(place.string(), 0, "", "cannot be listed: " + error.message());
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace

std::string text_digest(std::string_view text) {
  TextHash hash;
  hash.text(text);
  return digits(hash);
}

std::string file_digest(const fs::path& file) {
  TextHash hash;
  add_file(hash, file);
  return digits(hash);
}

std::string tree_digest(const fs::path& place) {
  TextHash hash;
  for (const fs::path& file : files_at(place)) {
    hash.text(file.lexically_relative(place).generic_string());
    add_file(hash, file);
  }
  return digits(hash);
}

const std::string& program_digest() {
  static const std::string digest = [] {
    const fs::path models = data_directory() / "models";
    TextHash hash;
    hash.text(version());
    hash.text(file_digest("/proc/self/exe"));
    hash.text(tree_digest(models / "specs"));
    hash.text(tree_digest(models / "devices"));
    return digits(hash);
  }();
  return digest;
}

}  // namespace tokenyard

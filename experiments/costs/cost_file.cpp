#include "experiments/costs/cost_file.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>

#include "experiments/record/result_folder.hpp"
#include "sim/kernel/input_error.hpp"

namespace tokenyard {

std::string cost_file_text(const CostFile& file) {
  std::string text =
      fmt::format("{{\"kind\":\"table\",\n \"use\":\"{}\",\n {},\n \"beyond\":{}",
                  file.use_table ? "table" : "beyond", to_json_members(file.table), file.beyond);
  if (!file.quality.empty()) text += ",\n \"quality\":" + file.quality;
  return text + "}\n";
}

void write_cost_file(const std::string& path, const std::string& text) {
  const std::string partial = fmt::format("{}.partial-{}", path, ::getpid());
  write_text_file(partial, text);
  std::error_code error;
  std::filesystem::rename(partial, path, error);
  if (!error) return;
  const std::string why = error.message();
  std::filesystem::remove(partial, error);
  throw InputError(path, 0, "", "cannot be written: " + why);
}

}  // namespace tokenyard

#include "experiments/report/report.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <fstream>
#include <sstream>

#include "experiments/record/result_folder.hpp"
#include "experiments/report/html.hpp"
#include "experiments/report/plots.hpp"
#include "experiments/report/result_reader.hpp"
#include "sim/kernel/input_error.hpp"

namespace tokenyard {

namespace fs = std::filesystem;

namespace {

std::string contents(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  if (!in) throw InputError(file.string(), 0, "", "cannot be read");
  return text.str();
}

}  // namespace

std::vector<std::string> write_report(const fs::path& folder) {
  const ResultFiles files = read_result_folder(folder);
  std::vector<std::string> written;
  std::vector<Drawing> drawings;
  std::vector<std::string> names = draw_jct_plots(folder / "plots", files.jct);
  for (const std::string& name : draw_rate_plot(folder / "plots", files.latency)) {
    names.push_back(name);
  }
  for (const std::string& name : names) {
    drawings.emplace_back(name, contents(folder / "plots" / (name + ".svg")));
    for (const char* ending : {".png", ".svg", ".csv"}) written.push_back("plots/" + name + ending);
  }
  std::error_code error;
  const fs::path resolved = fs::weakly_canonical(folder, error);
  fs::path name = resolved.filename();
  if (name.empty()) name = resolved.parent_path().filename();
  const fs::path partial = folder / fmt::format(".report.partial-{}", ::getpid());
  write_text_file(partial, html_page("Results: " + name.string(), files, drawings));
  fs::rename(partial, folder / "report.html", error);
  if (error) {
    throw InputError((folder / "report.html").string(), 0, "",
                     "cannot be written: " + error.message());
  }
  written.emplace_back("report.html");
  return written;
}

}  // namespace tokenyard

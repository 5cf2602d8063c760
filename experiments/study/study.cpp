#include "experiments/study/study.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <set>

#include "experiments/data_files.hpp"
#include "experiments/record/summary.hpp"
#include "experiments/report/report.hpp"
#include "sim/kernel/input_error.hpp"
#include "sim/kernel/strict_json.hpp"
#include "sim/kernel/text.hpp"

namespace tokenyard {

namespace fs = std::filesystem;

namespace {

constexpr const char* kFile = "study.json";
constexpr const char* kRooms = "experiments";
constexpr double kMost = 1e12;

std::vector<std::string> strings_or_none(const JsonObject& json, const std::string& key) {
  return json.has(key) ? json.strings(key) : std::vector<std::string>();
}

/// A file's name without any folder: a study is one folder.
void check_file(const JsonObject& json, const std::string& key, const fs::path& folder,
                const std::string& name) {
  std::error_code error;
  if (name != fs::path(name).filename() || !fs::is_regular_file(folder / name, error)) {
    json.refuse(key, fmt::format("'{}' is no file in the study's folder", printable(name)));
  }
}

void check_metric(const JsonObject& json, const std::string& key, const std::string& metric) {
  const auto& names = metric_names();
  if (std::ranges::find(names, metric) == names.end()) {
    json.refuse(key, fmt::format("'{}' is no metric of summary.csv{}", printable(metric),
                                 suggestion(metric, names)));
  }
}

StudyRatio read_ratio(const JsonObject& json) {
  StudyRatio ratio{json.string("of"), json.string("to"), std::nullopt, std::nullopt};
  if (json.has("published")) ratio.published = json.number("published", 0, kMost);
  if (json.has("range")) {
    const std::vector<double> ends = json.numbers("range", 0, kMost);
    if (ends.size() != 2 || ends[0] > ends[1]) json.refuse("range", "is no [least, most]");
    ratio.range = {ends[0], ends[1]};
  }
  json.refuse_unread();
  return ratio;
}

void read_axis(const JsonObject& json, StudyFigure& figure) {
  if (!json.has("x")) return;
  const JsonObject axis = json.object("x");
  figure.variant_axis = axis.string("variant");
  figure.x_label = axis.string("label");
  figure.log_x = axis.flag_or("log", false);
  axis.refuse_unread();
}

void read_lines(const JsonObject& json, StudyFigure& figure) {
  if (!json.has("lines")) return;
  const JsonObject lines = json.object("lines");
  for (const std::string& label : lines.keys()) {
    figure.lines.push_back({label, lines.string(label)});
  }
  if (figure.lines.empty()) json.refuse("lines", "names none");
}

StudyFigure read_figure(const JsonObject& json, const fs::path& folder) {
  StudyFigure figure;
  figure.name = json.string("name");
  const auto plain = [](unsigned char c) { return c < 0x80 && (std::isalnum(c) != 0 || c == '_'); };
  if (figure.name.empty() || !std::ranges::all_of(figure.name, plain)) {
    json.refuse("name", "is made of letters, digits and _");  // as gnuplot wants it
  }
  figure.title = json.string("title");
  figure.plans = json.strings("plans");
  if (figure.plans.empty()) json.refuse("plans", "names none");
  for (const std::string& plan : figure.plans) check_file(json, "plans", folder, plan);
  figure.metric = json.string_or("metric", "");
  figure.table = strings_or_none(json, "table");
  if (figure.metric.empty() == figure.table.empty()) {
    json.refuse("metric", "expected either a metric, to draw, or a \"table\" of some");
  }
  if (!figure.metric.empty()) check_metric(json, "metric", figure.metric);
  for (const std::string& metric : figure.table) check_metric(json, "table", metric);
  read_axis(json, figure);
  read_lines(json, figure);
  figure.published = json.string_or("published", "");
  if (!figure.published.empty()) check_file(json, "published", folder, figure.published);
  if (json.has("bound")) figure.bound = json.number("bound", 1e-12, kMost);
  if (json.has("ratios")) {
    if (!figure.bound) json.refuse("ratios", "need a \"bound\", at which rates are read off");
    for (const JsonObject& ratio : json.objects("ratios")) {
      figure.ratios.push_back(read_ratio(ratio));
    }
  }
  figure.y_most = json.number_or("y_most", 0, kMost, 0);
  figure.slow = json.flag_or("slow", false);
  figure.notes = strings_or_none(json, "notes");
  json.refuse_unread();
  return figure;
}

}  // namespace

Study read_study(const fs::path& folder) {
  Study study;
  study.folder = folder;
  const fs::path file = folder / kFile;
  study.text = file_contents(file);
  const JsonObject json = JsonFile::parse(study.text, file.string());
  const fs::path whole = fs::absolute(folder).lexically_normal();
  study.name = (whole.filename().empty() ? whole.parent_path() : whole).filename().string();
  study.title = json.string("title");
  study.source = json.string("source");
  study.notes = strings_or_none(json, "notes");
  std::set<std::string> names;
  for (const JsonObject& figure : json.objects("figures")) {
    study.figures.push_back(read_figure(figure, folder));
    if (!names.insert(study.figures.back().name).second) {
      figure.refuse("name", "is given twice");
    }
  }
  if (study.figures.empty()) json.refuse("figures", "names none");
  json.refuse_unread();
  return study;
}

fs::path find_study(const std::string& name) {
  std::error_code error;
  if (fs::is_regular_file(fs::path(name) / kFile, error)) return name;
  const auto names = study_names();
  if (std::ranges::find(names, name) == names.end()) {
    throw InputError(fmt::format("'{}' is neither a folder with a study.json nor one of {}{}",
                                 printable(name), fmt::join(names, ", "), suggestion(name, names)));
  }
  return data_directory() / kRooms / name;
}

std::vector<std::string> study_names() {
  std::vector<std::string> names;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(data_directory() / kRooms, error)) {
    if (fs::is_regular_file(entry.path() / kFile, error)) {
      names.push_back(entry.path().filename().string());
    }
  }
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace tokenyard

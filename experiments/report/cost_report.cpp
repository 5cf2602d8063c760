#include "experiments/report/cost_report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <set>
#include <variant>

#include "experiments/report/html.hpp"
#include "experiments/report/html_tables.hpp"
#include "experiments/report/line_plot.hpp"
#include "experiments/report/report.hpp"
#include "models/cost_model_file.hpp"
#include "models/table_cost_model.hpp"

namespace tokenyard {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kPointsMost = 20;

/// At most so many, evenly spread, the ends among them.
std::vector<double> thinned(const std::vector<double>& points) {
  if (points.size() <= kPointsMost) return points;
  std::vector<double> kept;
  for (std::size_t i = 0; i < kPointsMost; ++i) {
    kept.push_back(points[i * (points.size() - 1) / (kPointsMost - 1)]);
  }
  return kept;
}

std::vector<double> powers_of_two(double most) {
  std::vector<double> points;
  for (double at = 1; at <= most; at *= 2) points.push_back(at);
  return points;
}

/// Where a model is looked at.
struct Places {
  std::vector<double> tokens, before;      ///< of a prompt
  std::vector<double> sequences, context;  ///< of decodes
  std::string beyond;                      ///< what the two last points are; empty: nothing is
};

std::vector<double> rows_of(const MeasuredGrid& grid) {
  std::vector<double> points;
  for (const auto& row : grid.rows()) points.push_back(row.x);
  return points;
}

std::vector<double> columns_of(const MeasuredGrid& grid) {
  std::set<double> points;
  for (const auto& row : grid.rows()) {
    points.insert(row.curve.points().begin(), row.curve.points().end());
  }
  return {points.begin(), points.end()};
}

Places places_of(const CostTable* table) {
  constexpr double kTokensMost = 4096, kSequencesMost = 128;
  Places places{powers_of_two(kTokensMost),
                {0, 1024, 3072},
                powers_of_two(kSequencesMost),
                powers_of_two(kTokensMost),
                ""};
  if (table == nullptr) return places;
  places.beyond = " The last two points of each line lie beyond what was measured.";
  const auto use = [](std::vector<double>& place, const std::vector<double>& measured) {
    place = thinned(measured);
    place.push_back(2 * measured.back());
    place.push_back(4 * measured.back());
  };
  use(places.tokens,
      table->prefill_attention ? rows_of(*table->prefill_attention) : table->tokens.points());
  if (table->prefill_attention) {
    const std::vector<double> before = columns_of(*table->prefill_attention);
    places.before = {0, before[before.size() / 2], before.back()};
  }
  if (table->decode_attention) {
    use(places.sequences, rows_of(*table->decode_attention));
    use(places.context, columns_of(*table->decode_attention));
  }
  return places;
}

/// Least, middle and greatest of the points that were measured.
std::vector<double> three_of(const std::vector<double>& points, bool has_beyond) {
  const std::size_t measured = points.size() - (has_beyond ? 2 : 0);
  return {points.front(), points[measured / 2], points[measured - 1]};
}

IterationLoad prefill_load(double tokens, double before) {
  const auto chunk = static_cast<std::int64_t>(tokens);
  return IterationLoad::one_prefill(chunk, chunk + static_cast<std::int64_t>(before));
}

IterationLoad decode_load(double sequences, double context) {
  IterationLoad load;
  load.decode_sequences = static_cast<std::int64_t>(sequences);
  load.decode_context_tokens = load.decode_sequences * static_cast<std::int64_t>(context);
  return load;
}

/// A model by the name that it has in legends.
struct NamedCost {
  std::string name;
  const CostModel* cost = nullptr;
};

using LoadAt = std::function<IterationLoad(double x, double of)>;

std::vector<Line> lines_of(const std::vector<NamedCost>& costs, const std::vector<double>& at,
                           const std::vector<double>& of, const char* words, const LoadAt& load) {
  constexpr double kSecond_ms = 1000;
  std::vector<Line> lines;
  for (const NamedCost& each : costs) {
    for (const double value : of) {
      Line line{fmt::format("{}: {:g} {}", each.name, value, words), {}};
      for (const double x : at) {
        line.points.push_back(
            {x, kSecond_ms * to_seconds(each.cost->iteration(load(x, value))), {}});
      }
      lines.push_back(std::move(line));
    }
  }
  return lines;
}

struct CostPlot {
  LinePlot plot;
  std::string caption;
  std::vector<Line> lines;
};

LinePlot plot_of(const char* name, const char* title, const char* x_label, const char* x_column) {
  LinePlot plot;
  plot.name = name;
  plot.title = title;
  plot.x_label = x_label;
  plot.y_label = "iteration (ms)";
  plot.x_column = x_column;
  plot.y_column = "iteration_ms";
  plot.log_x = plot.log_y = true;
  return plot;
}

std::vector<CostPlot> plots_of(const std::vector<NamedCost>& costs, const Places& places) {
  const bool beyond = !places.beyond.empty();
  const auto flipped = [](double context, double sequences) {
    return decode_load(sequences, context);
  };
  return {
      {plot_of("cost_prefill", "An iteration with one prompt or chunk", "tokens computed",
               "tokens"),
       "Where a line is flat weights are read, whatever is computed with them; where it rises with "
       "the tokens they are computed with; attention bends it further." +
           places.beyond,
       lines_of(costs, places.tokens, places.before, "tokens before it", prefill_load)},
      {plot_of("cost_decode_batch", "An iteration of decodes, by their number", "sequences",
               "sequences"),
       "As long as a line is flat, more sequences cost nothing." + places.beyond,
       lines_of(costs, places.sequences, three_of(places.context, beyond), "tokens of context",
                decode_load)},
      {plot_of("cost_decode_context", "An iteration of decodes, by their context",
               "tokens of context of each sequence", "context_tokens"),
       "A line rises where reading KV takes longer than all else." + places.beyond,
       lines_of(costs, places.context, three_of(places.sequences, beyond), "sequences", flipped)}};
}

}  // namespace

std::vector<std::string> write_cost_report(const std::string& file, const fs::path& data,
                                           const fs::path& folder) {
  const JsonObject json = JsonFile::read(file);
  const std::unique_ptr<CostModel> cost = cost_model_from_json(json, data);
  const auto* table = dynamic_cast<const TableCostModel*>(cost.get());
  std::vector<NamedCost> costs = {{table != nullptr ? "table" : json.string("kind"), cost.get()}};
  if (table != nullptr) {
    std::visit([&](const auto& form) { costs.push_back({"form", &form}); }, table->beyond());
  }
  const Places places = places_of(table != nullptr ? &table->table() : nullptr);
  std::vector<std::string> written;
  std::vector<Drawing> drawings;
  for (const CostPlot& each : plots_of(costs, places)) {
    if (!draw_lines(folder / "plots", each.plot, each.lines)) continue;
    const std::string path = "plots/" + each.plot.name;
    drawings.push_back({each.plot.name, each.caption, file_contents(folder / (path + ".svg"))});
    for (const char* ending : {".png", ".svg", ".pdf", ".csv"}) written.push_back(path + ending);
  }
  std::string text = html_beginning("Costs: " + fs::path(file).filename().string());
  if (json.has("source")) {
    text += "<p class=\"note\">" + html_escaped(json.string("source")) + "</p>\n";
  }
  for (const Drawing& drawing : drawings) text += figure_html(drawing);
  if (json.has("quality")) {
    text += "<h2>How well it predicts</h2>\n<pre>" + html_escaped(json.raw("quality")) + "</pre>\n";
  }
  text += "<h2>Form</h2>\n<pre>" +
          html_escaped(json.has("beyond") ? json.raw("beyond") : json.raw()) +
          "</pre>\n</body>\n</html>\n";
  write_page(folder, text);
  written.emplace_back("report.html");
  return written;
}

}  // namespace tokenyard

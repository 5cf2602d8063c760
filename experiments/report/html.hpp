#pragma once

#include <string>
#include <vector>

#include "experiments/report/result_reader.hpp"

namespace tokenyard {

/// A drawing for the page.
struct Drawing {
  std::string name;     ///< of its files in plots/
  std::string caption;  ///< how to read it
  std::string svg;      ///< the text of its .svg
};

/// How every page begins: its head with the house style, and its title as a headline. The body is
/// left open.
std::string html_beginning(const std::string& title);

/// A drawing as a part of a page, with its caption and where its files are.
std::string figure_html(const Drawing& drawing);

/// What a page is made of.
struct Page {
  std::string title;
  const ResultFiles& files;
  std::vector<std::string> warnings;
  std::vector<Drawing> drawings;
  std::vector<std::string> tips;  ///< what would show more
  std::string slo;                ///< the bounds behind a column "goodput"; may be empty
};

/// One HTML page that needs nothing else: no network, no script, drawings inside. It shows the
/// warnings, the comparison, the drawings, every number of summary.csv and the settings.
std::string html_page(const Page& page);

}  // namespace tokenyard

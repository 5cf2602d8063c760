// The page in a real browser: headless Chromium, where it is installed.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "experiments/cli/run_command.hpp"
#include "experiments/report/gnuplot.hpp"
#include "experiments/report/report.hpp"
#include "tests/experiments/made_up.hpp"

namespace tokenyard {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

std::size_t count_of(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) {
    ++count;
  }
  return count;
}

// Would catch: markup that a browser mends by dropping or moving parts, drawings that are lost in
// the page, a page that asks for anything from elsewhere, and one that cannot be drawn.
TEST(ReportBrowser, ShowsTheWholePage) {
  if (!gnuplot_available()) GTEST_SKIP() << "gnuplot is not installed";
  if (std::system("command -v chromium >/dev/null") != 0) GTEST_SKIP() << "no chromium";
  const made_up::ScratchFolder scratch;
  const fs::path results = scratch.path() / "r";
  testing::internal::CaptureStdout();
  ASSERT_EQ(
      run_run_command({R"({"requests":60,"arrivals":"poisson:rate=2","lengths":"alpaca-like"})",
                       "fcfs", "mlfq", "--repeat", "2", "--iterations", "--model", "opt-13b",
                       "--device", "a100-40g", "--quiet", "--out", results.string()}),
      0);
  testing::internal::GetCapturedStdout();
  const auto written = write_report(results);
  const std::string browser =
      "timeout 100 chromium --headless --no-sandbox --disable-gpu --disable-dev-shm-usage "
      "--user-data-dir=" +
      (scratch.path() / "profile").string() + " ";
  const std::string page = " file://" + (results / "report.html").string() + " ";
  const fs::path dom_file = scratch.path() / "dom.html", log_file = scratch.path() / "log";
  const std::string dump = browser + "--enable-logging=stderr --dump-dom" + page + ">" +
                           dom_file.string() + " 2>" + log_file.string();
  ASSERT_EQ(std::system(dump.c_str()), 0) << made_up::contents(log_file);
  const std::string dom = made_up::contents(dom_file);
  for (const char* part :
       {"Before you trust it", "Comparison", "Plots", "All numbers", "Configuration", "</body>"}) {
    EXPECT_THAT(dom, HasSubstr(part));
  }
  const std::size_t figures = (written.size() - 1) / 4;
  EXPECT_EQ(count_of(dom, "<svg"), figures);
  EXPECT_EQ(count_of(dom, "<figcaption>"), figures);
  EXPECT_EQ(count_of(dom, "<tr>"), count_of(dom, "</tr>"));
  EXPECT_EQ(count_of(made_up::contents(log_file), ":CONSOLE"), 0U);
  const fs::path picture = scratch.path() / "page.png";
  const std::string shoot = browser + "--window-size=1200,2400 --screenshot=" + picture.string() +
                            page + "2>" + log_file.string();
  ASSERT_EQ(std::system(shoot.c_str()), 0) << made_up::contents(log_file);
  EXPECT_GT(fs::file_size(picture), 50'000U);
}

}  // namespace
}  // namespace tokenyard

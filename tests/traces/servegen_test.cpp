// Client mixtures from a folder of ServeGen.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <set>

#include "tests/traces/drawn.hpp"
#include "tests/traces/made_up_files.hpp"
#include "traces/servegen_folder.hpp"

namespace tokenyard {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

/// A folder whose clients are made up.
class Clients {
 public:
  /// Windows of 600 s from 0 on, all with this row behind their start.
  void add(int number, int windows, const std::string& row) const {
    std::string rows;
    for (int i = 0; i < windows; ++i) rows += fmt::format("{},{}\n", 600 * i, row);
    write_trace(number, rows);
  }
  void write_trace(int number, const std::string& rows) const {
    folder_.write(fmt::format("chunk-{}-trace.csv", number), rows);
  }
  void write_dataset(int number, const std::string& json) const {
    folder_.write(fmt::format("chunk-{}-dataset.json", number), json);
  }
  /// Every request with this prompt and output.
  void add_lengths(int number, int prompt, int output) const {
    write_dataset(number, fmt::format(R"({{"0":{{"input_tokens":"{{{}: 1.0}}",)"
                                      R"("output_tokens":"{{{}: 1.0}}"}}}})",
                                      prompt, output));
  }
  std::string spec(const std::string& more = "") const {
    return fmt::format("servegen:folder={}{}", folder_.path(), more);
  }
  std::string path() const { return folder_.path(); }

 private:
  TemporaryFolder folder_;
};

double requests_of(const Trace& trace, const std::string& tenant) {
  double count = 0;
  for (const auto& request : trace.requests) {
    count += trace.tenants[index(request.tenant)] == tenant ? 1 : 0;
  }
  return count;
}

// Would catch: an archive that is read in another way than the folder, or only if it was packed in
// one way; a damaged one that passes.
TEST(ServegenArchive, IsReadLikeItsFolder) {
  const Clients clients;
  clients.add(3, 2, "1.5,1,Gamma,1,0.5");
  clients.add_lengths(3, 20, 30);
  clients.add(11, 1, "0.5,1,,1,1");
  const TemporaryFolder folder;
  const std::string parts = clients.path().substr(clients.path().rfind('/') + 1);
  const std::string above = clients.path().substr(0, clients.path().rfind('/'));
  for (const std::string name : {"c.tar", "c.tar.gz", "pax.tar", "v7.tar"}) {
    const std::string packed = folder.path(name);
    const auto dot = name.find('.');
    const std::string form = dot == 1 ? "gnu" : name.substr(0, dot);
    const std::string command = fmt::format("tar -C '{}' -c{}f '{}' --format {} '{}'", above,
                                            name.ends_with("gz") ? "z" : "", packed, form, parts);
    ASSERT_EQ(std::system(command.c_str()), 0);
    const auto read = read_servegen_folder(packed);
    ASSERT_EQ(read.size(), 2U);
    EXPECT_EQ(read[0].number, 3);
    EXPECT_EQ(read[0].rates.size(), 2U);
    EXPECT_TRUE(read[0].has_dataset);
    EXPECT_EQ(read[1].number, 11);
    EXPECT_FALSE(read[1].has_dataset);
    const std::string spec = fmt::format("servegen:folder={}", packed);
    EXPECT_EQ(generate({{}, spec, "fixed:prompt=1,output=1", {}, 600.0}, 1).digest,
              generate({{}, clients.spec(), "fixed:prompt=1,output=1", {}, 600.0}, 1).digest);
    const std::string bytes = test::file_content(packed);
    const std::string cut = folder.write("part", bytes.substr(0, bytes.size() / 3));
    EXPECT_THAT(message_of([&] { read_servegen_folder(cut); }),
                testing::AnyOf(HasSubstr("the archive is cut off"), HasSubstr("is truncated")));
  }
  EXPECT_THAT(message_of([&] { read_servegen_folder(folder.write("t", "no archive")); }),
              HasSubstr("t: cannot be read as a tar archive"));
}

// Would catch: clients whose rates, lengths or names are mixed up, requests in silent windows, a
// rate that is not that of the window. Counts of Poisson clients are known within four roots.
TEST(Servegen, MixesItsClients) {
  const Clients clients;
  clients.write_trace(3, "0,2,1,Gamma,1,0.5\n600,0,0,,0,0\n1200,6,1,Weibull,1,0.2\n");
  clients.add_lengths(3, 100, 10);
  clients.add(12, 3, "1,1,Gamma,1,1");
  clients.add_lengths(12, 200, 20);
  const Trace trace = draw_for(1800, clients.spec(), "");
  EXPECT_NEAR(requests_of(trace, "client-3"), 4800, 4 * std::sqrt(4800.0));
  EXPECT_NEAR(requests_of(trace, "client-12"), 1800, 4 * std::sqrt(1800.0));
  std::vector<double> by_window(3);
  Time before = kOrigin;
  for (const auto& request : trace.requests) {
    const bool third = trace.tenants[index(request.tenant)] == "client-3";
    ASSERT_EQ(request.input_tokens, third ? 100 : 200);
    ASSERT_EQ(request.output_tokens, third ? 10 : 20);
    ASSERT_GE(request.arrival, before);
    before = request.arrival;
    if (third) ++by_window[static_cast<std::size_t>(to_seconds(before - kOrigin) / 600)];
  }
  EXPECT_NEAR(by_window[0], 1200, 4 * std::sqrt(1200.0));
  EXPECT_EQ(by_window[1], 0);
  EXPECT_NEAR(by_window[2], 3600, 4 * std::sqrt(3600.0));
  // From the middle on, at half the rates.
  const Trace later = draw_for(600, clients.spec(",start_s=1200,rate_factor=0.5"), "");
  EXPECT_NEAR(requests_of(later, "client-3"), 1800, 4 * std::sqrt(1800.0));
  EXPECT_NEAR(requests_of(later, "client-12"), 300, 4 * std::sqrt(300.0));
}

// Would catch: gaps that are begun anew in each window: of a calm client, of whose requests three
// come in a window, half a one a window would then be lost. The variance of the count is cv^2 times
// its mean.
TEST(Servegen, GapsGoOnOverTheEndOfAWindow) {
  const Clients clients;
  clients.add(0, 2'000, "0.005,0.2,Gamma,25,1");
  clients.add_lengths(0, 1, 1);
  const Trace trace = draw_for(600 * 2'000, clients.spec(), kOneToken);
  EXPECT_NEAR(static_cast<double>(trace.requests.size()), 6'000, 4 * 0.2 * std::sqrt(6'000.0));
}

// Would catch: a shape that is not used, a scale that is
// used in the rate's place (here it says 100 times as many), Weibull and gamma swapped.
TEST(Servegen, GapsHaveTheShapeOfTheirLaw) {
  const Clients gamma;
  gamma.add(0, 60, "2.5,3,Gamma,0.1111111111111111,0.036");
  gamma.add_lengths(0, 1, 1);
  const Trace trace = draw_for(36'000, gamma.spec(), "");
  const Moments gaps = gaps_s(trace);
  EXPECT_NEAR(gaps.mean, 0.4, 0.4 * 4 * 3 / std::sqrt(9e4));
  EXPECT_NEAR(gaps.cv, 3, 4 * 0.0224);
  const Clients weibull;
  weibull.add(0, 60, "2.5,2,Weibull,0.5426925612864533,0.004");
  weibull.add_lengths(0, 1, 1);
  const std::vector<double> drawn = gaps_of(draw_for(36'000, weibull.spec(), ""));
  const auto below = std::ranges::count_if(drawn, [](double gap) { return gap < 0.1171146; });
  EXPECT_NEAR(static_cast<double>(below) / static_cast<double>(drawn.size()), 0.5, 4 * 0.5 / 300);
}

// Would catch: clients that all begin with a request or with a whole gap: of a bursty client that
// sends 3 requests a window, a window would then see 6 more or, of a calm one, half a request less.
TEST(Servegen, ClientsBeginInTheirSteadyState) {
  for (const auto& [cv, row] :
       {std::pair(4.0, "0.005,4,Gamma,0.0625,1"), std::pair(0.2, "0.005,0.2,Gamma,25,1"),
        std::pair(2.0, "0.005,2,Weibull,0.5426925612864533,1")}) {
    const Clients clients;
    for (int number = 0; number < 2'000; ++number) clients.add(number, 1, row);
    clients.add_lengths(0, 1, 1);
    const Trace trace = draw_for(600, clients.spec(), kOneToken);
    // The variance of a client's count is at most that of far away windows, 3 cv^2, and some.
    const double error = std::sqrt((3 * cv * cv + 1) * 2'000);
    EXPECT_NEAR(static_cast<double>(trace.requests.size()), 6'000, 4 * error) << cv;
  }
}

// Would catch: lengths of another window, parts of a prompt that are left out, draws that are not
// by the probabilities.
TEST(Servegen, LengthsAreThoseOfTheTime) {
  const Clients clients;
  clients.add(7, 72, "1,1,Gamma,1,1");
  clients.write_dataset(
      7,
      R"({"0":{"text_tokens":"{10: 0.25, 20: 0.75}","image_tokens":"{1000: 1.0}",)"
      R"("image_count":"{0: 0.5, 2: 0.5}","audio_tokens":"{0: 1.0}","audio_count":"{0: 1.0}",)"
      R"("output_tokens":"{5: 1.0}"},)"
      R"("21600":{"input_tokens":"{7:1}","output_tokens":"{8:1}","reason_ratio":"{0.5: 1.0}"}})");
  double long_prompts = 0, twenties = 0, early = 0;
  for (const auto& request : draw_for(43'200, clients.spec(), "").requests) {
    if (request.arrival - kOrigin >= std::chrono::seconds(21'600)) {
      ASSERT_EQ(request.input_tokens, 7);
      ASSERT_EQ(request.output_tokens, 8);
      continue;
    }
    ++early;
    long_prompts += request.input_tokens >= 2000 ? 1 : 0;
    twenties += request.input_tokens % 1000 == 20 ? 1 : 0;
    ASSERT_EQ(request.output_tokens, 5);
  }
  EXPECT_NEAR(long_prompts / early, 0.5, 4 * 0.5 / std::sqrt(21'600.0));
  EXPECT_NEAR(twenties / early, 0.75, 4 * 0.433 / std::sqrt(21'600.0));
}

// Would catch: clients without lengths that vanish in silence, or that take those of others.
TEST(Servegen, ClientsWithoutLengthsAreToldAndLeftOut) {
  const Clients clients;
  clients.add(1, 2, "1,1,Gamma,1,1");
  clients.add(5, 2, "1,1,Gamma,1,1");
  clients.add(6, 2, "1,1,Gamma,1,1");
  clients.add_lengths(6, 9, 9);
  clients.add(8, 2, "1,1,Gamma,1,1");
  clients.write_dataset(8, R"({"0":{"input_tokens":"{}","output_tokens":"{}"}})");
  clients.add(9, 2, "1,1,Gamma,1,1");
  clients.add_lengths(9, 9, 0);
  const Trace trace = draw_for(1200, clients.spec(), "");
  ASSERT_EQ(trace.counts.dropped.size(), 3U);
  EXPECT_EQ(trace.counts.dropped[0].reason, "clients 1 5 without a dataset");
  EXPECT_NEAR(static_cast<double>(trace.counts.dropped[0].rows), 2400, 4 * std::sqrt(2400.0));
  EXPECT_EQ(trace.counts.dropped[1].reason, "datasets without lengths at that time");
  EXPECT_EQ(trace.counts.dropped[2].reason, "zero tokens");
  std::int64_t dropped = 0;
  for (const auto& rows : trace.counts.dropped) dropped += rows.rows;
  EXPECT_EQ(trace.counts.read, trace.counts.kept + dropped);
  EXPECT_EQ(requests_of(trace, "client-6"), static_cast<double>(trace.requests.size()));
  // With lengths of another kind all clients are there.
  const Trace all = draw_for(1200, clients.spec(), kOneToken);
  EXPECT_EQ(all.requests.size(), static_cast<std::size_t>(trace.counts.read));
  EXPECT_TRUE(all.counts.dropped.empty());
}

// Would catch: a longer drawing that does not begin with the shorter one, a client that is moved by
// another, an end of the records that goes unnoticed.
TEST(Servegen, AClientDependsOnNothingButItself) {
  const Clients one;
  one.add(4, 4, "0.5,2,Gamma,0.25,8");
  one.add_lengths(4, 50, 5);
  const Clients two;
  two.add(4, 4, "0.5,2,Gamma,0.25,8");
  two.add_lengths(4, 50, 5);
  two.add(5, 4, "0.5,2,Weibull,0.7,1");
  two.add_lengths(5, 60, 6);
  const auto arrivals = [](const Trace& trace) {
    std::vector<Time> times;
    for (const auto& request : trace.requests) {
      if (trace.tenants[index(request.tenant)] == "client-4") times.push_back(request.arrival);
    }
    return times;
  };
  const Trace alone = draw_for(2400, one.spec(), "", 3);
  EXPECT_EQ(arrivals(alone), arrivals(draw_for(2400, two.spec(), "", 3)));
  const Trace shorter = draw_for(1000, two.spec(), "", 3);
  const Trace longer = draw_for(2400, two.spec(), "", 3);
  for (std::size_t i = 0; i < shorter.requests.size(); ++i) {
    ASSERT_EQ(shorter.requests[i].arrival, longer.requests[i].arrival);
  }
  EXPECT_EQ(draw_for(9999, two.spec(), "", 3).digest, longer.digest);
  EXPECT_THAT(message_of([&] { draw(100'000, two.spec(), ""); }), HasSubstr("end after"));
  EXPECT_THAT(message_of([&] { draw_for(9, two.spec(",start_s=90000"), ""); }),
              HasSubstr("no request in the time given"));
}

// Would catch: damaged files that are read as something else, and messages without the place.
TEST(Servegen, RefusesDamagedFiles) {
  const std::string row = "0,1,1,Gamma,1,1\n";
  const std::string lengths = R"({"0":{"input_tokens":"{1:1}","output_tokens":"{1:1}"}})";
  const auto refusal = [](const std::string& rows, const std::string& dataset) {
    const Clients clients;
    clients.write_trace(2, rows);
    clients.write_dataset(2, dataset);
    return message_of([&] { read_servegen_folder(clients.path()); });
  };
  const auto rows = [&](const std::string& text) { return refusal(text, lengths); };
  EXPECT_EQ(refusal(row, lengths), "no InputError");
  EXPECT_THAT(rows("0,1,1,Gamma,1\n"), StartsWith("chunk-2-trace.csv:1: expected 6 fields"));
  EXPECT_THAT(rows(row + "600,x,1,Gamma,1,1\n"), StartsWith("chunk-2-trace.csv:2: rate_rps"));
  EXPECT_THAT(rows("0,-1,1,Gamma,1,1\n"), HasSubstr("rate_rps"));
  EXPECT_THAT(rows("0,nan,1,Gamma,1,1\n"), HasSubstr("rate_rps"));
  EXPECT_THAT(rows("0,1,1,Pareto,1,1\n"), HasSubstr("expected Gamma, Weibull or nothing"));
  EXPECT_THAT(rows("0,1,1,Gamma,0,1\n"), HasSubstr("shape"));
  EXPECT_THAT(rows("0,1,1,Weibull,0.001,1\n"), HasSubstr("shape"));
  EXPECT_THAT(rows("0,1,5000,,0,0\n"), HasSubstr("cv"));
  EXPECT_THAT(rows(row + "300,1,1,Gamma,1,1\n"), HasSubstr("before the one above it ends"));
  EXPECT_THAT(rows(""), HasSubstr("chunk-2-trace.csv"));
  const auto json = [&](const std::string& text) { return refusal(row, text); };
  EXPECT_THAT(json(R"({"x":{}})"), HasSubstr("chunk-2-dataset.json:1: /x: expected the start"));
  EXPECT_THAT(json(R"({"0":{"input_tokens":"{1:1}"}})"), HasSubstr("output_tokens"));
  EXPECT_THAT(json(R"({"0":{"input_tokens":"1","output_tokens":"{1:1}"}})"),
              HasSubstr("/0/input_tokens: expected {value: probability"));
  for (const char* damaged : {"{1.5:1}", "{-1:1}", "{1:x}", "{1}", "{1:1,}", "{1:0.5}", "{1:2}",
                              "{99999999999:1}", "{1:nan}"}) {
    EXPECT_THAT(
        json(fmt::format(R"({{"0":{{"input_tokens":"{}","output_tokens":"{{1:1}}"}}}})", damaged)),
        HasSubstr("chunk-2-dataset.json:1: /0/input_tokens: "))
        << damaged;
  }
  EXPECT_THAT(json(R"({"0":{"input_tokens":"{1:1}","output_tokens":"{1:1}","colour":"{1:1}"}})"),
              HasSubstr("colour"));
  EXPECT_THAT(json(R"({"0":{"text_tokens":"{1:1}","image_tokens":"{1:1}",)"
                   R"("output_tokens":"{1:1}"}})"),
              HasSubstr("image_count"));
  const Clients empty;
  EXPECT_THAT(message_of([&] { read_servegen_folder(empty.path()); }), HasSubstr("no client"));
  empty.add_lengths(3, 1, 1);
  empty.add(4, 1, "1,1,Gamma,1,1");
  EXPECT_THAT(message_of([&] { read_servegen_folder(empty.path()); }),
              HasSubstr("chunk-3-dataset.json has no chunk-3-trace.csv"));
}

// Would catch: a folder or an archive of client records in place of a trace that is refused without
// a word of how requests are drawn from it; and another folder that is taken for one.
TEST(Servegen, SaysHowToDrawFromRecordsInPlaceOfATrace) {
  const auto how = [](const std::string& path) {
    return fmt::format(
        "{}: holds no requests; from ServeGen's client records they are drawn, by the workload "
        R"(plan '{{"duration":60,"arrivals":"servegen:folder={}"}}' in place of the trace)",
        path, path);
  };
  const auto said = [](const std::string& path, const std::string& format = "") {
    ReadOptions options;
    options.format = format;
    return test::refusal([&] { read_trace(path, options); });
  };
  const Clients clients;
  EXPECT_THAT(said(clients.path()), HasSubstr("is a directory"));
  clients.add(0, 1, "1,1,Gamma,1,1");
  EXPECT_EQ(said(clients.path()), how(clients.path()));
  EXPECT_EQ(said("records.tar.gz"), how("records.tar.gz"));
  EXPECT_EQ(said("records", "servegen"), how("records"));
}

// Would catch: a published folder that no longer reads, and a number of requests that is not the
// recorded one: rates times windows say 25,775 in this hour. Its clients are bursty: the tolerance
// is 5 %.
TEST(Servegen, ReadsAPublishedFolder) {
  const auto archive = shared_trace("servegen/reason-deepseek-r1.tar.gz");
  if (!archive) GTEST_SKIP() << "the public traces are not here";
  const TemporaryFolder folder;
  const std::string command = fmt::format("tar xzf '{}' -C '{}'", *archive, folder.path());
  ASSERT_EQ(std::system(command.c_str()), 0);
  const std::string clients = folder.path("data/reason/deepseek-r1");
  EXPECT_EQ(read_servegen_folder(clients).size(), 73U);
  const Trace trace = draw_for(3600, fmt::format("servegen:folder={},start_s=43200", clients), "");
  EXPECT_NEAR(static_cast<double>(trace.requests.size()), 25'775, 0.05 * 25'775);
  EXPECT_TRUE(trace.counts.dropped.empty());
}

}  // namespace
}  // namespace tokenyard

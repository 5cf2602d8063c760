// Requests that wait for others.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/traces/made_up_files.hpp"
#include "traces/parents.hpp"
#include "traces/rearrange.hpp"
#include "traces/replay.hpp"
#include "traces/transform.hpp"
#include "traces/writer.hpp"

namespace tokenyard {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

/// Two chats: a, then b and c at once after it, then d after both; and e alone.
constexpr const char* kChats =
    R"({"id":"d","parents":["b","c"],"delay_ns":7,"input_tokens":4,"output_tokens":9})"
    "\n"
    R"({"id":"a","arrival_ns":100,"input_tokens":1,"output_tokens":2})"
    "\n"
    R"({"id":"b","parents":["a"],"delay_ns":50,"input_tokens":2,"output_tokens":3})"
    "\n"
    R"({"id":"c","parents":["a"],"input_tokens":3,"output_tokens":5})"
    "\n"
    R"({"id":"e","arrival_ns":120,"input_tokens":5,"output_tokens":6})"
    "\n";

std::vector<std::string> labels(const Trace& trace) {
  std::vector<std::string> all;
  for (const auto& request : trace.requests) all.push_back(request.label);
  return all;
}

// Would catch: a child before its parent, edges to other requests after the sort, a wrong time
// where none is given.
TEST(Parents, StandBeforeTheirChildren) {
  const Trace trace = read_text(kChats);
  EXPECT_THAT(labels(trace), ElementsAre("a", "c", "e", "b", "d"));
  EXPECT_THAT(trace.parents.at(trace.requests[4].parents), testing::UnorderedElementsAre(1, 3));
  EXPECT_EQ(trace.requests[1].arrival, kOrigin + Duration(100));
  EXPECT_EQ(trace.requests[3].arrival, kOrigin + Duration(150));
  EXPECT_EQ(trace.requests[4].arrival, kOrigin + Duration(157));
  EXPECT_THAT(programs_of(trace), ElementsAre(0, 0, 1, 0, 0));
}

/// Two sessions over three programs of waiting requests; the last request is alone.
constexpr const char* kSessions =
    R"({"id":0,"arrival_ns":1,"input_tokens":1,"output_tokens":1,"session_id":"x"})"
    "\n"
    R"({"id":1,"arrival_ns":2,"input_tokens":1,"output_tokens":1,"session_id":"y"})"
    "\n"
    R"({"id":2,"arrival_ns":0,"input_tokens":1,"output_tokens":1,"session_id":"y"})"
    "\n"
    R"({"id":3,"parents":[0],"input_tokens":1,"output_tokens":1,"session_id":"z"})"
    "\n"
    R"({"id":4,"arrival_ns":9,"input_tokens":1,"output_tokens":1,"session_id":"z"})"
    "\n"
    R"({"id":5,"arrival_ns":9,"input_tokens":1,"output_tokens":1})"
    "\n";

std::vector<std::uint32_t> sessions(const Trace& trace) {
  std::vector<std::uint32_t> all;
  for (const auto& request : trace.requests) all.push_back(request.session);
  return all;
}

// Would catch: sessions that do not join programs, join all of them, or are numbered by the file's
// order; a digest that does not know of them.
TEST(Parents, RequestsOfASessionAreOneProgram) {
  const Trace trace = read_text(kSessions);
  EXPECT_THAT(labels(trace), ElementsAre("2", "0", "3", "1", "4", "5"));
  EXPECT_THAT(sessions(trace), ElementsAre(1, 2, 3, 1, 3, 0));
  EXPECT_THAT(programs_of(trace), ElementsAre(0, 1, 1, 0, 1, 2));
  std::string other = kSessions;
  other.replace(other.find("\"y\""), 3, "\"w\"");
  EXPECT_NE(read_text(other).digest, trace.digest);
  EXPECT_THAT(sessions(read_text("id,arrival_ns,input_tokens,output_tokens,session_id\n"
                                 "a,1,1,1,x\nb,2,1,1,\nc,3,1,1,x\n")),
              ElementsAre(1, 0, 1));
}

// Would catch: sessions of different files that become one, or are others once they are written.
TEST(Parents, SessionsOfSuperposedTracesStayApart) {
  ReadOptions options;
  options.details = true;
  const Trace sum = superpose({read_text(kSessions, options), read_text(kSessions, options)});
  EXPECT_THAT(sessions(sum), ElementsAre(1, 2, 3, 4, 5, 6, 1, 2, 5, 0, 6, 0));
  const TemporaryFolder folder;
  write_trace(sum, folder.path("sum.jsonl"));
  EXPECT_THAT(test::file_content(folder.path("sum.jsonl")), HasSubstr(R"("session_id":"2/y")"));
  EXPECT_EQ(read_trace(folder.path("sum.jsonl")).digest, sum.digest);
}

// Would catch: the longest chain by requests rather than by tokens, or one that crosses programs.
TEST(Parents, TellTheCriticalPathOfEachProgram) {
  const auto paths = critical_paths(read_text(kChats));
  ASSERT_EQ(paths.size(), 2U);
  EXPECT_EQ(paths[0].requests, 3);  // a, c, d
  EXPECT_EQ(paths[0].output_tokens, 2 + 5 + 9);
  EXPECT_EQ(paths[0].delay, Duration(7));
  EXPECT_EQ(paths[1].output_tokens, 6);
}

// Would catch: a fault of the graph that hangs, crashes or is passed over, or named at another
// line.
TEST(Parents, FaultsAreNamedWithTheirLines) {
  const auto with = [](const std::string& line) { return refusal(kChats + line + "\n"); };
  EXPECT_THAT(with(R"({"id":"f","parents":["x"],"input_tokens":1,"output_tokens":1})"),
              HasSubstr("trace:6: parents: 'x' is no request of the trace"));
  EXPECT_THAT(with(R"({"id":"f","parents":["f"],"input_tokens":1,"output_tokens":1})"),
              HasSubstr("trace:6: parents: 'f' waits for 'f'"));
  EXPECT_THAT(with(R"({"id":"f","parents":["a","a"],"input_tokens":1,"output_tokens":1})"),
              HasSubstr("trace:6: parents: 'a' is named twice"));
  EXPECT_THAT(with(R"({"id":"f","parents":["a"],"arrival_ns":99,"input_tokens":1,)"
                   R"("output_tokens":1})"),
              HasSubstr("trace:6: arrival_ns: is before a parent's"));
  EXPECT_THAT(with(R"({"id":"f","delay_ns":3,"arrival_ns":99,"input_tokens":1,)"
                   R"("output_tokens":1})"),
              HasSubstr("trace:6: /delay_ns: is for requests with parents"));
  EXPECT_THAT(with(R"({"id":"f","input_tokens":1,"output_tokens":1})"), HasSubstr("arrival_ns"));
  const std::string round = R"({"id":"f","parents":["g"],"input_tokens":1,"output_tokens":1})"
                            "\n"
                            R"({"id":"g","parents":["f"],"input_tokens":1,"output_tokens":1})";
  EXPECT_THAT(with(round), HasSubstr("which waits for it in turn"));
}

// Would catch: quadratic work where each request of a long chain stands before its parent.
TEST(Parents, ALongChainBackwardsIsReadInTime) {
  std::string text;
  for (int i = 0; i < 20'000; ++i) {
    text += R"({"id":)" + std::to_string(i) + R"(,"parents":[)" + std::to_string(i + 1) +
            R"(],"input_tokens":1,"output_tokens":1})" + "\n";
  }
  text += R"({"id":20000,"arrival_ns":0,"input_tokens":1,"output_tokens":1})";
  const Trace trace = read_text(text);
  EXPECT_EQ(trace.requests.label(0), "20000");
  EXPECT_EQ(trace.requests.label(20'000), "0");
  EXPECT_EQ(critical_paths(trace).at(0).requests, 20'001);
}

// Would catch: parents, delays or details that a rewriting loses, and an arrival that it makes up.
TEST(Parents, SurviveTheCanonicalForm) {
  const TemporaryFolder folder;
  ReadOptions options;
  options.details = true;
  const Trace trace = read_trace(
      folder.write(
          "a.jsonl",
          std::string(kChats) +
              R"({"id":"f","parents":["e"],"arrival_ns":130,"input_tokens":1,)"
              R"("output_tokens":1,"session_id":"s","turn":2,"model":"m","slo":{"ttft_s":0.5},)"
              R"("status":"ok","deadline_ns":9,"prompt":"p","ext":{"x":[1,"y"],"z":null}})"),
      options);
  for (const char* name : {"b.jsonl", "b.jsonl.gz", "b.jsonl.zst"}) {
    EXPECT_EQ(write_trace(trace, folder.path(name)), "");
    const Trace again = read_trace(folder.path(name), options);
    EXPECT_EQ(again.digest, trace.digest) << name;
    EXPECT_EQ(again.requests, trace.requests) << name;
    write_trace(again, folder.path(std::string("c-") + name));
    EXPECT_EQ(test::file_content(folder.path(std::string("c-") + name)),
              test::file_content(folder.path(name)));
  }
  const std::string text = test::file_content(folder.path("b.jsonl"));
  EXPECT_THAT(text, HasSubstr(R"({"id":"b","input_tokens":2)"));
  EXPECT_THAT(text, HasSubstr(R"("ext":{"x":[1,"y"],"z":null}})"));
  EXPECT_THAT(message_of([&] { write_trace(trace, folder.path("b.csv")); }), HasSubstr("parents"));
  Trace first = trace;
  limit(first, 3);
  EXPECT_THAT(labels(first), ElementsAre("a", "c", "e"));
}

// Would catch: a closed loop that sends too early, twice, never, or without its delay; a clock that
// stops before the last request.
TEST(Parents, AChildIsSentWhenItsLastParentHasEnded) {
  const Trace trace = read_text(kChats);  // a c e b d
  TraceView view(trace);
  TraceWorkload workload(view);
  Events events;
  std::vector<Event> due;
  const auto arrived = [&] {
    std::vector<std::pair<std::size_t, std::int64_t>> found;
    events.take_due(kNever, due);
    for (const auto& event : due) {
      const Request& request = std::get<Arrival>(event.payload).request;
      EXPECT_EQ(request.arrival, event.at);
      found.emplace_back(index(request.id), (event.at - kOrigin).count());
    }
    return found;
  };
  using Pairs = std::vector<std::pair<std::size_t, std::int64_t>>;
  workload.post_until(kOrigin + Duration(1000), events);
  EXPECT_EQ(arrived(), (Pairs{{0, 100}, {2, 120}}));
  EXPECT_TRUE(workload.expects_more());
  workload.on_end(RequestId{2}, kOrigin + Duration(1500), events);
  EXPECT_EQ(arrived(), Pairs());
  workload.on_end(RequestId{0}, kOrigin + Duration(2000), events);
  EXPECT_EQ(arrived(), (Pairs{{1, 2000}, {3, 2050}}));
  EXPECT_TRUE(workload.expects_more());
  workload.on_end(RequestId{3}, kOrigin + Duration(3000), events);
  EXPECT_EQ(arrived(), Pairs());
  workload.on_end(RequestId{1}, kOrigin + Duration(4000), events);
  EXPECT_EQ(arrived(), (Pairs{{4, 4007}}));
  EXPECT_FALSE(workload.expects_more());
  workload.post_until(kOrigin + Duration(5000), events);
  EXPECT_EQ(arrived(), Pairs());
}

}  // namespace
}  // namespace tokenyard

#include "traces/request_table.hpp"

#include <gtest/gtest.h>
//
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <vector>

#include "tests/traces/made_up_files.hpp"
#include "traces/label_set.hpp"

namespace tokenyard {
namespace {

TraceRequest any_request() {
  TraceRequest request;
  request.label = std::to_string(*rc::gen::inRange(0, 5));
  request.arrival = kOrigin + Duration(*rc::gen::inRange(0, 20));
  request.input_tokens = *rc::gen::element<std::int64_t>(1, 7, kMostTokens);
  request.output_tokens = *rc::gen::element<std::int64_t>(1, 7, kMostTokens);
  request.tenant = static_cast<TenantId>(*rc::gen::element(0, 0, 0, 1, 5));
  switch (*rc::gen::inRange(0, 8)) {
    case 0:
      request.cancel_after = Duration(9);
      break;
    case 1:
      request.outputs = {8, 2};
      break;
    case 2:
      request.best_of = 1;  // no wider than none, but asked for
      break;
    default:
      break;
  }
  return request;
}

// Would catch: a column that begins too late and shifts what came before it, options that go to
// another request in sorting, replacing or cutting, an unstable sort.
RC_GTEST_PROP(RequestTable, IsAListOfRequests, ()) {
  RequestTable table;
  std::vector<TraceRequest> list;
  const int count = *rc::gen::inRange(1, 60);
  for (int i = 0; i < count; ++i) {
    list.push_back(any_request());
    table.push_back(list.back());
  }
  const auto agree = [&] {
    RC_ASSERT(table.size() == list.size());
    RC_ASSERT(std::ranges::equal(table, list));
  };
  agree();
  for (int i = 0; i < 5; ++i) {
    const auto at = static_cast<std::size_t>(*rc::gen::inRange(0, count));
    TraceRequest other = any_request();
    other.label = list[at].label;
    list[at] = other;
    table.set(at, other);
  }
  agree();
  table.sort();
  std::ranges::stable_sort(list, {}, &TraceRequest::arrival);
  agree();
  const auto kept = static_cast<std::size_t>(*rc::gen::inRange(1, count + 1));
  table.resize(kept);
  list.resize(kept);
  table.sort();
  agree();
  std::size_t with_options = 0;
  for (const TraceRequest& request : list) {
    with_options += static_cast<const TraceOptions&>(request) != TraceOptions{} ? 1U : 0U;
  }
  RC_ASSERT(table.all_options().size() <= with_options + 5);
}

// Would catch: row numbers that turn into positions when rows are dropped or sorted, and numbers
// that are not found again among texts that were given later.
TEST(RequestTable, NamesRequestsByRow) {
  RequestTable table;
  const auto add = [&](std::uint32_t row, std::int64_t arrival) {
    table.push_back(row, kOrigin + Duration(arrival), 1, 1);
  };
  add(0, 30);
  add(1, 10);
  add(4'294'967'294U, 20);
  table.sort();
  EXPECT_EQ(table.label(0), "1");
  EXPECT_EQ(table.label(1), "4294967294");
  EXPECT_EQ(table.label(2), "0");
  TraceRequest texts;
  texts.label = "a";
  table.push_back(texts);
  EXPECT_EQ(table.label(1), "4294967294");
  EXPECT_EQ(table.label(3), "a");

  RequestTable named;
  named.push_back(2, kOrigin, 1, 1);
  named.push_back(0, kOrigin, 1, 1);
  LabelPool labels;
  for (const char* label : {"x", "", "zz"}) labels.add(label);
  named.set_labels(labels);
  EXPECT_EQ(named.label(0), "zz");
  EXPECT_EQ(named.label(1), "x");
}

// Would catch: duplicates missed between ids that are row numbers and those that are not, in either
// order, and ids that are refused though no other row has them.
TEST(TraceBuilder, FindsDuplicatesAmongRowNumbersToo) {
  const auto rows = [](const std::vector<std::string>& ids) {
    std::string text = "id,arrival_ns,input_tokens,output_tokens\n";
    for (const auto& id : ids) text += id + ",1,1,1\n";
    return text;
  };
  const auto labels = [](const Trace& trace) {
    std::vector<std::string> list;
    for (const auto& request : trace.requests) list.push_back(request.label);
    return list;
  };
  EXPECT_EQ(refusal(rows({"0", "1", "x", "1"})), "trace:5: id: '1' is a duplicate");
  EXPECT_EQ(refusal(rows({"1", "1"})), "trace:3: id: '1' is a duplicate");
  EXPECT_EQ(refusal(rows({"0", "0"})), "trace:3: id: '0' is a duplicate");
  EXPECT_EQ(refusal(rows({"0", "1", "2", "01", "3", "01"})), "trace:7: id: '01' is a duplicate");
  const std::vector<std::string> mixed = {"0", "1", "3", "2", "00", "5"};
  EXPECT_EQ(labels(read_text(rows(mixed))), mixed);
}

// Would catch: ids lost or found twice when the set grows.
TEST(LabelSet, GrowsWithoutForgetting) {
  LabelSet set;
  for (int i = 0; i < 20'000; ++i) ASSERT_TRUE(set.insert("id-" + std::to_string(i)));
  for (int i = 0; i < 20'000; ++i) ASSERT_FALSE(set.insert("id-" + std::to_string(i)));
  EXPECT_EQ(set.labels().at(12'345), "id-12345");
  EXPECT_EQ(set.take_labels().size(), 20'000U);
  EXPECT_TRUE(set.insert("id-7"));
}

}  // namespace
}  // namespace tokenyard

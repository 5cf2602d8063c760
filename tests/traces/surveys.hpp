#pragma once
// What tests of traces that are read along with a run share.

#include <gtest/gtest.h>

#include <string>

#include "tests/traces/made_up_files.hpp"
#include "traces/trace_stream.hpp"

namespace tokenyard {

/// The survey of a file that can be read along; it must tell what is known of the `whole` trace.
inline TraceSurvey survey_like(const Trace& whole, const std::string& path,
                               const ReadOptions& options) {
  auto survey = survey_trace(path, options);
  if (!survey) {
    ADD_FAILURE() << path << " must be read whole";
    return survey_of(whole);
  }
  const TraceSurvey expected = survey_of(whole);
  EXPECT_EQ(survey->requests, expected.requests);
  EXPECT_EQ(survey->tenants, expected.tenants);
  EXPECT_EQ(survey->counts, expected.counts);
  EXPECT_EQ(survey->sessions, expected.sessions);
  EXPECT_EQ(survey->output_tokens, expected.output_tokens);
  EXPECT_EQ(survey->longest_context, expected.longest_context);
  EXPECT_EQ(survey->first_arrival, expected.first_arrival);
  EXPECT_EQ(survey->last_arrival, expected.last_arrival);
  return *std::move(survey);
}

}  // namespace tokenyard

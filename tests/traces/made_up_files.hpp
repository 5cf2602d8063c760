#pragma once
// Small made-up files for the tests of this folder.

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <string_view>

#include "sim/kernel/input_error.hpp"
#include "sim/kernel/strict_json.hpp"
#include "tests/support/files.hpp"
#include "traces/reader.hpp"

namespace tokenyard {

using test::TemporaryFolder;

inline Trace read_text(std::string_view content, const ReadOptions& options = {},
                       const std::string& name = "trace") {
  const TemporaryFolder folder;
  return read_trace(folder.write(name, content), options);
}

/// To keep the fields that describe a request.
inline ReadOptions with_details() {
  ReadOptions options;
  options.details = true;
  return options;
}

/// Those of a request, as JSON members.
inline std::string details(const Trace& trace, std::size_t request) {
  const auto text = trace.details.at(trace.requests[request].details);
  return {text.begin(), text.end()};
}

/// What an action says when it throws an `InputError`, from the file's name on.
template <typename Action>
std::string message_of(Action action) {
  try {
    action();
  } catch (const InputError& error) {
    const std::string message = error.what();
    EXPECT_EQ(message.find('\n'), std::string::npos) << message;
    const auto slash = message.rfind('/', message.find(": "));
    return slash == std::string::npos ? message : message.substr(slash + 1);
  }
  return "no InputError";
}

/// What `read_trace` says about a bad file called "trace".
inline std::string refusal(std::string_view content, const ReadOptions& options = {}) {
  return message_of([&] { read_text(content, options); });
}

/// The committed sample workload, and the plan in its own meta line that it was drawn by.
inline const std::string kSample = TOKENYARD_SOURCE_DIR "/traces/data/demo.jsonl";
inline JsonObject sample_plan() {
  return JsonFile::parse(read_trace(kSample).meta, "meta");
}

/// A file of the collection of public traces, where this machine has one.
inline std::optional<std::string> shared_trace(const std::string& name) {
  return test::shared_path("traces/" + name);
}

}  // namespace tokenyard

// Every reader against input that was made to break it: each file is refused with its place, and
// nothing else happens.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <functional>
#include <regex>

#include "experiments/cli/trace_command.hpp"
#include "tests/traces/made_up_files.hpp"
#include "traces/output_file.hpp"
#include "traces/readers/catalogue.hpp"

namespace tokenyard {
namespace {

using testing::HasSubstr;

/// How a reader's files begin, and one good row in which any text can stand for a number, a text
/// and a value that nobody knows.
struct Form {
  const char* format;
  const char* head;
  std::function<std::string(const std::string& number, const std::string& text)> row;
  bool json = true;
  bool keeps_text = true;  ///< whether the row has a place for the text
  const char* tail = "";
};

const std::vector<Form>& forms() {
  using fmt::format;
  static const std::vector<Form> forms = {
      {"tokenyard", "",
       [](const auto& n, const auto& t) {
         return format(R"({{"id":"{}","arrival_ns":1,"input_tokens":{},"output_tokens":1}})", t,
                       n) +
                "\n";
       }},
      {"csv", "id,arrival_ns,input_tokens,output_tokens\n",
       [](const auto& n, const auto& t) { return format("{},1,{},1\n", t, n); }, false},
      {"csv:arrival=t,unit=s,input_tokens=in,output_tokens=out", "who,t,in,out\n",
       [](const auto& n, const auto& t) { return format("{},1,{},1\n", t, n); }, false},
      {"azure", "TIMESTAMP,ContextTokens,GeneratedTokens\n",
       [](const auto& n, const auto&) { return format("2023-11-16 18:15:46.68,{},1\n", n); }, false,
       false},
      {"vidur", "arrived_at,num_prefill_tokens,num_decode_tokens\n",
       [](const auto& n, const auto&) { return format("1.5,{},1\n", n); }, false, false},
      {"burstgpt", "Timestamp,Model,Request tokens,Response tokens\n",
       [](const auto& n, const auto& t) { return format("1,{},{},1\n", t, n); }, false},
      {"mooncake", "",
       [](const auto& n, const auto& t) {
         return format(R"({{"timestamp":1,"input_length":{},"output_length":1,"x":"{}"}})", n, t) +
                "\n";
       }},
      {"bailian", "",
       [](const auto& n, const auto& t) {
         return format(R"({{"chat_id":"{}","timestamp":1,"input_length":{},"output_length":1}})", t,
                       n) +
                "\n";
       }},
      {"tracelab", "",
       [](const auto& n, const auto& t) {
         return format(R"({{"session_id":"{}","round_index":0,"input_tokens_total":{},)", t, n) +
                R"("output_tokens":1,"timing_events":[{"event_type":"user_message",)"
                R"("timestamp":"2026-06-01T05:40:20Z"}]})"
                "\n";
       }},
      {"sharegpt", "[",
       [](const auto& n, const auto& t) {
         return format(R"({{"id":"{}","conversations":[{{"from":"human","tokens":{}}},)", t, n) +
                R"({"from":"gpt","tokens":1}]})";
       },
       true, true, "]"},
      {"vllm-bench", R"({"request_throughput":1,"total_input_tokens":1,"start_times":[1],)",
       [](const auto& n, const auto& t) {
         return format(R"("output_lens":[1],"input_lens":[{}],"errors":["{}"])", n, t);
       },
       true, true, "}"},
  };
  return forms;
}

std::string whole(const Form& form, const std::string& number, const std::string& text = "a") {
  return form.head + form.row(number, text) + form.tail;
}

/// What all ways of reading a file say about it.
std::string said(const Form& form, const std::string& content, bool details) {
  ReadOptions options;
  options.format = form.format;
  options.details = details;
  return message_of([&] { read_trace_text("trace", content, options); });
}

/// Checks that a file is refused at a line, with a column or the name of the field.
void expect_refused(const Form& form, const std::string& content, const char* what) {
  static const std::regex place(R"(trace:\d+: (.*column \d+.*|[A-Za-z_/][A-Za-z0-9_ /]*: .*))");
  for (const bool details : {false, true}) {
    const std::string message = said(form, content, details);
    EXPECT_TRUE(std::regex_match(message, place)) << form.format << ", " << what << ": " << message;
  }
}

// Would catch: a table that a new reader is missing from, or whose good rows are not good, so that
// what follows would prove nothing.
TEST(HostileInput, EveryReaderIsInTheTable) {
  for (const auto& reader : trace_readers()) {
    EXPECT_TRUE(std::any_of(forms().begin(), forms().end(), [&](const Form& form) {
      return std::string_view(form.format).starts_with(reader.name);
    })) << reader.name;
  }
  for (const Form& form : forms()) {
    EXPECT_EQ(said(form, whole(form, "7"), true), "no InputError") << form.format;
  }
}

// Would catch: numbers that wrap, are cut or pass as others, anywhere.
TEST(HostileInput, NumbersAreRefusedWithTheirPlace) {
  for (const Form& form : forms()) {
    for (const char* number :
         {"9223372036854775807", "9223372036854775808", "18446744073709551616",
          "-9223372036854775809", "123456789012345678901234567890", "NaN", "Infinity", "-Infinity",
          "1e999", "1.5", "-1", "0x10", "+1", "\"\"", "1_0", "--1", ""}) {
      expect_refused(form, whole(form, number), number);
    }
  }
}

// Would catch: bytes that end a text early, or go through into files that must be UTF-8.
TEST(HostileInput, BadBytesAreRefusedWithTheirPlace) {
  for (const Form& form : forms()) {
    if (!form.keeps_text) continue;
    for (const std::string& bad : {std::string("\0", 1), std::string("\xff"),
                                   std::string("\xc0\x80"), std::string("\xed\xa0\x80"),
                                   std::string("\xf8\x88\x80\x80\x80"), std::string("\xe2\x82")}) {
      expect_refused(form, whole(form, "7", bad), "bad bytes");
    }
    if (!form.json) continue;
    for (const char* bad : {"\t", "\x01", "\\x", "\\u12", "\\ud800", "\\udc00x"}) {
      expect_refused(form, whole(form, "7", bad), bad);
    }
  }
}

// Would catch: recursion that ends in a crash, and time that grows with the square of the depth.
TEST(HostileInput, DeepNestingIsRefused) {
  for (const Form& form : forms()) {
    if (!form.json) continue;
    for (const char* bracket : {"[", "{\"a\":"}) {
      std::string deep;
      for (int i = 0; i < 100'000; ++i) deep += bracket;
      expect_refused(form, whole(form, deep), "deep");
      expect_refused(form, deep, "deep from the start");
    }
  }
}

// Would catch: broken text that is read as less than it was.
TEST(HostileInput, CutTextIsRefused) {
  for (const Form& form : forms()) {
    if (!form.json) continue;
    const std::string text = whole(form, "7");
    const std::size_t end = text.find_last_not_of('\n') + 1;
    for (std::size_t size = 2; size < end; ++size) {
      EXPECT_NE(said(form, text.substr(0, size), false), "no InputError")
          << form.format << ": " << text.substr(0, size);
    }
  }
}

std::string gzip_of(const std::string& text) {
  const TemporaryFolder folder;
  OutputFile file(folder.path("t.gz"));
  file.write(text);
  file.commit();
  return test::file_content(folder.path("t.gz"));
}

/// A file that begins with `head` and goes on with a gibibyte of ones; small, for it is gzip, of
/// which a member may follow another.
std::string head_and_gibibyte(const TemporaryFolder& folder, const std::string& head) {
  static const std::string ones = gzip_of(std::string(std::size_t{64} << 20, '1'));
  std::string packed = gzip_of(head);
  for (int i = 0; i < 16; ++i) packed += ones;
  return folder.write("trace.gz", packed);
}

// Would catch: memory that grows with the length of a line or value.
TEST(HostileInput, ALineOfAGibibyteIsRefusedInBoundedMemory) {
  for (const Form& form : forms()) {
    const TemporaryFolder folder;
    ReadOptions options;
    options.format = form.format;
    const std::string row = form.row("7", "a");
    const std::string path = head_and_gibibyte(folder, form.head + row.substr(0, row.find("7")));
    const std::string message = message_of([&] { read_trace(path, options); });
    EXPECT_THAT(message, HasSubstr("longer than 16 MiB")) << form.format;
    EXPECT_THAT(message, testing::MatchesRegex("trace.gz:[0-9]+: .*column [0-9]+.*"));
  }
}

// Would catch: a damaged archive that passes as a shorter trace, of any format.
TEST(HostileInput, TruncatedCompressionIsRefused) {
  for (const Form& form : forms()) {
    for (const char* ending : {".gz", ".zst"}) {
      const TemporaryFolder folder;
      std::string text = form.head;
      for (int i = 0; i < (*form.tail == '\0' ? 5'000 : 1); ++i) {
        text += form.row("7", fmt::format("{}", i));
      }
      {
        OutputFile file(folder.path("t" + std::string(ending)));
        file.write(text + form.tail);
        file.commit();
      }
      ReadOptions options;
      options.format = form.format;
      const std::string packed = test::file_content(folder.path("t" + std::string(ending)));
      for (const std::size_t size : {std::size_t{1}, std::size_t{5}, packed.size() / 2,
                                     packed.size() - 5, packed.size() - 1}) {
        const std::string cut = folder.write("cut" + std::string(ending), packed.substr(0, size));
        EXPECT_THAT(message_of([&] { read_trace(cut, options); }),
                    testing::ContainsRegex("cut.(gz|zst):[0-9]+: the compressed data is truncated"))
            << form.format << " " << size << " of " << packed.size();
      }
    }
  }
}

// Would catch: half a file left behind by a conversion that failed late, or another status than 2.
TEST(HostileInput, NothingHalfWrittenIsLeft) {
  const TemporaryFolder folder;
  std::string text = "id,arrival_ns,input_tokens,output_tokens\n";
  for (int i = 0; i < 5'000; ++i) text += fmt::format("{},1,1,1\n", i);
  const std::string in = folder.write("in.csv", text + "x,1,99999999999999999999,1\n");
  for (const char* ending : {".jsonl", ".jsonl.gz", ".csv.zst"}) {
    const std::string out = folder.path("out" + std::string(ending));
    EXPECT_THAT(message_of([&] {
                  run_trace_command({"convert", in, out, "--quiet"});
                }),
                HasSubstr("in.csv:5002: input_tokens: "));
    const std::string program =
        fmt::format("{} trace convert {} {} 2>/dev/null", TOKENYARD_BINARY, in, out);
    EXPECT_EQ(WEXITSTATUS(std::system(program.c_str())), 2);
  }
  const auto files = std::filesystem::directory_iterator(folder.path());
  EXPECT_EQ(std::distance(begin(files), end(files)), 1);
}

}  // namespace
}  // namespace tokenyard

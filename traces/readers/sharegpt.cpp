// Conversations in ShareGPT's form: a JSON array, or one a line, of {"id":…,"conversations":
// [{"from":"human","value":…},{"from":"gpt","value":…},…]}. Nothing tells when they came, so all
// begin at once, and each turn is sent when the one before it has been answered. A turn's prompt is
// all that was said before its answer, as chat clients send it.

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <vector>

#include "sim/kernel/text.hpp"
#include "traces/json_pieces.hpp"
#include "traces/readers/catalogue.hpp"
#include "traces/readers/details.hpp"

namespace tokenyard {

namespace {

bool recognises(std::string_view beginning) {
  if (!beginning.starts_with('[') && !beginning.starts_with('{')) return false;
  const auto has = [&](std::string_view key) {
    return beginning.find(key) != std::string_view::npos;
  };
  if (has("\"conversations\"")) return true;
  return beginning.starts_with('[') && has("\"items\"") && has("\"from\"");
}

/// The first of these keys that the object has; the first of all where it has none.
template <std::size_t N>
std::string_view key_of(const JsonObject& json, const std::array<std::string_view, N>& names) {
  const auto found = std::ranges::find_if(names, [&](auto name) { return json.has(name); });
  return found == names.end() ? names.front() : *found;
}

bool is_answer(const JsonObject& message) {
  static constexpr std::array<std::string_view, 2> kRoleKeys = {"from", "role"};
  static constexpr std::array<std::string_view, 6> kAnswers = {"gpt",  "assistant", "chatgpt",
                                                               "bing", "bard",      "model"};
  static constexpr std::array<std::string_view, 7> kOthers = {
      "human", "user", "system", "tool", "function", "function_call", "observation"};
  const std::string_view key = key_of(message, kRoleKeys);
  const std::string role = message.string(key);
  if (std::ranges::find(kAnswers, role) != kAnswers.end()) return true;
  if (std::ranges::find(kOthers, role) != kOthers.end()) return false;
  message.refuse(key,
                 fmt::format("'{}' is neither one who asks ({}) nor one who answers ({})",
                             printable(role), fmt::join(kOthers, ", "), fmt::join(kAnswers, ", ")));
}

class ShareGptRows final : public RowReader {
 public:
  ShareGptRows(LineReader& lines, const ReadOptions& options, TokenCounter count_tokens)
      : pieces_(lines), keeps_details_(options.details), count_tokens_(std::move(count_tokens)) {}

  bool next(TraceRow& row) override {
    while (at_ == turns_.size()) {
      if (!next_conversation()) return false;
    }
    const Turn& turn = turns_[at_++];
    row.label = turn.label;
    row.session = id_;
    row.input_tokens = turn.input_tokens;
    row.output_tokens = turn.output_tokens;
    row.arrival_given = turn.parents.empty();
    row.parents = turn.parents;
    row.details = turn.details;
    return true;
  }

 private:
  struct Turn {
    std::string label;
    std::int64_t input_tokens = 0, output_tokens = 0;
    std::vector<std::string> parents;
    std::string details;
  };

  bool next_conversation();
  void read_conversation(const JsonObject& json);
  void add_turn(const JsonObject& json, std::int64_t input, std::int64_t output);
  std::int64_t tokens_of(const JsonObject& message) const;

  JsonPieces pieces_;
  const bool keeps_details_;
  const TokenCounter count_tokens_;
  bool begun_ = false, in_array_ = false;
  std::int64_t conversations_ = 0;
  std::string id_;           ///< of the conversation read last
  std::vector<Turn> turns_;  ///< of it
  std::size_t at_ = 0;
};

/// Reads one; false at the end of the file.
bool ShareGptRows::next_conversation() {
  turns_.clear();
  at_ = 0;
  const bool first = !begun_;
  if (first) in_array_ = pieces_.take('[');
  begun_ = true;
  if (in_array_) {
    if (pieces_.take(']')) {
      pieces_.expect_end();
      in_array_ = false;
      return false;
    }
    if (!first) pieces_.expect(',');
  } else if (pieces_.peek() == '\0') {
    return false;
  }
  pieces_.object([this](const JsonObject& json) { read_conversation(json); });
  ++conversations_;
  return true;
}

void ShareGptRows::read_conversation(const JsonObject& json) {
  static constexpr std::array<std::string_view, 2> kListKeys = {"conversations", "items"};
  id_ = json.has_value("id") ? json.scalar_text("id") : std::to_string(conversations_);
  std::int64_t said = 0;
  for (const JsonObject& message : json.objects(key_of(json, kListKeys))) {
    const std::int64_t tokens = tokens_of(message);
    // Cut conversations begin with an answer, which is no turn but is part of what was said.
    if (is_answer(message) && said > 0) add_turn(json, said, tokens);
    said += tokens;
    if (said > kMostTokens) {
      message.refuse("", fmt::format("the conversation is longer than {} tokens", kMostTokens));
    }
  }
  // One without a turn is a row that has no output, and is dropped and counted as such.
  if (turns_.empty()) add_turn(json, said, 0);
}

void ShareGptRows::add_turn(const JsonObject& json, std::int64_t input, std::int64_t output) {
  Turn turn;
  turn.label = fmt::format("{}/{}", id_, turns_.size());
  turn.input_tokens = input;
  turn.output_tokens = output;
  // What has no tokens may be dropped, and nobody can wait for it.
  const auto before = std::find_if(turns_.rbegin(), turns_.rend(),
                                   [](const Turn& other) { return other.output_tokens > 0; });
  if (before != turns_.rend()) turn.parents = {before->label};
  if (keeps_details_) {
    MemberText details;
    details.add_text("session_id", id_);
    details.add("turn", std::to_string(turns_.size()));
    const std::string ext =
        turns_.empty() ? ext_members(json, {"id", "conversations", "items"}) : "";
    if (!ext.empty()) details.add("ext", "{" + ext + "}");
    turn.details = details.text();
  }
  turns_.push_back(std::move(turn));
}

std::int64_t ShareGptRows::tokens_of(const JsonObject& message) const {
  static constexpr std::array<std::string_view, 3> kCountKeys = {"tokens", "num_tokens",
                                                                 "token_count"};
  static constexpr std::array<std::string_view, 4> kTextKeys = {"value", "content", "text",
                                                                "markdown"};
  const std::string_view count = key_of(message, kCountKeys);
  if (message.has(count)) return message.integer(count, 0, kMostTokens);
  const std::string_view key = key_of(message, kTextKeys);
  const std::string text = message.string(key);
  if (!count_tokens_) {
    message.refuse(count,
                   "no count of tokens is given; --format sharegpt:tokenizer=FOLDER counts them "
                   "(tokenizer.json, or vocab.json and merges.txt)");
  }
  return count_tokens_(text);
}

std::unique_ptr<RowReader> open(LineReader& lines, const ReadOptions& options,
                                Parameters& parameters) {
  const std::string folder = parameters.text(
      "tokenizer", "", "folder", "counts the tokens of messages where the file does not");
  TokenCounter counter;
  if (!folder.empty()) {
    if (!options.load_tokenizer) parameters.refuse("tokenizer", "none can be loaded here");
    counter = options.load_tokenizer(folder);
  }
  return std::make_unique<ShareGptRows>(lines, options, std::move(counter));
}

}  // namespace

const ReaderEntry kShareGptReader = {
    "sharegpt", "JSON: [{\"id\":…,\"conversations\":[{\"from\":\"human\",\"value\":…},…]},…]",
    recognises, open, ReaderEntry::By::beginning};

}  // namespace tokenyard

#include "sim/kernel/json_tree.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <limits>
#include <nlohmann/json.hpp>

#include "sim/kernel/input_error.hpp"
#include "sim/kernel/text.hpp"

namespace tokenyard {

namespace {

/// Reads characters for the parser and publishes how far it has come, because the library tells a
/// handler no position.
class PublishingIterator {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  PublishingIterator(const char* at, const char** published) : at_(at), published_(published) {}

  reference operator*() const { return *at_; }
  PublishingIterator& operator++() {
    *published_ = ++at_;
    return *this;
  }
  friend bool operator==(const PublishingIterator& a, const PublishingIterator& b) {
    return a.at_ == b.at_;
  }
  friend bool operator!=(const PublishingIterator& a, const PublishingIterator& b) {
    return a.at_ != b.at_;
  }

 private:
  const char* at_;
  const char** published_;
};

/// Takes the parser's events and builds the tree. The member functions' names and signatures are
/// those of nlohmann's SAX interface.
class TreeBuilder {
 public:
  using Json = nlohmann::json;

  TreeBuilder(std::string_view text, const std::string& name, std::size_t first_line)
      : text_(text),
        name_(name),
        line_(first_line),
        published_(text.data()),
        counted_(published_) {}

  PublishingIterator begin() { return {text_.data(), &published_}; }
  PublishingIterator end() { return {text_.data() + text_.size(), &published_}; }
  JsonValue take_root() { return std::move(root_); }

  bool null() { return add(JsonValue::Kind::null) != nullptr; }
  bool boolean(bool flag) {
    add(JsonValue::Kind::flag)->flag = flag;
    return true;
  }
  bool number_integer(Json::number_integer_t integer) {
    add_integer(integer, fmt::format("{}", integer));
    return true;
  }
  bool number_unsigned(Json::number_unsigned_t integer) {
    if (integer <= static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
      add_integer(static_cast<std::int64_t>(integer), fmt::format("{}", integer));
    } else {
      // Beyond every integer that we accept: a number, so that reading it as an integer is refused.
      number_float(static_cast<double>(integer), fmt::format("{}", integer));
    }
    return true;
  }
  bool number_float(Json::number_float_t number, const std::string& written) {
    JsonValue* value = add(JsonValue::Kind::number);
    value->number = number;
    value->text = written;
    return true;
  }
  bool string(std::string& text) {
    add(JsonValue::Kind::string)->text = std::move(text);
    return true;
  }
  bool binary(Json::binary_t&) { return false; }  // only in binary formats
  bool start_object(std::size_t) { return open(JsonValue::Kind::object); }
  bool start_array(std::size_t) { return open(JsonValue::Kind::array); }
  bool end_object() {
    refuse_duplicates(open_.back()->members);
    return close();
  }
  bool end_array() { return close(); }

  bool key(std::string& key) {
    open_.back()->members.push_back(
        {std::move(key), {}, static_cast<std::uint32_t>(current_line()), false});
    return true;
  }

  bool parse_error(std::size_t, const std::string&, const Json::exception& error) {
    const std::string_view whole = error.what();
    // "[json.exception…] parse error at line 1, column 2: WHAT": place and wording are ours.
    std::string_view what = whole.substr(std::min(whole.find("] ") + 2, whole.size()));
    if (what.starts_with("parse error at line ")) what.remove_prefix(what.find(": ") + 2);
    const std::size_t line = current_line();
    // It quotes what was read, however long that is.
    throw InputError(name_, line, "",
                     fmt::format("not valid JSON at column {}: {:.200}", current_column(), what));
  }

 private:
  /// The line of the character that was read last; a newline ends the line it stands on. The
  /// parser reads one character beyond a number, and that may be the newline.
  std::size_t current_line() {
    const char* last = published_ == text_.data() ? published_ : published_ - 1;
    line_ += static_cast<std::size_t>(std::count(counted_, std::max(counted_, last), '\n'));
    counted_ = std::max(counted_, last);
    return line_;
  }

  std::size_t current_column() const {
    const char* at = published_ == text_.data() ? published_ : published_ - 1;
    std::size_t column = 1;
    while (at != text_.data() && *(at - 1) != '\n') --at, ++column;
    return column;
  }

  JsonValue* add(JsonValue::Kind kind) {
    JsonValue* value = &root_;
    if (!open_.empty()) {
      JsonValue& parent = *open_.back();
      value = parent.kind == JsonValue::Kind::array ? &parent.elements.emplace_back()
                                                    : &parent.members.back().value;
    }
    value->kind = kind;
    value->line = static_cast<std::uint32_t>(current_line());
    return value;
  }

  void add_integer(std::int64_t integer, std::string written) {
    JsonValue* value = add(JsonValue::Kind::integer);
    value->integer = integer;
    value->number = static_cast<double>(integer);
    value->text = std::move(written);
  }

  void refuse_duplicates(const std::vector<JsonMember>& members) const {
    std::vector<const JsonMember*> sorted;
    sorted.reserve(members.size());
    for (const auto& member : members) sorted.push_back(&member);
    // Equal keys by place: members lie in one array, in the order of the text.
    std::sort(sorted.begin(), sorted.end(), [](const JsonMember* a, const JsonMember* b) {
      const int order = a->key.compare(b->key);
      return order != 0 ? order < 0 : a < b;
    });
    const auto twice = std::adjacent_find(
        sorted.begin(), sorted.end(),
        [](const JsonMember* a, const JsonMember* b) { return a->key == b->key; });
    if (twice == sorted.end()) return;
    throw InputError(name_, twice[1]->line, "",
                     fmt::format("duplicate key \"{}\" (first on line {})",
                                 printable(twice[0]->key), twice[0]->line));
  }

  bool open(JsonValue::Kind kind) {
    if (open_.size() == kJsonDepthMost) {
      throw InputError(name_, current_line(), "",
                       fmt::format("nested deeper than {} levels at column {}", kJsonDepthMost,
                                   current_column()));
    }
    // Pointers stay valid: nothing is appended to an ancestor's lists while this value is open.
    open_.push_back(add(kind));
    return true;
  }

  bool close() {
    open_.pop_back();
    return true;
  }

  std::string_view text_;
  const std::string& name_;
  std::size_t line_;
  const char* published_;  ///< one past the last character that the parser has read
  const char* counted_;    ///< newlines before it are in `line_`
  JsonValue root_;
  std::vector<JsonValue*> open_;
};

void append_string(std::string& out, const std::string& text) {
  out += nlohmann::json(text).dump();
}

void append(std::string& out, const JsonValue& value) {
  switch (value.kind) {
    case JsonValue::Kind::null:
      out += "null";
      return;
    case JsonValue::Kind::flag:
      out += value.flag ? "true" : "false";
      return;
    case JsonValue::Kind::integer:
    case JsonValue::Kind::number:
      out += value.text;
      return;
    case JsonValue::Kind::string:
      append_string(out, value.text);
      return;
    case JsonValue::Kind::array:
      out += '[';
      for (const auto& element : value.elements) {
        if (&element != value.elements.data()) out += ',';
        append(out, element);
      }
      out += ']';
      return;
    case JsonValue::Kind::object:
      out += '{';
      for (const auto& member : value.members) {
        if (&member != value.members.data()) out += ',';
        append_string(out, member.key);
        out += ':';
        append(out, member.value);
      }
      out += '}';
      return;
  }
}

}  // namespace

JsonValue parse_json_tree(std::string_view text, const std::string& name, std::size_t first_line) {
  TreeBuilder builder(text, name, first_line);
  nlohmann::json::sax_parse(builder.begin(), builder.end(), &builder);
  return builder.take_root();
}

std::string json_text(const JsonValue& value) {
  std::string out;
  append(out, value);
  return out;
}

}  // namespace tokenyard

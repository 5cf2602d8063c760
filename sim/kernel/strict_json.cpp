#include "sim/kernel/strict_json.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <limits>
#include <sstream>

#include "sim/kernel/input_error.hpp"
#include "sim/kernel/json_tree.hpp"
#include "sim/kernel/text.hpp"

namespace tokenyard {

struct JsonDocument {
  std::string name;
  JsonValue root;
};

namespace {

using Kind = JsonValue::Kind;

std::string described(const JsonValue& value) {
  switch (value.kind) {
    case Kind::null:
      return "null";
    case Kind::flag:
      return value.flag ? "true" : "false";
    case Kind::integer:
    case Kind::number:
      return printable(value.text);
    case Kind::string:
      return fmt::format("\"{}\"", printable(value.text));
    case Kind::array:
      return "an array";
    case Kind::object:
      return "an object";
  }
  return "";
}

std::string range_text(std::string_view what, bool from, const std::string& least, bool to,
                       const std::string& most) {
  if (from && to) return fmt::format("{} from {} to {}", what, least, most);
  if (from) return fmt::format("{} of at least {}", what, least);
  if (to) return fmt::format("{} of at most {}", what, most);
  return std::string(what);
}

std::string expected_integer(std::int64_t least, std::int64_t most) {
  using Limits = std::numeric_limits<std::int64_t>;
  return range_text("an integer", least != Limits::min(), fmt::format("{}", least),
                    most != Limits::max(), fmt::format("{}", most));
}

std::string expected_number(double least, double most) {
  using Limits = std::numeric_limits<double>;
  return range_text("a number", least > Limits::lowest(), format_number(least),
                    most < Limits::max(), format_number(most));
}

bool integer_in(const JsonValue& value, std::int64_t least, std::int64_t most) {
  return value.kind == Kind::integer && value.integer >= least && value.integer <= most;
}

bool number_in(const JsonValue& value, double least, double most) {
  return (value.kind == Kind::integer || value.kind == Kind::number) && value.number >= least &&
         value.number <= most;
}

/// A key as one token of a JSON pointer.
std::string pointer_token(std::string_view key) {
  std::string token;
  for (const char c : printable(key)) {
    if (c == '~') {
      token += "~0";
    } else if (c == '/') {
      token += "~1";
    } else {
      token += c;
    }
  }
  return token;
}

std::string read_text(const std::string& path) {
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) {
    throw InputError(path, 0, "", "is a folder, not a file");
  }
  std::ifstream file(path, std::ios::binary);
  if (!file) throw InputError(path, 0, "", fmt::format("cannot open: {}", std::strerror(errno)));
  std::ostringstream text;
  if (file.peek() != std::ifstream::traits_type::eof()) text << file.rdbuf();
  if (file.bad()) throw InputError(path, 0, "", "cannot read");
  return std::move(text).str();
}

}  // namespace

JsonObject JsonFile::read(const std::string& path) {
  return parse(read_text(path), path);
}

JsonObject JsonFile::parse(std::string_view text, const std::string& name, std::size_t first_line) {
  if (text.find_first_not_of(" \t\r\n") == std::string_view::npos) {
    throw InputError(name, first_line, "", "empty; expected a JSON object");
  }
  auto document = std::make_shared<JsonDocument>();
  document->name = name;
  document->root = parse_json_tree(text, name, first_line);
  const JsonValue& root = document->root;
  if (root.kind != Kind::object) {
    throw InputError(name, root.line, "",
                     fmt::format("expected a JSON object, found {}", described(root)));
  }
  return JsonObject(std::move(document), root, "");
}

JsonObject::JsonObject(std::shared_ptr<const JsonDocument> document, const JsonValue& value,
                       std::string path)
    : document_(std::move(document)), value_(&value), path_(std::move(path)) {}

namespace {

const JsonMember* member_of(const JsonValue& object, std::string_view key) {
  for (const auto& member : object.members) {
    if (member.key == key) return &member;
  }
  if (std::find(object.asked.begin(), object.asked.end(), key) == object.asked.end()) {
    object.asked.emplace_back(key);
  }
  return nullptr;
}

}  // namespace

const JsonValue* JsonObject::find(std::string_view key) const {
  const JsonMember* member = member_of(*value_, key);
  if (member == nullptr) return nullptr;
  member->read = true;
  return &member->value;
}

const JsonValue& JsonObject::require(std::string_view key, std::string_view expected) const {
  const JsonValue* value = find(key);
  if (value == nullptr) {
    throw InputError(document_->name, value_->line, path_to(key),
                     fmt::format("missing; expected {}", expected));
  }
  return *value;
}

void JsonObject::refuse_value(const JsonValue& value, std::string_view key,
                              std::string_view expected) const {
  throw InputError(document_->name, value.line, path_to(key),
                   fmt::format("expected {}, found {}", expected, described(value)));
}

std::string JsonObject::path_to(std::string_view key) const {
  return fmt::format("{}/{}", path_, pointer_token(key));
}

JsonObject JsonObject::child(const JsonValue& value, std::string_view key) const {
  return JsonObject(document_, value, path_to(key));
}

bool JsonObject::has(std::string_view key) const {
  return member_of(*value_, key) != nullptr;
}

bool JsonObject::has_value(std::string_view key) const {
  const JsonMember* member = member_of(*value_, key);
  if (member == nullptr) return false;
  if (member->value.kind != Kind::null) return true;
  member->read = true;
  return false;
}

std::vector<std::string> JsonObject::keys() const {
  std::vector<std::string> keys;
  keys.reserve(value_->members.size());
  for (const auto& member : value_->members) keys.push_back(member.key);
  return keys;
}

std::string JsonObject::string(std::string_view key) const {
  const JsonValue& value = require(key, "a string");
  if (value.kind != Kind::string) refuse_value(value, key, "a string");
  return value.text;
}

std::string JsonObject::choice(std::string_view key,
                               std::initializer_list<std::string_view> options) const {
  const std::vector<std::string> known(options.begin(), options.end());
  const std::string expected =
      fmt::format("{}\"{}\"", known.size() > 1 ? "one of " : "", fmt::join(known, "\", \""));
  const JsonValue& value = require(key, expected);
  if (value.kind != Kind::string) refuse_value(value, key, expected);
  if (std::find(known.begin(), known.end(), value.text) == known.end()) {
    refuse(key, fmt::format("expected {}, found {}{}", expected, described(value),
                            suggestion(value.text, known)));
  }
  return value.text;
}

std::int64_t JsonObject::integer(std::string_view key, std::int64_t least,
                                 std::int64_t most) const {
  const JsonValue* value = find(key);
  if (value == nullptr) require(key, expected_integer(least, most));
  if (!integer_in(*value, least, most)) refuse_value(*value, key, expected_integer(least, most));
  return value->integer;
}

double JsonObject::number(std::string_view key, double least, double most) const {
  const JsonValue* value = find(key);
  if (value == nullptr) require(key, expected_number(least, most));
  if (!number_in(*value, least, most)) refuse_value(*value, key, expected_number(least, most));
  return value->number;
}

bool JsonObject::flag(std::string_view key) const {
  const JsonValue& value = require(key, "true or false");
  if (value.kind != Kind::flag) refuse_value(value, key, "true or false");
  return value.flag;
}

JsonObject JsonObject::object(std::string_view key) const {
  const JsonValue& value = require(key, "an object");
  if (value.kind != Kind::object) refuse_value(value, key, "an object");
  return child(value, key);
}

std::vector<std::string> JsonObject::strings(std::string_view key) const {
  const JsonValue& value = require(key, "an array of strings");
  if (value.kind != Kind::array) refuse_value(value, key, "an array of strings");
  std::vector<std::string> strings;
  for (const auto& element : value.elements) {
    if (element.kind != Kind::string) {
      child(value, key).refuse_value(element, std::to_string(strings.size()), "a string");
    }
    strings.push_back(element.text);
  }
  return strings;
}

std::vector<std::int64_t> JsonObject::integers(std::string_view key, std::int64_t least,
                                               std::int64_t most) const {
  const JsonValue& value = require(key, "an array of integers");
  if (value.kind != Kind::array) refuse_value(value, key, "an array of integers");
  std::vector<std::int64_t> integers;
  for (const auto& element : value.elements) {
    if (!integer_in(element, least, most)) {
      child(value, key)
          .refuse_value(element, std::to_string(integers.size()), expected_integer(least, most));
    }
    integers.push_back(element.integer);
  }
  return integers;
}

std::vector<double> JsonObject::numbers(std::string_view key, double least, double most) const {
  const JsonValue& value = require(key, "an array of numbers");
  if (value.kind != Kind::array) refuse_value(value, key, "an array of numbers");
  std::vector<double> numbers;
  for (const auto& element : value.elements) {
    if (!number_in(element, least, most)) {
      child(value, key)
          .refuse_value(element, std::to_string(numbers.size()), expected_number(least, most));
    }
    numbers.push_back(element.number);
  }
  return numbers;
}

std::vector<JsonObject> JsonObject::objects(std::string_view key) const {
  const JsonValue& value = require(key, "an array of objects");
  if (value.kind != Kind::array) refuse_value(value, key, "an array of objects");
  std::vector<JsonObject> objects;
  const JsonObject array = child(value, key);
  for (const auto& element : value.elements) {
    const std::string position = std::to_string(objects.size());
    if (element.kind != Kind::object) array.refuse_value(element, position, "an object");
    objects.push_back(array.child(element, position));
  }
  return objects;
}

std::vector<std::vector<std::string>> JsonObject::string_lists(std::string_view key) const {
  const JsonValue& value = require(key, "an array of arrays of strings");
  if (value.kind != Kind::array) refuse_value(value, key, "an array of arrays of strings");
  std::vector<std::vector<std::string>> lists;
  lists.reserve(value.elements.size());
  const JsonObject array = child(value, key);
  for (const auto& element : value.elements) {
    const std::string position = std::to_string(lists.size());
    auto& list = lists.emplace_back();
    if (element.kind == Kind::string) {
      list.push_back(element.text);
      continue;
    }
    if (element.kind != Kind::array) array.refuse_value(element, position, "an array of strings");
    for (const auto& part : element.elements) {
      if (part.kind != Kind::string) {
        array.child(element, position).refuse_value(part, std::to_string(list.size()), "a string");
      }
      list.push_back(part.text);
    }
  }
  return lists;
}

std::string JsonObject::string_or(std::string_view key, std::string fallback) const {
  return has(key) ? string(key) : std::move(fallback);
}

std::int64_t JsonObject::integer_or(std::string_view key, std::int64_t least, std::int64_t most,
                                    std::int64_t fallback) const {
  return has(key) ? integer(key, least, most) : fallback;
}

double JsonObject::number_or(std::string_view key, double least, double most,
                             double fallback) const {
  return has(key) ? number(key, least, most) : fallback;
}

bool JsonObject::flag_or(std::string_view key, bool fallback) const {
  return has(key) ? flag(key) : fallback;
}

std::vector<std::pair<std::string, std::int64_t>> JsonObject::integer_members(
    std::int64_t least, std::int64_t most) const {
  std::vector<std::pair<std::string, std::int64_t>> members;
  members.reserve(value_->members.size());
  for (const auto& member : value_->members) {
    member.read = true;
    if (!integer_in(member.value, least, most)) {
      refuse_value(member.value, member.key, expected_integer(least, most));
    }
    members.emplace_back(member.key, member.value.integer);
  }
  return members;
}

std::string JsonObject::scalar_text(std::string_view key) const {
  const JsonValue& value = require(key, "a string, a number or a flag");
  switch (value.kind) {
    case Kind::flag:
      return value.flag ? "true" : "false";
    case Kind::integer:
    case Kind::number:
    case Kind::string:
      return value.text;
    default:
      refuse_value(value, key, "a string, a number or a flag");
  }
}

std::string JsonObject::raw(std::string_view key) const {
  return json_text(require(key, "a value"));
}

std::string JsonObject::raw() const {
  return json_text(*value_);
}

void JsonObject::refuse_unread() const {
  std::vector<std::string> known = value_->asked;
  for (const auto& member : value_->members) {
    if (member.read) known.push_back(member.key);
  }
  for (const auto& member : value_->members) {
    if (member.read) continue;
    throw InputError(document_->name, member.line, path_to(member.key),
                     "unknown key" + suggestion(member.key, known));
  }
}

void JsonObject::refuse(std::string_view key, std::string_view message) const {
  const JsonMember* member = member_of(*value_, key);
  throw InputError(document_->name, member != nullptr ? member->line : value_->line, path_to(key),
                   message);
}

}  // namespace tokenyard

#include "traces/readers/fast_json.hpp"

#include <algorithm>
#include <array>
#include <new>

namespace tokenyard {

namespace {

namespace dom = simdjson::dom;

constexpr std::size_t kMostDepth = 64;
constexpr std::size_t kMostKeys = 32;  // of an object whose keys are compared with one another

}  // namespace

FastJson::FastJson() {
  constexpr std::size_t kFirstLine = std::size_t{4} << 10;  // it grows with the lines
  if (parser_.allocate(kFirstLine, kMostDepth) != simdjson::SUCCESS) throw std::bad_alloc();
}

bool FastJson::parse(std::string_view line) {
  // The two parsers differ about halves of surrogate pairs, which are written with escapes.
  if (line.find("\\u") != std::string_view::npos) return false;
  dom::element root;
  if (parser_.parse(line.data(), line.size(), false).get(root) != simdjson::SUCCESS) return false;
  return root.get(object_) == simdjson::SUCCESS;
}

bool has_plain_objects(dom::element value) {
  if (value.is<dom::array>()) {
    const dom::array array = value;
    return std::all_of(array.begin(), array.end(), has_plain_objects);
  }
  if (!value.is<dom::object>()) return true;
  std::array<std::string_view, kMostKeys> keys;
  std::size_t count = 0;
  for (const auto& [key, member] : dom::object(value)) {
    const auto end = keys.begin() + static_cast<std::ptrdiff_t>(count);
    if (count == kMostKeys || std::find(keys.begin(), end, key) != end) return false;
    keys[count++] = key;
    if (!has_plain_objects(member)) return false;
  }
  return true;
}

bool fast_integers(dom::element value, std::int64_t least, std::int64_t most,
                   std::vector<std::int64_t>& integers) {
  integers.clear();
  dom::array array;
  if (value.get(array) != simdjson::SUCCESS) return false;
  for (const dom::element element : array) {
    const auto integer = fast_integer(element, least, most);
    if (!integer) return false;
    integers.push_back(*integer);
  }
  return true;
}

}  // namespace tokenyard

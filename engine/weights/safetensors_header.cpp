#include "engine/weights/safetensors_header.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "sim/kernel/input_error.hpp"
#include "sim/kernel/text.hpp"

namespace tokenyard {
namespace {

constexpr std::size_t kDimensionsMost = 8;

std::string field_of(std::string_view tensor) {
  return fmt::format("tensor \"{}\"", printable(tensor));
}

/// Takes the parser's events. A header has one form, {name: {"dtype": text, "shape": [integers],
/// "data_offsets": [integer, integer]}}, so what is not of it is refused where it begins, and a
/// hostile file cannot make us build more than it is itself. Member names are nlohmann's.
class HeaderReader {
 public:
  using Json = nlohmann::json;

  explicit HeaderReader(const std::string& path) : path_(path) {}
  std::vector<TensorEntry> take_entries() { return std::move(entries_); }

  bool null() { return refuse("null"); }
  bool boolean(bool) { return refuse("true or false"); }
  bool number_float(Json::number_float_t, const std::string& text) { return refuse(text); }
  bool number_integer(Json::number_integer_t value) { return refuse(fmt::format("{}", value)); }
  bool binary(Json::binary_t&) { return refuse("binary data"); }

  bool number_unsigned(Json::number_unsigned_t value) {
    if (in_metadata_ || list_ == nullptr || !in_list_) return refuse(fmt::format("{}", value));
    const std::size_t most = list_ == &offsets_ ? 2 : kDimensionsMost;
    if (list_->size() == most) return refuse(fmt::format("more than {} elements", most));
    list_->push_back(value);
    return true;
  }

  bool string(Json::string_t& text) {
    if (in_metadata_ && depth_ == 2) return true;
    if (depth_ != 2 || key_ != "dtype") return refuse("a string");
    dtype_ = std::move(text);
    return true;
  }

  bool start_object(std::size_t) {
    if (depth_ >= 2) return refuse("an object");
    ++depth_;
    return true;
  }

  bool key(Json::string_t& key) {
    if (depth_ == 1) {
      in_metadata_ = key == "__metadata__";
      tensor_ = std::move(key);
      dtype_.reset();
      shape_given_ = offsets_given_ = false;
      shape_.clear();
      offsets_.clear();
      return true;
    }
    if (in_metadata_) return true;
    list_ = nullptr;
    bool again = false;
    if (key == "dtype") {
      again = dtype_.has_value();
    } else if (key == "shape") {
      again = std::exchange(shape_given_, true);
      list_ = &shape_;
    } else if (key == "data_offsets") {
      again = std::exchange(offsets_given_, true);
      list_ = &offsets_;
    } else {
      fail(fmt::format("unknown key \"{}\"", printable(key)));
    }
    if (again) fail(fmt::format("duplicate key \"{}\"", key));
    key_ = std::move(key);
    return true;
  }

  bool end_object() {
    if (--depth_ != 1 || std::exchange(in_metadata_, false)) return true;
    if (!dtype_ || !shape_given_ || offsets_.size() != 2) {
      fail("incomplete; expected dtype, shape and two data_offsets");
    }
    entries_.push_back({tensor_, *dtype_, shape_, offsets_[0], offsets_[1]});
    return true;
  }

  bool start_array(std::size_t) {
    if (in_metadata_ || depth_ != 2 || in_list_ || list_ == nullptr) return refuse("an array");
    in_list_ = true;
    return true;
  }
  bool end_array() {
    in_list_ = false;
    return true;
  }

  bool parse_error(std::size_t at, const std::string&, const Json::exception&) {
    throw InputError(path_, 0, "", fmt::format("the header is not valid JSON at byte {}", at));
  }

 private:
  [[noreturn]] void fail(std::string_view what) const {
    throw InputError(path_, 0, tensor_.empty() ? "header" : field_of(tensor_), what);
  }

  /// Never returns; the type is what the parser's interface asks for.
  bool refuse(std::string_view found) const {
    const std::string shown = printable(found);
    if (depth_ < 2) fail(fmt::format("expected an object, found {}", shown));
    if (in_metadata_) fail(fmt::format("expected a string, found {}", shown));
    const char* expected = key_ == "dtype" ? "a string" : "an array of integers from 0";
    fail(fmt::format("{}: expected {}, found {}", key_, expected, shown));
  }

  const std::string& path_;
  int depth_ = 0;  ///< open objects
  bool in_metadata_ = false;
  bool in_list_ = false;
  std::vector<std::uint64_t>* list_ = nullptr;  ///< that the current key fills
  std::string tensor_, key_;
  std::optional<std::string> dtype_;
  bool shape_given_ = false, offsets_given_ = false;
  std::vector<std::uint64_t> shape_, offsets_;
  std::vector<TensorEntry> entries_;
};

/// The product of the dimensions and `element`, or nothing beyond `most`.
std::optional<std::uint64_t> bytes_of(const std::vector<std::uint64_t>& shape,
                                      std::uint64_t element, std::uint64_t most) {
  if (std::find(shape.begin(), shape.end(), 0U) != shape.end()) return 0;
  std::uint64_t bytes = element;
  for (const std::uint64_t dimension : shape) {
    if (bytes > most / dimension) return std::nullopt;
    bytes *= dimension;
  }
  return bytes;
}

void check_span(const TensorEntry& entry, const std::string& path, std::uint64_t data_bytes) {
  const auto fail = [&](const std::string& what) {
    throw InputError(path, 0, field_of(entry.name), what);
  };
  if (entry.begin > entry.end || entry.end > data_bytes) {
    fail(fmt::format("data_offsets [{}, {}] lie outside the file, which has {} bytes of data",
                     entry.begin, entry.end, data_bytes));
  }
  const std::uint64_t element = dtype_bytes(entry.dtype);
  if (element == 0) return;  // of a type that no model here reads; its size is not known
  if (bytes_of(entry.shape, element, data_bytes) != entry.end - entry.begin) {
    fail(fmt::format("data_offsets [{}, {}] do not hold [{}] elements of {}", entry.begin,
                     entry.end, fmt::join(entry.shape, ", "), printable(entry.dtype)));
  }
}

/// Tensors that share bytes are nonsense, and would let a small file claim any size.
void check_overlaps(const std::vector<TensorEntry>& entries, const std::string& path) {
  std::vector<const TensorEntry*> sorted;
  for (const TensorEntry& entry : entries) {
    if (entry.begin != entry.end) sorted.push_back(&entry);
  }
  const auto earlier = [](const TensorEntry* a, const TensorEntry* b) {
    return a->begin < b->begin;
  };
  std::sort(sorted.begin(), sorted.end(), earlier);
  for (std::size_t i = 1; i < sorted.size(); ++i) {
    if (sorted[i]->begin >= sorted[i - 1]->end) continue;
    throw InputError(path, 0, field_of(sorted[i]->name),
                     fmt::format("overlaps {}", field_of(sorted[i - 1]->name)));
  }
}

void check_names(const std::vector<TensorEntry>& entries, const std::string& path) {
  std::vector<std::string_view> names;
  for (const TensorEntry& entry : entries) names.push_back(entry.name);
  std::sort(names.begin(), names.end());
  const auto twice = std::adjacent_find(names.begin(), names.end());
  if (twice != names.end()) throw InputError(path, 0, field_of(*twice), "is there twice");
}

}  // namespace

std::uint64_t dtype_bytes(std::string_view dtype) {
  static constexpr std::array<std::pair<std::string_view, std::uint64_t>, 14> kTypes = {
      {{"F64", 8},
       {"I64", 8},
       {"U64", 8},
       {"F32", 4},
       {"I32", 4},
       {"U32", 4},
       {"F16", 2},
       {"BF16", 2},
       {"I16", 2},
       {"U16", 2},
       {"I8", 1},
       {"U8", 1},
       {"BOOL", 1},
       {"F8_E4M3", 1}}};
  for (const auto& [name, bytes] : kTypes) {
    if (name == dtype) return bytes;
  }
  return 0;
}

std::vector<TensorEntry> parse_safetensors_header(std::string_view header, const std::string& path,
                                                  std::uint64_t data_bytes) {
  HeaderReader reader(path);
  nlohmann::json::sax_parse(header.begin(), header.end(), &reader);
  std::vector<TensorEntry> entries = reader.take_entries();
  for (const TensorEntry& entry : entries) check_span(entry, path, data_bytes);
  check_names(entries, path);
  check_overlaps(entries, path);
  return entries;
}

}  // namespace tokenyard

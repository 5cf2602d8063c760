#include "engine/weights/safetensors.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <set>
#include <utility>

#include "sim/kernel/input_error.hpp"
#include "sim/kernel/json_tree.hpp"
#include "sim/kernel/text.hpp"

namespace tokenyard {
namespace {

constexpr std::size_t kLengthBytes = 8;
/// The format's own limit on a header.
constexpr std::uint64_t kHeaderBytesMost = 100'000'000;

std::string_view text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// The length of the header, checked against the file.
std::size_t header_bytes(const MappedFile& file) {
  const auto bytes = file.bytes();
  if (bytes.size() < kLengthBytes) {
    throw InputError(file.path(), 0, "",
                     fmt::format("only {} bytes; expected a safetensors file", bytes.size()));
  }
  std::uint64_t length = 0;
  for (std::size_t i = kLengthBytes; i-- > 0;) {
    length = length << 8U | std::to_integer<std::uint64_t>(bytes[i]);
  }
  const std::uint64_t most = std::min<std::uint64_t>(kHeaderBytesMost, bytes.size() - kLengthBytes);
  if (length > most) {
    throw InputError(file.path(), 0, "",
                     fmt::format("a header of {} bytes, where at most {} can be; the file is cut "
                                 "short or not of the safetensors format",
                                 length, most));
  }
  return static_cast<std::size_t>(length);
}

/// Shards lie beside their index; a name that leads elsewhere is refused.
bool is_plain_name(const std::string& name) {
  return !name.empty() && name != "." && name != ".." && name.find('/') == std::string::npos &&
         name.find('\0') == std::string::npos;
}

}  // namespace

std::shared_ptr<const SafetensorsCheckpoint> SafetensorsCheckpoint::open(
    const std::string& folder) {
  const std::filesystem::path root(folder);
  const std::string single = (root / "model.safetensors").string();
  const std::string index = (root / "model.safetensors.index.json").string();
  std::shared_ptr<SafetensorsCheckpoint> checkpoint(new SafetensorsCheckpoint);
  std::error_code unknown;
  if (std::filesystem::exists(single, unknown)) {
    checkpoint->path_ = single;
    checkpoint->add_file(single);
    checkpoint->sort_tensors();
  } else if (std::filesystem::exists(index, unknown)) {
    checkpoint->path_ = index;
    checkpoint->read_index(folder);
  } else {
    throw InputError(folder, 0, "", "no model.safetensors and no model.safetensors.index.json");
  }
  return checkpoint;
}

const StoredTensor* SafetensorsCheckpoint::find(std::string_view name) const {
  const auto at = std::lower_bound(
      tensors_.begin(), tensors_.end(), name,
      [](const StoredTensor& tensor, std::string_view other) { return tensor.entry.name < other; });
  return at != tensors_.end() && at->entry.name == name ? &*at : nullptr;
}

void SafetensorsCheckpoint::add_file(const std::string& path) {
  const auto& file = files_.emplace_back(MappedFile::open(path));
  const auto bytes = file->bytes();
  const std::size_t length = header_bytes(*file);
  const auto data = bytes.subspan(kLengthBytes + length);
  auto entries = parse_safetensors_header(text_of(bytes.subspan(kLengthBytes, length)),
                                          file->path(), data.size());
  for (TensorEntry& entry : entries) {
    const std::byte* begin = data.data() + entry.begin;
    tensors_.push_back({std::move(entry), begin, &file->path()});
  }
}

/// {"metadata": …, "weight_map": {tensor: file}}: what it says must be so.
void SafetensorsCheckpoint::read_index(const std::string& folder) {
  const auto index = MappedFile::open(path_);
  const JsonValue root = parse_json_tree(text_of(index->bytes()), path_, 1);
  const auto named = [](const JsonMember& member) { return member.key == "weight_map"; };
  const auto map = std::find_if(root.members.begin(), root.members.end(), named);
  if (map == root.members.end() || map->value.kind != JsonValue::Kind::object) {
    throw InputError(path_, root.line, "/weight_map", "expected an object of tensors and files");
  }
  std::set<std::string> names;
  for (const JsonMember& member : map->value.members) {
    if (member.value.kind != JsonValue::Kind::string || !is_plain_name(member.value.text)) {
      throw InputError(path_, member.line, fmt::format("tensor \"{}\"", printable(member.key)),
                       "expected the name of a file in the same folder");
    }
    names.insert(member.value.text);
  }
  for (const std::string& name : names) add_file((std::filesystem::path(folder) / name).string());
  sort_tensors();
  for (const JsonMember& member : map->value.members) {
    const StoredTensor* tensor = find(member.key);
    if (tensor != nullptr && std::filesystem::path(*tensor->file).filename() == member.value.text) {
      continue;
    }
    throw InputError(path_, member.line, fmt::format("tensor \"{}\"", printable(member.key)),
                     fmt::format("is not in {}", member.value.text));
  }
}

void SafetensorsCheckpoint::sort_tensors() {
  const auto before = [](const StoredTensor& a, const StoredTensor& b) {
    return a.entry.name < b.entry.name;
  };
  std::sort(tensors_.begin(), tensors_.end(), before);
  const auto same = [](const StoredTensor& a, const StoredTensor& b) {
    return a.entry.name == b.entry.name;
  };
  const auto twice = std::adjacent_find(tensors_.begin(), tensors_.end(), same);
  if (twice == tensors_.end()) return;
  throw InputError(path_, 0, fmt::format("tensor \"{}\"", printable(twice->entry.name)),
                   fmt::format("is in {} and in {}", *twice->file, *(twice + 1)->file));
}

}  // namespace tokenyard

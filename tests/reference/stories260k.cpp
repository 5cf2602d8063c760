#include "tests/reference/stories260k.hpp"

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <vector>

namespace tokenyard::test {
namespace {

std::string read_whole(const std::filesystem::path& path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
}

/// The pieces of a llama2.c tokenizer: behind the longest one's length, a score, a length and the
/// bytes of each.
std::vector<std::string> pieces_of(const std::string& bytes) {
  std::vector<std::string> pieces;
  std::size_t at = sizeof(std::int32_t);
  while (at < bytes.size()) {
    std::int32_t length = 0;
    std::memcpy(&length, bytes.data() + at + sizeof(float), sizeof length);
    at += sizeof(float) + sizeof length;
    pieces.push_back(bytes.substr(at, static_cast<std::size_t>(length)));
    at += static_cast<std::size_t>(length);
  }
  return pieces;
}

}  // namespace

std::filesystem::path stories260k() {
  const char* folder = std::getenv("TOKENYARD_SHARED_DIR");
  const std::filesystem::path root =
      folder != nullptr ? std::filesystem::path(folder)
                        : std::filesystem::path(TOKENYARD_SOURCE_DIR) / ".." / "shared";
  return root / "models" / "stories260K";
}

std::string stories260k_golden() {
  return read_whole(stories260k() / "golden_greedy_200.txt");
}

std::string stories260k_text(std::span<const Token> tokens) {
  const auto pieces = pieces_of(read_whole(stories260k() / "tok512.bin"));
  std::string text;
  for (const Token token : tokens) {
    const std::string& piece = pieces.at(static_cast<std::size_t>(token));
    text += piece == "<0x0A>" ? "\n" : piece;
  }
  // The first piece's space only says that a word begins; the output ends with a new line.
  return text.substr(text.starts_with(' ') ? 1 : 0) + "\n";
}

}  // namespace tokenyard::test

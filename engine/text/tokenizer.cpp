#include "engine/text/tokenizer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <utility>

#include "engine/text/tokenizer_files.hpp"
#include "sim/kernel/input_error.hpp"
#include "sim/kernel/invariant.hpp"

namespace tokenyard {

namespace fs = std::filesystem;

Tokenizer::Tokenizer(TokenTable table) : table_(std::move(table)) {
  invariant(table_.special.size() == table_.pieces.size(), "each token is special or not",
            "{} of {}", table_.special.size(), table_.pieces.size());
}

std::string_view Tokenizer::piece(Token token) const {
  return token >= 0 && token < vocabulary() ? std::string_view(table_.pieces[token])
                                            : std::string_view();
}

bool Tokenizer::is_special(Token token) const {
  return token >= 0 && token < vocabulary() && table_.special[token];
}

std::string Tokenizer::decode(std::span<const Token> tokens, bool special) const {
  std::string text;
  bool drop_space = drops_first_space();
  for (const Token token : tokens) {
    if (is_special(token)) {
      if (special) text += piece(token);
      continue;
    }
    std::string_view bytes = piece(token);
    if (drop_space && bytes.starts_with(' ')) bytes.remove_prefix(1);
    drop_space = drop_space && piece(token).empty();
    text += bytes;
  }
  return text;
}

std::string read_binary_file(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    throw InputError(path.string(), 0, "", fmt::format("cannot open: {}", std::strerror(errno)));
  }
  std::string bytes((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  if (file.bad()) throw InputError(path.string(), 0, "", "cannot read");
  return bytes;
}

namespace {

/// llama2.c's files in a folder, sorted: its own name, and those of its tokenizers of other sizes.
std::vector<fs::path> llama2c_files(const fs::path& folder) {
  std::vector<fs::path> files;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (name.starts_with("tok") && name.ends_with(".bin")) files.push_back(entry->path());
  }
  if (error) {
    throw InputError(folder.string(), 0, "",
                     fmt::format("cannot list this folder: {}", error.message()));
  }
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace

std::unique_ptr<Tokenizer> load_tokenizer(const std::string& path) {
  const fs::path root(path);
  std::error_code ignored;
  if (!fs::is_directory(root, ignored)) {
    if (root.extension() == ".json") return load_tokenizer_json(root);
    if (root.extension() == ".bin") return load_llama2c_tokenizer(root);
    throw InputError(path, 0, "", "expected a model's folder, a tokenizer.json or a .bin file");
  }
  const auto present = [&](const char* name) { return fs::exists(root / name, ignored); };
  if (present("tokenizer.json")) return load_tokenizer_json(root / "tokenizer.json");
  if (present("vocab.json") && present("merges.txt")) return load_vocab_and_merges(root);
  const auto files = llama2c_files(root);
  if (files.size() == 1) return load_llama2c_tokenizer(files.front());
  if (files.size() > 1) {
    throw InputError(path, 0, "",
                     fmt::format("expected one tokenizer, found {} and {}",
                                 files[0].filename().string(), files[1].filename().string()));
  }
  if (present("tokenizer.model")) {
    throw InputError((root / "tokenizer.model").string(), 0, "",
                     "SentencePiece's own format is not supported; expected a tokenizer.json");
  }
  throw InputError(path, 0, "",
                   "no tokenizer; expected tokenizer.json, or vocab.json with merges.txt, or "
                   "llama2.c's tokenizer.bin");
}

}  // namespace tokenyard

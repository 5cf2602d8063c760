#pragma once
// The readers behind load_tokenizer, one a file format. All throw `InputError` as it does.

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "engine/text/tokenizer.hpp"

namespace tokenyard {

/// The most tokens that a vocabulary may have; far above what there is, and small enough to keep a
/// table of.
inline constexpr std::int64_t kVocabularyMost = std::int64_t{1} << 20;

/// Hugging Face's tokenizer.json of model type BPE: byte-level (GPT-2, OPT, BLOOM, MPT, Llama-3),
/// or by character with bytes as fallback (Llama-2). Other models, normalizers, pre-tokenizers,
/// decoders and post-processors are refused by name.
std::unique_ptr<Tokenizer> load_tokenizer_json(const std::filesystem::path& file);

/// GPT-2's and OPT's older pair of files: vocab.json and merges.txt in `folder`.
std::unique_ptr<Tokenizer> load_vocab_and_merges(const std::filesystem::path& folder);

/// llama2.c's file (karpathy/llama2.c, run.c and tokenizer.py): an int32, the most bytes of a
/// token; then of each token its score (float32), its length (int32) and its bytes. Tokens 1 and 2
/// begin and end a text, 3 to 258 are single bytes written "<0x00>" to "<0xFF>".
std::unique_ptr<Tokenizer> load_llama2c_tokenizer(const std::filesystem::path& file);

/// The whole of a file.
std::string read_binary_file(const std::filesystem::path& file);

}  // namespace tokenyard

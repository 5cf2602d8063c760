#include "experiments/trace_options.hpp"

#include <memory>
#include <utility>

#include "engine/text/tokenizer.hpp"

namespace tokenyard {

ReadOptions trace_options(std::string format) {
  ReadOptions options;
  options.format = std::move(format);
  options.load_tokenizer = [](const std::string& folder) -> TokenCounter {
    // Tokens that are put around a prompt belong to chat templates, which a file does not tell.
    EncodeOptions plain;
    plain.add_special = false;
    const std::shared_ptr<const Tokenizer> tokenizer = load_tokenizer(folder);
    return [tokenizer, plain](std::string_view text) {
      return static_cast<std::int64_t>(tokenizer->encode(text, plain).size());
    };
  };
  return options;
}

}  // namespace tokenyard

#pragma once
// Short forms for the tests of the KV blocks.

#include <cstdint>
#include <span>
#include <vector>

#include "sim/server/block_manager.hpp"

namespace tokenyard {

using BlockNumbers = std::vector<std::uint32_t>;

/// The blocks of a table as numbers, which a failed expectation can print.
inline BlockNumbers numbers(std::span<const BlockId> blocks) {
  BlockNumbers plain;
  for (const BlockId block : blocks) plain.push_back(static_cast<std::uint32_t>(block));
  return plain;
}

/// The contents of the first full blocks of a prompt: equal for equal names, however long.
inline std::vector<BlockHash> prompt_contents(std::uint64_t name, std::size_t blocks) {
  std::vector<BlockHash> contents;
  BlockHash hash = chain(kNoHash, name);
  for (std::size_t i = 0; i < blocks; ++i) contents.push_back(hash = chain(hash, i));
  return contents;
}

/// A table of as many new blocks. Precondition: they are free.
inline BlockTable take(BlockManager& blocks, std::int64_t count) {
  BlockTable table;
  if (!blocks.grow(table, count)) table.clear();
  return table;
}

/// Names the contents of the first blocks of `table`.
inline void seal(BlockManager& blocks, const BlockTable& table,
                 std::span<const BlockHash> contents) {
  for (std::size_t i = 0; i < contents.size(); ++i) blocks.seal(table.at(i), contents[i]);
}

/// The table of a request whose `contents` have been computed, none of them found.
inline BlockTable compute(BlockManager& blocks, std::span<const BlockHash> contents) {
  BlockTable table = take(blocks, static_cast<std::int64_t>(contents.size()));
  seal(blocks, table, contents);
  return table;
}

/// The numbers of the blocks that `contents` would be found in.
inline BlockNumbers look_up(const BlockManager& blocks, std::span<const BlockHash> contents) {
  std::vector<BlockId> found;
  blocks.find_prefix(contents, found);
  return numbers(found);
}

}  // namespace tokenyard

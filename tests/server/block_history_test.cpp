// Random histories of KV blocks, step by step against a plain model.

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <map>

#include "sim/server/block_manager.hpp"
#include "tests/server/block_fixtures.hpp"
#include "tests/server/block_model.hpp"

namespace tokenyard {
namespace {

constexpr std::size_t kTables = 6;

/// Any of the range alike: the size by which rapidcheck narrows ranges in early cases is set aside.
template <typename T>
T draw(T from, T below) {
  return *rc::gen::resize(rc::kNominalSize, rc::gen::inRange<T>(from, below));
}

/// One history: every operation is carried out by the manager and by the model, which must agree on
/// its result; `check` compares everything else.
struct History {
  explicit History(std::int64_t total) : blocks(total, 16), model(total, kTables) {}

  ModelTable& any_table() { return model.tables[draw<std::size_t>(0, kTables)]; }
  ModelTable* unused_table() {
    for (ModelTable& table : model.tables) {
      if (table.blocks.empty()) return &table;
    }
    return nullptr;
  }
  static std::int64_t size_of(const ModelTable& table) {
    return static_cast<std::int64_t>(table.blocks.size());
  }

  /// What the manager took for `table` behind its first blocks must be what the model expects; the
  /// owner fills it, with its prompt first.
  void expect_taken(ModelTable& table, const BlockTable& now) {
    while (table.blocks.size() < now.size()) {
      const std::size_t position = table.blocks.size();
      const BlockId block = model.take();
      RC_ASSERT(now[position] == block);
      table.blocks.push_back(block);
      table.data.push_back(position < table.contents.size()
                               ? static_cast<std::uint64_t>(table.contents[position])
                               : ++written);
      model.memory[index(block)] = table.data.back();
    }
  }

  void grow(ModelTable& table) {
    const std::int64_t wanted = size_of(table) + draw<std::int64_t>(-1, 5);
    const bool fits = wanted - size_of(table) <= model.free();
    BlockTable now = table.blocks;
    RC_ASSERT(blocks.grow(now, wanted) == fits);
    RC_ASSERT(std::equal(table.blocks.begin(), table.blocks.end(), now.begin()));
    RC_ASSERT(now.size() ==
              static_cast<std::size_t>(fits ? std::max(wanted, size_of(table)) : size_of(table)));
    expect_taken(table, now);
  }

  /// A request comes whose prompt begins like those of others: few prompts, so hits are common.
  void start(ModelTable& table) {
    table.contents.clear();
    BlockHash hash = chain_of(TenantId{draw<std::uint32_t>(0, 2)});
    for (auto left = draw(0, 6); left > 0; --left) {
      table.contents.push_back(hash = chain(hash, draw<std::uint64_t>(0, 2)));
    }
    std::vector<BlockId> found{BlockId{0}};
    blocks.find_prefix(table.contents, found);
    RC_ASSERT(found == model.find_prefix(table.contents));
    for (std::size_t i = 0; i < found.size(); ++i) {
      RC_ASSERT(model.memory[index(found[i])] == static_cast<std::uint64_t>(table.contents[i]));
    }
    // Who does not read the cache, or not all of it, computes again what others have: twins.
    if (draw(0, 3) == 0) found.resize(draw<std::size_t>(0, found.size() + 1));
    const auto count_free = std::count_if(found.begin(), found.end(),
                                          [&](BlockId block) { return !model.in_use(block); });
    RC_ASSERT(blocks.count_free(found) == count_free);

    const auto fresh = draw<std::int64_t>(0, 4);
    const bool fits = fresh + count_free <= model.free();
    BlockTable now;
    RC_ASSERT(blocks.start(now, found, static_cast<std::int64_t>(found.size()) + fresh) == fits);
    if (!fits) {
      RC_ASSERT(now.empty());
      return;
    }
    RC_ASSERT(now.size() == found.size() + static_cast<std::size_t>(fresh));
    for (const BlockId block : found) {
      RC_ASSERT(now[table.blocks.size()] == block);
      if (!model.in_use(block)) model.take_found(block);
      table.blocks.push_back(block);
      table.data.push_back(model.memory[index(block)]);
    }
    expect_taken(table, now);
  }

  void fork(const ModelTable& table, ModelTable& second) {
    const auto count = draw<std::size_t>(0, table.blocks.size() + 1);
    second = table;
    second.blocks.resize(count);
    second.data.resize(count);
    if (draw(0, 2) == 0) {
      RC_ASSERT(blocks.fork(table.blocks, count) == second.blocks);
      return;
    }
    BlockTable one_by_one;
    for (const BlockId block : second.blocks) blocks.share(one_by_one, block);
    RC_ASSERT(one_by_one == second.blocks);
  }

  /// The owner writes to a block that it has not given a name; a shared one may have one.
  void write(ModelTable& table) {
    if (table.blocks.empty()) return;
    const auto position = draw<std::size_t>(0, table.blocks.size());
    const BlockId old = table.blocks[position];
    const bool shared = model.references(old, false) + model.references(old, true) > 1;
    if (shared ? model.free() == 0 : model.name_of(old) != kNoHash) return;
    BlockTable now = table.blocks;
    const auto copy = blocks.make_writable(now, position);
    RC_ASSERT(copy.has_value() == shared);
    if (copy) {
      RC_ASSERT(copy->from == old);
      RC_ASSERT(copy->to == model.take());
      RC_ASSERT(now[position] == copy->to);
      model.memory[index(copy->to)] = model.memory[index(old)];
      table.blocks[position] = copy->to;
    }
    RC_ASSERT(now == table.blocks);
    RC_ASSERT(model.memory[index(now[position])] == table.data[position]);
    model.memory[index(now[position])] = table.data[position] = ++written;
  }

  /// Names what is computed of the prompt; a block that was written since is not its content.
  void seal(const ModelTable& table) {
    const std::size_t most = std::min(table.blocks.size(), table.contents.size());
    const std::size_t full = most - draw<std::size_t>(0, 2) * draw<std::size_t>(0, most + 1);
    for (std::size_t i = 0; i < full; ++i) {
      if (table.data[i] != static_cast<std::uint64_t>(table.contents[i])) return;
      blocks.seal(table.blocks[i], table.contents[i]);
      model.seal(table.blocks[i], table.contents[i]);
    }
  }

  void give_up(ModelTable& table) {
    BlockTable now = table.blocks;
    if (table.draining) {
      blocks.finish_draining(now);
    } else {
      blocks.release(now);
    }
    RC_ASSERT(now.empty());
    const BlockTable backwards(table.blocks.rbegin(), table.blocks.rend());
    table = {};
    model.give_up(backwards);
  }

  void start_draining(ModelTable& table) {
    blocks.start_draining(table.blocks);
    table.draining = !table.blocks.empty();
  }

  /// Counts what giving up some tables would give back, but for what is `kept`.
  void tally() {
    std::vector<const ModelTable*> given_up;
    for (const ModelTable& table : model.tables) {
      if (!table.draining && draw(0, 2) == 0) given_up.push_back(&table);
    }
    const BlockTable kept = draw(0, 2) == 0 ? any_table().blocks : BlockTable{};
    std::int64_t tallied = 0;
    blocks.begin_tally(kept);
    for (const ModelTable* table : given_up) tallied += blocks.tally(table->blocks);
    std::map<BlockId, std::int64_t> references;
    for (const ModelTable* table : given_up) {
      for (const BlockId block : table->blocks) ++references[block];
    }
    for (const BlockId block : kept) references.erase(block);
    std::int64_t no_longer_held = 0;
    for (const auto& [block, count] : references) {
      no_longer_held += model.references(block, false) == count ? 1 : 0;
    }
    RC_ASSERT(tallied == no_longer_held);
  }

  void step() {
    ModelTable& table = any_table();
    ModelTable* unused = unused_table();
    const auto action = draw(0, 24);
    if (action == 0) {
      if (draw(0, 4) == 0) {  // seldom, for it is the end of all that is known
        for (ModelTable& each : model.tables) give_up(each);
      }
      RC_ASSERT(blocks.forget_contents() == model.forget_contents());
    } else if (action == 1) {
      tally();
    } else if (table.draining) {
      if (action < 8) give_up(table);
    } else if (table.blocks.empty()) {
      start(table);
    } else if (action < 4) {
      start_draining(table);
    } else if (action < 6) {
      give_up(table);
    } else if (action < 10) {
      if (unused != nullptr) fork(table, *unused);
    } else if (action < 14) {
      write(table);
    } else if (action < 20) {
      seal(table);
    } else {
      grow(table);
    }
  }

  void check() {
    const BlockModel::Counts now{blocks.free(),   blocks.held(),  blocks.draining(),
                                 blocks.shared(), blocks.saved(), blocks.cached()};
    RC_ASSERT(now == model.counts());
    std::vector<const BlockTable*> views;
    for (const ModelTable& table : model.tables) {
      views.push_back(&table.blocks);
      for (std::size_t i = 0; i < table.blocks.size(); ++i) {
        RC_ASSERT(model.memory[index(table.blocks[i])] == table.data[i]);
      }
    }
    blocks.audit(views);
    for (const auto& [content, block] : model.names()) {
      RC_ASSERT(look_up(blocks, {&content, 1}) == numbers(model.find_prefix({&content, 1})));
    }
  }

  BlockManager blocks;
  BlockModel model;
  std::uint64_t written = 0;  // a running number, far from any hash
};

// The safety of contents is part of each step: what an owner wrote stands in its blocks until it
// gives them up, draining or not, and what a prefix is found in holds that prefix.
// Would catch: a block handed out twice, early, in another order or never; a write that another
// table sees; a name that stays with other content, or is lost; wrong counts; in any history.
RC_GTEST_PROP(BlockHistory, AgreesWithThePlainModel, ()) {
  History history(draw<std::int64_t>(0, 40));
  for (auto steps = draw(1, 400); steps > 0; --steps) {
    history.step();
    history.check();
  }
}

}  // namespace
}  // namespace tokenyard

#pragma once

#include <cstddef>
#include <functional>

namespace tokenyard {

/// Calls `work(i)` for each i below `count` on up to `jobs` >= 1 threads, begun in ascending order.
/// After one has thrown none is begun any more; when those that run have ended, the exception of
/// the lowest i is thrown. With one job everything happens on the caller's thread.
void for_each_in_parallel(std::size_t count, std::size_t jobs,
                          const std::function<void(std::size_t)>& work);

}  // namespace tokenyard

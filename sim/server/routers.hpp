#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "sim/ports/router.hpp"

namespace tokenyard {

/// All routers, by name.
std::span<const RouterEntry> router_entries();

/// The router "name" or "name:key=value,…"; "least-loaded" is another name of least-requests. An
/// unknown name or parameter is an `InputError`. `seed` feeds those who draw.
std::unique_ptr<Router> make_router(const std::string& text, std::uint64_t seed);

}  // namespace tokenyard

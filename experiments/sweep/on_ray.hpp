#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

namespace tokenyard {

/// Carries listed cells out as tasks of Ray, by the adapter on_ray.py: at most `in_flight` at a
/// time (0: as the cluster has CPUs). `commands` are the words of each, from "run" on. The Python
/// is that of the environment variable TOKENYARD_PYTHON, else what `./yard ray` installed, else
/// python3. Throws `InputError` where a cell fails, whose message has been printed then, or no
/// Python with Ray is found; `Interrupted`.
void run_on_ray(const std::vector<std::vector<std::string>>& commands, std::size_t in_flight,
                bool quiet, const std::filesystem::path& job_file);

}  // namespace tokenyard

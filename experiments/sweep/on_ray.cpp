#include "experiments/sweep/on_ray.hpp"

#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <thread>

#include "experiments/data_files.hpp"
#include "experiments/interrupt.hpp"
#include "experiments/record/result_folder.hpp"
#include "sim/kernel/input_error.hpp"

namespace tokenyard {

namespace fs = std::filesystem;

namespace {

std::string python() {
  const char* named = std::getenv("TOKENYARD_PYTHON");
  if (named != nullptr && *named != '\0') return named;
  const fs::path installed = data_directory() / "build" / "python" / "bin" / "python3";
  std::error_code error;
  return fs::exists(installed, error) ? installed.string() : "python3";
}

std::string job_json(const std::vector<std::vector<std::string>>& commands, std::size_t in_flight,
                     bool quiet) {
  nlohmann::ordered_json job;
  job["program"] = fs::read_symlink("/proc/self/exe").string();
  job["folder"] = fs::current_path().string();
  job["in_flight"] = in_flight;
  job["quiet"] = quiet;
  job["cells"] = commands;
  return job.dump();
}

pid_t start(std::vector<std::string> words) {
  std::vector<char*> pointers;
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  pid_t child = 0;
  const int error =
      ::posix_spawnp(&child, pointers.front(), nullptr, nullptr, pointers.data(), environ);
  if (error != 0) {
    throw InputError(fmt::format("sweep: --on ray: {} cannot be started: {}", words.front(),
                                 std::generic_category().message(error)));
  }
  return child;
}

/// Waits for the child's end, and asks it to come to one when this process is interrupted.
int status_of(pid_t child) {
  constexpr auto kBetweenLooks = std::chrono::milliseconds(20);
  bool asked = false;
  int status = 0;
  for (;;) {
    const pid_t ended = ::waitpid(child, &status, WNOHANG);
    if (ended == child) return status;
    if (ended < 0 && errno != EINTR)
      throw InputError("sweep: --on ray: Python cannot be waited for");
    if (interrupted() && !asked) {
      ::kill(child, SIGINT);  // which Python takes calmly
      asked = true;
    }
    std::this_thread::sleep_for(kBetweenLooks);
  }
}

}  // namespace

void run_on_ray(const std::vector<std::vector<std::string>>& commands, std::size_t in_flight,
                bool quiet, const fs::path& job_file) {
  if (commands.empty()) return;
  write_text_file(job_file, job_json(commands, in_flight, quiet));
  const fs::path adapter = data_directory() / "experiments" / "sweep" / "on_ray.py";
  const int status = status_of(start({python(), adapter.string(), job_file.string()}));
  std::error_code ignored;  // an empty hand is no reason to fail
  fs::remove(job_file, ignored);
  if (interrupted()) throw Interrupted();
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return;
  throw InputError(
      "sweep: --on ray: not every cell was carried out (see above); those that were are kept");
}

}  // namespace tokenyard

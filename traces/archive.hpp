#pragma once

#include <functional>
#include <string>

namespace tokenyard {

/// Goes through the regular files of a tar archive (POSIX ustar and pax, GNU; plain, gzip or zstd)
/// in their order. `visit` is given a file's name in the archive and what reads its content, which
/// may be called once, before `visit` returns. Throws `InputError` for what is no archive, is
/// damaged or cut off, and for a content of more than 1 GiB.
void read_archive(
    const std::string& path,
    const std::function<void(const std::string& name, const std::function<std::string()>& content)>&
        visit);

}  // namespace tokenyard

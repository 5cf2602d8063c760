#pragma once

#include <functional>
#include <string>

namespace tokenyard {

/// Goes through the files of an archive (tar, compressed or not, or zip) in their order. `visit` is
/// given a file's name in the archive and what reads its content, which may be called once, before
/// `visit` returns. Throws `InputError` for what cannot be read or is damaged, and for a content of
/// more than 1 GiB.
void read_archive(const std::string& path,
                  const std::function<void(const std::string& name,
                                           const std::function<std::string()>& content)>& visit);

}  // namespace tokenyard

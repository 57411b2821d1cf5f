#pragma once
// DirectoryLock: at most one server per data directory. An advisory lock (flock) on
// `<directory>/lock`, which the kernel drops when the process ends however it ends; the file's text
// tells a second server who the first is. A note that begins with "pid N" lets the second wait some
// seconds for a first that was killed and whose threads have not all ended yet.
//
// Threads: a value. Failure: "AlreadyRunning" with the first server's note, or "DiskError".

#include <string>

#include "wolke/base/fd.h"
#include "wolke/base/result.h"

namespace wolke::store {

class DirectoryLock {
 public:
  static Result<DirectoryLock> take(const std::string& directory, const std::string& note);

 private:
  explicit DirectoryLock(Fd fd) : fd_(std::move(fd)) {}
  Fd fd_;
};

}  // namespace wolke::store

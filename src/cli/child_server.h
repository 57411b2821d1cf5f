#pragma once
// A server of our own, as a child process: started, waited for until it is ready, stopped with us.

#include <sys/types.h>

#include <chrono>
#include <string>
#include <vector>

#include "wolke/base/result.h"

namespace wolke::cli {

class ChildServer {
 public:
  /// `arguments` follow the binary's name: {"serve", "--data-dir", …}. "NotReady" when it ended
  /// before its ready line.
  static Result<ChildServer> start(const std::vector<std::string>& arguments,
                                   std::chrono::seconds patience);
  ChildServer(ChildServer&& other) noexcept;
  ChildServer& operator=(ChildServer&&) = delete;
  ~ChildServer();  // SIGTERM, then waits

  const std::string& endpoint() const { return endpoint_; }  // "http://127.0.0.1:4566"
  std::chrono::milliseconds start_took() const { return took_; }
  /// Waits until it ends; Ctrl-C reaches it and us alike.
  int wait();

 private:
  ChildServer() = default;
  pid_t pid_ = -1;
  std::string endpoint_;
  std::chrono::milliseconds took_{0};
};

}  // namespace wolke::cli

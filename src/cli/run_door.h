#pragma once
// The way out of `wolke run`'s sandbox: the AWS APIs that the function calls. Where a server runs,
// each request is handed to it as it came (the function signed it itself, with a session of the
// caller); else each is refused at once with a sentence, by a status that no SDK retries.
//
// Threads: one loop. Lifetime: stop() ends before it is destroyed; the loop outlives it. Bodies are
// held in memory, up to a bound.

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "wolke/async/loop.h"
#include "wolke/base/fd.h"
#include "wolke/net/certificates.h"
#include "wolke/net/server.h"

namespace wolke::cli {

struct Refusal {
  std::string content_type;
  std::string body;
};
/// The refusal in the form that this request's SDK reads: JSON or XML. Pure.
Refusal refusal_for(const net::RequestHead& head, const std::string& sentence);

class RunDoor {
 public:
  struct Options {
    std::string upstream;  // "127.0.0.1:4566"; empty: no server
    std::string sentence;  // why not, for the function
    std::function<void()> first_call;
  };
  /// Writes the certificate bundle that the sandbox is to trust below `trust_directory`.
  static Result<std::unique_ptr<RunDoor>> make(async::Loop& loop, Options options,
                                               const std::string& trust_directory);
  RunDoor(const RunDoor&) = delete;
  RunDoor& operator=(const RunDoor&) = delete;

  void serve(Fd listening);
  void serve_tls(Fd listening);
  async::Task<void> stop();

 private:
  RunDoor(async::Loop& loop, Options options, std::unique_ptr<net::LocalAuthority> authority);
  async::Task<void> answer(net::Exchange& exchange);
  async::Task<void> refuse(net::Exchange& exchange);
  async::Task<Result<void>> forward(net::Exchange& exchange);

  async::Loop& loop_;
  Options options_;
  bool called_ = false;
  std::unique_ptr<net::LocalAuthority> authority_;
  std::unique_ptr<net::Server> server_;
};

}  // namespace wolke::cli

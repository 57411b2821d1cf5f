#pragma once
// Supervision: the server's end of the conversation with the supervisor that starts extensions and
// runtime inside one sandbox (supervise_main.cc, supervision_wire.h). Nothing it says is trusted
// further than the sandbox itself: what is malformed ends the conversation.
//
// Threads: the loop's. stop() ends its task and must have been awaited before destruction.

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "wolke/async/event.h"
#include "wolke/async/gate.h"
#include "wolke/async/loop.h"
#include "wolke/base/fd.h"
#include "wolke/base/result.h"
#include "wolke/runtime/supervision_wire.h"

namespace wolke::runtime {

/// How a process of the sandbox ended.
struct ProcessEnd {
  int code = 0, signal = 0;
  int launch_error = 0;  // an errno: it never ran
};

/// "exit status 1", "signal: killed"; "exit code 0" when it says nothing.
std::string describe(const ProcessEnd& end);

class Supervision {
 public:
  /// Called until stop() has ended. `index` is the extension's.
  struct Owner {
    std::function<void(std::size_t index, std::string_view bytes)> on_output;
    std::function<void(std::size_t index, const ProcessEnd& end)> on_extension_end;
    std::function<void(const ProcessEnd& end)> on_runtime_end;
    std::function<bool()> flooded;  // what is written is too much: read slower
  };

  Supervision(async::Loop& loop, Fd listening, std::size_t extensions, Owner owner);
  Supervision(const Supervision&) = delete;
  Supervision& operator=(const Supervision&) = delete;

  /// Orders given before the supervisor has connected are kept for it.
  void order(SupervisionOrder order);
  async::Task<void> stop();

 private:
  async::Task<void> listen();
  async::Task<void> receive();
  /// False: malformed.
  bool take_messages();
  bool take(SupervisionWord word, int index, std::string_view payload);
  void send_orders();

  async::Loop& loop_;
  Fd listening_, connection_;
  std::size_t extensions_;
  Owner owner_;
  std::string orders_;  // not sent yet
  std::string in_;
  bool stopped_ = false;
  async::Gate gate_;
};

/// Writes the supervisor's program to `directory`/supervise, readable and executable by everybody.
/// The directory is made when it is missing. Error code "DiskError".
Result<void> unpack_supervisor(const std::string& directory);

}  // namespace wolke::runtime

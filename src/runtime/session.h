#pragma once
// Session: one conversation with the runtime inside a sandbox, whichever language it speaks: frames
// over the control socket (our Node and Python runtimes) or Lambda's Runtime API over HTTP (custom
// runtimes).
//
// Order: initialise() once, then invoke() one at a time. close() may be called at any moment, from
// a task that knows that the program has ended: waits in progress then return Outcome::ended.
// Threads: one loop. Failure is an Outcome, never an Error: whatever a function does to its runtime
// is the function's result.

#include <memory>
#include <string>

#include "wolke/async/loop.h"
#include "wolke/async/task.h"
#include "wolke/base/fd.h"
#include "wolke/base/time.h"

namespace wolke::runtime {

/// What a runtime is told of one invocation.
struct Invocation {
  std::string request_id;
  std::string invoked_arn;
  std::string trace;
  std::string client_context;  // JSON text or empty
  std::string payload;         // JSON text
  Timestamp deadline{};
};

struct Outcome {
  enum class Kind {
    ready,       // initialised
    init_error,  // payload: error JSON
    result,      // payload: what the handler answered
    error,       // payload: error JSON; the runtime can go on
    fatal,       // payload: error JSON; the runtime is ending
    ended,       // the program ended, or closed its side
    unheard,     // the same, before it was given the invocation; payload: the invocation's own
    malformed,   // payload: what was wrong
    timed_out,
  };
  Kind kind = Kind::ended;
  std::string payload = {};
  /// The version that the runtime says it is, with Kind::ready ("v22.23.3"); empty for custom
  /// runtimes.
  std::string version = {};
};

class ExtensionApi;

class Session {
 public:
  virtual ~Session() = default;
  /// May be called again after Outcome::timed_out to wait on.
  virtual async::Task<Outcome> initialise(Monotonic deadline) = 0;
  virtual async::Task<Outcome> invoke(Invocation invocation, Monotonic deadline) = 0;
  virtual void close() = 0;
  /// Ends what runs in the background; call once, after close(), before destruction.
  virtual async::Task<void> shut_down() = 0;
};

/// `control` is borrowed: it must outlive the session and be non-blocking.
std::unique_ptr<Session> make_frame_session(async::Loop& loop, int control);
/// `listening`: a socket inside the sandbox's network namespace, at AWS_LAMBDA_RUNTIME_API.
/// `extensions` is served there too, where there is one, and outlives the session's shut_down().
std::unique_ptr<Session> make_api_session(async::Loop& loop, Fd listening,
                                          ExtensionApi* extensions = nullptr);

/// {"errorType":…,"errorMessage":…}: Lambda's form for what the service itself has to say of an
/// invocation.
std::string service_error_json(std::string_view type, std::string_view message);
/// "errorType" of an error JSON; empty when it has none.
std::string error_type_of(const std::string& error_json);

inline constexpr std::size_t response_bytes_max =
    6'291'556;  // 6 MiB and Lambda's grace of 100 bytes
/// The error that replaces a larger response.
std::string response_too_large_json();

}  // namespace wolke::runtime

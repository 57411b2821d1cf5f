#pragma once
// ExtensionBook: the extensions of one execution environment, as an automaton without time, network
// or processes. External ones are known from the start (executables in /opt/extensions), internal
// ones appear when they register.
//
//   started ─ register ─► registered ─ next ─► ready ─ event ─► running ─ next ─► ready …
//   any ─ init/error | exit/error | its process ends ─► failed (the first one is the fault)
//
// After a SHUTDOWN event an extension may do what it likes. Names, states, texts:
// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-extensions-api.html. A request that does
// not fit is an Error with status 403 and Lambda's code, and changes nothing.

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "wolke/base/result.h"

namespace wolke::runtime {

inline constexpr std::size_t extensions_max = 10;
inline constexpr std::size_t extension_name_bytes_max = 128;

struct Extension {
  enum class State { started, registered, ready, running, failed, told_to_end };

  std::string name;
  std::string id = {};  // empty until it has registered
  bool external = false;
  State state = State::started;
  bool wants_invoke = false, wants_shutdown = false;
  std::string error_type = {};          // of one that failed
  std::string failed_as = {};           // "InitError", "ExitError", "LaunchError", "Exited"
  bool ended = false;                   // its process
  std::optional<std::string> due = {};  // an event's JSON, not handed out yet

  /// "Ready", as its line in the log says it.
  std::string state_name() const;
  std::vector<std::string> events() const;  // "INVOKE", "SHUTDOWN"
};

/// Why the environment cannot go on.
struct ExtensionFault {
  std::string type;  // "Extension.Crash"
  std::string what;  // "exit status 1"
};

class ExtensionBook {
 public:
  /// `external`: file names. More than extensions_max of them is a fault from the start.
  explicit ExtensionBook(std::vector<std::string> external);

  const std::vector<Extension>& all() const { return extensions_; }
  bool empty() const { return extensions_.empty(); }
  const std::optional<ExtensionFault>& fault() const { return fault_; }

  // What extensions ask for. The result is the extension's index.
  Result<std::size_t> enroll(const std::string& name, const std::vector<std::string>& events,
                             std::string id);
  Result<std::size_t> find(std::string_view id) const;
  Result<void> next(std::size_t index);
  Result<void> init_error(std::size_t index, std::string type);
  Result<void> exit_error(std::size_t index, std::string type);
  /// The event that waits for a ready extension, which is running from here.
  std::optional<std::string> take_event(std::size_t index);
  /// It did not reach the extension, which is polling no more.
  void give_back(std::size_t index, std::string event);

  // What happens to them.
  void launch_failed(std::size_t index, const std::string& why);
  void process_ended(std::size_t index, const std::string& how);
  /// The runtime's Init phase is over: nobody can register any more.
  void close_registration() { registration_open_ = false; }
  void begin_invoke(const std::string& event);
  void begin_shutdown(const std::string& event);

  /// All external ones have registered.
  bool all_registered() const;
  /// All have asked for their next event, and no event waits to be fetched.
  bool all_ready() const;
  bool expects_farewell() const;
  /// Whoever was told of the shutdown has ended or asked for more.
  bool farewell_done() const;

 private:
  void fail_with(std::size_t index, std::string as, std::string error_type, ExtensionFault fault);
  Result<void> report(std::size_t index, std::string as, std::string type, std::string code);

  std::vector<Extension> extensions_;
  std::optional<ExtensionFault> fault_;
  bool registration_open_ = true;
  bool shutting_down_ = false;
};

}  // namespace wolke::runtime

#pragma once
// What the command line says, parsed: one struct for each verb. cli.cc fills them; it alone knows
// the parser library.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace wolke::cli {

/// For every verb that talks to a running server.
struct ClientOptions {
  std::string
      endpoint;  // empty: WOLKE_ENDPOINT, else <data-dir>/endpoint, else http://127.0.0.1:4566
  std::string data_dir;  // where root-credentials and endpoint lie
  std::string region = "us-east-1";
  bool json = false;
};

struct ServeOptions {
  bool dev = false;
  std::string data_dir;
  std::string listen = "127.0.0.1:4566";
  std::string isolation;  // "": the strongest this host can; "process" only by name
  std::string region = "us-east-1";
  std::string runtimes;          // "": beside the binary
  bool private_issuers = false;  // sts::Reach
  std::string new_buckets;  // "closed", "classic": s3::NewBuckets; "": classic in dev, else closed
  bool json = false;        // the ready line as JSON; demo: its outcome
};

/// Of a function whose deploy names none.
inline constexpr std::uint32_t default_memory_mb = 512;
inline constexpr std::uint32_t default_timeout_s = 30;

/// What is not named stays as it is when the function is there already.
struct DeployOptions {
  std::string path;
  std::string name;
  std::string on;  // "s3:BUCKET[/PREFIX]": new objects call the function, which may read them
  std::vector<std::string> writes;  // "s3:BUCKET[/PREFIX]": the function may put objects there
  std::vector<std::string> env;
  std::optional<std::uint32_t> memory_mb;
  std::optional<std::uint32_t> timeout_s;
  std::string runtime;  // "": guessed from the files
  std::string handler;  // "": guessed from the files
  bool show = false;
  bool replace = false;  // a function that deploy did not make
};

struct InvokeOptions {
  std::string function;
  std::string payload = "{}";  // JSON text, @FILE or - for standard input
  bool event = false;
};

struct RunOptions {
  std::string runtimes;
  std::string file;
  std::string event = "{}";
  DeployOptions as;
  std::string isolation;
};

struct LogsOptions {
  std::string function;
  bool follow = false;
  std::string filter;
  std::string since;  // "10m"; empty: all, with follow the last 10 minutes
};

struct EventsOptions {
  std::string function;  // name or ARN; empty: all functions
  bool failed = false;
  std::vector<std::string> ids;  // cancel, replay
};

/// The directory that a server uses when none is given: /var/lib/wolke for root, else
/// $XDG_DATA_HOME/wolke.
std::string default_data_dir();

}  // namespace wolke::cli

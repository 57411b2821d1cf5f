#pragma once
// The command line: every verb of `wolke`. run() returns the exit code (0 ok, 1 failure, 2 usage, 3
// not found or denied, 4 server unreachable, 10 function error, 124 timeout, 130 interrupted).

namespace wolke::cli {

int run(int argc, char** argv);

}  // namespace wolke::cli

#!/bin/sh
# Builds this function, runs it once in a sandbox, and prints its answer. WOLKE names the program, CXX the compiler.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
wolke=${WOLKE:-wolke}
code=$(mktemp -d)
trap 'rm -rf "$code"' EXIT

"${CXX:-c++}" -O2 -static -o "$code/bootstrap" "$here/bootstrap.cc"
"$wolke" run "$code" '{"text":"to be or not"}'

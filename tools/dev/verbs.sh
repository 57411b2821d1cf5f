# The words of ./dev.

verb_help() {
  cat <<'EOT'
./dev demo [PHOTO]   the story: install what is needed, build, start a server, put a photograph, see the thumbnails
./dev test [NAME]    all tests (or those whose name matches), against a sanitized build
./dev build          build/release/wolke
./dev run [ARGS]     build, then run `wolke ARGS`
./dev fmt            format the sources        ./dev tidy    clang-tidy of what changed, and the tidy test
./dev asan|tsan      build and run the unit tests under the sanitizers
./dev fuzz [SECONDS] [TARGET...]  each fuzz target for so long (default 10) under the sanitizers
./dev fuzz --runs N [TARGET...]   … for so many executions, without them
./dev bench          measure, beside the comparators, and write the figures into SPECIFICATION.md
./dev crash [N]      N kills of the real server under load and 100·N simulated power cuts (default 300)
./dev check [SECONDS] S3 keys and a bucket's configuration stay linearizable under kills, disk errors, a full disk (default 60)
./dev mutants [N]    N signed requests, bodies and links with one thing changed (default 10,000,000): none may be accepted
./dev soak [MINUTES] the crash test's load without kills (default 10): memory, descriptors and processes stay flat
./dev qemu [LAYOUT]  the sandbox in virtual machines of Debian's kernel: control groups v2, v1, hybrid (tests/qemu)
./dev lto            release build with ThinLTO
./dev ci             what CI runs
./dev setup          only install what is needed
EOT
}

jobs=${WOLKE_JOBS:-$(nproc)}

build_preset() {
  local preset=$1
  shift
  need build
  export CCACHE_DIR=${CCACHE_DIR:-$root/.cache/ccache} CCACHE_BASEDIR=$root CCACHE_SLOPPINESS=pch_defines,time_macros
  if [ ! -f "build/$preset/build.ninja" ]; then
    quietly "configure $preset" "build/log/configure-$preset.log" cmake --preset "$preset" $(local_rpath)
  fi
  quietly "build $preset" "build/log/build-$preset.log" ninja -C "build/$preset" -j "$jobs" "$@"
}

# Debian's Python: the packages above are for it.
debian_python() { if [ -x /usr/bin/python3 ]; then /usr/bin/python3 "$@"; else "$tree/usr/bin/python3" "$@"; fi; }

# The example function as it is now, beside the packages that were fetched for it.
thumbnail_function() { cp examples/thumbnail-node/index.js "$deps/thumbnail-node/index.js" && echo "$deps/thumbnail-node"; }

verb_setup() {
  step "what is needed"
  need build run test photo
  say "everything is there"
}

verb_build() {
  step "build"
  build_preset release wolke
  say "built build/release/wolke"
}

verb_lto() { build_preset lto wolke; }

verb_run() {
  need build run
  build_preset release wolke
  exec build/release/wolke "$@"
}

verb_demo() {
  step "what is needed"
  if [ $# -gt 0 ]; then need build run; else need build run photo; fi
  step "build"
  build_preset release wolke
  forget_aws
  exec build/release/wolke demo --function "$(thumbnail_function)" "${1:-$photo}"
}

verb_fmt() {
  need test
  git ls-files -co --exclude-standard 'src/*.cc' 'src/*.h' 'tests/*.cc' 'tests/*.h' 'examples/*.cc' | xargs -r -P "$jobs" -n 20 clang-format-19 -i
}

check_format() {
  git ls-files -co --exclude-standard 'src/*.cc' 'src/*.h' 'tests/*.cc' 'tests/*.h' 'examples/*.cc' | xargs -r -P "$jobs" -n 20 clang-format-19 --dry-run -Werror
}

verb_tidy() {
  need build test
  debian_python tools/tidy.py
  build_preset dev
  tidy_changed dev
}

# Sources that the last commit (or everything since WOLKE_TIDY_BASE) changed.
changed_sources() { git diff --name-only --diff-filter=d "${WOLKE_TIDY_BASE:-HEAD~1}" -- 'src/*.cc' ':!*_test.cc' ':!*_fuzz.cc' ':!*_bench.cc' 2>/dev/null || true; }

# Unlike the compiler, clang-tidy does not read the configuration that leads to unpacked headers.
tidy_changed() {
  local headers=() place
  for place in "$tree/usr/include" "$tree/usr/include/$multiarch"; do
    [ ! -d "$place" ] || headers+=("--extra-arg=-idirafter$place")
  done
  changed_sources | xargs -r -P "$jobs" -n 1 clang-tidy-19 -p "build/$1" --quiet "${headers[@]}"
}

verb_test() {
  step "what is needed"
  need build run test photo
  step "build"
  build_preset asan
  forget_aws
  thumbnail_function >/dev/null
  run_tests asan "$@"
}

run_tests() {
  local preset=$1
  shift
  local select=()
  [ $# -eq 0 ] || select=(-R "$1")
  ctest --test-dir "build/$preset" --output-on-failure --timeout 600 -j "$jobs" "${select[@]}"
}

verb_asan() { build_preset asan && ctest --test-dir build/asan -L 'unit|fuzz' --output-on-failure -j "$jobs"; }

verb_tsan() {
  build_preset tsan async_test net_test store_test invoke_test
  ctest --test-dir build/tsan -R '^(async|net|store|invoke)$' --output-on-failure -j 1
}

# Each fuzz target for so many seconds under the sanitizers, or with --runs N [TARGET…] for so many executions without them, which are
# five times as many in the same time. What it finds new stays under build/PRESET/corpus.
verb_fuzz() {
  local preset=asan limit=-max_total_time=${1:-10} source stem exe log
  if [ "${1:-}" = --runs ]; then
    preset=fuzz limit=-runs=${2:?how many}
    shift 2
  else
    [ $# -eq 0 ] || shift
  fi
  build_preset "$preset" fuzz_targets
  while read -r source; do
    stem=$(basename "$source" .cc)
    [ $# -eq 0 ] || [[ " $* " == *" ${stem%_fuzz} "* ]] || continue
    exe=$(find "build/$preset/src" -type f -name "*_$stem")
    log=build/log/$stem.log
    mkdir -p "build/$preset/corpus/$stem"
    quietly "$stem" "$log" "$exe" "$limit" -rss_limit_mb=2048 -print_final_stats=1 "build/$preset/corpus/$stem" "$(dirname "$source")/corpus/$stem"
    say "$stem: $(sed -n 's/^stat::number_of_executed_units: *//p' "$log") executions, nothing found"
  done < <(find src -name '*_fuzz.cc' | sort)
}

verb_bench() {
  need build run bench
  build_preset release wolke
  forget_aws
  debian_python bench/run.py --write "$@"
}

verb_crash() {
  need build run test
  build_preset release wolke store_test
  forget_aws
  debian_python tests/crash/run.py --binary build/release/wolke --kills "${1:-300}"
}

# In as many processes as jobs, each with a seed of its own; each tries as many of each of the three kinds.
verb_mutants() {
  local total=${1:-10000000} seed=0 failed=0 pids=()
  build_preset release identity_test
  for ((seed = 1; seed <= jobs; seed++)); do
    WOLKE_MUTANTS=$(((total + 3 * jobs - 1) / (3 * jobs))) WOLKE_MUTANTS_SEED=$seed build/release/src/identity/identity_test \
      --gtest_brief=1 --gtest_filter='SigV4Mutation.No*:SigV2Mutation.No*' &
    pids+=($!)
  done
  for seed in "${pids[@]}"; do wait "$seed" || failed=1; done
  [ $failed = 0 ] || die "a changed request was accepted"
  say "mutants: $total, 0 accepted"
}

verb_check() {
  need build run test
  build_preset release wolke io_error
  debian_python tests/check/run.py --binary build/release/wolke --io-error build/release/tests/check/io_error.so --seconds "${1:-60}"
}

verb_qemu() {
  local packages_qemu=(qemu-system-x86 e2fsprogs)
  need build run test photo qemu
  build_preset release wolke sandbox_test hostile_test
  debian_python tests/qemu/run.py --build build/release "$@"
}

verb_soak() {
  need build run test
  build_preset release wolke
  forget_aws
  debian_python tests/soak/run.py --binary build/release/wolke --minutes "${1:-10}"
}

verb_clean() { rm -rf build; }

verb_ci() {
  local start=$SECONDS
  step "what is needed"
  need build run test photo
  step "format and tidy"
  check_format
  debian_python tools/tidy.py
  forget_aws
  step "the story, on a release build"
  build_preset release wolke
  CI=true build/release/wolke demo --function "$(thumbnail_function)" "$photo"
  step "kills of the server and power cuts of its disk"
  verb_crash 300
  step "thread sanitizer, the threaded modules"
  verb_tsan
  step "all tests, address and undefined-behaviour sanitizers"
  build_preset asan
  tidy_changed asan
  run_tests asan
  say "ci: $((SECONDS - start)) s"
}

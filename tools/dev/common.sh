# Shared by ./dev's verbs: messages, progress, the environment of locally unpacked packages.

deps=$root/.deps

is_terminal() { [ -t 1 ] && [ -z "${NO_COLOR:-}" ] && [ "${TERM:-dumb}" != dumb ]; }

say() { printf '%s\n' "wolke: $*" >&2; }

step() {
  if is_terminal; then printf '\033[1m== %s\033[0m\n' "$*" >&2; else printf '== %s\n' "$*" >&2; fi
}

die() {
  say "$*"
  exit 1
}

# Runs a long command with its output in a log; shows that it is alive; prints the log's end when it fails.
quietly() {
  local what=$1 log=$2
  shift 2
  mkdir -p "$(dirname "$log")"
  local start=$SECONDS
  "$@" >"$log" 2>&1 &
  local pid=$!
  while kill -0 "$pid" 2>/dev/null; do
    if is_terminal; then
      printf '\r\033[K   %s … %ds  %s' "$what" $((SECONDS - start)) "$(tail -c 200 "$log" 2>/dev/null | tr -d '\r' | tail -n 1 | cut -c1-60)" >&2
    fi
    sleep 0.3
  done
  if is_terminal; then printf '\r\033[K' >&2; fi
  if ! wait "$pid"; then
    tail -n 60 "$log" >&2
    die "$what failed (whole output: ${log#"$root"/})"
  fi
  printf '   %s: %ds\n' "$what" $((SECONDS - start)) >&2
}

# Packages that could not be installed (no root) lie unpacked under .deps/root and are found through these.
use_local_packages() {
  local tree=$deps/root
  [ -d "$tree/usr" ] || return 0
  local lib=$tree/usr/lib/$(uname -m)-linux-gnu
  export PATH=$tree/usr/bin:$tree/usr/lib/llvm-19/bin:$PATH
  export LD_LIBRARY_PATH=$lib:$tree/usr/lib/llvm-19/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
  export LIBRARY_PATH=$lib CPATH=$tree/usr/include:$tree/usr/include/$(uname -m)-linux-gnu
  export CMAKE_PREFIX_PATH=$tree/usr
  export PYTHONPATH=$tree/usr/lib/python3/dist-packages${PYTHONPATH:+:$PYTHONPATH}
}

# Nothing of the user's own AWS is read, written or reached by anything started from here.
forget_aws() {
  local name
  for name in $(compgen -e | grep -E '^AWS_' || true); do unset "$name"; done
  export AWS_CONFIG_FILE=/dev/null AWS_SHARED_CREDENTIALS_FILE=/dev/null AWS_EC2_METADATA_DISABLED=true
}

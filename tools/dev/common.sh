# Shared by ./dev's verbs: messages, progress, and a deaf ear for the user's own AWS.

deps=$root/.deps
tree=$deps/root # Debian packages unpacked for somebody who cannot install them (local.sh)
npm_tree=$deps/npm-root # npm, while it is used
multiarch=$(uname -m)-linux-gnu

is_terminal() { [ -t 2 ] && [ -z "${NO_COLOR:-}" ] && [ "${TERM:-dumb}" != dumb ]; }

say() { printf '%s\n' "wolke: $*" >&2; }

step() {
  if is_terminal; then printf '\033[1m== %s\033[0m\n' "$*" >&2; else printf '== %s\n' "$*" >&2; fi
}

die() {
  say "$*"
  exit 1
}

# The last line of a log that says something, short enough for a terminal's line.
last_words() { tail -c 400 "$1" 2>/dev/null | tr '\r' '\n' | grep -v '^[[:space:]]*$' | tail -n 1 | cut -c1-70; }

# Shows that a process is alive until it ends: in place on a terminal, else with a line each minute.
watch_process() {
  local what=$1 log=$2 pid=$3 start=$SECONDS told=0
  is_terminal || printf '   %s …\n' "$what" >&2
  while kill -0 "$pid" 2>/dev/null; do
    if is_terminal; then
      printf '\r\033[K   %s … %ds  %s' "$what" $((SECONDS - start)) "$(last_words "$log" || true)" >&2
    elif [ $((SECONDS - start - told)) -ge 60 ]; then
      told=$((SECONDS - start))
      printf '   %s … %ds  %s\n' "$what" "$told" "$(last_words "$log" || true)" >&2
    fi
    sleep 0.3
  done
  if is_terminal; then printf '\r\033[K' >&2; fi
}

# attempt WHAT LOG COMMAND...: a long command with its output in a log. Its result is the command's.
attempt() {
  local what=$1 log=$2 start=$SECONDS
  shift 2
  mkdir -p "$(dirname "$log")"
  "$@" >"$log" 2>&1 </dev/null &
  local pid=$!
  # A command in the background does not hear Ctrl-C; we do.
  trap 'kill -TERM '"$pid"' 2>/dev/null; wait '"$pid"' 2>/dev/null; printf "\n" >&2; die "stopped while: '"$what"'"' INT TERM HUP
  watch_process "$what" "$log" "$pid"
  local result=0
  wait "$pid" || result=$?
  trap - INT TERM HUP
  [ "$result" != 0 ] || printf '   %s: %ds\n' "$what" $((SECONDS - start)) >&2
  return "$result"
}

# The same, and the end when it fails.
quietly() {
  attempt "$@" && return 0
  tail -n 60 "$2" >&2
  die "$1 failed (whole output: ${2#"$root"/})"
}

# Nothing of the user's own AWS is read, written or reached by anything started from here.
forget_aws() {
  local name
  for name in $(compgen -e | grep -E '^AWS_' || true); do unset "$name"; done
  export AWS_CONFIG_FILE=/dev/null AWS_SHARED_CREDENTIALS_FILE=/dev/null AWS_EC2_METADATA_DISABLED=true
}

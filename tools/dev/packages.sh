# What the project needs of Debian and npm. Shows before it acts, asks on a terminal, never removes or replaces.

packages_build=(clang-19 lld-19 cmake ninja-build ccache libssl-dev libsqlite3-dev zlib1g-dev libfmt-dev
  libcurl4-openssl-dev libcli11-dev libgtest-dev python3)
packages_run=(python3-boto3 python3-pil ca-certificates)
packages_test=(clang-format-19 clang-tidy-19 libclang-rt-19-dev awscli s3cmd rclone curl python3-botocore)

architecture_is_served() {
  [ "$(uname -s)-$(uname -m)" = Linux-x86_64 ] || die "this build is for Linux on x86-64; this machine is $(uname -s) on $(uname -m)"
  command -v apt-get >/dev/null || die "./dev installs from Debian's packages and found no apt-get; see CONTRIBUTING.md for the list of what it needs"
}

is_installed() { dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null | grep -qx installed; }

# A tool that is there in another way (a newer node, somebody's own cmake) is used as it is.
is_provided() {
  case "$1" in
    cmake) [ -x "$(command -v cmake)" ] && cmake --version | awk 'NR==1{split($3,v,"."); exit !(v[1]>3 || v[2]>=25)}' ;;
    ninja-build) command -v ninja >/dev/null ;;
    ccache | curl) command -v "$1" >/dev/null ;;
    npm) command -v npm >/dev/null ;;
    *) is_installed "$1" || [ -e "$deps/root/.have/$1" ] ;;
  esac
}

missing_of() {
  local p
  for p in "$@"; do is_provided "$p" || is_installed "$p" || [ -e "$deps/root/.have/$p" ] || echo "$p"; done
}

confirm() {
  [ -t 0 ] && [ -t 1 ] && [ "${CI:-}" != true ] || return 0
  local answer
  read -r -p "   go on? [Y/n] " answer
  [ -z "$answer" ] || [[ "$answer" =~ ^[Yy] ]] || die "stopped; nothing was changed"
}

apt_update_once() {
  apt-cache show clang-19 >/dev/null 2>&1 && [ -z "${1:-}" ] && return 0
  [ "$(id -u)" = 0 ] || die "the package lists are empty, and only root can fetch them: run 'apt-get update' as root once"
  quietly "package lists" build/log/apt-update.log apt-get update
}

# need SET...: the packages of the sets are there when this returns.
need() {
  architecture_is_served
  use_local_packages
  local names=() set
  for set in "$@"; do
    local -n list=packages_$set
    names+=("${list[@]}")
  done
  local missing
  mapfile -t missing < <(missing_of "${names[@]}")
  [ ${#missing[@]} -gt 0 ] || return 0
  apt_update_once
  local plan size
  plan=$(apt-get -s --no-install-recommends --no-remove install "${missing[@]}" 2>&1) || {
    apt_update_once again
    plan=$(apt-get -s --no-install-recommends --no-remove install "${missing[@]}" 2>&1) || die "Debian cannot install ${missing[*]} without removing something:
$plan"
  }
  size=$(LC_ALL=C apt-get --assume-no --no-install-recommends --no-remove install "${missing[@]}" 2>/dev/null | sed -n 's/^Need to get \(.*\) of archives.*/\1/p')
  step "Debian packages that are missing: ${missing[*]}"
  printf '   %s packages with what they depend on, to fetch: %s\n' "$(grep -c '^Inst' <<<"$plan")" "${size:-nothing}" >&2
  if [ "$(id -u)" = 0 ]; then
    confirm
    quietly "install" build/log/apt-install.log env DEBIAN_FRONTEND=noninteractive \
      apt-get install -y --no-install-recommends --no-remove -o Dpkg::Options::=--force-confold "${missing[@]}"
  else
    printf '   not root: they are unpacked under .deps/root of this folder instead of being installed\n' >&2
    confirm
    unpack_locally "$plan" "${missing[@]}"
  fi
  use_local_packages
}

# The same packages, for an ordinary user: downloaded and unpacked, nothing installed.
unpack_locally() {
  local plan=$1
  shift
  mkdir -p "$deps/debs" "$deps/root/.have"
  local all
  mapfile -t all < <(awk '/^Inst/{print $2}' <<<"$plan")
  (cd "$deps/debs" && quietly "download" "$root/build/log/apt-download.log" apt-get download "${all[@]}")
  local deb
  for deb in "$deps"/debs/*.deb; do dpkg -x "$deb" "$deps/root"; done
  rm -rf "$deps/debs"
  local p
  for p in "${all[@]}" "$@"; do touch "$deps/root/.have/$p"; done
  # Absolute links of the unpacked tree would leave it.
  find "$deps/root" -type l -lname '/*' | while read -r link; do
    target=$(readlink "$link")
    [ -e "$deps/root$target" ] && ln -sfn "$deps/root$target" "$link"
  done
  return 0
}

# need_npm FOLDER TARGET: the lock file's packages, integrity checked, under TARGET/node_modules.
need_npm() {
  local folder=$1 target=$2
  local stamp=$target/.stamp
  if [ -e "$stamp" ] && cmp -s "$stamp" "$folder/package-lock.json"; then return 0; fi
  if ! command -v npm >/dev/null; then
    local packages_npm=(npm)
    need npm
  fi
  mkdir -p "$target"
  cp "$folder/package.json" "$folder/package-lock.json" "$target/"
  quietly "npm packages of $folder" "build/log/npm-$(basename "$folder").log" \
    npm ci --prefix "$target" --omit=dev --no-audit --no-fund --ignore-scripts --loglevel=error
  cp "$folder/package-lock.json" "$stamp"
}

# The interpreters and SDKs that functions find in their sandbox.
need_runtimes() {
  need run
  need_npm runtimes/node "$deps/node"
  [ -f runtimes/node/sdk2/package.json ] && need_npm runtimes/node/sdk2 "$deps/node-sdk2"
  return 0
}

# The example function with its packages, as one would zip it.
need_thumbnail_function() {
  need_npm examples/thumbnail-node "$deps/thumbnail-node"
  cp examples/thumbnail-node/index.js "$deps/thumbnail-node/index.js"
}

# A real photograph, from a Debian package of wallpapers (unpacked, not installed).
need_photo() {
  local photo=$deps/photo/photo.jpg
  [ -s "$photo" ] && return 0
  mkdir -p "$deps/photo"
  local package file
  for package in lomiri-wallpapers-20.04:usr/share/backgrounds/Kleiber_by_Lukas_Baubkus.jpg \
    golang-github-rwcarlsen-goexif-dev:usr/share/gocode/src/github.com/rwcarlsen/goexif/exif/sample1.jpg; do
    file=${package#*:} package=${package%%:*}
    apt_update_once
    (cd "$deps/photo" && quietly "photograph ($package)" "$root/build/log/photo.log" apt-get download "$package" && dpkg -x "$package"*.deb tree) || continue
    if cp "$deps/photo/tree/$file" "$photo"; then
      rm -rf "$deps/photo/tree" "$deps/photo"/*.deb
      return 0
    fi
  done
  die "no photograph could be fetched; give one: ./dev demo my.jpg"
}

# Debian packages for somebody who cannot install them: fetched and unpacked under .deps/root, nothing installed.
# What a package's installation would have done, and what expects to lie in /usr, is mended here.

# What was unpacked is found through these. An installed package needs none of them.
use_local_packages() {
  [ -d "$tree/usr" ] || return 0
  if [ "$(cat "$tree/.place" 2>/dev/null)" != "$tree" ]; then # half unpacked, or this folder was moved
    rm -rf "$tree"
    return 0
  fi
  local lib=$tree/usr/lib/$multiarch
  case ":$PATH:" in
    *":$tree/usr/bin:"*) ;;
    *)
      export PATH=$tree/usr/bin:$PATH
      export LD_LIBRARY_PATH=$lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
      export CMAKE_PREFIX_PATH=$tree/usr${CMAKE_PREFIX_PATH:+:$CMAKE_PREFIX_PATH}
      export PYTHONPATH=$tree/usr/lib/python3/dist-packages${PYTHONPATH:+:$PYTHONPATH}
      ;;
  esac
  # Of packages that may have come since.
  [ ! -e "$tree/usr/lib/file/magic.mgc" ] || export MAGIC=$tree/usr/lib/file/magic.mgc
  if [ ! -e /etc/ssl/certs/ca-certificates.crt ] && [ -z "${SSL_CERT_FILE:-}" ] && [ -s "$tree/etc/ssl/certs/ca-certificates.crt" ]; then
    export SSL_CERT_FILE=$tree/etc/ssl/certs/ca-certificates.crt
    export CURL_CA_BUNDLE=$SSL_CERT_FILE NODE_EXTRA_CA_CERTS=$SSL_CERT_FILE
  fi
}

is_unpacked() { [ -e "$tree/.have/$1" ]; }

# fetch_and_unpack PLAN INTO: the packages of apt's plan (`Inst name [old] (new …)`) that are not unpacked already. Sets
# `unpacked`, their names and versions.
fetch_and_unpack() {
  local into=$2 name version
  mkdir -p "$into/usr/bin" "$into/usr/sbin" "$into/usr/lib" "$into/usr/lib64"
  for name in bin sbin lib lib64; do [ -e "$into/$name" ] || ln -s "usr/$name" "$into/$name"; done
  unpacked=()
  while read -r name version; do
    is_unpacked "$name=$version" || unpacked+=("$name=$version")
  done < <(to_unpack <<<"$1")
  [ ${#unpacked[@]} -gt 0 ] || return 0
  rm -rf "$deps/debs"
  mkdir -p "$deps/debs"
  (cd "$deps/debs" && attempt "download" "$root/build/log/apt-download.log" apt-get "${apt_options[@]}" download "${unpacked[@]}") || return 1
  quietly "unpack" "$root/build/log/unpack.log" unpack_debs "$into"
  rm -rf "$deps/debs"
}

# unpack_locally PLAN NAME...: what the plan has, which NAMEs asked for, to be used from here.
unpack_locally() {
  local plan=$1 name unpacked
  shift
  mkdir -p "$tree/.have"
  fetch_and_unpack "$plan" "$tree" || return 1
  quietly "arrange" "$root/build/log/arrange.log" arrange_tree
  printf '%s\n' "$tree" >"$tree/.place"
  for name in "${unpacked[@]}" "$@"; do touch "$tree/.have/$name"; done
}

# The C library and its loader are one: a newer half beside the system's would not start.
to_unpack() { awk '/^Inst/ { old = $3 ~ /^\[/; v = old ? $4 : $3; sub(/^\(/, "", v); if (!old || $2 !~ /^libc(6|-bin)$/) print $2, v }'; }

unpack_debs() {
  local deb
  for deb in "$deps"/debs/*.deb; do
    dpkg-deb --fsys-tarfile "$deb" | tar -x -C "$1" --keep-directory-symlink --no-same-owner --no-same-permissions
  done
}

arrange_tree() {
  relink_tree
  readdress_linker_scripts
  readdress_python_scripts
  configure_clang
  collect_certificates
}

# Links that a part of the tree and the system share: absolute ones would leave the tree, and a library's link for
# linking (libssl.so) dangles when the library itself is installed. Relative, as a sandbox sees the tree elsewhere. The
# file at the end of such a link gets its name in the tree, too: CMake's descriptions of packages name that one.
relink_tree() {
  local link target place file
  find "$tree/usr" "$tree/etc" -xtype l 2>/dev/null | while read -r link; do
    target=$(readlink "$link")
    case "$target" in
      "$tree"/*) continue ;;
      /*) place=$target ;;
      *) place=$(realpath -ms "$(dirname "$link")/$target") place=${place#"$tree"} ;;
    esac
    if [ -e "$tree$place" ]; then
      ln -srfn "$tree$place" "$link"
    elif [ -e "$place" ]; then
      ln -sfn "$place" "$link"
      file=$(realpath "$place")
      [ -e "$tree$file" ] || [ ! -d "$tree$(dirname "$file")" ] || [ -d "$file" ] || ln -sn "$file" "$tree$file"
    fi
  done
  find "$tree/usr" -type l -lname '/*' | while read -r link; do
    target=$(readlink "$link")
    [ ! -e "$tree$target" ] || ln -srfn "$tree$target" "$link"
  done
}

# libc.so and its like are texts that name files by absolute paths.
readdress_linker_scripts() {
  local script path
  grep -lIsE '^(GROUP|INPUT|OUTPUT_FORMAT)' "$tree/usr/lib/$multiarch"/*.so "$tree/usr/lib/$multiarch"/*.a | while read -r script; do
    grep -oE '(^|[ (])/[^ )]+' "$script" | tr -d ' (' | sort -u | while read -r path; do
      [ ! -e "$tree$path" ] || sed -i -E "s#(^|[ (])$path#\1$tree$path#g" "$script"
    done
  done
  return 0
}

readdress_python_scripts() {
  [ ! -x /usr/bin/python3 ] && [ -x "$tree/usr/bin/python3" ] || return 0
  grep -lIsE '^#! ?/usr/bin/python3' "$tree"/usr/bin/* | xargs -r sed -i -E "1s#^\#! ?/usr/bin/python3[0-9.]*#\#!$tree/usr/bin/python3#"
  return 0
}

# The compiler reads these from its own directory. Headers come last, as the system's do; the programs that are built
# find their libraries (local_rpath; and those find theirs: hence no RUNPATH) when they are started by hand, too.
configure_clang() {
  local bin=$tree/usr/lib/llvm-19/bin lib=$tree/usr/lib/$multiarch gcc="" name
  [ -x "$bin/clang" ] || return 0
  compgen -G "$tree/usr/lib/gcc/$multiarch/*/crtbegin.o" >/dev/null && gcc="--gcc-toolchain=$tree/usr"
  for name in clang clang++; do
    printf '%s\n' $gcc "-B$lib" "-L$lib" "-idirafter $tree/usr/include/$multiarch" "-idirafter $tree/usr/include" \
      "-Wl,--disable-new-dtags" -Wno-unused-command-line-argument >"$bin/$name.cfg"
  done
}

# For CMake, so that static programs have none: glibc's start of those does not survive it.
local_rpath() { [ ! -d "$tree/usr" ] || printf '%s\n' "-DCMAKE_BUILD_RPATH=$tree/usr/lib/$multiarch"; }

# What the installation of ca-certificates does: the distribution's authorities and the machine's own.
collect_certificates() {
  [ -d "$tree/usr/share/ca-certificates" ] || return 0
  mkdir -p "$tree/etc/ssl/certs"
  find "$tree/usr/share/ca-certificates" /usr/local/share/ca-certificates -name '*.crt' -exec sh -c 'cat "$1"; echo' - {} \; 2>/dev/null \
    >"$tree/etc/ssl/certs/ca-certificates.crt"
}

# with_npm COMMAND...: runs it where npm and what it depends on lie over /usr. Debian's node reads parts of itself from
# there, and 380 packages for one use need not be installed.
with_npm() {
  local spaces=(--mount)
  is_root || spaces+=(--user --map-root-user)
  local below=$npm_tree/usr
  [ ! -d "$tree/usr" ] || below+=:$tree/usr
  unshare "${spaces[@]}" bash -c 'mount -t overlay overlay -o "lowerdir=$1:/usr" /usr || exit 1
    shift; unset LD_LIBRARY_PATH PYTHONPATH; exec env PATH=/usr/bin:/bin "$@"' - "$below" "$@"
}

npm_can_lie_over_usr() {
  mkdir -p "$npm_tree/usr"
  with_npm true 2>/dev/null
}

"""What the guest is made of: Debian's kernel with the modules it needs, a small first root that loads them, a root disk
of Debian packages (unpacked, never installed), and a disk with what is tested. All of it lies under build/qemu; the kernel
and the root disk are made once and again when Debian's packages change.
"""
import hashlib
import json
import os
import pathlib
import re
import shutil
import subprocess

KERNEL = "linux-image-cloud-amd64"
FIRST_ROOT = "busybox-static"
MODULES = ("virtio_pci", "virtio_blk", "overlay")
# What the tests run inside the guest; their libraries follow from Debian's own dependencies.
PACKAGES = ("base-files", "dash", "bash", "coreutils", "grep", "sed", "findutils", "hostname", "mount", "util-linux", "procps",
            "netbase", "python3", "python3-boto3", "python3-pil", "nodejs", "openssl", "libcurl4", "libsqlite3-0", "libfmt9",
            "libstdc++6", "zlib1g")
WITHOUT_RECOMMENDS = ("-o", "APT::Install-Recommends=false", "-o", "Dir::State::status=/dev/null")


def output(*command, **more):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, **more).stdout


def as_root(*command):
    """The command where our files count as root's: the disks must not carry the uid of whoever made them."""
    return command if os.geteuid() == 0 else ("unshare", "--map-root-user", *command)


def download(packages, into):
    """The .deb files of these packages."""
    shutil.rmtree(into, ignore_errors=True)
    into.mkdir(parents=True)
    subprocess.run(["apt-get", "-qq", "-o", "APT::Sandbox::User=root", "download", *packages], cwd=into, check=True)
    return sorted(into.glob("*.deb"))


def unpack(deb, into):
    """Into directories that are links (/bin is /usr/bin) as dpkg does; modes and links kept."""
    into.mkdir(parents=True, exist_ok=True)
    with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", deb], stdout=subprocess.PIPE) as tar:
        subprocess.run(["tar", "-x", "--keep-directory-symlink", "--no-same-owner", "-C", into], stdin=tar.stdout, check=True)


def disk(tree, target, spare_mib, label):
    """An ext4 image of a directory."""
    kib = int(output("du", "-sk", "--apparent-size", tree).split()[0])
    files = sum(len(names) + len(folders) for _, folders, names in os.walk(tree))
    partial = target.with_suffix(".partial")
    partial.unlink(missing_ok=True)
    size = kib // 1024 * 5 // 4 + files // 200 + spare_mib
    subprocess.run(as_root("mke2fs", "-q", "-t", "ext4", "-L", label, "-N", str(files + 20000), "-d", tree,
                           "-E", "root_owner=0:0", partial, f"{size}M"), check=True, stdout=subprocess.DEVNULL)
    partial.rename(target)


class Cached:
    """A directory that is right as long as its stamp says the same."""

    def __init__(self, directory, *facts):
        self.directory = directory
        self.stamp = hashlib.sha256(json.dumps([*facts, pathlib.Path(__file__).read_text()]).encode()).hexdigest()

    def is_there(self):
        file = self.directory / "stamp"
        return file.exists() and file.read_text() == self.stamp

    def begin(self):
        shutil.rmtree(self.directory, ignore_errors=True)
        self.directory.mkdir(parents=True)

    def done(self):
        (self.directory / "stamp").write_text(self.stamp)


def make_kernel(build, project):
    """(kernel, first root), unpacked from today's package."""
    package = re.search(r"Depends: (linux-image-\S+)", output("apt-cache", "depends", KERNEL)).group(1)
    version = output("apt-cache", "policy", package).split("Candidate:")[1].split()[0]
    cache = Cached(build / "kernel", version, str(project))
    if not cache.is_there():
        cache.begin()
        tree = cache.directory / "tree"
        for deb in download([package, FIRST_ROOT], cache.directory / "debs"):
            unpack(deb, tree)
        shutil.copy(next(tree.glob("boot/vmlinuz-*")), cache.directory / "vmlinuz")
        modules = {file.name[:-3].replace("-", "_"): file for file in tree.glob("lib/modules/**/*.ko")}
        (cache.directory / "first-root").write_bytes(first_root(tree / "bin/busybox", modules, project))
        (cache.directory / "release").write_text(package.removeprefix("linux-image-"))
        shutil.rmtree(tree)
        shutil.rmtree(cache.directory / "debs")
        cache.done()
    return cache.directory / "vmlinuz", cache.directory / "first-root"


def in_order(modules, wanted):
    """The wanted modules that are not built in, after those that they need."""
    order = []
    for name in wanted:
        if name not in modules:
            continue
        needs = re.search(rb"\0depends=([^\0]*)\0", b"\0" + modules[name].read_bytes())
        names = [n.decode().replace("-", "_") for n in needs.group(1).split(b",") if n] if needs else []
        order += [n for n in [*in_order(modules, names), name] if n not in order]
    return order


def first_root(busybox, modules, project):
    """A cpio archive (newc, see the kernel's buffer-format.rst): busybox, the modules, and init, which loads them."""
    order = in_order(modules, MODULES)
    loads = "".join(f"insmod /{name}.ko\n" for name in order)
    init = ("#!/bin/busybox sh\n"
            "for tool in insmod mount mkdir switch_root; do busybox ln -s /bin/busybox /bin/$tool; done\n"
            f"{loads}"
            "mount -t devtmpfs dev /dev\n"
            "mount -t ext4 -o noatime /dev/vda /new\n"
            f"mount -t ext4 -o ro /dev/vdb /new{project}\n"
            "mount -t devtmpfs dev /new/dev\n"
            f"exec switch_root /new /usr/bin/python3 {project}/tests/qemu/guest.py\n")
    entries = [("bin", 0o040755, b""), ("dev", 0o040755, b""), ("new", 0o040755, b""),
               ("bin/busybox", 0o100755, busybox.read_bytes()), ("init", 0o100755, init.encode())]
    entries += [(f"{name}.ko", 0o100644, modules[name].read_bytes()) for name in order]
    out = bytearray()

    def add(name, mode, content):
        fields = (0, mode, 0, 0, 1, 0, len(content), 0, 0, 0, 0, len(name) + 1, 0)
        out.extend(b"070701" + b"".join(b"%08X" % field for field in fields) + name.encode() + b"\0")
        out.extend(b"\0" * (-len(out) % 4))
        out.extend(content)
        out.extend(b"\0" * (-len(out) % 4))
    for entry in entries:
        add(*entry)
    add("TRAILER!!!", 0, b"")
    return bytes(out)


def make_root(build, project):
    """The root disk; the guest sees the project at the same path as here, since built programs name paths."""
    plan = output("apt-get", "-s", "-qq", *WITHOUT_RECOMMENDS, "install", *PACKAGES)
    chosen = sorted(f"{name}={version}" for name, version in re.findall(r"^Inst (\S+) \((\S+)", plan, re.M))
    cache = Cached(build / "root", chosen, str(project))
    if not cache.is_there():
        cache.begin()
        tree = cache.directory / "tree"
        for name in ("bin", "sbin", "lib", "lib64"):
            (tree / "usr" / name).mkdir(parents=True)
            (tree / name).symlink_to("usr/" + name)
        for deb in download(chosen, cache.directory / "debs"):
            unpack(deb, tree)
        for unused in ("usr/share/doc", "usr/share/man", "usr/share/locale", "var/cache"):
            shutil.rmtree(tree / unused, ignore_errors=True)
        etc = tree / "etc"
        (etc / "passwd").write_text("root:x:0:0::/root:/bin/bash\nuser:x:1000:1000::/home/user:/bin/bash\n")
        (etc / "group").write_text("root:x:0:\nuser:x:1000:\n")
        (etc / "hosts").write_text("127.0.0.1 localhost\n")
        (etc / "nsswitch.conf").write_text("passwd: files\ngroup: files\nhosts: files\n")
        for place in ("proc", "sys", "dev", "run", "tmp", "root", "home/user", str(project).lstrip("/")):
            (tree / place).mkdir(parents=True, exist_ok=True)
        disk(tree, cache.directory / "disk", 1024, "root")
        subprocess.run(["rm", "-rf", tree, cache.directory / "debs"], check=True)
        cache.done()
    return cache.directory / "disk"


def make_work(build, project, binaries):
    """A disk with the tests, the interpreters of functions and the programs under test, at the places they have here."""
    directory = build / "work"
    shutil.rmtree(directory, ignore_errors=True)
    tree = directory / "tree"

    def place(path):
        target = tree / path.relative_to(project)
        target.parent.mkdir(parents=True, exist_ok=True)
        if path.is_dir():
            subprocess.run(["cp", "-a", "--reflink=auto", path, target], check=True)
        else:
            shutil.copy2(path, target)
    for path in (project / "tests", project / "runtimes", project / "examples", project / ".deps/node",
                 project / ".deps/thumbnail-node", project / ".deps/photo", *binaries):
        place(path)
    disk(tree, directory / "disk", 64, "work")
    shutil.rmtree(tree)
    return directory / "disk"

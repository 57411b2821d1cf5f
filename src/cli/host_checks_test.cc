#include "wolke/cli/host_checks.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace wolke::cli {
namespace {

HostSettings good_host() {
  HostSettings host;
  host.user_namespaces_max = "15000";
  host.unprivileged_user_namespaces = "1";
  host.core_pattern = "core";
  host.unprivileged_bpf_disabled = "2";
  host.overcommit = "0";
  host.sibling_threads = host.page_merging = "0";
  host.open_files_max = 1'048'576;
  host.processes_max = 4'194'304;
  host.memory_available_bytes = 8ULL << 30;
  host.data_dir = "/var/lib/wolke";
  host.disk_free_bytes = 100ULL << 30;
  host.aws_command = true;
  return host;
}

std::string as_text(const std::vector<Check>& checks) {
  std::string out;
  for (const Check& check : checks) {
    out += fmt::format("{} {}: {}", mark_name(check.mark), check.name, check.sentence);
    out += check.remedy.empty() ? "\n" : fmt::format(" => {}\n", check.remedy);
  }
  return out;
}

TEST(HostChecks, OfAGoodHostAllPass) {
  EXPECT_EQ(as_text(host_checks({{"seccomp", sandbox::Finding::Mark::ok, "There."}}, good_host())),
            R"(pass seccomp: There.
pass user.max_user_namespaces: Enough user namespaces for many sandboxes.
pass userns_clone: Ordinary users may make user namespaces.
pass apparmor userns: AppArmor does not restrict user namespaces.
pass core dumps: Core dumps are not piped to a program.
pass bpf: Ordinary users have no bpf.
pass processor: The kernel names no processor flaw without a mitigation.
pass hyper-threading: Sibling hardware threads are off or not shown.
pass page merging: KSM is off.
pass swap: No swap.
pass open files: Up to 1048576 open files.
pass processes: Enough process ids.
pass memory: 8192 MiB of memory are free.
pass overcommit: Memory is given when it is touched.
pass data directory: /var/lib/wolke is on a disk.
pass disk: 102400 MiB are free for data.
pass clock: The clock is synchronised.
pass runtimes: Node and Python for functions are there.
pass aws command: `wolke aws` has an aws command.
)");
}

TEST(HostChecks, OfABadHostEachSaysWhatToDo) {
  HostSettings host = good_host();
  host.user_namespaces_max = "10";
  host.unprivileged_user_namespaces = "0";
  host.apparmor_restricts = "1";
  host.core_pattern = "|/usr/share/apport/apport";
  host.unprivileged_bpf_disabled = "0";
  host.overcommit = "2";
  host.sibling_threads = host.page_merging = "1";
  host.swap = true;
  host.vulnerable = {"retbleed", "spectre_v2"};
  host.clock_synchronised = false;
  host.open_files_max = 1024;
  host.processes_max = 4096;
  host.memory_available_bytes = 200ULL << 20;
  host.file_system = "tmpfs";
  host.disk_free_bytes = 50ULL << 20;
  host.runtimes_missing = "there is no node";
  host.aws_command = false;
  EXPECT_EQ(as_text(host_checks({{"seccomp", sandbox::Finding::Mark::fail, "Not there."}}, host)),
            R"(fail seccomp: Not there. => a kernel with CONFIG_SECCOMP_FILTER
warn user.max_user_namespaces: Only 10 user namespaces may exist; each sandbox needs one. => sysctl user.max_user_namespaces=15000
warn userns_clone: Only root may make user namespaces. => start the server as root, or sysctl kernel.unprivileged_userns_clone=1
warn apparmor userns: AppArmor restricts user namespaces of ordinary users. => start the server as root, or sysctl kernel.apparmor_restrict_unprivileged_userns=0
warn core dumps: The kernel pipes core dumps to a program outside the sandbox that died. => sysctl kernel.core_pattern=core
warn bpf: Ordinary users may load bpf programs; functions are kept from it by the filter alone. => sysctl kernel.unprivileged_bpf_disabled=1
warn processor: The kernel calls this processor vulnerable: retbleed, spectre_v2. => newer microcode and kernel; no mitigations=off; trust among accounts
warn hyper-threading: Sibling hardware threads are on: code of two accounts may share a core. => echo off > /sys/devices/system/cpu/smt/control, or kernel parameter nosmt
warn page merging: KSM is on: equal pages of two accounts can be told by their timing. => echo 2 > /sys/kernel/mm/ksm/run
warn swap: Swap is on: what a function held in memory may reach the disk. => swapoff -a, or encrypted swap
warn open files: Only 1024 open files: fewer connections and sandboxes than the server's own limits. => ulimit -n 16384 (systemd: LimitNOFILE=)
warn processes: Only 4096 process ids. => sysctl kernel.pid_max=32768
warn memory: Only 200 MiB of memory are free. => stop something else, or give functions less memory
warn overcommit: vm.overcommit_memory=2: sandboxes may be refused memory they never touch. => sysctl vm.overcommit_memory=0
warn data directory: /var/lib/wolke is on tmpfs: what is acknowledged there may not last. => --data-dir on a local disk
fail disk: Only 50 MiB are free for data. => make room, or --data-dir on another disk
warn clock: The clock is not synchronised: signatures more than 15 minutes off are refused. => systemd-timesyncd or chrony
fail runtimes: there is no node => ./dev setup, or --runtimes DIRECTORY
warn aws command: There is no aws command: `wolke aws` and the script of `deploy --show` need one. => apt install awscli
)");
}

TEST(HostChecks, EveryFindingOfTheIsolationHasARemedy) {
  for (const sandbox::Finding& finding : sandbox::findings({})) {
    sandbox::Finding bad = finding;
    bad.mark = sandbox::Finding::Mark::fail;
    EXPECT_FALSE(host_checks({bad}, good_host()).front().remedy.empty()) << finding.name;
  }
}

TEST(HostChecks, WhatIsNotShownPasses) {
  for (const Check& check : host_checks({}, good_host())) {
    EXPECT_EQ(check.mark, Check::Mark::pass) << check.name;
  }
  HostSettings host = good_host();
  host.user_namespaces_max = host.unprivileged_user_namespaces = host.core_pattern = "";
  host.sibling_threads = host.page_merging = host.unprivileged_bpf_disabled = "";
  for (const Check& check : host_checks({}, host)) {
    EXPECT_EQ(check.mark, Check::Mark::pass) << check.name;
  }
}

}  // namespace
}  // namespace wolke::cli

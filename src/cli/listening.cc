#include "wolke/cli/listening.h"

#include <fmt/format.h>
#include <unistd.h>

#include <charconv>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <thread>

#include "wolke/base/text.h"
#include "wolke/net/server.h"

namespace wolke::cli {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view listen_state = "0A";  // TCP_LISTEN
// A killed server whose threads wait for the disk keeps its port until the last of them has ended.
constexpr auto dying_owner_timeout = std::chrono::seconds(10);
constexpr auto unseen_owner_timeout = std::chrono::seconds(1);  // may be another user's, alive
constexpr auto dying_owner_pause = std::chrono::milliseconds(5);

std::string read_text(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

std::uint16_t port_of(std::string_view host_port) {
  const std::string_view digits = host_port.substr(host_port.rfind(':') + 1);
  return static_cast<std::uint16_t>(parse_u64(digits).value_or(0));
}

bool holds_socket(const fs::path& process, const std::vector<std::string>& links) {
  std::error_code error;
  for (const fs::directory_entry& fd : fs::directory_iterator(process / "fd", error)) {
    const std::string link = fs::read_symlink(fd.path(), error).string();
    for (const std::string& wanted : links) {
      if (link == wanted) return true;
    }
  }
  return false;
}

/// "wolke (pid 17)"; nullopt when it is somebody else's process and we may not look, or one that
/// has ended but for some of its threads.
std::optional<std::string> owner_of(std::uint16_t port) {
  std::vector<std::string> links;
  for (const char* table : {"/proc/net/tcp", "/proc/net/tcp6"}) {
    for (std::uint64_t inode : listening_inodes(read_text(table), port)) {
      links.push_back(fmt::format("socket:[{}]", inode));
    }
  }
  if (links.empty()) return std::nullopt;
  std::error_code error;
  for (const fs::directory_entry& process : fs::directory_iterator("/proc", error)) {
    const std::string pid = process.path().filename().string();
    if (!parse_u64(pid) || !holds_socket(process.path(), links)) continue;
    std::string name = read_text(process.path() / "comm");
    while (name.ends_with('\n')) name.pop_back();
    return fmt::format("{} (pid {})", printable(name), pid);
  }
  return std::nullopt;
}

bool is_taken(const Error& error) {
  return error.message.ends_with("address in use");
}

/// Tries to listen, waiting only for an owner that cannot be seen: who has ended has no open files
/// to show. Only root can be sure of that.
Result<Fd> try_listening(const std::string& host_port) {
  const auto deadline = std::chrono::steady_clock::now() +
                        (::geteuid() == 0 ? dying_owner_timeout : unseen_owner_timeout);
  while (true) {
    Result<Fd> tried = net::listen_tcp(host_port);
    if (tried || !is_taken(tried.error()) || owner_of(port_of(host_port)) ||
        std::chrono::steady_clock::now() > deadline) {
      return tried;
    }
    std::this_thread::sleep_for(dying_owner_pause);
  }
}

}  // namespace

std::vector<std::uint64_t> listening_inodes(std::string_view table, std::uint16_t port) {
  const std::string wanted = fmt::format(":{:04X}", port);
  std::vector<std::uint64_t> out;
  for (std::string_view line : split(table, '\n')) {
    std::vector<std::string_view> words;
    for (std::string_view word : split(line, ' ')) {
      if (!word.empty()) words.push_back(word);
    }
    // sl local_address rem_address st tx:rx tr:when retrnsmt uid timeout inode …
    if (words.size() < 10 || !words[1].ends_with(wanted) || words[3] != listen_state) continue;
    if (auto inode = parse_u64(words[9])) out.push_back(*inode);
  }
  return out;
}

bool is_loopback(std::string_view host_port) {
  const std::string_view host = host_port.substr(0, host_port.rfind(':'));
  return host.starts_with("127.") || host == "localhost" || host == "[::1]";
}

Result<void> check_listen(const std::string& host_port) {
  Result<Fd> tried = try_listening(host_port);
  if (tried) return {};
  if (tried.error().code == "InvalidAddress") {
    return fail({.code = "Usage",
                 .status = 400,
                 .message = fmt::format("--listen is HOST:PORT with a numeric host, as "
                                        "127.0.0.1:4566 or [::1]:4566, not {}",
                                        host_port)});
  }
  Error error = tried.error();
  if (is_taken(error)) {
    const std::optional<std::string> owner = owner_of(port_of(host_port));
    const std::string host = host_port.substr(0, host_port.rfind(':'));
    error.message += fmt::format(
        ": {} listens there; stop it, or give --listen {}:PORT (port 0 takes one that is free)",
        owner.value_or("another process"), host);
  }
  return fail(std::move(error));
}

}  // namespace wolke::cli

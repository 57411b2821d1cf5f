#include "wolke/sandbox/wire.h"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace wolke::sandbox::wire {

void copy_text(std::span<char> to, std::string_view text) {
  const std::size_t length = std::min(text.size(), to.size() - 1);
  std::fill(to.begin(), to.end(), '\0');
  std::memcpy(to.data(), text.data(), length);
}

std::string_view text_of(std::span<const char> field) {
  const auto end = std::find(field.begin(), field.end(), '\0');
  if (end == field.end()) return {};
  return {field.data(), static_cast<std::size_t>(end - field.begin())};
}

Transfer send_message(int socket, std::span<const std::byte> message,
                      std::span<const int> descriptors) {
  ASSERT(descriptors.size() <= descriptors_max);
  iovec part{const_cast<std::byte*>(message.data()), message.size()};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int) * descriptors_max)] = {};
  msghdr head{};
  head.msg_iov = &part;
  head.msg_iovlen = 1;
  if (!descriptors.empty()) {
    head.msg_control = control;
    head.msg_controllen = CMSG_SPACE(descriptors.size_bytes());
    cmsghdr* rights = CMSG_FIRSTHDR(&head);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(descriptors.size_bytes());
    std::memcpy(CMSG_DATA(rights), descriptors.data(), descriptors.size_bytes());
  }
  ssize_t sent = 0;
  do {
    sent = ::sendmsg(socket, &head, MSG_NOSIGNAL);
  } while (sent < 0 && errno == EINTR);
  if (sent == static_cast<ssize_t>(message.size())) return Transfer::done;
  if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return Transfer::would_block;
  return Transfer::closed;
}

Transfer receive_message(int socket, std::span<std::byte> message, std::vector<Fd>& descriptors) {
  iovec part{message.data(), message.size()};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int) * descriptors_max)];
  msghdr head{};
  head.msg_iov = &part;
  head.msg_iovlen = 1;
  head.msg_control = control;
  head.msg_controllen = sizeof control;
  ssize_t got = 0;
  do {
    got = ::recvmsg(socket, &head, MSG_CMSG_CLOEXEC);
  } while (got < 0 && errno == EINTR);
  if (got < 0) {
    return errno == EAGAIN || errno == EWOULDBLOCK ? Transfer::would_block : Transfer::closed;
  }
  std::vector<Fd> received;
  for (cmsghdr* c = CMSG_FIRSTHDR(&head); c != nullptr; c = CMSG_NXTHDR(&head, c)) {
    if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count; ++i) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof fd);
      received.emplace_back(fd);
    }
  }
  if (got == 0) return Transfer::closed;
  if (got != static_cast<ssize_t>(message.size()) || (head.msg_flags & (MSG_TRUNC | MSG_CTRUNC))) {
    return Transfer::malformed;
  }
  descriptors = std::move(received);
  return Transfer::done;
}

bool is_name(std::string_view text) {
  return !text.empty() && text.size() <= 64 && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  });
}

namespace {
bool is_plain_part(std::string_view part) {
  if (part.empty() || part == "." || part == "..") return false;
  return std::all_of(part.begin(), part.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.';
  });
}

bool is_acceptable(const ListenAddress& listen) {
  if (listen.kind == ListenKind::outward) return true;
  // 127.0.0.0/8 only: nothing else exists inside.
  const auto* octets = reinterpret_cast<const unsigned char*>(&listen.address);
  return (listen.kind == ListenKind::stream || listen.kind == ListenKind::datagram) &&
         octets[0] == 127 && listen.port != 0;
}
}  // namespace

bool is_inside_path(std::string_view path) {
  if (path.size() < 2 || path.size() >= inside_path_max || path[0] != '/') return false;
  std::size_t parts = 0;
  std::string_view first;
  std::string_view rest = path.substr(1);
  while (true) {
    const std::size_t slash = rest.find('/');
    const std::string_view part = rest.substr(0, slash);
    if (!is_plain_part(part)) return false;
    if (parts++ == 0) first = part;
    if (slash == std::string_view::npos) break;
    rest.remove_prefix(slash + 1);
  }
  if (parts > 4) return false;
  // A request decides what lies below these three and nothing else.
  return first == "var" || first == "opt" || (first == "etc" && parts >= 2);
}

std::string_view why_unacceptable(const Request& request, std::size_t descriptor_count) {
  if (request.version != version) return "version";
  if (request.kind == RequestKind::kill || request.kind == RequestKind::release ||
      request.kind == RequestKind::terminate) {
    return descriptor_count == 0 ? "" : "descriptors";
  }
  if (request.kind != RequestKind::start) return "kind";
  if (request.mount_count > mounts_max || request.listen_count > listen_max) return "counts";
  if (descriptor_count != start_descriptors + request.mount_count) return "descriptors";
  if (!is_name(text_of(request.id))) return "id";
  if (!is_name(text_of(request.hostname))) return "hostname";
  for (std::size_t i = 0; i < request.mount_count; ++i) {
    if (!is_inside_path(text_of(request.inside[i]))) return "inside path";
  }
  for (std::size_t i = 0; i < request.listen_count; ++i) {
    if (!is_acceptable(request.listen[i])) return "listen address";
  }
  constexpr std::uint64_t mib = 1ULL << 20;
  if (request.memory_bytes < 16 * mib || request.memory_bytes > 1024 * 1024 * mib) return "memory";
  if (request.tmp_bytes < mib || request.tmp_bytes > 1024 * 1024 * mib) return "tmp";
  if (request.pids_max < 2 || request.pids_max > 32768) return "pids";
  if (request.files_max < 16 || request.files_max > 1048576) return "files";
#ifndef WOLKE_TEST_WEAKEN
  if (request.weaken != 0) return "weaken";
#endif
  return "";
}

}  // namespace wolke::sandbox::wire

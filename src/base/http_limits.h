#pragma once
// Limits of the HTTP/1.1 codec and its connections beyond those of limits.h: they protect the
// process from a peer that is slow or wordy, and mirror nginx's and HAProxy's usual figures. Part
// of the protocol side, so not per account.

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace wolke::limits {

inline constexpr std::size_t http_method_bytes_max = 32;
/// One chunk-size line with its extensions, and all extensions of one body together.
inline constexpr std::size_t http_chunk_line_bytes_max = 1024;
inline constexpr std::size_t http_chunk_extension_bytes_max = 16 * 1024;
inline constexpr std::size_t http_trailers_bytes_max = 8 * 1024;
/// What a handler left unread is drained up to this, so that the connection can be used again.
inline constexpr std::uint64_t http_drain_bytes_max = 256 * 1024;
/// A body may keep us waiting as long as one stall, and a second more for each so many bytes of it.
inline constexpr std::uint64_t http_body_bytes_per_second_min = 512;
/// How long a connection that we close waits for the peer to have read our last answer.
inline constexpr auto http_linger_timeout = std::chrono::seconds(2);
/// Connections accepted at one wake-up before others get their turn.
inline constexpr int http_accepts_per_wake = 64;
/// Pause after accept() failed for want of descriptors.
inline constexpr auto http_accept_pause = std::chrono::milliseconds(50);
/// Leaf certificates kept per local authority.
inline constexpr std::size_t tls_leaf_certificates_max = 1024;

}  // namespace wolke::limits

#pragma once
// Every limit of the product, with its default and the AWS quota that it mirrors. Limits of
// `Limits` are per account and may be raised by the operator; the constants are part of a protocol
// or protect the process itself.

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace wolke {

namespace limits {
// HTTP/1.1 (nginx's and AWS's usual figures).
inline constexpr std::size_t http_line_bytes_max = 16 * 1024;
inline constexpr std::size_t http_headers_bytes_max = 64 * 1024;
inline constexpr std::size_t http_headers_count_max = 200;
inline constexpr std::size_t http_connections_max = 8192;
inline constexpr auto http_header_timeout = std::chrono::seconds(20);
inline constexpr auto http_idle_timeout = std::chrono::seconds(75);
inline constexpr auto http_body_stall_timeout = std::chrono::seconds(60);
// Bodies. A streamed body passes in pieces of body_piece_bytes; at most that much of it is in
// memory.
inline constexpr std::size_t body_inline_max = 64 * 1024;
inline constexpr std::size_t body_piece_bytes = 256 * 1024;
inline constexpr std::size_t body_buffered_max =
    72 * 1024 * 1024;  // CreateFunction with a 50 MB zip in base64
inline constexpr std::uint64_t s3_put_bytes_max = 5ULL << 30;  // S3: 5 GiB in one PUT
// Documents.
inline constexpr int document_depth_max = 64;
inline constexpr std::size_t xml_document_bytes_max = 8 * 1024 * 1024;
// SigV4.
inline constexpr auto clock_skew_max = std::chrono::minutes(15);
inline constexpr auto presign_lifetime_max = std::chrono::seconds(604800);
// Store.
inline constexpr std::size_t record_bytes_max = 1024 * 1024;
inline constexpr int commit_conflict_retries_max = 128;
inline constexpr std::size_t scan_bytes_default = 1024 * 1024;
// Lambda (https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html).
inline constexpr std::size_t invoke_payload_bytes_max = 6 * 1024 * 1024;
inline constexpr std::size_t invoke_async_payload_bytes_max = 1024 * 1024;
inline constexpr std::size_t invoke_response_bytes_max = 6 * 1024 * 1024;
inline constexpr std::size_t package_zipped_bytes_max = 50 * 1024 * 1024;
inline constexpr std::uint64_t package_unzipped_bytes_max = 250ULL * 1024 * 1024;
inline constexpr std::size_t package_entries_max = 100'000;
inline constexpr std::size_t environment_bytes_max = 4096;
inline constexpr std::size_t log_tail_bytes = 4096;
inline constexpr auto sandbox_kill_max = std::chrono::milliseconds(100);
}  // namespace limits

/// Per account, with AWS's default quota.
struct Limits {
  std::uint32_t buckets = 10'000;                  // S3: general purpose buckets per account
  std::uint32_t concurrent_executions = 1'000;     // Lambda: concurrent executions
  std::uint32_t unreserved_concurrency_min = 100;  // Lambda: always left unreserved
  std::uint64_t code_storage_bytes = 75ULL << 30;  // Lambda: function and layer storage
  std::uint32_t roles = 1'000;                     // IAM
  std::uint32_t users = 5'000;
  std::uint32_t access_keys_per_user = 2;
  std::uint32_t managed_policies_per_role = 10;
  std::uint32_t log_groups = 1'000'000;  // CloudWatch Logs
};

}  // namespace wolke

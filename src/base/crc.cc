#include "wolke/base/crc.h"

#include <array>
#include <cstring>

#include "wolke/base/result.h"

#if defined(__x86_64__)
#include <nmmintrin.h>
#endif

namespace wolke {

namespace {

/// Slicing-by-8 tables of a reflected polynomial of up to 64 bits.
using Tables = std::array<std::array<std::uint64_t, 256>, 8>;

constexpr Tables make_tables(std::uint64_t polynomial) {
  Tables tables{};
  for (std::uint64_t i = 0; i < 256; ++i) {
    std::uint64_t crc = i;
    for (int bit = 0; bit < 8; ++bit) crc = crc & 1 ? crc >> 1 ^ polynomial : crc >> 1;
    tables[0][i] = crc;
  }
  for (std::size_t slice = 1; slice < 8; ++slice) {
    for (std::size_t i = 0; i < 256; ++i) {
      std::uint64_t before = tables[slice - 1][i];
      tables[slice][i] = tables[0][before & 255] ^ before >> 8;
    }
  }
  return tables;
}

constexpr std::uint64_t polynomial_of(HashKind kind) {
  switch (kind) {
    case HashKind::crc32:
      return 0xEDB88320ULL;
    case HashKind::crc32c:
      return 0x82F63B78ULL;
    default:
      return 0x9A6C9329AC4BC9B5ULL;
  }
}

const Tables& tables_of(HashKind kind) {
  static const Tables crc32_tables = make_tables(polynomial_of(HashKind::crc32));
  static const Tables crc32c_tables = make_tables(polynomial_of(HashKind::crc32c));
  static const Tables crc64_tables = make_tables(polynomial_of(HashKind::crc64nvme));
  switch (kind) {
    case HashKind::crc32:
      return crc32_tables;
    case HashKind::crc32c:
      return crc32c_tables;
    default:
      return crc64_tables;
  }
}

std::uint64_t ones_of(HashKind kind) {
  return kind == HashKind::crc64nvme ? ~0ULL : 0xFFFFFFFFULL;
}

std::uint64_t update_by_table(const Tables& t, std::uint64_t crc, std::string_view data) {
  while (data.size() >= 8) {
    std::uint64_t word;
    std::memcpy(&word, data.data(), 8);
    word ^= crc;
    crc = t[7][word & 255] ^ t[6][word >> 8 & 255] ^ t[5][word >> 16 & 255] ^
          t[4][word >> 24 & 255] ^ t[3][word >> 32 & 255] ^ t[2][word >> 40 & 255] ^
          t[1][word >> 48 & 255] ^ t[0][word >> 56];
    data.remove_prefix(8);
  }
  for (char c : data) crc = t[0][(crc ^ static_cast<unsigned char>(c)) & 255] ^ crc >> 8;
  return crc;
}

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) std::uint64_t update_crc32c_by_cpu(std::uint64_t crc,
                                                                     std::string_view data) {
  while (data.size() >= 8) {
    std::uint64_t word;
    std::memcpy(&word, data.data(), 8);
    crc = _mm_crc32_u64(crc, word);
    data.remove_prefix(8);
  }
  for (char c : data)
    crc = _mm_crc32_u8(static_cast<std::uint32_t>(crc), static_cast<unsigned char>(c));
  return crc;
}
#endif

/// a·b modulo the polynomial, in reflected bit order: the highest bit is x^0.
std::uint64_t multiply(std::uint64_t a, std::uint64_t b, std::uint64_t polynomial, int width) {
  std::uint64_t top = 1ULL << (width - 1), product = 0;
  for (; a != 0; a <<= 1) {
    if (a & top) product ^= b;
    b = b & 1 ? b >> 1 ^ polynomial : b >> 1;
    a &= ~top;
  }
  return product;
}

std::uint64_t read_big_endian(std::string_view bytes) {
  std::uint64_t value = 0;
  for (char c : bytes) value = value << 8 | static_cast<unsigned char>(c);
  return value;
}

std::string write_big_endian(std::uint64_t value, std::size_t count) {
  std::string out;
  for (std::size_t i = count; i-- > 0;) out += static_cast<char>(value >> (i * 8));
  return out;
}

}  // namespace

void Crc::update(std::string_view data) {
  std::uint64_t ones = ones_of(kind_), crc = value_ ^ ones;
#if defined(__x86_64__)
  if (kind_ == HashKind::crc32c && __builtin_cpu_supports("sse4.2")) {
    value_ = update_crc32c_by_cpu(crc, data) ^ ones;
    return;
  }
#endif
  value_ = update_by_table(tables_of(kind_), crc, data) ^ ones;
}

std::string Crc::bytes() const {
  return write_big_endian(value_, kind_ == HashKind::crc64nvme ? 8 : 4);
}

std::uint32_t crc32c(std::string_view data, std::uint32_t seed) {
  std::uint64_t crc = seed ^ 0xFFFFFFFFULL;
#if defined(__x86_64__)
  if (__builtin_cpu_supports("sse4.2")) {
    return static_cast<std::uint32_t>(update_crc32c_by_cpu(crc, data) ^ 0xFFFFFFFFULL);
  }
#endif
  return static_cast<std::uint32_t>(update_by_table(tables_of(HashKind::crc32c), crc, data) ^
                                    0xFFFFFFFFULL);
}

std::string crc_combine(HashKind kind, std::string_view a, std::string_view b,
                        std::uint64_t b_bytes) {
  // crc(AB) = crc(A)·x^(8·|B|) + crc(B); the pre- and post-inversions cancel.
  int width = kind == HashKind::crc64nvme ? 64 : 32;
  std::uint64_t polynomial = polynomial_of(kind), top = 1ULL << (width - 1);
  std::uint64_t power = top >> 8;  // x^8
  std::uint64_t factor = top;      // x^0
  for (std::uint64_t n = b_bytes; n != 0; n >>= 1) {
    if (n & 1) factor = multiply(power, factor, polynomial, width);
    power = multiply(power, power, polynomial, width);
  }
  std::uint64_t combined =
      multiply(read_big_endian(a), factor, polynomial, width) ^ read_big_endian(b);
  return write_big_endian(combined, static_cast<std::size_t>(width / 8));
}

}  // namespace wolke

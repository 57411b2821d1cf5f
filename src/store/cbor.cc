#include "wolke/store/cbor.h"

#include "wolke/base/limits.h"

namespace wolke::store {

namespace {

constexpr unsigned info_indefinite = 31;
constexpr char simple_null = '\xF6';
constexpr char stop_code = '\xFF';

void append_big_endian(std::string& out, std::uint64_t value, unsigned bytes) {
  for (unsigned shift = bytes * 8; shift > 0; shift -= 8) {
    out.push_back(static_cast<char>((value >> (shift - 8)) & 0xFF));
  }
}

}  // namespace

void CborWriter::head(unsigned major, std::uint64_t value) {
  const unsigned top = major << 5;
  if (value < 24) {
    out_.push_back(static_cast<char>(top | value));
    return;
  }
  // 24..27 say that 1, 2, 4 or 8 bytes follow.
  unsigned width_code = 0;
  if (value > 0xFF) width_code = 1;
  if (value > 0xFFFF) width_code = 2;
  if (value > 0xFFFFFFFF) width_code = 3;
  out_.push_back(static_cast<char>(top | (24 + width_code)));
  append_big_endian(out_, value, 1U << width_code);
}

void CborWriter::number(double value) {
  out_.push_back('\xFB');
  append_big_endian(out_, std::bit_cast<std::uint64_t>(value), 8);
}

std::optional<CborReader::Head> CborReader::head() {
  if (rest_.empty()) return std::nullopt;
  const auto first = static_cast<unsigned char>(rest_[0]);
  Head head{.major = static_cast<unsigned>(first >> 5), .info = static_cast<unsigned>(first & 31)};
  rest_.remove_prefix(1);
  if (head.info < 24) {
    head.value = head.info;
    return head;
  }
  if (head.info == info_indefinite) return head;
  if (head.info > 27) return std::nullopt;
  const std::size_t width = std::size_t{1} << (head.info - 24);
  if (rest_.size() < width) return std::nullopt;
  for (std::size_t i = 0; i < width; ++i) {
    head.value = (head.value << 8) | static_cast<unsigned char>(rest_[i]);
  }
  rest_.remove_prefix(width);
  return head;
}

std::optional<std::uint64_t> CborReader::unsigned_integer() {
  const auto h = head();
  if (!h || h->major != 0 || h->info == info_indefinite) return std::nullopt;
  return h->value;
}

std::optional<std::int64_t> CborReader::integer() {
  const auto h = head();
  if (!h || h->major > 1 || h->info == info_indefinite) return std::nullopt;
  if (h->value > static_cast<std::uint64_t>(INT64_MAX)) return std::nullopt;
  const auto magnitude = static_cast<std::int64_t>(h->value);
  return h->major == 0 ? magnitude : -1 - magnitude;
}

std::optional<std::string_view> CborReader::bytes() {
  const auto h = head();
  if (!h || (h->major != 2 && h->major != 3) || h->info == info_indefinite) return std::nullopt;
  if (h->value > rest_.size()) return std::nullopt;
  const std::string_view out = rest_.substr(0, h->value);
  rest_.remove_prefix(h->value);
  return out;
}

std::optional<bool> CborReader::boolean() {
  const auto h = head();
  if (!h || h->major != 7 || (h->info != 20 && h->info != 21)) return std::nullopt;
  return h->info == 21;
}

std::optional<double> CborReader::number() {
  const auto h = head();
  if (!h || h->major != 7 || h->info != 27) return std::nullopt;
  return std::bit_cast<double>(h->value);
}

std::optional<std::uint64_t> CborReader::count(unsigned major) {
  const auto h = head();
  if (!h || h->major != major) return std::nullopt;
  if (h->info == info_indefinite) return indefinite;
  // Each item takes at least one byte, so a larger count is a lie.
  if (h->value > rest_.size()) return std::nullopt;
  return h->value;
}

std::optional<std::uint64_t> CborReader::array() {
  return count(4);
}
std::optional<std::uint64_t> CborReader::map() {
  return count(5);
}

bool CborReader::take_break() {
  if (rest_.empty() || rest_[0] != stop_code) return false;
  rest_.remove_prefix(1);
  return true;
}

bool CborReader::take_null() {
  if (rest_.empty() || rest_[0] != simple_null) return false;
  rest_.remove_prefix(1);
  return true;
}

std::optional<std::string_view> CborReader::item() {
  const std::string_view before = rest_;
  if (!skip(0)) return std::nullopt;
  return before.substr(0, before.size() - rest_.size());
}

bool CborReader::skip_container(const Head& h, int depth) {
  const std::uint64_t per_entry = h.major == 5 ? 2 : 1;
  if (h.info == info_indefinite) {
    while (!take_break()) {
      for (std::uint64_t i = 0; i < per_entry; ++i) {
        if (!skip(depth + 1)) return false;
      }
    }
    return true;
  }
  if (h.value > rest_.size()) return false;
  for (std::uint64_t i = 0; i < h.value * per_entry; ++i) {
    if (!skip(depth + 1)) return false;
  }
  return true;
}

bool CborReader::skip(int depth) {
  if (depth > limits::document_depth_max) return false;
  const auto h = head();
  if (!h) return false;
  switch (h->major) {
    case 0:
    case 1:
      return h->info != info_indefinite;
    case 2:
    case 3:
      if (h->info == info_indefinite || h->value > rest_.size()) return false;
      rest_.remove_prefix(h->value);
      return true;
    case 4:
    case 5:
      return skip_container(*h, depth);
    case 7:
      return h->info != info_indefinite;
    default:
      return false;  // tags: never written
  }
}

}  // namespace wolke::store

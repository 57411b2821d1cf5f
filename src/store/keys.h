#pragma once
// KeyBuilder makes ordered keys from parts. Text parts are escaped (0x00 -> 0x00 0xFF) and ended by
// 0x00 0x01, so that no part can run into the next and order is by parts. Numbers are 8 bytes
// big-endian. `text_prefix` leaves the last part open, for scans of all keys whose last part begins
// with it.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace wolke::store {

class KeyBuilder {
 public:
  explicit KeyBuilder(std::string_view table) { text(table); }
  KeyBuilder& text(std::string_view part);
  KeyBuilder& number(std::uint64_t value);
  KeyBuilder& text_prefix(std::string_view open_part);
  std::string build() const { return bytes_; }

 private:
  std::string bytes_;
};

/// Smallest key greater than every key that starts with `prefix`; empty when there is none.
std::string prefix_end(std::string_view prefix);

/// Reads parts back in order; nullopt when the key has another form.
class KeyReader {
 public:
  explicit KeyReader(std::string_view key) : rest_(key) {}
  std::optional<std::string> text();
  std::optional<std::uint64_t> number();
  bool at_end() const { return rest_.empty(); }

 private:
  std::string_view rest_;
};

}  // namespace wolke::store

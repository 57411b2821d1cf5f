#pragma once
// The part of CBOR (RFC 8949) that records need: integers, byte strings, arrays, maps, booleans,
// null and doubles. The writer appends to one string; the reader walks over borrowed bytes. Strings
// are always byte strings (major type 2), because a record's text need not be UTF-8; the reader
// takes text strings too.
//
// Threads: values, no shared state. Failure: the reader answers nullopt/false on anything
// malformed, cut off, or nested deeper than limits::document_depth_max; it never reads past its
// bytes and never allocates what a length promises.

#include <bit>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace wolke::store {

class CborWriter {
 public:
  void unsigned_integer(std::uint64_t value) { head(0, value); }
  void integer(std::int64_t value) {
    if (value >= 0) {
      head(0, static_cast<std::uint64_t>(value));
    } else {
      head(1, ~static_cast<std::uint64_t>(value));
    }
  }
  void bytes(std::string_view value) {
    head(2, value.size());
    out_.append(value);
  }
  void array(std::uint64_t count) { head(4, count); }
  void map(std::uint64_t pairs) { head(5, pairs); }
  /// A map whose number of pairs is not known yet; closed by end().
  void open_map() { out_.push_back('\xBF'); }
  void end() { out_.push_back('\xFF'); }
  void boolean(bool value) { out_.push_back(value ? '\xF5' : '\xF4'); }
  void null() { out_.push_back('\xF6'); }
  void number(double value);
  /// An item that is encoded already.
  void raw(std::string_view item) { out_.append(item); }

  std::string& out() { return out_; }

 private:
  void head(unsigned major, std::uint64_t value);

  std::string out_;
};

class CborReader {
 public:
  explicit CborReader(std::string_view bytes) : rest_(bytes) {}

  std::optional<std::uint64_t> unsigned_integer();
  std::optional<std::int64_t> integer();
  std::optional<std::string_view> bytes();
  std::optional<bool> boolean();
  std::optional<double> number();
  /// The number of items (array) or pairs (map); `indefinite` for one that ends with a break.
  std::optional<std::uint64_t> array();
  std::optional<std::uint64_t> map();
  /// True, and consumed, when the next item is a break / null.
  bool take_break();
  bool take_null();
  /// The bytes of the next whole item, skipped.
  std::optional<std::string_view> item();

  bool at_end() const { return rest_.empty(); }
  std::size_t remaining() const { return rest_.size(); }

  static constexpr std::uint64_t indefinite = ~0ULL;

 private:
  struct Head {
    unsigned major = 0;
    unsigned info = 0;
    std::uint64_t value = 0;
  };
  std::optional<Head> head();
  std::optional<std::uint64_t> count(unsigned major);
  bool skip(int depth);
  bool skip_container(const Head& head, int depth);

  std::string_view rest_;
};

}  // namespace wolke::store

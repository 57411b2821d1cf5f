#include "wolke/store/record_codec.h"

#include "wolke/base/hash.h"

namespace wolke::store::codec {

namespace {

constexpr std::size_t checksum_bytes = 4;

std::uint32_t checksum(std::string_view key_bytes, std::string_view framed) {
  return crc32c(framed, crc32c(key_bytes));
}

}  // namespace

Error corrupt_record() {
  return {.code = "Corrupt", .status = 500, .message = "A stored record is damaged."};
}

std::string frame(int format, std::string_view key_bytes, std::string&& body_with_gap) {
  ASSERT(format > 0 && format < 256);
  std::string out = std::move(body_with_gap);
  out[0] = static_cast<char>(format);
  const std::uint32_t sum = checksum(key_bytes, out);
  for (unsigned shift = 0; shift < 32; shift += 8) {
    out.push_back(static_cast<char>((sum >> shift) & 0xFF));
  }
  return out;
}

Result<std::string_view> unframe(int format_max, std::string_view key_bytes,
                                 std::string_view value) {
  if (value.size() < 1 + checksum_bytes) return fail(corrupt_record());
  const std::string_view framed = value.substr(0, value.size() - checksum_bytes);
  std::uint32_t stored = 0;
  for (unsigned i = 0; i < checksum_bytes; ++i) {
    stored |= static_cast<std::uint32_t>(static_cast<unsigned char>(value[framed.size() + i]))
              << (8 * i);
  }
  if (stored != checksum(key_bytes, framed)) return fail(corrupt_record());
  const int format = static_cast<unsigned char>(framed[0]);
  if (format == 0 || format > format_max) return fail(corrupt_record());
  return framed.substr(1);
}

bool FieldIndex::read(CborReader& in) {
  const auto count = in.map();
  if (!count) return false;
  std::uint64_t left = *count;
  fields_.reserve(16);
  while (true) {
    if (*count == CborReader::indefinite) {
      if (in.take_break()) return true;
    } else if (left-- == 0) {
      return true;
    }
    const auto number = in.unsigned_integer();
    if (!number) return false;
    const auto item = in.item();
    if (!item) return false;
    fields_.push_back({*number, *item, false});
  }
}

const std::string_view* FieldIndex::find(std::uint64_t number) {
  // Fields come in the order in which visit() asks, so the first probe is nearly always right.
  for (std::size_t step = 0; step < fields_.size(); ++step) {
    const std::size_t at =
        next_ + step < fields_.size() ? next_ + step : next_ + step - fields_.size();
    if (fields_[at].number != number) continue;
    fields_[at].known = true;
    next_ = at + 1;
    return &fields_[at].item;
  }
  return nullptr;
}

bool FieldIndex::keep_unknown(std::map<std::uint64_t, std::string>& unknown) const {
  for (const Field& field : fields_) {
    if (field.known) continue;
    const bool repeats = std::ranges::any_of(
        fields_, [&](const Field& other) { return other.known && other.number == field.number; });
    if (repeats || !unknown.emplace(field.number, field.item).second) return false;
  }
  return true;
}

}  // namespace wolke::store::codec

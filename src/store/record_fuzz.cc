// Foreign bytes as a stored record: never a crash, and what is read is written back to the same
// meaning.
#include <cstddef>
#include <cstdint>

#include "wolke/base/result.h"
#include "wolke/store/record.h"

namespace wolke::store {
namespace {

struct Inner : Fields {
  std::string name;
  std::int16_t small = 0;
  void visit(auto&& v) { v(1, name), v(2, small); }
};

struct Outer : Fields {
  bool flag = false;
  std::uint64_t number = 0;
  double ratio = 0;
  std::optional<std::string> maybe;
  std::vector<Inner> inners;
  std::map<std::string, std::int64_t> counts;
  Body body;
  Timestamp at;
  static constexpr int format = 1;
  void visit(auto&& v) {
    v(1, flag), v(2, number), v(3, ratio), v(4, maybe), v(5, inners), v(6, counts), v(7, body);
    v(8, at);
  }
};

void check(std::string_view bytes) {
  // As stored, where the checksum guards; then past it, as if the checksum had been right.
  (void)decode<Outer>(bytes, "key");
  CborReader in(bytes);
  Outer record;
  if (!codec::read_record(in, record)) return;
  const std::string once = encode(record, "key");
  const auto again = decode<Outer>(once, "key");
  ASSERT(again.has_value());
  ASSERT(encode(*again, "key") == once);
}

}  // namespace
}  // namespace wolke::store

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  wolke::store::check({reinterpret_cast<const char*>(data), size});
  return 0;
}

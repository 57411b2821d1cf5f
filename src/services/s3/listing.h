#pragma once
// One walk over a bucket's keys for all three list operations: prefix, delimiter, where to begin,
// how many. Keys that roll up into a common prefix are skipped by seeking past the prefix, so a
// listing costs what it returns, not what lies below. Entries and common prefixes count alike and
// come in byte order.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "wolke/services/s3/state.h"

namespace wolke::s3 {

inline constexpr std::int32_t list_keys_max = 1000;

struct ListRequest {
  std::string bucket;
  std::string prefix;
  std::string delimiter;  // empty: none
  std::string after;      // keys and common prefixes greater than this; empty: from the beginning
  std::size_t keys_max = list_keys_max;
};

struct ListedObject {
  std::string key;
  Object object;
};

struct Listing {
  std::vector<ListedObject> objects;
  std::vector<std::string> common_prefixes;
  bool truncated = false;
  std::string last;  // the greatest key or common prefix returned: where the next page goes on
};

Result<Listing> list_bucket(store::Tx& tx, const ListRequest& request);

/// The common prefix that `key` rolls up into; nullopt when it stands for itself.
std::optional<std::string> common_prefix(std::string_view key, std::string_view prefix,
                                         std::string_view delimiter);

/// max-keys and its kin: 1,000 when not given, at most 1,000; "InvalidArgument" when negative.
Result<std::int32_t> page_size(const std::optional<std::int32_t>& asked, std::string_view argument);

}  // namespace wolke::s3

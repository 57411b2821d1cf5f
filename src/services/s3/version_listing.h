#pragma once
// The walk of ListObjectVersions: all versions and delete markers of all keys, keys in byte order,
// the versions of a key newest first. Keys that roll up into a common prefix are skipped as in
// listing.h.

#include <optional>
#include <string>
#include <vector>

#include "wolke/services/s3/state.h"

namespace wolke::s3 {

struct VersionListRequest {
  std::string bucket;
  std::string prefix;
  std::string delimiter;          // empty: none
  std::string key_marker;         // goes on after all versions of this key, or,
  std::string version_id_marker;  // where one is named, after this version of it
  std::size_t keys_max = 0;
};

struct ListedVersion {
  std::string key;
  Object object;
  bool latest = false;
};

struct VersionListing {
  std::vector<ListedVersion> versions;  // delete markers too
  std::vector<std::string> common_prefixes;
  bool truncated = false;
  std::string last_key;         // key or common prefix
  std::string last_version_id;  // empty after a common prefix
};

Result<VersionListing> list_versions(store::Tx& tx, const VersionListRequest& request);

}  // namespace wolke::s3

#include "wolke/services/s3/version_listing.h"

#include <algorithm>

#include "wolke/services/s3/listing.h"
#include "wolke/services/s3/versions.h"

namespace wolke::s3 {
namespace {

class Walk {
 public:
  Walk(store::Tx& tx, const VersionListRequest& request) : tx_(tx), request_(request) {}

  Result<VersionListing> run() {
    TRY(rest_of_marked_key());
    KeyRange range = objects_range(request_.bucket, request_.prefix);
    std::string begin = std::max(range.begin, first_place());
    bool more = begin < range.end;
    while (more && !listing_.truncated) {
      TRY(store::Page page, tx_.scan({.shard = range.shard, .begin = begin, .end = range.end}));
      for (const store::Record& record : page.records) {
        if (record.key < begin) continue;  // below the common prefix just taken
        TRY(begin, take_key(record));
        if (listing_.truncated) break;
      }
      more = page.more && !begin.empty() && begin < range.end;
    }
    return std::move(listing_);
  }

 private:
  bool is_full() {
    listing_.truncated =
        listing_.versions.size() + listing_.common_prefixes.size() == request_.keys_max;
    return listing_.truncated;
  }

  std::string first_place() const {
    const std::string& marker = request_.key_marker;
    if (marker.empty()) return {};
    if (marked_key_again_) return object_key(request_.bucket, marker).bytes;
    if (common_prefix(marker, request_.prefix, request_.delimiter) == marker) {
      return after_objects_with_prefix(request_.bucket, marker);
    }
    return after_object(request_.bucket, marker);
  }

  /// The versions of the key that the page before ended in.
  Result<void> rest_of_marked_key() {
    if (request_.version_id_marker.empty()) return {};
    const std::string& key = request_.key_marker;
    TRY(std::optional<std::uint64_t> ordinal,
        ordinal_of_version(tx_, request_.bucket, key, request_.version_id_marker));
    if (!ordinal) {
      // The null version that the page before ended with is gone, and with it its place: rather
      // tell a version twice than leave one out.
      marked_key_again_ = true;
      return {};
    }
    return take_older(key, *ordinal);
  }

  /// Takes a key with all its versions, or the prefix that it rolls up into; where to go on.
  Result<std::string> take_key(const store::Record& record) {
    std::string key = last_text(record.key);
    if (is_full()) return record.key;
    if (std::optional<std::string> rolled =
            common_prefix(key, request_.prefix, request_.delimiter)) {
      std::string next = after_objects_with_prefix(request_.bucket, *rolled);
      listing_.last_key = *rolled;
      listing_.last_version_id.clear();
      listing_.common_prefixes.push_back(*std::move(rolled));
      return next;
    }
    TRY(Object object, store::decode<Object>(record.value, record.key));
    std::uint64_t ordinal = object.ordinal;
    take(key, std::move(object), true);
    if (ordinal > 0) {
      TRY(take_older(key, ordinal));
    }
    return record.key + '\0';
  }

  /// The versions of `key` that are older than `ordinal`.
  Result<void> take_older(const std::string& key, std::uint64_t ordinal) {
    KeyRange range = versions_of(request_.bucket, key);
    range.begin = version_key(request_.bucket, key, ordinal).bytes + '\0';
    bool more = true;
    while (more) {
      TRY(store::Page page,
          tx_.scan({.shard = range.shard, .begin = range.begin, .end = range.end}));
      for (const store::Record& record : page.records) {
        if (is_full()) return {};
        TRY(Object object, store::decode<Object>(record.value, record.key));
        take(key, std::move(object), false);
      }
      more = page.more && !page.records.empty();
      if (more) range.begin = page.records.back().key + '\0';
    }
    return {};
  }

  void take(const std::string& key, Object object, bool latest) {
    listing_.last_key = key;
    listing_.last_version_id = told_version_id(object);
    listing_.versions.push_back({key, std::move(object), latest});
  }

  store::Tx& tx_;
  const VersionListRequest& request_;
  bool marked_key_again_ = false;
  VersionListing listing_;
};

}  // namespace

Result<VersionListing> list_versions(store::Tx& tx, const VersionListRequest& request) {
  if (request.keys_max == 0) return VersionListing{};
  return Walk(tx, request).run();
}

}  // namespace wolke::s3

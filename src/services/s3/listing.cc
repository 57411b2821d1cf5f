#include "wolke/services/s3/listing.h"

#include <fmt/format.h>

#include <algorithm>

#include "wolke/services/s3/errors.h"

namespace wolke::s3 {
namespace {

constexpr std::size_t scan_records_min = 16;
constexpr std::size_t scan_records_max = 1000;

std::string first_place(const ListRequest& request, const KeyRange& range) {
  if (request.after.empty()) return range.begin;
  std::string begin = after_object(request.bucket, request.after);
  // A page that ended with a common prefix goes on after everything below it.
  if (common_prefix(request.after, request.prefix, request.delimiter) == request.after) {
    begin = after_objects_with_prefix(request.bucket, request.after);
  }
  return std::max(begin, range.begin);
}

/// Takes a record into the listing; false when the listing is full.
Result<bool> take(const ListRequest& request, const store::Record& record, Listing& listing,
                  std::string& begin) {
  std::string key = last_text(record.key);
  TRY(Object object, store::decode<Object>(record.value, record.key));
  if (object.delete_marker) {
    begin = record.key + '\0';
    return true;
  }
  if (listing.objects.size() + listing.common_prefixes.size() == request.keys_max) {
    listing.truncated = true;
    return false;
  }
  if (std::optional<std::string> rolled = common_prefix(key, request.prefix, request.delimiter)) {
    begin = after_objects_with_prefix(request.bucket, *rolled);
    listing.last = *rolled;
    listing.common_prefixes.push_back(*std::move(rolled));
    return true;
  }
  begin = record.key + '\0';
  listing.last = key;
  listing.objects.push_back({std::move(key), std::move(object)});
  return true;
}

}  // namespace

std::optional<std::string> common_prefix(std::string_view key, std::string_view prefix,
                                         std::string_view delimiter) {
  if (delimiter.empty() || !key.starts_with(prefix)) return std::nullopt;
  std::size_t found = key.find(delimiter, prefix.size());
  if (found == std::string_view::npos) return std::nullopt;
  return std::string(key.substr(0, found + delimiter.size()));
}

Result<Listing> list_bucket(store::Tx& tx, const ListRequest& request) {
  Listing listing;
  if (request.keys_max == 0) return listing;
  KeyRange range = objects_range(request.bucket, request.prefix);
  std::string begin = first_place(request, range);
  // With a delimiter a page may be skipped over at once, so the first ones are small.
  std::size_t records = request.delimiter.empty() ? request.keys_max + 1 : scan_records_min;
  bool more = begin < range.end;
  while (more) {
    TRY(store::Page page, tx.scan({.shard = range.shard,
                                   .begin = begin,
                                   .end = range.end,
                                   .records_max = std::min(records, scan_records_max)}));
    for (const store::Record& record : page.records) {
      if (record.key < begin) continue;  // below the common prefix just taken
      TRY(bool taken, take(request, record, listing, begin));
      if (!taken) return listing;
    }
    bool skipped = !page.records.empty() && begin > page.records.back().key + '\0';
    records = skipped ? scan_records_min : records * 2;
    more = page.more && !begin.empty() && begin < range.end;
  }
  return listing;
}

Result<std::int32_t> page_size(const std::optional<std::int32_t>& asked,
                               std::string_view argument) {
  std::int32_t wanted = asked.value_or(list_keys_max);
  if (wanted < 0) {
    return fail(invalid_argument(
        fmt::format("Argument {} must be an integer between 0 and 2147483647", argument), argument,
        std::to_string(wanted)));
  }
  return std::min(wanted, list_keys_max);
}

}  // namespace wolke::s3

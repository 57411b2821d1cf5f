#include "wolke/services/s3/versions.h"

#include <array>

#include "wolke/base/hash.h"
#include "wolke/base/text.h"
#include "wolke/services/s3/errors.h"
#include "wolke/services/s3/names.h"

namespace wolke::s3 {
namespace {

using store::Key;

// An id is 24 bytes in 32 characters: a mask, a tail, and between them the ordinal under the mask.
constexpr std::size_t id_bytes = 24;
constexpr std::size_t mask_bytes = 8;

std::string url_safe(std::string text) {
  for (char& c : text) c = c == '+' ? '_' : c == '/' ? '.' : c;
  return text;
}

std::string from_url_safe(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c == '_' ? '+' : c == '.' ? '/' : c;
  return out;
}

std::string new_version_id(Random& random, std::uint64_t ordinal) {
  std::array<std::byte, id_bytes> bytes{};
  random.fill(bytes);
  for (std::size_t i = 0; i < mask_bytes; ++i) {
    bytes[mask_bytes + i] = bytes[i] ^ static_cast<std::byte>(ordinal >> (8 * i));
  }
  return url_safe(to_base64({reinterpret_cast<const char*>(bytes.data()), bytes.size()}));
}

/// nullopt when the text is no id of ours.
std::optional<std::uint64_t> ordinal_of(std::string_view version_id) {
  std::optional<std::string> bytes = from_base64(from_url_safe(version_id));
  if (!bytes || bytes->size() != id_bytes) return std::nullopt;
  std::uint64_t ordinal = 0;
  for (std::size_t i = mask_bytes; i-- > 0;) {
    ordinal = ordinal << 8 | static_cast<unsigned char>((*bytes)[i] ^ (*bytes)[mask_bytes + i]);
  }
  return ordinal;
}

Result<std::optional<Version>> older_version(store::Tx& tx, const std::string& bucket,
                                             const std::string& key, std::uint64_t ordinal,
                                             std::string_view id) {
  Key place = version_key(bucket, key, ordinal);
  TRY(std::optional<Object> object, tx.get<Object>(place));
  if (!object || object->version_id != id) return std::nullopt;
  return Version{*std::move(object), std::move(place), false};
}

/// Makes `current` an older version.
void set_aside(store::Tx& tx, const std::string& bucket, const std::string& key,
               const Object& current) {
  Object older = current;
  older.null_ordinal.reset();
  tx.put(version_key(bucket, key, current.ordinal), older);
}

/// The newest of the older versions, with a check. One transaction may take several versions of a
/// key away, and a scan does not see what it erased or set aside; a get does.
Result<std::optional<Version>> newest_older(store::Tx& tx, const std::string& bucket,
                                            const std::string& key, std::uint64_t ordinal) {
  KeyRange range = versions_of(bucket, key);
  if (ordinal > 0) {  // nearly always the one before
    Key place = version_key(bucket, key, ordinal - 1);
    TRY(std::optional<Object> object, tx.get<Object>(place));
    if (object) return Version{*std::move(object), std::move(place), false};
  }
  bool more = true;
  while (more) {
    TRY(store::Page page,
        tx.scan({.shard = range.shard, .begin = range.begin, .end = range.end, .records_max = 16}));
    for (const store::Record& record : page.records) {
      Key place{range.shard, record.key};
      TRY(std::optional<Object> object, tx.get<Object>(place));
      if (object) return Version{*std::move(object), std::move(place), false};
    }
    more = page.more && !page.records.empty();
    if (more) range.begin = page.records.back().key + '\0';
  }
  return std::nullopt;
}

}  // namespace

std::string told_version_id(const Object& object) {
  return object.version_id.empty() ? "null" : object.version_id;
}

std::optional<std::string> told_version_id(const Bucket& bucket, const Object& object) {
  if (bucket.versioning.empty()) return std::nullopt;
  return told_version_id(object);
}

std::optional<std::string> written_version_id(const Bucket& bucket, const Object& object) {
  if (bucket.versioning != "Enabled") return std::nullopt;
  return told_version_id(object);
}

Result<std::optional<Object>> current_version(store::Tx& tx, const std::string& bucket,
                                              const std::string& key) {
  return tx.get<Object>(object_key(bucket, key));
}

std::optional<Object> visible(std::optional<Object> current) {
  if (current && current->delete_marker) return std::nullopt;
  return current;
}

Result<std::optional<Version>> find_version(store::Tx& tx, const std::string& bucket,
                                            const std::string& key,
                                            const std::optional<std::string>& version_id) {
  if (version_id && version_id->empty()) {
    return fail(invalid_argument("Version id cannot be the empty string", "versionId", ""));
  }
  TRY(std::optional<Object> current, current_version(tx, bucket, key));
  bool null = version_id == "null";
  std::string id = version_id && !null ? *version_id : "";
  if (version_id && !null && !ordinal_of(id)) {
    return fail(invalid_argument("Invalid version id specified", "versionId", id));
  }
  if (!current) return std::nullopt;
  if (!version_id || current->version_id == id) {
    return Version{*std::move(current), object_key(bucket, key), true};
  }
  if (!null) return older_version(tx, bucket, key, *ordinal_of(id), id);
  if (!current->null_ordinal) return std::nullopt;
  return older_version(tx, bucket, key, *current->null_ordinal, id);
}

Result<std::optional<std::uint64_t>> ordinal_of_version(store::Tx& tx, const std::string& bucket,
                                                        const std::string& key,
                                                        const std::string& version_id) {
  if (version_id != "null") return ordinal_of(version_id);
  TRY(std::optional<Version> version, find_version(tx, bucket, key, version_id));
  if (!version) return std::nullopt;
  return version->object.ordinal;
}

Result<Object> add_version(store::Tx& tx, const operation::Context& context, const Bucket& bucket,
                           const std::string& key, const std::optional<Object>& current,
                           Object object, Content content, const Layout* layout) {
  std::optional<Object> replaced;
  bool keeps = bucket.versioning == "Enabled";
  if (current && (keeps || !current->version_id.empty())) {
    object.ordinal = current->ordinal + 1;
    object.null_ordinal =
        current->version_id.empty() ? std::optional(current->ordinal) : current->null_ordinal;
    set_aside(tx, bucket.name, key, *current);
  } else if (current) {
    object.ordinal = current->ordinal;
    replaced = current;
  }
  if (keeps) {
    object.version_id = new_version_id(*context.random, object.ordinal);
  } else if (object.null_ordinal) {
    // The older null version goes: there is one at most.
    TRY(std::optional<Version> null, older_version(tx, bucket.name, key, *object.null_ordinal, ""));
    object.null_ordinal.reset();
    if (null) {
      tx.erase(null->place);
      replaced = std::move(null->object);
    }
  }
  TRY(write_object(tx, bucket.name, key, replaced, object, std::move(content), layout));
  return object;
}

Result<void> remove_version(store::Tx& tx, const std::string& bucket, const std::string& key,
                            const Version& version) {
  TRY(erase_content(tx, bucket, key, version.object));
  if (!version.current) {
    tx.erase(version.place);
    if (!version.object.version_id.empty()) return {};
    TRY(std::optional<Object> current, current_version(tx, bucket, key));
    if (!current) return fail(internal_error("older version without a current one: " + key));
    current->null_ordinal.reset();
    tx.put(object_key(bucket, key), *current);
    return {};
  }
  TRY(std::optional<Version> next, newest_older(tx, bucket, key, version.object.ordinal));
  if (!next) {
    tx.erase(version.place);
    return {};
  }
  tx.erase(next->place);
  if (version.object.null_ordinal != next->object.ordinal) {
    next->object.null_ordinal = version.object.null_ordinal;
  }
  tx.put(version.place, next->object);
  return {};
}

}  // namespace wolke::s3

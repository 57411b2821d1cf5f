#pragma once
// The only file that knows S3's keys and records.
//
//   partition "s3buckets"     s3.bucket/<name>                Bucket: who owns it and how it is
//   configured
//                             s3.owned/<account>/<name>       Owned: a bucket in its owner's list
//                             s3.scheduled/s3/<name>          day (UTC) of its last lifecycle sweep
//                             s3.logged/s3/<name>             empty: it has server access logging
//   partition "s3/<bucket>"   s3.object/<bucket>/<key>            Object: the current version
//                             s3.version/<bucket>/<key>/<-ordinal>  Object: an older version
//                             s3.content/<bucket>/<key>[/<id>]    Content: bytes or ranges
//                             s3.layout/<bucket>/<key>[/<id>]     Layout: parts of a multipart one
//                             s3.upload/<bucket>/<key>/<id>       Upload in progress
//                             s3.part/<bucket>/<id>/<number>      Part of an upload in progress
//                             s3.sequence/<bucket>                counter of notified changes
//
// An Object record holds everything HEAD and LIST tell and is small. Content is there where one
// range is not enough; it and the layout stay where they are when a version becomes an older one:
// <id> is the version's id, left out for the null version, of which there is at most one. Where
// any version of a key is, its newest is the current one, which may be a delete marker; so whoever
// writes any version of a key checks the current record.
//
// Every write of an object reads its bucket with a check, so a bucket cannot vanish under it. A
// blob's owner text is the bytes of the object's key and the version's id, or of the part's key.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "wolke/store/cipher.h"
#include "wolke/store/keys.h"
#include "wolke/store/record.h"
#include "wolke/store/tx.h"

namespace wolke::s3 {

using Tags = std::map<std::string, std::string>;

/// Which keys an event configuration is for.
struct FilterRule : store::Fields {
  std::string name;  // as sent: "prefix", "Prefix", "suffix", "Suffix"
  std::string value;
  static constexpr int format = 1;
  template <class V>
  void visit(V&& v) {
    v(1, name);
    v(2, value);
  }
};

/// One LambdaFunctionConfiguration of a bucket.
struct FunctionNotification : store::Fields {
  std::string id;
  std::string function_arn;
  std::vector<std::string> events;  // "s3:ObjectCreated:*"
  std::vector<FilterRule> rules;
  static constexpr int format = 1;
  template <class V>
  void visit(V&& v) {
    v(1, id);
    v(2, function_arn);
    v(3, events);
    v(4, rules);
  }
};

struct PublicAccess : store::Fields {
  bool block_public_acls = false;
  bool ignore_public_acls = false;
  bool block_public_policy = false;
  bool restrict_public_buckets = false;
  static constexpr int format = 1;
  template <class V>
  void visit(V&& v) {
    v(1, block_public_acls);
    v(2, ignore_public_acls);
    v(3, block_public_policy);
    v(4, restrict_public_buckets);
  }
};

/// Object lock of a bucket; the default retention is of new objects that ask for none.
struct LockSettings : store::Fields {
  std::string mode;  // GOVERNANCE, COMPLIANCE; empty: no default
  std::int32_t days = 0;
  std::int32_t years = 0;
  static constexpr int format = 1;
  template <class V>
  void visit(V&& v) {
    v(1, mode);
    v(2, days);
    v(3, years);
  }
};

/// One line of an access control list.
struct Grant : store::Fields {
  std::string grantee;     // an account, or a group's URI
  std::string permission;  // READ, WRITE, READ_ACP, WRITE_ACP, FULL_CONTROL
  static constexpr int format = 1;
  template <class V>
  void visit(V&& v) {
    v(1, grantee);
    v(2, permission);
  }
};

/// Where there is none, the owner has FULL_CONTROL and nobody else anything.
struct Acl : store::Fields {
  std::vector<Grant> grants;
  static constexpr int format = 1;
  template <class V>
  void visit(V&& v) {
    v(1, grants);
  }
};

struct Bucket : store::Fields {
  std::string name;
  std::string account;
  Timestamp created{};
  std::string region;
  std::vector<FunctionNotification> notifications;
  std::optional<std::string> policy;
  Tags tags;
  std::optional<PublicAccess> public_access;
  std::string object_ownership;  // empty: BucketOwnerEnforced; "none": deleted, as ObjectWriter
  std::string versioning;        // empty: never set; Enabled, Suspended
  std::optional<LockSettings> lock;
  bool ages = false;  // it has lifecycle rules
  std::optional<Acl> acl;
  static constexpr int format = 1;
  template <class V>
  void visit(V&& v) {
    v(1, name);
    v(2, account);
    v(3, created);
    v(4, region);
    v(5, notifications);
    v(6, policy);
    v(7, tags);
    v(8, public_access);
    v(9, object_ownership);
    v(10, versioning);
    v(11, lock);
    v(12, ages);
    v(13, acl);
  }
};

struct Owned : store::Fields {
  Timestamp created{};
  std::string region;
  static constexpr int format = 1;
  template <class V>
  void visit(V&& v) {
    v(1, created);
    v(2, region);
  }
};

/// What a client says about an object and gets back unchanged.
struct Metadata : store::Fields {
  std::string content_type;
  std::optional<std::string> cache_control;
  std::optional<std::string> content_disposition;
  std::optional<std::string> content_encoding;
  std::optional<std::string> content_language;
  std::optional<std::string> expires;
  std::optional<std::string> website_redirect_location;
  std::optional<std::string> server_side_encryption;  // as asked for, before it was done
  std::map<std::string, std::string> user;            // x-amz-meta-*, names without the prefix
  static constexpr int format = 1;
  template <class V>
  void visit(V&& v) {
    v(1, content_type);
    v(2, cache_control);
    v(3, content_disposition);
    v(4, content_encoding);
    v(5, content_language);
    v(6, expires);
    v(7, website_redirect_location);
    v(8, server_side_encryption);
    v(9, user);
  }
};

/// Who has the key of an object's bytes.
enum class Encryption : std::uint8_t {
  none,     // written before bytes were encrypted
  account,  // the installation: the bucket's account's key
  customer  // the client, who brings it each time
};

enum class ContentPlace : std::uint8_t {
  none,     // empty object
  range,    // Object::range
  content,  // the Content record
};

/// What keeps a version from being deleted.
struct Lock : store::Fields {
  std::string mode;  // GOVERNANCE, COMPLIANCE; empty: no retention
  Timestamp retain_until{};
  bool legal_hold = false;
  static constexpr int format = 1;
  template <class V>
  void visit(V&& v) {
    v(1, mode);
    v(2, retain_until);
    v(3, legal_hold);
  }
};

struct Object : store::Fields {
  std::uint64_t size = 0;
  std::string etag;      // without quotes
  Timestamp modified{};  // whole seconds, as HTTP dates carry it
  ContentPlace place = ContentPlace::none;
  std::optional<BlobRange> range;
  Metadata metadata;
  std::string storage_class;
  std::map<std::string, std::string> checksums;  // by wire name ("crc32"), raw bytes
  std::string checksum_type;                     // FULL_OBJECT, COMPOSITE
  std::uint32_t parts = 0;                       // 0: not uploaded in parts
  Tags tags;
  std::string upload_id;   // of the multipart upload that made it, for repeated completions
  std::string version_id;  // empty: the null version
  bool delete_marker = false;
  std::uint64_t ordinal = 0;  // of the versions of a key the newer has the greater
  /// In the current version: the ordinal of the null version, where that is an older one.
  std::optional<std::uint64_t> null_ordinal;
  std::optional<Lock> lock;
  std::string owner;  // an account, or "anonymous"; empty: the bucket's
  std::optional<Acl> acl;
  Encryption encryption = Encryption::none;
  std::string customer_key_check;  // encryption.h
  static constexpr int format = 1;
  template <class V>
  void visit(V&& v) {
    v(1, size);
    v(2, etag);
    v(3, modified);
    v(4, place);
    v(5, range);
    v(6, metadata);
    v(7, storage_class);
    v(8, checksums);
    v(9, checksum_type);
    v(10, parts);
    v(11, tags);
    v(12, upload_id);
    v(13, version_id);
    v(14, delete_marker);
    v(15, ordinal);
    v(16, null_ordinal);
    v(17, lock);
    v(18, owner);
    v(19, acl);
    v(20, encryption);
    v(21, customer_key_check);
  }
};

/// Either `bytes` or `ranges` is used.
struct Content : store::Fields {
  std::string bytes;
  std::vector<BlobRange> ranges;
  std::string sealed_for;  // the account under whose key `bytes` are sealed; empty: as sent
  static constexpr int format = 1;
  template <class V>
  void visit(V&& v) {
    v(1, bytes);
    v(2, ranges);
    v(3, sealed_for);
  }
};

struct PartExtent : store::Fields {
  std::uint32_t number = 0;
  std::uint64_t size = 0;
  std::string checksum;  // raw, of the object's algorithm; kept where clients may ask for it
  static constexpr int format = 1;
  template <class V>
  void visit(V&& v) {
    v(1, number);
    v(2, size);
    v(3, checksum);
  }
};

struct Layout : store::Fields {
  std::vector<PartExtent> parts;
  static constexpr int format = 1;
  template <class V>
  void visit(V&& v) {
    v(1, parts);
  }
};

struct Upload : store::Fields {
  Timestamp initiated{};
  std::string initiator_account;
  std::string initiator_arn;
  Metadata metadata;
  std::string storage_class;
  Tags tags;
  std::string checksum_algorithm;  // wire name; empty: the client asked for none
  std::string checksum_type;       // FULL_OBJECT, COMPOSITE
  std::optional<Lock> lock;        // of the object to be, as the next two
  std::string owner;
  std::optional<Acl> acl;
  Encryption encryption = Encryption::none;
  std::string customer_key_check;
  static constexpr int format = 1;
  template <class V>
  void visit(V&& v) {
    v(1, initiated);
    v(2, initiator_account);
    v(3, initiator_arn);
    v(4, metadata);
    v(5, storage_class);
    v(6, tags);
    v(7, checksum_algorithm);
    v(8, checksum_type);
    v(9, lock);
    v(10, owner);
    v(11, acl);
    v(12, encryption);
    v(13, customer_key_check);
  }
};

/// Either `bytes` or `ranges` is used (a copied part may span several ranges).
struct Part : store::Fields {
  std::uint64_t size = 0;
  std::string etag;
  Timestamp modified{};
  std::string bytes;
  std::vector<BlobRange> ranges;
  std::map<std::string, std::string> checksums;  // raw, by wire name; crc64nvme is always there
  std::string sealed_for;                        // as Content::sealed_for
  static constexpr int format = 1;
  template <class V>
  void visit(V&& v) {
    v(1, size);
    v(2, etag);
    v(3, modified);
    v(4, bytes);
    v(5, ranges);
    v(6, checksums);
    v(7, sealed_for);
  }
};

store::Key bucket_key(std::string_view bucket);
store::Key owned_key(std::string_view account, std::string_view bucket);
store::Key object_key(std::string_view bucket, std::string_view key);
store::Key version_key(std::string_view bucket, std::string_view key, std::uint64_t ordinal);
store::Key content_key(std::string_view bucket, std::string_view key, std::string_view version_id);
store::Key layout_key(std::string_view bucket, std::string_view key, std::string_view version_id);
store::Key upload_key(std::string_view bucket, std::string_view key, std::string_view upload_id);
store::Key part_key(std::string_view bucket, std::string_view upload_id, std::uint32_t number);
store::Key sequence_key(std::string_view bucket);

/// The keys of one kind within a bucket, as a range of its shard. Places are key bytes; `from_…`
/// and `after_…` move the beginning.
struct KeyRange {
  store::Shard shard = 0;
  std::string begin;
  std::string end;
};
store::Key scheduled_key(std::string_view bucket);
KeyRange scheduled_range();
store::Key logged_key(std::string_view bucket);
KeyRange logged_range();
KeyRange owned_range(std::string_view account);
KeyRange objects_range(std::string_view bucket, std::string_view prefix);
/// First place that an object key greater than (all keys that start with) `key` can have.
std::string after_object(std::string_view bucket, std::string_view key);
std::string after_objects_with_prefix(std::string_view bucket, std::string_view prefix);
/// All older versions of a key, newest first; those older than `ordinal` begin after its place.
KeyRange versions_of(std::string_view bucket, std::string_view key);
/// All older versions of all keys with `prefix`.
KeyRange versions_range(std::string_view bucket, std::string_view prefix);
/// First place that an older version of `key` can have.
std::string first_version(std::string_view bucket, std::string_view key);
KeyRange uploads_range(std::string_view bucket, std::string_view prefix);
std::string after_upload(std::string_view bucket, std::string_view key, std::string_view upload_id);
std::string after_uploads_of(std::string_view bucket, std::string_view key);
std::string after_uploads_with_prefix(std::string_view bucket, std::string_view prefix);
KeyRange parts_range(std::string_view bucket, std::string_view upload_id, std::uint32_t after);

/// The third text of an s3.object, s3.version, s3.owned key: the object's key, the bucket's name.
/// Empty when it has another form.
std::string last_text(std::string_view key_bytes);
struct UploadName {
  std::string key;
  std::string upload_id;
};
UploadName upload_name(std::string_view key_bytes);
std::uint32_t part_number(std::string_view key_bytes);

/// The bucket with a check, so that the transaction conflicts with its deletion; NoSuchBucket when
/// there is none.
Result<Bucket> require_bucket(store::Tx& tx, const std::string& bucket);
/// require_bucket, and `expected_owner` (x-amz-expected-bucket-owner) must be its account: else
/// AccessDenied.
Result<Bucket> require_bucket(store::Tx& tx, const std::string& bucket,
                              const std::optional<std::string>& expected_owner);

/// The bytes of an object (metadata from `object`), ready to be sent.
Result<Body> read_content(store::Tx& tx, const store::Keyring& keys, const std::string& bucket,
                          const std::string& key, const Object& object);
Result<Layout> read_layout(store::Tx& tx, const std::string& bucket, const std::string& key,
                           const Object& object);

/// Writes the current record, content and layout, and moves the blob references from `replaced`
/// (the version of the same id whose bytes go, if there is one) to the new ranges. Fills
/// object.size, place and range from `content` (encryption.h makes it).
Result<void> write_object(store::Tx& tx, const std::string& bucket, const std::string& key,
                          const std::optional<Object>& replaced, Object object, Content content,
                          const Layout* layout = nullptr);
/// Erases content and layout of a version and gives its blobs up; its record is the caller's.
Result<void> erase_content(store::Tx& tx, const std::string& bucket, const std::string& key,
                           const Object& object);

/// `old` is what the transaction read under this part number.
void write_part(store::Tx& tx, const std::string& bucket, const std::string& upload_id,
                std::uint32_t number, const std::optional<Part>& old, const Part& part);
void erase_part(store::Tx& tx, const std::string& bucket, const std::string& upload_id,
                std::uint32_t number, const Part& old);

/// Erases an upload in progress with its parts.
Result<void> erase_upload(store::Tx& tx, const std::string& bucket, const std::string& key,
                          const std::string& upload_id);

/// Every part of the upload, each with a check, and a check that no other part comes to be: for
/// completing and aborting, which must leave nothing behind.
struct NumberedPart {
  std::uint32_t number = 0;
  Part part;
};
Result<std::vector<NumberedPart>> take_parts(store::Tx& tx, const std::string& bucket,
                                             const std::string& upload_id);

}  // namespace wolke::s3

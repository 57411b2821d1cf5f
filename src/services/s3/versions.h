#pragma once
// The versions of a key: which one a request names, what a write and a delete leave. A bucket whose
// versioning was never set has one version of each key, the null version; while it is Enabled each
// write adds a version; while it is Suspended writes replace the null version and leave the others.
// Source: S3 user guide, "Retaining multiple versions of objects with S3 Versioning" and the pages
// below it.
//
// A version's id hides its ordinal, so that naming a version reads one record. state.h tells where
// the records lie.

#include <optional>
#include <string>

#include "wolke/operation/operation.h"
#include "wolke/services/s3/state.h"

namespace wolke::s3 {

/// A version and where its record lies.
struct Version {
  Object object;
  store::Key place;
  bool current = true;
};

/// The id as clients see it: "null" for the null version.
std::string told_version_id(const Object& object);
/// The id in an answer: none where the bucket never had versions.
std::optional<std::string> told_version_id(const Bucket& bucket, const Object& object);
/// The id in the answer to a write: a suspended bucket's null version is not told. Source: API
/// reference of PutObject, its sample responses.
std::optional<std::string> written_version_id(const Bucket& bucket, const Object& object);

/// The current record with a check, delete markers too.
Result<std::optional<Object>> current_version(store::Tx& tx, const std::string& bucket,
                                              const std::string& key);
/// nullopt for nothing and for a delete marker: what conditions of writes are judged against.
std::optional<Object> visible(std::optional<Object> current);

/// The version that `version_id` names (none: the current one), delete markers too, with a check;
/// nullopt when there is none. "InvalidArgument" for what cannot be an id.
Result<std::optional<Version>> find_version(store::Tx& tx, const std::string& bucket,
                                            const std::string& key,
                                            const std::optional<std::string>& version_id);

/// The place of a version among those of its key, also of one that is gone meanwhile; nullopt where
/// that cannot be told.
Result<std::optional<std::uint64_t>> ordinal_of_version(store::Tx& tx, const std::string& bucket,
                                                        const std::string& key,
                                                        const std::string& version_id);

/// Stores `object` with `content` as the bucket's versioning says; `current` is what
/// current_version() gave. The version that was written, for the answer.
Result<Object> add_version(store::Tx& tx, const operation::Context& context, const Bucket& bucket,
                           const std::string& key, const std::optional<Object>& current,
                           Object object, Content content, const Layout* layout = nullptr);

/// Takes one version away for good; the newest of the others becomes the current one.
Result<void> remove_version(store::Tx& tx, const std::string& bucket, const std::string& key,
                            const Version& version);

}  // namespace wolke::s3

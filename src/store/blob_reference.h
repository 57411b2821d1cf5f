#pragma once
// Reference records: table "blob", blob id, owner; empty value. They lie in the blob's own shard,
// one per owner, so that "is this blob still used?" is one short scan. Written by Tx::refer and
// Tx::release, read by BlobStore::collect.

#include <string>
#include <string_view>

#include "wolke/store/store.h"

namespace wolke::store {

Key blob_reference_key(std::string_view blob_id, std::string_view owner);
/// Begins every reference to the blob, in shard_of(blob_id).
std::string blob_references_prefix(std::string_view blob_id);

}  // namespace wolke::store

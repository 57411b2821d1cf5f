#pragma once
// Tells a bucket's notification destinations of a change, in the transaction that makes the change:
// the event is durable exactly when the change is.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "wolke/operation/operation.h"
#include "wolke/services/s3/state.h"

namespace wolke::s3 {

struct ObjectChange {
  std::string_view event;  // notification.h's event_…
  std::string key;
  std::optional<std::uint64_t> size;  // of what is there after the change
  std::optional<std::string> etag;
  std::optional<std::string> version_id;  // where the bucket has versions
};

Result<void> publish(store::Tx& tx, const operation::Context& context, const Bucket& bucket,
                     const ObjectChange& change);

}  // namespace wolke::s3

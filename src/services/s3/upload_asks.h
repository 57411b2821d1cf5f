#pragma once
// What the gate asks about an upload in progress: who began it may end it and see its parts where
// the bucket's list lets him write.

#include "wolke/services/s3/asks.h"

namespace wolke::s3 {

Result<Asks> ask_upload(S3& s3, const Context& context, std::string action,
                        const std::string& bucket, const std::string& key,
                        const std::string& upload_id);

template <Action action, class In>
Result<Asks> asks_of_upload(S3& s3, const Context& context, const In& in) {
  return ask_upload(s3, context, action.str(), *in.bucket, *in.key, *in.upload_id);
}

}  // namespace wolke::s3

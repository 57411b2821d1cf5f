#include "wolke/services/s3/uploads.h"

#include <fmt/format.h>

#include "wolke/services/s3/errors.h"
#include "wolke/services/s3/objects.h"

namespace wolke::s3 {

Result<Upload> require_upload(store::Tx& tx, const std::string& bucket, const std::string& key,
                              const std::string& upload_id) {
  TRY(std::optional<Upload> upload, tx.get<Upload>(upload_key(bucket, key, upload_id)));
  if (!upload) return fail(no_such_upload(upload_id));
  return *std::move(upload);
}

Result<std::uint32_t> check_part_number(std::int32_t number) {
  if (number < 1 || number > part_number_max) {
    return fail(invalid_argument("Part number must be an integer between 1 and 10000, inclusive",
                                 "partNumber", std::to_string(number)));
  }
  return static_cast<std::uint32_t>(number);
}

std::string new_upload_id(const operation::Context& context) {
  return fmt::format("{:012x}", to_millis(context.now)) + context.random->hex(16);
}

std::vector<std::string> part_digest_names(const Upload& upload) {
  std::vector<std::string> names = {"md5", std::string(default_checksum)};
  if (!upload.checksum_algorithm.empty() && upload.checksum_algorithm != default_checksum) {
    names.push_back(upload.checksum_algorithm);
  }
  return names;
}

Part make_part(const Upload& upload, Body body, Timestamp now) {
  Part part;
  part.size = body.size();
  part.etag = to_hex(md5_of(body));
  part.modified = whole_seconds(now);
  for (const ChecksumAlgorithm& algorithm : checksum_algorithms) {
    bool wanted = algorithm.wire == default_checksum || algorithm.wire == upload.checksum_algorithm;
    if (!wanted && !body.digests.contains(std::string(algorithm.wire))) continue;
    if (std::optional<std::string> value = digest_of(body, algorithm)) {
      part.checksums.emplace(algorithm.wire, *std::move(value));
    }
  }
  if (body.blobs.empty()) part.bytes = std::move(body.inline_bytes);
  part.ranges = std::move(body.blobs);
  return part;
}

}  // namespace wolke::s3

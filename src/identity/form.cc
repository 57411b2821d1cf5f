#include "wolke/identity/form.h"

#include <fmt/format.h>

#include <array>

#include "wolke/base/hash.h"
#include "wolke/identity/sigv2.h"
#include "wolke/identity/sigv4_errors.h"

namespace wolke::identity::detail {
namespace {

/// A field by its name in lower case, and as S3 names it where it is missing.
struct Part {
  std::string_view name;
  std::string_view told;
};
constexpr std::array<Part, 4> version4 = {{{"x-amz-algorithm", "X-Amz-Algorithm"},
                                           {"x-amz-credential", "X-Amz-Credential"},
                                           {"x-amz-date", "X-Amz-Date"},
                                           {"x-amz-signature", "X-Amz-Signature"}}};
constexpr std::array<Part, 2> version2 = {
    {{"awsaccesskeyid", "AWSAccessKeyId"}, {"signature", "Signature"}}};

const std::string* find(const Headers& fields, std::string_view name) {
  for (const auto& [field, value] : fields) {
    if (field == name) return &value;
  }
  return nullptr;
}

template <std::size_t N>
bool any(const Headers& fields, const std::array<Part, N>& parts) {
  for (const Part& part : parts) {
    if (find(fields, part.name) != nullptr) return true;
  }
  return false;
}

Error missing_field(std::string_view name) {
  return {"InvalidArgument",
          400,
          fmt::format("Bucket POST must contain a field named '{}'.  If it is specified, please "
                      "check the order of the fields.",
                      name),
          {{"ArgumentName", std::string(name)}, {"ArgumentValue", ""}}};
}

template <std::size_t N>
Result<void> require(const Headers& fields, const std::array<Part, N>& parts) {
  for (const Part& part : parts) {
    if (find(fields, part.name) == nullptr) return fail(missing_field(part.told));
  }
  if (find(fields, "policy") == nullptr) return fail(missing_field("policy"));
  return {};
}

Result<void> take_version4(const Headers& fields, Authorization& out) {
  TRY(require(fields, version4));
  if (*find(fields, "x-amz-algorithm") != sigv4_algorithm) {
    return fail(
        malformed(Dialect::s3, out.carrier, "X-Amz-Algorithm only supports \"AWS4-HMAC-SHA256\""));
  }
  TRY(parse_credential(*find(fields, "x-amz-credential"), Dialect::s3, out));
  out.amz_date = *find(fields, "x-amz-date");
  const std::optional<Timestamp> time = parse_amz_date(out.amz_date);
  if (!time) {
    return fail(
        malformed(Dialect::s3, out.carrier,
                  "X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\""));
  }
  out.time = *time;
  out.signature = *find(fields, "x-amz-signature");
  return {};
}

}  // namespace

Result<std::optional<Authorization>> parse_form(const Headers& fields) {
  const bool newer = any(fields, version4);
  const bool older = any(fields, version2);
  if (!newer && !older) return std::optional<Authorization>();
  if (newer && older) return fail(only_one_mechanism(Dialect::s3));
  Authorization out;
  out.carrier = Carrier::form;
  out.payload = Payload::unsigned_payload;
  out.payload_hash = "UNSIGNED-PAYLOAD";
  if (newer) {
    TRY(take_version4(fields, out));
  } else {
    TRY(require(fields, version2));
    out.version = SignatureVersion::v2;
    out.access_key_id = *find(fields, "awsaccesskeyid");
    out.signature = *find(fields, "signature");
  }
  if (const std::string* token = find(fields, "x-amz-security-token")) out.security_token = *token;
  return std::optional<Authorization>(std::move(out));
}

Result<void> verify_form(const Authorization& authorization, std::string_view secret,
                         const Headers& fields, const Expected& expected) {
  const std::string* policy = find(fields, "policy");
  ASSERT(policy != nullptr);  // parse_form() gave the claim
  std::string signature;
  if (authorization.version == SignatureVersion::v2) {
    signature = sigv2_signature(secret, *policy);
  } else {
    TRY(check_scope(authorization, expected));
    signature = to_hex(hmac_sha256(
        derive_signing_key(secret, authorization.date, authorization.region, authorization.service),
        *policy));
  }
  if (equal_constant_time(signature, authorization.signature)) return {};
  return fail(signature_mismatch(Dialect::s3, authorization, *policy, ""));
}

}  // namespace wolke::identity::detail

#include "wolke/services/s3/site_ops.h"

#include "wolke/base/text.h"
#include "wolke/services/s3/access_logs.h"
#include "wolke/services/s3/acl.h"
#include "wolke/services/s3/configuration.h"
#include "wolke/services/s3/errors.h"
#include "wolke/services/s3/state.h"

namespace wolke::s3 {
namespace {

constexpr std::size_t routing_rules_max = 50;

/// What the bucket keeps of a kind, as T; nullopt when nothing is set.
template <class T, class In>
Result<std::optional<T>> kept(Tx& tx, const In& in, std::string_view kind) {
  TRY(Bucket bucket, require_bucket(tx, *in.bucket, in.expected_bucket_owner));
  return read_configuration<T>(tx, bucket.name, kind);
}

Result<void> check_protocol(const std::optional<std::string>& protocol) {
  if (!protocol || *protocol == "http" || *protocol == "https") return {};
  return fail(
      invalid_request("Invalid protocol, protocol can be http or https. If not defined the "
                      "protocol will be selected automatically."));
}

Result<void> check_status_code(const std::optional<std::string>& code, char first) {
  if (!code) return {};
  std::optional<std::uint64_t> number = parse_u64(*code);
  if (number && code->size() == 3 && code->front() == first && *code != "300") return {};
  return fail(invalid_request(first == '3' ? "The provided HTTP redirect code (" + *code +
                                                 ") is not valid. Valid codes are 3XX except 300."
                                           : "The provided HTTP error code (" + *code +
                                                 ") is not valid. Valid codes are 4XX or 5XX."));
}

Result<void> check_rule(const model::s3::RoutingRule& rule) {
  if (!rule.redirect) return fail(malformed_xml());
  if (rule.redirect->replace_key_prefix_with && rule.redirect->replace_key_with) {
    return fail(
        invalid_request("You can only define ReplaceKeyPrefix or ReplaceKey but not both."));
  }
  TRY(check_protocol(rule.redirect->protocol));
  TRY(check_status_code(rule.redirect->http_redirect_code, '3'));
  if (!rule.condition) return {};
  const std::optional<std::string>& code = rule.condition->http_error_code_returned_equals;
  if (!code && !rule.condition->key_prefix_equals) {
    return fail(
        invalid_request("Condition cannot be empty. To redirect all "
                        "requests without a condition, "
                        "the condition element shouldn't be present."));
  }
  return check_status_code(code, code && code->starts_with('5') ? '5' : '4');
}

Result<void> check_website(const model::s3::WebsiteConfiguration& website) {
  if (website.redirect_all_requests_to) {
    if (website.index_document || website.error_document || website.routing_rules) {
      return fail(
          invalid_argument("RedirectAllRequestsTo cannot be provided "
                           "in conjunction with other Routing Rules.",
                           "RedirectAllRequestsTo", "not null"));
    }
    if (!website.redirect_all_requests_to->host_name) return fail(malformed_xml());
    return check_protocol(website.redirect_all_requests_to->protocol);
  }
  if (!website.index_document) {
    return fail(
        invalid_argument("A value for IndexDocument Suffix must be "
                         "provided if RedirectAllRequestsTo is empty",
                         "IndexDocument", "null"));
  }
  const std::string suffix = website.index_document->suffix.value_or("");
  if (suffix.empty() || suffix.find('/') != std::string::npos) {
    return fail(
        invalid_argument("The IndexDocument Suffix is not well formed", "IndexDocument", suffix));
  }
  if (website.error_document && website.error_document->key.value_or("").empty()) {
    return fail(malformed_xml());
  }
  if (!website.routing_rules) return {};
  if (website.routing_rules->empty()) return fail(malformed_xml());
  if (website.routing_rules->size() > routing_rules_max) {
    return fail(invalid_request("The number of routing rules must not exceed 50."));
  }
  for (const model::s3::RoutingRule& rule : *website.routing_rules) {
    TRY(check_rule(rule));
  }
  return {};
}

Error invalid_log_target(std::string message, const std::string& target) {
  return Error{
      "InvalidTargetBucketForLogging", 400, std::move(message), {{"TargetBucket", target}}};
}

/// One form or the other; none is the simple one.
Result<void> check_key_format(const std::optional<model::s3::TargetObjectKeyFormat>& format) {
  if (!format) return {};
  const auto& partitioned = format->partitioned_prefix;
  if (partitioned.has_value() == format->simple_prefix.has_value()) return fail(malformed_xml());
  if (!partitioned || !partitioned->partition_date_source) return {};
  const std::string& date = *partitioned->partition_date_source;
  if (date != "EventTime" && date != "DeliveryTime") return fail(malformed_xml());
  return {};
}

/// Logs lie in a bucket of the same account and region.
Result<void> check_logging(Tx& tx, const Bucket& bucket, const model::s3::LoggingEnabled& logging) {
  if (!logging.target_bucket || !logging.target_prefix) return fail(malformed_xml());
  TRY(std::optional<Bucket> target, tx.peek<Bucket>(bucket_key(*logging.target_bucket)));
  if (!target) {
    return fail(
        invalid_log_target("The target bucket for logging does not exist", *logging.target_bucket));
  }
  if (target->account != bucket.account) {
    return fail(
        invalid_log_target("The owner for the bucket to be logged and "
                           "the target bucket must be the same.",
                           *logging.target_bucket));
  }
  if (target->region != bucket.region) {
    return fail(Error{"CrossLocationLoggingProhibitted",
                      403,
                      "Cross S3 location logging not allowed.",
                      {{"TargetBucketLocation", target->region}}});
  }
  TRY(check_key_format(logging.target_object_key_format));
  bool grants = logging.target_grants && !logging.target_grants->empty();
  if (grants && acls_disabled(*target)) return fail(acl_not_supported());
  return {};
}

}  // namespace

Answer<op::GetBucketWebsite> get_bucket_website(S3&, Tx& tx, const Context&,
                                                const In<op::GetBucketWebsite>& in) {
  TRY(auto found, kept<model::s3::WebsiteConfiguration>(tx, in, kind::website));
  if (!found) {
    return fail(not_configured("NoSuchWebsiteConfiguration",
                               "The specified bucket does not have a website configuration",
                               *in.bucket));
  }
  op::GetBucketWebsite::Output out;
  out.redirect_all_requests_to = std::move(found->redirect_all_requests_to);
  out.index_document = std::move(found->index_document);
  out.error_document = std::move(found->error_document);
  out.routing_rules = std::move(found->routing_rules);
  return out;
}

Answer<op::PutBucketWebsite> put_bucket_website(S3&, Tx& tx, const Context&,
                                                const In<op::PutBucketWebsite>& in) {
  TRY(Bucket bucket, require_bucket(tx, *in.bucket, in.expected_bucket_owner));
  TRY(check_website(*in.website_configuration));
  write_configuration(tx, bucket.name, kind::website, *in.website_configuration);
  return op::PutBucketWebsite::Output{};
}

Answer<op::DeleteBucketWebsite> delete_bucket_website(S3&, Tx& tx, const Context&,
                                                      const In<op::DeleteBucketWebsite>& in) {
  TRY(Bucket bucket, require_bucket(tx, *in.bucket, in.expected_bucket_owner));
  erase_document(tx, bucket.name, kind::website);
  return op::DeleteBucketWebsite::Output{};
}

Answer<op::GetBucketLogging> get_bucket_logging(S3&, Tx& tx, const Context&,
                                                const In<op::GetBucketLogging>& in) {
  TRY(auto found, kept<model::s3::BucketLoggingStatus>(tx, in, kind::logging));
  op::GetBucketLogging::Output out;
  if (found) out.logging_enabled = std::move(found->logging_enabled);
  return out;
}

Answer<op::PutBucketLogging> put_bucket_logging(S3& s3, Tx& tx, const Context&,
                                                const In<op::PutBucketLogging>& in) {
  TRY(Bucket bucket, require_bucket(tx, *in.bucket, in.expected_bucket_owner));
  const model::s3::BucketLoggingStatus& status = *in.bucket_logging_status;
  if (!status.logging_enabled) {
    erase_document(tx, bucket.name, kind::logging);
    return op::PutBucketLogging::Output{};
  }
  TRY(check_logging(tx, bucket, *status.logging_enabled));
  if (s3.access_logs != nullptr) s3.access_logs->watch(bucket.name);
  write_configuration(tx, bucket.name, kind::logging, status);
  return op::PutBucketLogging::Output{};
}

Answer<op::GetBucketRequestPayment> get_bucket_request_payment(
    S3&, Tx& tx, const Context&, const In<op::GetBucketRequestPayment>& in) {
  TRY(auto found, kept<model::s3::RequestPaymentConfiguration>(tx, in, kind::request_payment));
  op::GetBucketRequestPayment::Output out;
  out.payer = found && found->payer ? *found->payer : "BucketOwner";
  return out;
}

Answer<op::PutBucketRequestPayment> put_bucket_request_payment(
    S3&, Tx& tx, const Context&, const In<op::PutBucketRequestPayment>& in) {
  TRY(Bucket bucket, require_bucket(tx, *in.bucket, in.expected_bucket_owner));
  const auto& payer = in.request_payment_configuration->payer;
  if (payer != "BucketOwner" && payer != "Requester") return fail(malformed_xml());
  write_configuration(tx, bucket.name, kind::request_payment, *in.request_payment_configuration);
  return op::PutBucketRequestPayment::Output{};
}

Answer<op::GetBucketAccelerateConfiguration> get_bucket_accelerate(
    S3&, Tx& tx, const Context&, const In<op::GetBucketAccelerateConfiguration>& in) {
  TRY(auto found, kept<model::s3::AccelerateConfiguration>(tx, in, kind::accelerate));
  op::GetBucketAccelerateConfiguration::Output out;
  if (found) out.status = std::move(found->status);
  return out;
}

Answer<op::PutBucketAccelerateConfiguration> put_bucket_accelerate(
    S3&, Tx& tx, const Context&, const In<op::PutBucketAccelerateConfiguration>& in) {
  TRY(Bucket bucket, require_bucket(tx, *in.bucket, in.expected_bucket_owner));
  if (bucket.name.find('.') != std::string::npos) {
    return fail(
        invalid_request("S3 Transfer Acceleration is not supported for "
                        "buckets with periods (.) in their names"));
  }
  const auto& status = in.accelerate_configuration->status;
  if (status != "Enabled" && status != "Suspended") return fail(malformed_xml());
  write_configuration(tx, bucket.name, kind::accelerate, *in.accelerate_configuration);
  return op::PutBucketAccelerateConfiguration::Output{};
}

Answer<op::GetBucketReplication> get_bucket_replication(S3&, Tx& tx, const Context&,
                                                        const In<op::GetBucketReplication>& in) {
  TRY(Bucket bucket, require_bucket(tx, *in.bucket, in.expected_bucket_owner));
  return fail(not_configured("ReplicationConfigurationNotFoundError",
                             "The replication configuration was not found", bucket.name));
}

}  // namespace wolke::s3

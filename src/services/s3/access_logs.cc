#include "wolke/services/s3/access_logs.h"

#include <algorithm>
#include <iterator>

#include "wolke/base/hash.h"
#include "wolke/base/text.h"
#include "wolke/observe/log.h"
#include "wolke/services/s3/acl.h"
#include "wolke/services/s3/configuration.h"
#include "wolke/services/s3/errors.h"
#include "wolke/services/s3/grants.h"
#include "wolke/services/s3/names.h"
#include "wolke/services/s3/ops.h"

namespace wolke::s3 {
namespace {

/// What PutBucketLogging watched before its commit is listed by the second refresh at the latest.
constexpr int refreshes_unlisted = 2;

std::size_t cost_of(std::string_view middle) {
  constexpr std::size_t around = 128;
  return middle.size() + around;
}

/// 16 upper-case hexadecimal digits.
std::string unique_name(Random& random) {
  std::string name = random.hex(8);
  for (char& c : name) {
    if (c >= 'a') c = static_cast<char>(c - 'a' + 'A');
  }
  return name;
}

/// The service's rights, with the account that will own the objects.
class Deliverer final : public identity::Authorizer {
 public:
  Deliverer(std::unique_ptr<identity::Authorizer> service, const std::string& account)
      : service_(std::move(service)), principal_(service_->principal()) {
    principal_.account = account;
  }
  identity::Decision decide(const identity::Ask& ask) const override {
    return service_->decide(ask);
  }
  const identity::Principal& principal() const override { return principal_; }

 private:
  std::unique_ptr<identity::Authorizer> service_;
  identity::Principal principal_;
};

/// The configured grants as a request's headers would say them.
void grant_as_configured(const model::s3::LoggingEnabled& logging, In<op::PutObject>& in) {
  if (!logging.target_grants) return;
  for (const model::s3::TargetGrant& grant : *logging.target_grants) {
    if (!grant.grantee) continue;
    std::string grantee;
    if (grant.grantee->uri) grantee = "uri=\"" + *grant.grantee->uri + '"';
    if (grant.grantee->id) grantee = "id=\"" + *grant.grantee->id + '"';
    if (grantee.empty()) continue;
    auto& header = grant.permission == "FULL_CONTROL" ? in.grant_full_control : in.grant_read;
    if (grant.permission == "WRITE") continue;  // means nothing for an object
    header = header ? *header + ", " + grantee : grantee;
  }
}

Error refused(const char* why) {
  return Error{"AccessDenied", 403, why};
}

}  // namespace

struct AccessLogs::Delivery {
  Bucket source;
  model::s3::LoggingEnabled logging;
};

AccessLogs::AccessLogs(Env env, S3& s3, LogDeliveryAuthorizer authorizer, AccessLogsOptions options)
    : env_(env),
      s3_(s3),
      authorizer_(std::move(authorizer)),
      options_(options),
      closing_(s3.runner.loop) {}

void AccessLogs::watch(const std::string& bucket) {
  state_.lock()->watched[bucket] = refreshes_unlisted;
  any_ = true;
}

bool AccessLogs::watches(std::string_view bucket) {
  if (!watches_any()) return false;
  return state_.lock()->watched.contains(bucket);
}

void AccessLogs::note(const AccessRecord& record) {
  std::string middle = line_middle(record);
  auto state = state_.lock();
  if (!state->watched.contains(record.bucket)) return;
  if (state->bytes + cost_of(middle) > options_.bytes_max) {
    ++state->lost;
    return;
  }
  state->bytes += cost_of(middle);
  state->noted[record.bucket].push_back({record.at, std::move(middle)});
}

Result<void> AccessLogs::refresh() {
  std::map<std::string, int, std::less<>> listed;
  TRY(std::unique_ptr<store::Snapshot> snapshot, s3_.store.snapshot());
  KeyRange range = logged_range();
  bool more = true;
  while (more) {
    TRY(store::Page page,
        snapshot->scan({.shard = range.shard, .begin = range.begin, .end = range.end}));
    for (const store::Record& record : page.records) listed.emplace(last_text(record.key), 1);
    more = page.more && !page.records.empty();
    if (more) range.begin = page.records.back().key + '\0';
  }
  auto state = state_.lock();
  for (const auto& [bucket, left] : state->watched) {
    if (left > 1) listed.emplace(bucket, left - 1);
  }
  state->watched = std::move(listed);
  any_ = !state->watched.empty();
  return {};
}

void AccessLogs::start() {
  if (Result<void> read = refresh(); !read) {
    observe::log(observe::Level::warning, "s3", "access logs: " + read.error().message);
  }
  s3_.runner.loop.spawn(run(gate_.enter()));
}

async::Task<void> AccessLogs::stop() {
  closing_.set();
  co_await gate_.close();
}

async::Task<void> AccessLogs::run(async::Gate::Holder holder) {
  if (!holder) co_return;
  async::Loop& loop = s3_.runner.loop;
  while (true) {
    co_await closing_.wait(loop.now() + options_.interval);
    const bool ending = closing_.is_set() || loop.stopping();
    auto work = [this]() -> int {
      deliver();
      if (Result<void> read = refresh(); !read) {
        observe::log(observe::Level::warning, "s3", "access logs: " + read.error().message);
      }
      return 0;
    };
    if (any_) co_await async::run_on(s3_.runner.pool, loop, work);
    if (ending) co_return;
  }
}

void AccessLogs::deliver() {
  std::map<std::string, Lines> noted;
  {
    auto state = state_.lock();
    noted.swap(state->noted);
    if (state->lost > 0) {
      observe::log(observe::Level::warning, "s3",
                   "access logs: lines came faster than they could "
                   "be delivered and were dropped",
                   {{"lines", std::to_string(state->lost)}});
      state->lost = 0;
    }
  }
  for (auto& [bucket, lines] : noted) {
    Result<void> delivered = deliver_bucket(bucket, lines);
    if (!delivered) {
      observe::log(observe::Level::warning, "s3", "access log: " + delivered.error().message,
                   {{"bucket", bucket}, {"code", delivered.error().code}});
    }
    // The store's trouble may pass: what it has not taken comes first the next time.
    const bool again = !delivered && delivered.error().is_server_fault();
    auto state = state_.lock();
    Lines left;
    for (Line& line : lines) {
      if (again && !line.delivered) {
        left.push_back(std::move(line));
      } else {
        state->bytes -= std::min(state->bytes, cost_of(line.middle));
      }
    }
    if (left.empty()) continue;
    Lines& later = state->noted[bucket];
    std::ranges::move(later, std::back_inserter(left));
    later = std::move(left);
  }
}

Result<void> AccessLogs::deliver_bucket(const std::string& bucket, Lines& lines) {
  TRY(std::unique_ptr<store::Snapshot> snapshot, s3_.store.snapshot());
  Tx tx(*snapshot);
  TRY(std::optional<Bucket> source, tx.peek<Bucket>(bucket_key(bucket)));
  if (!source) return {};
  TRY(auto status, read_configuration<model::s3::BucketLoggingStatus>(tx, bucket, kind::logging));
  if (!status || !status->logging_enabled) return {};
  Delivery delivery{*std::move(source), *std::move(status->logging_enabled)};
  std::map<std::chrono::sys_days, std::vector<Line*>> days;  // one where the key tells no day
  for (Line& line : lines) {
    auto day = std::chrono::floor<std::chrono::days>(
        is_by_event_day(delivery.logging) ? line.at : lines.front().at);
    days[day].push_back(&line);
  }
  for (auto& [day, of_day] : days) {
    std::string text;
    for (const Line* line : of_day) text += log_line(delivery.source, line->middle);
    TRY(deliver_object(delivery, std::move(text), std::chrono::time_point_cast<Millis>(day)));
    for (Line* line : of_day) line->delivered = true;
  }
  return {};
}

Result<void> AccessLogs::deliver_object(const Delivery& delivery, std::string text, Timestamp day) {
  const Bucket& source = delivery.source;
  const std::string& target_name = *delivery.logging.target_bucket;
  const Timestamp now = env_.clock.wall();
  In<op::PutObject> in;
  in.bucket = target_name;
  in.key = log_object_key(delivery.logging, source, day, now, unique_name(env_.random));
  in.content_type = "text/plain";
  Body& body = in.body.emplace();
  std::optional<BlobRef> blob;
  if (text.size() > limits::body_inline_max) {
    body.digests["md5"] = digest(HashKind::md5, text);
    body.digests["crc64nvme"] = digest(HashKind::crc64nvme, text);
    TRY(std::unique_ptr<store::BlobWriter> writer, s3_.blobs.create({.account = source.account}));
    TRY(writer->write(text));
    TRY(blob, writer->seal());
    body.blobs.push_back({*blob, 0, text.size()});
  } else {
    body.inline_bytes = std::move(text);
  }
  Deliverer deliverer(authorizer_(bucket_arn(source.name), source.account, now), source.account);
  Context context{.request_id = env_.random.uuid(),
                  .account = source.account,
                  .region = source.region,
                  .now = now,
                  .random = &env_.random,
                  .authorizer = &deliverer};
  Result<void> done = operation::transact_blocking(s3_.store, [&](Tx& tx) -> Result<void> {
    TRY(Bucket target, require_bucket(tx, target_name));
    if (target.account != source.account || target.region != source.region) {
      return fail(refused("the target bucket is another account's or lies elsewhere"));
    }
    if (target.lock && !target.lock->mode.empty()) {
      return fail(refused("the target bucket has a default retention"));
    }
    if (!deliverer.allows(
            ask_of_bucket(target, "s3:PutObject", object_arn(target.name, *in.key)))) {
      return fail(refused("the target bucket does not let logging.s3.amazonaws.com put objects"));
    }
    In<op::PutObject> put = in;
    if (!acls_disabled(target)) grant_as_configured(delivery.logging, put);
    TRY(put_object(s3_, tx, context, put));
    return {};
  });
  if (blob) s3_.blobs.settle(*blob);
  return done;
}

}  // namespace wolke::s3

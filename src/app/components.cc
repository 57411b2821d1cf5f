#include "wolke/app/components.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <future>
#include <thread>

#include "wolke/app/access_log.h"
#include "wolke/app/trust.h"
#include "wolke/meter/drain.h"
#include "wolke/observe/log.h"
#include "wolke/sandbox/process_sandbox.h"
#include "wolke/services/s3/lifecycle_sweep.h"
#include "wolke/store/disk_room.h"

namespace wolke::app {

namespace {

constexpr std::size_t pool_queue_max = 4096;
constexpr auto stop_grace = std::chrono::seconds(5);
constexpr auto collect_every = std::chrono::minutes(10);
constexpr auto record_uses_every = std::chrono::seconds(1);
constexpr Millis blob_grace = std::chrono::hours(1);
constexpr auto collect_when_full_every = std::chrono::seconds(2);
/// Functions use far less than what they are given, so their sizes may add up to more than there
/// is.
constexpr std::uint64_t memory_overcommit = 3;
constexpr const char* trust_inside = "/var/trust/ca.pem";

std::uint64_t machine_memory_bytes() {
  return static_cast<std::uint64_t>(::sysconf(_SC_PHYS_PAGES)) *
         static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

unsigned pool_threads() {
  return std::max(2u, std::thread::hardware_concurrency());
}

meter::UsageRecord usage_of(const invoke::UsageRecord& usage) {
  return {.kind = meter::Kind::invocation,
          .account = usage.account,
          .resource = usage.function_arn,
          .qualifier = usage.version,
          .request_id = usage.request_id,
          .at = usage.at,
          .billed_ms = usage.billed_ms,
          .memory_mb = usage.memory_mb,
          .duration_us = usage.duration_us,
          .cold = usage.cold,
          .error = usage.error};
}

meter::UsageRecord usage_of(const gateway::OperationUsage& usage, Timestamp now) {
  return {.kind = meter::Kind::operation,
          .account = usage.account,
          .resource = usage.service,
          .qualifier = usage.operation,
          .request_id = usage.request_id,
          .at = now,
          .duration_us = static_cast<std::uint64_t>(usage.took.count()),
          .bytes_in = usage.bytes_in,
          .bytes_out = usage.bytes_out,
          .status = usage.status,
          .error = usage.status >= 500};
}

bool answer_health(const net::RequestHead& head, int& status, std::string& body) {
  if (head.target != "/_wolke/health" && head.target != "/_localstack/health") return false;
  status = 200;
  body =
      R"({"status":"running","services":{"iam":"running","lambda":"running","logs":"running","s3":"running","sts":"running"}})";
  return true;
}

/// Made anew at each start: only sandboxes of this server ever trust it, and no key lies on a disk.
Result<std::unique_ptr<net::LocalAuthority>> make_authority(const std::string& trust_directory) {
  TRY(auto authority, net::LocalAuthority::create("wolke sandbox authority", aws_domains()));
  TRY(system_env().disk.make_directory(trust_directory));
  TRY(write_trust_bundle(authority->certificate_pem(), trust_directory));
  return authority;
}

}  // namespace

Components::Components(const Config& config, async::Loop& loop)
    : config_(config),
      loop_(loop),
      env_(system_env()),
      pool_(std::make_unique<async::Pool>(pool_threads(), pool_queue_max)) {}

Components::~Components() {
  // Completions are posted to the loop, which is ours to outlive: the pool ends first.
  gateway_.reset();
  pool_.reset();
}

Result<void> Components::open_storage(const std::string& address) {
  std::string note = fmt::format("pid {}, http://{}", ::getpid(), address);
  TRY(store_, store::open_sqlite_store(env_, {.directory = config_.data_dir + "/store",
                                              .lock_note = note,
                                              .reserve_bytes = store::disk_reserve_bytes}));
  TRY(packages_, lambda::Packages::open(config_.data_dir + "/packages", env_.random));
  return {};
}

Result<void> Components::open_identity() {
  TRY(std::string master_key, identity::open_master_key(*store_, env_, config_.data_dir));
  keys_ = std::make_unique<store::Keyring>(identity::root_of_body_keys(master_key));
  TRY(blobs_,
      store::open_file_blobs(env_, config_.data_dir + "/blobs", *keys_, store::blob_reserve_bytes));
  identity::Seal seal(std::move(master_key), env_.random);
  TRY(root_, identity::bootstrap_root(*store_, env_, config_.data_dir, seal));
  attached_ = std::make_unique<AttachedPolicies>(*store_);
  identity::DirectoryOptions options{.authentication = config_.dev
                                                           ? identity::Authentication::relaxed
                                                           : identity::Authentication::enforced,
                                     .resource_policies = attached_.get(),
                                     .region = config_.region};
  directory_ = std::make_unique<identity::Directory>(env_, *store_, std::move(seal), options);
  return {};
}

void Components::use_certificates(std::unique_ptr<net::LocalAuthority> authority) {
  authority_ = std::move(authority);
  acceptor_ = std::make_shared<net::TlsAcceptor>(authority_->source("s3.amazonaws.com"));
}

void Components::make_invoker(sandbox::ServerSide side) {
  sandboxes_ = side.level == sandbox::Level::process ? sandbox::make_process_sandboxes(loop_)
                                                     : sandbox::connect(loop_, std::move(side));
  function_logs_ = std::make_unique<FunctionLogs>(write_to(*appender_),
                                                  rights_to_log({.directory = *directory_,
                                                                 .store = *store_,
                                                                 .clock = env_.clock,
                                                                 .pool = *pool_,
                                                                 .loop = loop_}),
                                                  env_.clock, loop_);
  invoke::Dependencies parts{
      .loop = loop_,
      .env = env_,
      .sandboxes = *sandboxes_,
      .paths = config_.runtimes,
      .logs = *function_logs_,
      .meter = [this](invoke::UsageRecord usage) { drainer_->record(usage_of(usage)); },
      .credentials = function_credentials(*directory_, env_.clock),
      .serve_gateway = [this](Fd fd,
                              const std::string& id) { serve_sandbox(std::move(fd), id, false); },
      .serve_gateway_tls =
          [this](Fd fd, const std::string& id) { serve_sandbox(std::move(fd), id, true); },
      .sandbox_ended = [this](const std::string& id) { doors_.erase(id); },
      .domains = aws_domains(),
      .hosts = aws_hosts(config_.region),
      .environment = {{"SSL_CERT_FILE", trust_inside}, {"AWS_CA_BUNDLE", trust_inside}},
      .mounts = {{.host_path = config_.data_dir + "/trust", .inside_path = "/var/trust"}},
      .options = {.memory_budget_bytes = memory_overcommit * machine_memory_bytes()},
  };
  invoker_ = invoke::make_invoker(std::move(parts));
}

Result<void> Components::open_meter() {
  TRY(std::unique_ptr<store::Snapshot> snapshot, store_->snapshot());
  TRY(meter::Watermark drained, meter::read_watermark(*snapshot, "local"));
  TRY(usage_log_, meter::UsageLog::open(config_.data_dir + "/usage.ring", drained));
  drainer_ = std::make_unique<meter::Drainer>(
      meter::Drainer::Parts{.loop = loop_, .pool = *pool_, .store = *store_, .log = *usage_log_});
  return {};
}

void Components::make_logs() {
  operation::Runner runner{.store = *store_, .pool = *pool_, .loop = loop_};
  logs_ = std::make_unique<logs::Logs>(Limits{}, &functions_for_logs_, store_.get());
  appender_ = std::make_unique<logs::Appender>(env_, runner);
}

void Components::make_services() {
  operation::Runner runner{.store = *store_, .pool = *pool_, .loop = loop_};
  iam_ = std::make_unique<iam::Iam>(
      iam::Iam{.store = *store_,
               .seal = directory_->seal(),
               .issuers = config_.dev ? iam::Issuers::loopback_too : iam::Issuers::secure});
  issuer_keys_ = std::make_unique<sts::IssuerKeys>(
      env_, sts::Reach{.loopback = config_.dev, .private_networks = config_.private_issuers});
  web_identities_ = std::make_unique<sts::WebIdentities>(runner, *issuer_keys_);
  sts_ =
      std::make_unique<sts::Sts>(sts::Sts{.directory = *directory_, .web = web_identities_.get()});
  functions_ = std::make_unique<FunctionsForS3>();
  s3_ = std::make_unique<s3::S3>(s3::S3{
      .store = *store_,
      .blobs = *blobs_,
      .keys = *keys_,
      .runner = runner,
      .functions = functions_.get(),
      .new_buckets = config_.classic_buckets ? s3::NewBuckets::classic : s3::NewBuckets::closed});
  access_logs_ = std::make_unique<s3::AccessLogs>(env_, *s3_, deliverers_of_logs(*directory_));
  s3_->access_logs = access_logs_.get();
  lambda_ = std::make_unique<lambda::Lambda>(
      lambda::Parts{.env = env_,
                    .runner = runner,
                    .blobs = *blobs_,
                    .packages = *packages_,
                    .invoker = *invoker_,
                    .ports = lambda_ports(*directory_, s3::s3_table(s3_.get()), config_.dev),
                    .limits = {}});
  retirement_ = std::make_unique<lambda::Retirement>(*lambda_);
  target_ = std::make_unique<lambda::LambdaTarget>(*lambda_);
  deliverer_ = std::make_unique<deliver::Deliverer>(
      deliver::Deliverer::Ports{
          .env = env_, .store = *store_, .pool = *pool_, .loop = loop_, .target = *target_},
      deliver::ScheduleOptions{});
  control_ = std::make_unique<control::Control>(control::Control{.env = env_,
                                                                 .store = *store_,
                                                                 .pool = *pool_,
                                                                 .loop = loop_,
                                                                 .invoker = *invoker_,
                                                                 .deliverer = *deliverer_});
}

void Components::make_gateway() {
  authentication_ = gateway::make_authentication(*directory_, config_.region);
  gateway_ = std::make_unique<gateway::Gateway>(gateway::GatewayParts{
      .loop = loop_,
      .pool = *pool_,
      .env = env_,
      .store = *store_,
      .blobs = *blobs_,
      .authentication = *authentication_,
      .seal = directory_->seal(),
      .services = {s3::s3_table(s3_.get()), lambda::lambda_table(lambda_.get()),
                   iam::iam_table(iam_.get()), sts::sts_table(sts_.get()),
                   logs::logs_table(logs_.get()), control::control_table(control_.get())},
      .health = answer_health,
      .meter =
          [this](const gateway::OperationUsage& usage) {
            drainer_->record(usage_of(usage, env_.clock.wall()));
          },
      .used = [this](const identity::Principal& who, std::string_view service,
                     std::string_view region,
                     Timestamp at) { uses_.note(who, service, region, at); },
      .access = notes_of_access(*access_logs_),
      .cross_origin = cross_origin_of_buckets(*store_)});
  server_ = std::make_unique<net::Server>(
      loop_, [this](net::Exchange& exchange) { return gateway_->serve(exchange, ""); });
}

void Components::serve_sandbox(Fd listening, const std::string& sandbox_id, bool tls) {
  std::unique_ptr<net::Server>& door = doors_[sandbox_id];
  if (!door) {
    door = std::make_unique<net::Server>(loop_, [this, sandbox_id](net::Exchange& exchange) {
      return gateway_->serve(exchange, sandbox_id);
    });
  }
  if (tls) {
    door->serve_tls(std::move(listening), acceptor_);
  } else {
    door->serve(std::move(listening));
  }
}

/// Also once more when the server stops.
async::Task<void> Components::record_uses_regularly() {
  bool stopping = false;
  while (!stopping) {
    stopping = co_await loop_.sleep_for(record_uses_every) != async::Wake::timed_out;
    if (uses_.empty()) continue;
    auto record = [this, by_account = uses_.take()]() -> int {
      for (const auto& [account, uses] : by_account) {
        auto recorded = operation::transact_blocking(
            *store_, [&uses](store::Tx& tx) { return identity::record_uses(tx, uses); });
        if (!recorded) {
          observe::log(observe::Level::warning, "identity", recorded.error().message);
        }
      }
      return 0;
    };
    co_await async::run_on(*pool_, loop_, std::move(record));
  }
}

async::Task<void> Components::collect_regularly() {
  while (co_await loop_.sleep_for(collect_every) == async::Wake::timed_out) {
    auto collect = [this]() -> int {
      Timestamp now = env_.clock.wall();
      if (auto removed = blobs_->collect(*store_, now, blob_grace); !removed) {
        observe::log(observe::Level::warning, "blobs", removed.error().message);
      }
      if (auto removed = lambda::collect_packages(*lambda_, now); !removed) {
        observe::log(observe::Level::warning, "packages", removed.error().message);
      }
      Result<std::optional<std::size_t>> aged = std::size_t{1};
      while (aged && *aged) aged = s3::sweep_lifecycle(*store_, env_.random, now);
      if (!aged) observe::log(observe::Level::warning, "s3", aged.error().message);
      // Portions, so that no sweep holds the store for long.
      Result<std::size_t> swept = 1;
      while (swept && *swept > 0) swept = logs::sweep_events(*store_, now);
      if (!swept) observe::log(observe::Level::warning, "logs", swept.error().message);
      return 0;
    };
    co_await async::run_on(*pool_, loop_, collect);
  }
}

/// What was deleted gives its room back soon when room is short, and not only after the grace.
async::Task<void> Components::collect_when_full() {
  auto pause = std::chrono::nanoseconds(collect_when_full_every);
  while (co_await loop_.sleep_for(pause) == async::Wake::timed_out) {
    pause = collect_when_full_every;
    const Result<std::uint64_t> free = env_.disk.free_bytes(config_.data_dir);
    if (!free || *free >= 2 * store::blob_reserve_bytes) continue;
    const Monotonic began = loop_.now();
    const auto removed =
        co_await async::run_on(*pool_, loop_, [this] { return blobs_->collect_at_once(*store_); });
    if (removed && !*removed) {
      observe::log(observe::Level::warning, "blobs", removed->error().message);
    }
    // However many blobs there are, looking at them takes a small share of the time.
    pause = std::max<std::chrono::nanoseconds>(pause, 10 * (loop_.now() - began));
  }
}

void Components::start(Fd listening) {
  server_->serve(std::move(listening));
  drainer_->start();
  appender_->start();
  access_logs_->start();
  deliverer_->start();
  retirement_->start();
  loop_.spawn(record_uses_regularly());
  loop_.spawn(collect_regularly());
  loop_.spawn(collect_when_full());
}

async::Task<void> Components::stop() {
  // No new delivery begins; those under way and the calls have the grace, and no longer.
  deliverer_->close();
  logs_->close_tails();
  co_await server_->stop(stop_grace);
  co_await retirement_->stop();
  co_await invoker_->stop();
  co_await deliverer_->stop();
  doors_.clear();
  co_await access_logs_->stop();
  co_await appender_->stop();
  co_await drainer_->stop();
}

Result<std::unique_ptr<Components>> make_components(const Config& config,
                                                    const std::string& address, async::Loop& loop,
                                                    sandbox::ServerSide side) {
  auto parts = std::make_unique<Components>(config, loop);
  // Beside the storage, which waits for the disk.
  auto authority_made = std::async(std::launch::async, make_authority, config.data_dir + "/trust");
  TRY(parts->open_storage(address));
  TRY(parts->open_identity());
  TRY(parts->open_meter());
  TRY(auto authority, authority_made.get());
  parts->use_certificates(std::move(authority));
  // From here the data is ours and the root is known.
  parts->make_logs();
  parts->make_invoker(std::move(side));
  parts->make_services();
  parts->make_gateway();
  return parts;
}

}  // namespace wolke::app

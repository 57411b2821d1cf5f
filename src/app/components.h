#pragma once
// Components: everything that a running server consists of, in the order in which one needs the
// other. make_components() reads as the parts list; what a service needs of another is a port,
// implemented in ports.h.
//
// Threads: made and destroyed on the thread that runs the loop. start() and stop() on the loop.

#include <map>
#include <memory>
#include <string>

#include "wolke/app/function_logs.h"
#include "wolke/app/logs_ports.h"
#include "wolke/app/ports.h"
#include "wolke/app/server.h"
#include "wolke/async/loop.h"
#include "wolke/async/pool.h"
#include "wolke/deliver/deliverer.h"
#include "wolke/gateway/serve.h"
#include "wolke/identity/directory.h"
#include "wolke/identity/use.h"
#include "wolke/invoke/invoker.h"
#include "wolke/meter/drainer.h"
#include "wolke/meter/usage_log.h"
#include "wolke/net/certificates.h"
#include "wolke/net/server.h"
#include "wolke/services/control/control.h"
#include "wolke/services/iam/iam.h"
#include "wolke/services/lambda/lambda.h"
#include "wolke/services/lambda/retirement.h"
#include "wolke/services/logs/logs.h"
#include "wolke/services/s3/access_logs.h"
#include "wolke/services/s3/s3.h"
#include "wolke/services/sts/sts.h"
#include "wolke/store/blobs.h"
#include "wolke/store/engines.h"

namespace wolke::app {

class Components {
 public:
  Components(const Config& config, async::Loop& loop);
  ~Components();
  Components(const Components&) = delete;
  Components& operator=(const Components&) = delete;

  void start(Fd listening);
  async::Task<void> stop();
  bool made_root_credentials() const { return root_.created; }
  sandbox::Level level() const { return sandboxes_->level(); }

 private:
  friend Result<std::unique_ptr<Components>> make_components(const Config&, const std::string&,
                                                             async::Loop&, sandbox::ServerSide);
  Result<void> open_storage(const std::string& address);
  Result<void> open_identity();
  void use_certificates(std::unique_ptr<net::LocalAuthority> authority);
  void make_invoker(sandbox::ServerSide side);
  Result<void> open_meter();
  void make_logs();
  void make_services();
  void make_gateway();
  void serve_sandbox(Fd listening, const std::string& sandbox_id, bool tls);
  async::Task<void> record_uses_regularly();
  async::Task<void> collect_regularly();
  async::Task<void> collect_when_full();

  const Config& config_;
  async::Loop& loop_;
  Env env_;
  std::unique_ptr<async::Pool> pool_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<store::Keyring> keys_;
  std::unique_ptr<store::BlobStore> blobs_;
  identity::Bootstrap root_;
  std::unique_ptr<identity::Directory> directory_;
  identity::UseLog uses_;
  std::unique_ptr<net::LocalAuthority> authority_;
  std::shared_ptr<net::TlsAcceptor> acceptor_;  // owners: this and the sandboxes' doors
  std::unique_ptr<meter::UsageLog> usage_log_;
  std::unique_ptr<meter::Drainer> drainer_;
  FunctionsForLogs functions_for_logs_;
  std::unique_ptr<logs::Logs> logs_;
  std::unique_ptr<logs::Appender> appender_;
  std::unique_ptr<FunctionLogs> function_logs_;
  std::unique_ptr<sandbox::Sandboxes> sandboxes_;
  std::unique_ptr<invoke::Invoker> invoker_;
  std::unique_ptr<lambda::Packages> packages_;
  std::unique_ptr<iam::Iam> iam_;
  std::unique_ptr<sts::IssuerKeys> issuer_keys_;
  std::unique_ptr<sts::WebIdentities> web_identities_;
  std::unique_ptr<sts::Sts> sts_;
  std::unique_ptr<FunctionsForS3> functions_;
  std::unique_ptr<s3::S3> s3_;
  std::unique_ptr<s3::AccessLogs> access_logs_;
  std::unique_ptr<lambda::Lambda> lambda_;
  std::unique_ptr<control::Control> control_;
  std::unique_ptr<AttachedPolicies> attached_;
  std::unique_ptr<lambda::Retirement> retirement_;
  std::unique_ptr<lambda::LambdaTarget> target_;
  std::unique_ptr<deliver::Deliverer> deliverer_;
  std::unique_ptr<gateway::Authentication> authentication_;
  std::unique_ptr<gateway::Gateway> gateway_;
  std::unique_ptr<net::Server> server_;
  /// One door for each sandbox, by its id.
  std::map<std::string, std::unique_ptr<net::Server>> doors_;
};

Result<std::unique_ptr<Components>> make_components(const Config& config,
                                                    const std::string& address, async::Loop& loop,
                                                    sandbox::ServerSide side);

}  // namespace wolke::app

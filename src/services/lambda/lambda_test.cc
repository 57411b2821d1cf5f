// The operations over a memory store, real packages in a temporary directory, and an invoker that
// only says what it was asked to run.
#include "wolke/services/lambda/lambda.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <cstdlib>
#include <filesystem>
#include <functional>
#include <set>

#include "wolke/async/event.h"
#include "wolke/base/hash.h"
#include "wolke/deliver/schedule.h"
#include "wolke/services/lambda/ops.h"
#include "wolke/services/lambda/retirement.h"
#include "wolke/services/lambda/zip_fixture.h"
#include "wolke/store/engines.h"

namespace wolke::lambda {
namespace {

const std::string account = "000000000000";
const std::string region = "us-east-1";
const std::string role = "arn:aws:iam::000000000000:role/r";

class Everyone final : public identity::Authorizer {
 public:
  identity::Decision decide(const identity::Ask&) const override { return {.allowed = true}; }
  const identity::Principal& principal() const override { return principal_; }

 private:
  identity::Principal principal_;
};

class FakeInvoker final : public invoke::Invoker {
 public:
  async::Task<Result<invoke::InvokeResult>> invoke(const invoke::FunctionSpec& spec,
                                                   invoke::InvokeRequest request) override {
    last_spec = spec;
    last_request = std::move(request);
    if (next_error) co_return fail(*next_error);
    co_return next;
  }
  std::vector<InstanceInfo> instances() const override { return {}; }
  std::vector<std::shared_ptr<const invoke::FunctionSpec>> running() const override {
    return running_now;
  }
  void retire(const invoke::FunctionSpec& spec) override {
    retired.insert(spec.name);
    if (on_retire) on_retire();
  }
  async::Task<void> stop() override { co_return; }

  std::vector<std::shared_ptr<const invoke::FunctionSpec>> running_now;
  std::set<std::string> retired;
  std::function<void()> on_retire;
  invoke::FunctionSpec last_spec;
  invoke::InvokeRequest last_request;
  invoke::InvokeResult next{.payload = "\"ok\"", .log_tail = "START\n"};
  std::optional<Error> next_error;
};

template <class T>
async::Task<void> keep(async::Task<T> task, std::optional<T>& out, async::Loop& loop) {
  out.emplace(co_await std::move(task));
  loop.stop();
}

class LambdaTest : public testing::Test {
 protected:
  LambdaTest() {
    std::string pattern = testing::TempDir() + "lambda-XXXXXX";
    root_ = ::mkdtemp(pattern.data());
    packages_ = *Packages::open(root_ + "/packages", env_.random);
    blobs_ = *store::open_file_blobs(env_, root_ + "/blobs",
                                     store::Keyring(std::string(store::cipher_key_bytes, 'k')));
    code_ = fixture::zip({fixture::stored("index.js", "exports.handler = 1")});
  }
  ~LambdaTest() override {
    service_.reset();
    std::filesystem::remove_all(root_);
  }

  /// Runs a task on a loop of its own, with a service of its own around the one store.
  template <class Out, class Make>
  Result<Out> run(Make make) {
    async::Loop loop;
    async::Pool pool(1, 100);
    Parts parts{env_, {*store_, pool, loop}, *blobs_, *packages_, invoker_, ports_, {}};
    service_ = std::make_unique<Lambda>(std::move(parts));
    std::optional<Result<Out>> out;
    loop.spawn(keep<Result<Out>>(make(*service_), out, loop));
    loop.run();
    service_.reset();
    return *std::move(out);
  }
  template <class Out>
  Result<Out> transact(std::function<Result<Out>(Lambda&, Tx&)> body) {
    return run<Out>([&](Lambda& service) {
      return operation::transact<Out>(service.parts.runner,
                                      [&service, &body](Tx& tx) { return body(service, tx); });
    });
  }
  template <class Op, auto Function>
  Result<typename Op::Output> call(typename Op::Input input) {
    return transact<typename Op::Output>(
        [&](Lambda& service, Tx& tx) { return Function(service, tx, context_, input); });
  }

  Result<op::CreateFunction::Output> create(
      const std::string& name, std::function<void(op::CreateFunction::Input&)> change = {}) {
    op::CreateFunction::Input input;
    input.function_name = name;
    input.runtime = "nodejs22.x";
    input.handler = "index.handler";
    input.role = role;
    input.code.emplace().zip_file = code_;
    if (change) change(input);
    return run<op::CreateFunction::Output>(
        [&](Lambda& service) { return create_function(service, context_, input); });
  }
  Result<op::Invoke::Output> invoke(const std::string& name,
                                    std::function<void(op::Invoke::Input&)> change = {}) {
    op::Invoke::Input input;
    input.function_name = name;
    if (change) change(input);
    return run<op::Invoke::Output>(
        [&](Lambda& service) { return invoke_function(service, context_, input); });
  }
  Result<op::GetFunction::Output> get(const std::string& name) {
    op::GetFunction::Input input;
    input.function_name = name;
    return call<op::GetFunction, get_function_op>(input);
  }
  Result<op::AddPermission::Output> permit_s3(const std::string& name) {
    op::AddPermission::Input input;
    input.function_name = name;
    input.statement_id = "s3";
    input.action = "lambda:InvokeFunction";
    input.principal = "s3.amazonaws.com";
    input.source_arn = "arn:aws:s3:::photos";
    input.source_account = account;
    return call<op::AddPermission, add_permission>(input);
  }
  Result<deliver::Attempt> deliver(deliver::Event event, Millis age = Millis(0)) {
    return run<deliver::Attempt>(
        [&](Lambda& service) { return deliver_through(service, std::move(event), age); });
  }
  static async::Task<Result<deliver::Attempt>> deliver_through(Lambda& service,
                                                               deliver::Event event, Millis age) {
    LambdaTarget target(service);
    co_return co_await target.attempt(std::move(event), age);
  }
  deliver::Event s3_event(const std::string& name) {
    return {.id = "e1",
            .account = account,
            .target = arn(name),
            .payload = "{}",
            .source = "s3.amazonaws.com",
            .source_arn = "arn:aws:s3:::photos",
            .source_account = account};
  }
  static std::string arn(const std::string& name) {
    return "arn:aws:lambda:us-east-1:000000000000:function:" + name;
  }

  Env env_ = system_env();
  std::string root_, code_;
  std::unique_ptr<store::Store> store_ = store::open_memory_store();
  std::unique_ptr<Packages> packages_;
  std::unique_ptr<store::BlobStore> blobs_;
  FakeInvoker invoker_;
  Ports ports_;
  Everyone everyone_;
  operation::Context context_{.request_id = "req",
                              .account = account,
                              .region = region,
                              .now = from_millis(1'700'000'000'000),
                              .random = &env_.random,
                              .authorizer = &everyone_};
  std::unique_ptr<Lambda> service_;
};

TEST_F(LambdaTest, ACreatedFunctionIsPendingInTheAnswerAndActiveAfterwards) {
  const auto created = create("f");
  ASSERT_TRUE(created) << created.error().message;
  EXPECT_EQ(created->state, "Pending");
  EXPECT_EQ(created->function_arn, arn("f"));
  EXPECT_EQ(created->code_sha256, to_base64(sha256(code_)));
  EXPECT_EQ(created->code_size, static_cast<std::int64_t>(code_.size()));
  const auto found = get("f");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->configuration->state, "Active");
  EXPECT_EQ(found->configuration->last_update_status, "Successful");
  EXPECT_EQ(found->configuration->last_modified, "2023-11-14T22:13:20.000+0000");
}

TEST_F(LambdaTest, AFunctionIsMadeOnce) {
  ASSERT_TRUE(create("f"));
  const auto again = create("f");
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, "ResourceConflictException");
  EXPECT_EQ(again.error().message, "Function already exist: f");
}

TEST_F(LambdaTest, WhatIsNotServedIsRefusedByName) {
  const auto code_of = [&](auto change) {
    const auto made = create("refused", change);
    return made ? std::string("made") : made.error().code + ": " + made.error().message;
  };
  using In = op::CreateFunction::Input;
  EXPECT_NE(code_of([](In& i) { i.package_type = "Image"; }).find("Image"), std::string::npos);
  EXPECT_NE(code_of([](In& i) { i.runtime = "java21"; }).find("java21"), std::string::npos);
  EXPECT_NE(code_of([](In& i) { i.timeout = 901; }).find("less than or equal to 900"),
            std::string::npos);
}

TEST_F(LambdaTest, ReservedAndOversizedEnvironmentsAreRefused) {
  const auto with = [&](std::map<std::string, std::string> variables) {
    const auto made =
        create("env", [&](auto& i) { i.environment.emplace().variables = variables; });
    return made ? std::string("made") : made.error().message;
  };
  EXPECT_NE(with({{"AWS_REGION", "x"}}).find("Reserved keys used in this request: AWS_REGION"),
            std::string::npos);
  EXPECT_NE(with({{"A", std::string(5000, 'x')}}).find("exceeded the 4KB limit"),
            std::string::npos);
  EXPECT_EQ(with({{"BUCKET", "photos-resized"}}), "made");
}

TEST_F(LambdaTest, ABrokenZipMakesNoFunction) {
  code_ = "this is no zip";
  const auto made = create("f");
  ASSERT_FALSE(made);
  EXPECT_TRUE(made.error().message.starts_with(
      "Could not unzip uploaded file. Please check your file, then try to upload again."));
  EXPECT_FALSE(get("f"));
}

TEST_F(LambdaTest, ARoleThatLambdaMayNotAssumeIsRefused) {
  ports_.role_assumable = [](Tx&, const std::string&) -> Result<bool> { return false; };
  const auto made = create("f");
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().message, "The role defined for the function cannot be assumed by Lambda.");
}

TEST_F(LambdaTest, CodeComesFromS3ThroughThePort) {
  ports_.read_object = [&](Tx&, const Context&, const ObjectName& object) -> Result<Body> {
    if (object.key != "code.zip")
      return fail(Error{
          .code = "NoSuchKey", .status = 404, .message = "The specified key does not exist."});
    Body body;
    body.inline_bytes = code_;
    return body;
  };
  const auto from = [&](const std::string& key) {
    return create("from-" + std::to_string(key.size()), [&](auto& i) {
      i.code.emplace().s3_bucket = "b";
      i.code->s3_key = key;
    });
  };
  EXPECT_TRUE(from("code.zip"));
  const auto missing = from("nope");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().message,
            "Error occurred while GetObject. S3 Error Code: NoSuchKey. S3 Error Message: The "
            "specified key does not exist.");
}

TEST_F(LambdaTest, InvokeRunsTheFunctionAndPassesItsAnswerOn) {
  ASSERT_TRUE(create("f", [](auto& i) { i.environment.emplace().variables = {{{"K", "V"}}}; }));
  const auto out = invoke("f", [](auto& i) {
    i.payload = R"({"a":1})";
    i.log_type = "Tail";
  });
  ASSERT_TRUE(out) << out.error().message;
  EXPECT_EQ(out->status_code, 200);
  EXPECT_EQ(out->payload, "\"ok\"");
  EXPECT_EQ(out->executed_version, "$LATEST");
  EXPECT_EQ(out->log_result, to_base64("START\n"));
  EXPECT_FALSE(out->function_error);
  EXPECT_EQ(invoker_.last_request.payload, R"({"a":1})");
  EXPECT_EQ(invoker_.last_spec.environment.at("K"), "V");
  EXPECT_EQ(invoker_.last_spec.log_group, "/aws/lambda/f");
  EXPECT_EQ(::access((invoker_.last_spec.package_path + "/index.js").c_str(), R_OK), 0);
}

TEST_F(LambdaTest, AFunctionsFailureIsAnAnswerAndAThrottleAnError) {
  ASSERT_TRUE(create("f"));
  invoker_.next.error = invoke::FunctionError::unhandled;
  EXPECT_EQ(invoke("f")->function_error, "Unhandled");
  invoker_.next_error =
      Error{.code = "TooManyRequestsException", .status = 429, .message = "Rate Exceeded."};
  EXPECT_EQ(invoke("f").error().code, "TooManyRequestsException");
}

TEST_F(LambdaTest, BadInvocationsAreRefused) {
  ASSERT_TRUE(create("f"));
  EXPECT_EQ(invoke("g").error().message, "Function not found: " + arn("g"));
  EXPECT_EQ(invoke("f:nope").error().message, "Function not found: " + arn("f") + ":nope");
  EXPECT_EQ(invoke("f", [](auto& i) { i.payload = "{nope"; }).error().code,
            "InvalidRequestContentException");
  EXPECT_EQ(
      invoke("f", [](auto& i) { i.payload = std::string(6 * 1024 * 1024 + 1, '1'); }).error().code,
      "RequestTooLargeException");
  EXPECT_EQ(invoke("f", [](auto& i) { i.qualifier = "1", i.function_name = "f:2"; }).error().code,
            "InvalidParameterValueException");
}

TEST_F(LambdaTest, ADryRunOnlyAnswers) {
  ASSERT_TRUE(create("f"));
  EXPECT_EQ(invoke("f", [](auto& i) { i.invocation_type = "DryRun"; })->status_code, 204);
  EXPECT_TRUE(invoker_.last_request.request_id.empty());
}

TEST_F(LambdaTest, AnEventIsDurableWhenItIsAccepted) {
  ASSERT_TRUE(create("f"));
  const auto out = invoke("f", [](auto& i) {
    i.invocation_type = "Event";
    i.payload = R"({"n":1})";
  });
  ASSERT_TRUE(out) << out.error().message;
  EXPECT_EQ(out->status_code, 202);
  EXPECT_TRUE(invoker_.last_request.request_id.empty()) << "it runs later";
  deliver::Schedule schedule{{}};
  schedule.mark_all();
  auto snapshot = store_->snapshot();
  for (const auto& plan : schedule.plans(context_.now))
    schedule.merge(*deliver::load(**snapshot, plan));
  const auto delivery = schedule.take();
  ASSERT_TRUE(delivery);
  EXPECT_EQ(delivery->record.payload, R"({"n":1})");
  EXPECT_EQ(delivery->record.id, "req");
}

TEST_F(LambdaTest, AServicesEventNeedsTheFunctionsPermissionAtDelivery) {
  ASSERT_TRUE(create("f"));
  auto attempt = deliver(s3_event("f"));
  EXPECT_EQ(attempt->outcome, deliver::Outcome::refused);
  EXPECT_TRUE(attempt->reason.starts_with("AccessDenied"));
  ASSERT_TRUE(permit_s3("f"));
  EXPECT_EQ(deliver(s3_event("f"))->outcome, deliver::Outcome::succeeded);
  auto other_bucket = s3_event("f");
  other_bucket.source_arn = "arn:aws:s3:::photos-resized";
  EXPECT_EQ(deliver(other_bucket)->outcome, deliver::Outcome::refused);
  auto other_account = s3_event("f");
  other_account.source_account = "111111111111";
  EXPECT_EQ(deliver(other_account)->outcome, deliver::Outcome::refused);
}

TEST_F(LambdaTest, DeliveriesSayWhyTheyDidNotSucceed) {
  ASSERT_TRUE(create("f"));
  ASSERT_TRUE(permit_s3("f"));
  EXPECT_EQ(deliver(s3_event("gone"))->outcome, deliver::Outcome::refused);
  EXPECT_EQ(deliver(s3_event("f"), std::chrono::hours(7))->outcome, deliver::Outcome::expired);
  invoker_.next.error = invoke::FunctionError::unhandled;
  invoker_.next.payload = R"({"errorType":"Error","errorMessage":"boom"})";
  EXPECT_EQ(deliver(s3_event("f"))->reason, "Error: boom");
  invoker_.next_error =
      Error{.code = "TooManyRequestsException", .status = 429, .message = "Rate Exceeded."};
  EXPECT_EQ(deliver(s3_event("f"))->outcome, deliver::Outcome::throttled);
  invoker_.next_error = Error{.code = "ServiceException", .status = 500, .message = "x"};
  EXPECT_EQ(deliver(s3_event("f"))->outcome, deliver::Outcome::server_error);
}

TEST_F(LambdaTest, ALoopOfEventsIsStopped) {
  ASSERT_TRUE(create("f"));
  ASSERT_TRUE(permit_s3("f"));
  auto event = s3_event("f");
  int runs = 0;
  while (deliver(event)->outcome == deliver::Outcome::succeeded) {
    ASSERT_LT(++runs, 20);
    event.trace = invoker_.last_request.trace;
  }
  EXPECT_EQ(runs, 16);
}

TEST_F(LambdaTest, ThePolicyIsWhatAwsWrites) {
  ASSERT_TRUE(create("f"));
  const auto added = permit_s3("f");
  ASSERT_TRUE(added);
  EXPECT_EQ(added->statement,
            R"({"Sid":"s3","Effect":"Allow","Principal":{"Service":"s3.amazonaws.com"},)"
            R"("Action":"lambda:InvokeFunction",)"
            R"("Resource":"arn:aws:lambda:us-east-1:000000000000:function:f",)"
            R"("Condition":{"StringEquals":{"AWS:SourceAccount":"000000000000"},)"
            R"("ArnLike":{"AWS:SourceArn":"arn:aws:s3:::photos"}}})");
  EXPECT_EQ(permit_s3("f").error().code, "ResourceConflictException");
  EXPECT_TRUE(function_policy(*store_, arn("f"))->has_value());
  EXPECT_FALSE(function_policy(*store_, arn("g"))->has_value());
}

TEST_F(LambdaTest, VersionsAreImmutableAndAliasesPointAtThem) {
  ASSERT_TRUE(create("f"));
  op::PublishVersion::Input publish_input;
  publish_input.function_name = "f";
  EXPECT_EQ((call<op::PublishVersion, publish_version>(publish_input)->version), "1");
  EXPECT_EQ((call<op::PublishVersion, publish_version>(publish_input)->version), "1")
      << "nothing changed";
  op::UpdateFunctionConfiguration::Input change;
  change.function_name = "f";
  change.memory_size = 256;
  ASSERT_TRUE((call<op::UpdateFunctionConfiguration, update_configuration>(change)));
  EXPECT_EQ((call<op::PublishVersion, publish_version>(publish_input)->version), "2");
  op::CreateAlias::Input alias;
  alias.function_name = "f";
  alias.name = "live";
  alias.function_version = "1";
  ASSERT_TRUE((call<op::CreateAlias, create_alias>(alias)));
  ASSERT_TRUE(invoke("f:live"));
  EXPECT_EQ(invoker_.last_spec.version, "1");
  EXPECT_EQ(invoker_.last_spec.memory_mb, 128U);
  EXPECT_EQ(invoker_.last_request.invoked_arn, arn("f") + ":live");
  alias.function_version = "7";
  alias.name = "dead";
  EXPECT_EQ((call<op::CreateAlias, create_alias>(alias).error().code), "ResourceNotFoundException");
}

TEST_F(LambdaTest, AStaleRevisionChangesNothing) {
  ASSERT_TRUE(create("f"));
  op::UpdateFunctionConfiguration::Input change;
  change.function_name = "f";
  change.memory_size = 256;
  change.revision_id = "00000000-0000-0000-0000-000000000000";
  EXPECT_EQ((call<op::UpdateFunctionConfiguration, update_configuration>(change).error().code),
            "PreconditionFailedException");
  EXPECT_EQ(get("f")->configuration->memory_size, 128);
}

TEST_F(LambdaTest, EachStateOfAChangeHasARevisionOfItsOwn) {
  const auto made = create("f");
  ASSERT_TRUE(made);
  const auto revision = [this] {
    return *call<op::GetFunction, get_function_op>({.function_name = "f"})
                ->configuration->revision_id;
  };
  const std::string active = revision();
  EXPECT_NE(made->revision_id, active);
  EXPECT_EQ(revision(), active);
  const auto updated = call<op::UpdateFunctionConfiguration, update_configuration>(
      {.function_name = "f", .timeout = 9, .revision_id = active});
  ASSERT_TRUE(updated);
  EXPECT_NE(updated->revision_id, active);
  EXPECT_NE(updated->revision_id, revision());
}

TEST_F(LambdaTest, APermissionAndAPublicationChangeTheRevisionAndKeepTheInstances) {
  ASSERT_TRUE(create("f"));
  const auto revision = [this] {
    return *call<op::GetFunction, get_function_op>({.function_name = "f"})
                ->configuration->revision_id;
  };
  ASSERT_TRUE(invoke("f"));
  const std::string instances_of = invoker_.last_spec.revision;
  const std::string before = revision();
  op::AddPermission::Input input{.function_name = "f", .statement_id = "one"};
  input.action = "lambda:InvokeFunction";
  input.principal = "s3.amazonaws.com";
  input.revision_id = "stale";
  EXPECT_EQ((call<op::AddPermission, add_permission>(input).error().code),
            "PreconditionFailedException");
  input.revision_id = before;
  ASSERT_TRUE((call<op::AddPermission, add_permission>(input)));
  EXPECT_NE(revision(), before);
  const std::string permitted = revision();
  EXPECT_EQ((call<op::GetPolicy, get_policy>({.function_name = "f"})->revision_id), permitted);
  ASSERT_TRUE((call<op::PublishVersion, publish_version>({.function_name = "f"})));
  EXPECT_NE(revision(), permitted);
  EXPECT_EQ((call<op::GetPolicy, get_policy>({.function_name = "f"})->revision_id), permitted);
  ASSERT_TRUE(invoke("f"));
  EXPECT_EQ(invoker_.last_spec.revision, instances_of);
  // Nothing that a version holds has changed, so there is no second one.
  EXPECT_EQ((call<op::PublishVersion, publish_version>({.function_name = "f"})->version), "1");
}

TEST_F(LambdaTest, AFunctionThatIsPublishedAsItIsMadeAnswersWithItsOwnName) {
  const auto made = create("f", [](auto& input) { input.publish = true; });
  ASSERT_TRUE(made);
  EXPECT_EQ(made->version, "1");
  EXPECT_EQ(made->function_arn, "arn:aws:lambda:us-east-1:000000000000:function:f");
}

TEST_F(LambdaTest, AFunctionFoundByItsAliasHasTheAliassArn) {
  ASSERT_TRUE(create("f", [](auto& input) { input.publish = true; }));
  ASSERT_TRUE((call<op::CreateAlias, create_alias>(
      {.function_name = "f", .name = "live", .function_version = "1"})));
  const auto found =
      call<op::GetFunction, get_function_op>({.function_name = "f", .qualifier = "live"});
  ASSERT_TRUE(found);
  EXPECT_EQ(found->configuration->function_arn,
            "arn:aws:lambda:us-east-1:000000000000:function:f:live");
  EXPECT_EQ(found->configuration->version, "1");
}

TEST_F(LambdaTest, AnEmptyEnvironmentThatWasGivenIsAnswered) {
  ASSERT_TRUE(create("f", [](auto& input) { input.environment.emplace().variables.emplace(); }));
  ASSERT_TRUE(create("g"));
  const auto environment = [this](const char* name) {
    return call<op::GetFunction, get_function_op>({.function_name = name})
        ->configuration->environment.has_value();
  };
  EXPECT_TRUE(environment("f"));
  EXPECT_FALSE(environment("g"));
}

TEST_F(LambdaTest, WhatAPolicyBelongsToIsMissedByItsKind) {
  ASSERT_TRUE(create("f"));
  const auto remove = [this](const char* name, const char* qualifier) {
    op::RemovePermission::Input input{.function_name = name, .statement_id = "one"};
    if (*qualifier != 0) input.qualifier = qualifier;
    return call<op::RemovePermission, remove_permission>(input).error().message;
  };
  const std::string arn = "arn:aws:lambda:us-east-1:000000000000:function:";
  EXPECT_EQ(remove("none", ""), "No policy found for: " + arn + "none");
  EXPECT_EQ(remove("f", "blue"), "Cannot find alias arn: " + arn + "f:blue");
  EXPECT_EQ(remove("f", "7"), "Function not found: " + arn + "f:7");
  EXPECT_EQ(remove("f", ""), "No policy is associated with the given resource.");
}

TEST_F(LambdaTest, ARuntimeThatLambdaDoesNotKnowIsToldFromOneThatIsNotServed) {
  const auto refused = [this](const char* runtime) {
    return create("f", [&](auto& input) { input.runtime = runtime; }).error().message;
  };
  EXPECT_TRUE(refused("cobol1").starts_with("Value cobol1 at 'runtime' failed"));
  EXPECT_NE(refused("java21").find("is not served"), std::string::npos);
}

TEST_F(LambdaTest, EventInvokeConfigurationsArePaged) {
  ASSERT_TRUE(create("f", [](auto& input) { input.publish = true; }));
  for (const char* qualifier : {"$LATEST", "1"}) {
    op::PutFunctionEventInvokeConfig::Input input{.function_name = "f", .qualifier = qualifier};
    input.maximum_retry_attempts = 1;
    ASSERT_TRUE((call<op::PutFunctionEventInvokeConfig, put_async_config>(input)));
  }
  op::ListFunctionEventInvokeConfigs::Input input{.function_name = "f"};
  input.max_items = 1;
  const auto first = call<op::ListFunctionEventInvokeConfigs, list_async_configs>(input);
  ASSERT_TRUE(first && first->next_marker);
  input.marker = first->next_marker;
  const auto second = call<op::ListFunctionEventInvokeConfigs, list_async_configs>(input);
  ASSERT_TRUE(second);
  EXPECT_EQ(second->function_event_invoke_configs->size(), 1U);
  EXPECT_FALSE(second->next_marker);
  EXPECT_NE(first->function_event_invoke_configs->front().function_arn,
            second->function_event_invoke_configs->front().function_arn);
}

TEST_F(LambdaTest, AUrlsInvokeModeIsToldByReadsAndByChangesOnceOneWasNamed) {
  ASSERT_TRUE(create("f"));
  op::CreateFunctionUrlConfig::Input make;
  make.function_name = "f";
  make.auth_type = "NONE";
  EXPECT_FALSE((call<op::CreateFunctionUrlConfig, create_url>(make)->invoke_mode));
  op::GetFunctionUrlConfig::Input read;
  read.function_name = "f";
  EXPECT_EQ((call<op::GetFunctionUrlConfig, get_url>(read)->invoke_mode), "BUFFERED");
  op::UpdateFunctionUrlConfig::Input update;
  update.function_name = "f";
  EXPECT_FALSE((call<op::UpdateFunctionUrlConfig, update_url>(update)->invoke_mode));
  update.invoke_mode = "RESPONSE_STREAM";
  EXPECT_EQ((call<op::UpdateFunctionUrlConfig, update_url>(update)->invoke_mode),
            "RESPONSE_STREAM");
  update.invoke_mode.reset();
  EXPECT_EQ((call<op::UpdateFunctionUrlConfig, update_url>(update)->invoke_mode),
            "RESPONSE_STREAM");
}

TEST_F(LambdaTest, ANetworksIpv6IsKept) {
  const auto made = create("f", [](op::CreateFunction::Input& input) {
    auto& vpc = input.vpc_config.emplace();
    vpc.subnet_ids.emplace().push_back("subnet-1");
    vpc.ipv6_allowed_for_dual_stack = true;
  });
  ASSERT_TRUE(made);
  EXPECT_EQ(made->vpc_config->ipv6_allowed_for_dual_stack, true);
}

TEST_F(LambdaTest, ACodeSigningConfigurationIsMadeWithItsTags) {
  op::CreateCodeSigningConfig::Input input;
  input.allowed_publishers.emplace();
  input.tags.emplace()["team"] = "a";
  const auto made = *call<op::CreateCodeSigningConfig, create_code_signing>(input);
  op::ListTags::Input list;
  list.resource = made.code_signing_config->code_signing_config_arn;
  EXPECT_EQ((call<op::ListTags, list_tags>(list)->tags), input.tags);
  input.tags.emplace()["aws:team"] = "a";
  EXPECT_FALSE((call<op::CreateCodeSigningConfig, create_code_signing>(input)));
}

TEST_F(LambdaTest, ReservedConcurrencyLeavesAHundredUnreserved) {
  ASSERT_TRUE(create("f"));
  const auto reserve = [&](std::int32_t count) {
    op::PutFunctionConcurrency::Input input;
    input.function_name = "f";
    input.reserved_concurrent_executions = count;
    return call<op::PutFunctionConcurrency, put_concurrency>(input);
  };
  EXPECT_FALSE(reserve(901));
  EXPECT_TRUE(reserve(900));
  EXPECT_TRUE(reserve(900)) << "its own reservation does not count against it";
  ASSERT_TRUE(invoke("f"));
  EXPECT_EQ(invoker_.last_spec.reserved_concurrency, 900U);
}

TEST_F(LambdaTest, ADeletedFunctionLeavesNoPackageReference) {
  ASSERT_TRUE(create("f", [](auto& i) { i.publish = true; }));
  const std::string digest = to_hex(sha256(code_));
  const auto versions = [&] {
    auto snapshot = store_->snapshot();
    Tx tx(**snapshot);
    return *tx.counter(package_key(digest));
  };
  EXPECT_EQ(versions(), 2);
  op::DeleteFunction::Input input;
  input.function_name = "f";
  ASSERT_TRUE((call<op::DeleteFunction, delete_function>(input)));
  EXPECT_EQ(versions(), 0);
  EXPECT_EQ((call<op::DeleteFunction, delete_function>(input).error().code),
            "ResourceNotFoundException");
}

async::Task<Result<int>> change_and_look(Lambda& service, FakeInvoker& invoker,
                                         std::function<Result<int>(Lambda&, Tx&)> change) {
  async::Event two_are_retired(service.parts.runner.loop);
  invoker.on_retire = [&] {
    if (invoker.retired.size() == 2) two_are_retired.set();
  };
  Retirement retirement(service);
  retirement.start();
  CO_TRY(co_await operation::transact<int>(
      service.parts.runner, [&](Tx& tx) -> Result<int> { return change(service, tx); }));
  co_await two_are_retired.wait(service.parts.runner.loop.now() + std::chrono::seconds(20));
  co_await retirement.stop();
  invoker.on_retire = nullptr;
  co_return 0;
}

TEST_F(LambdaTest, InstancesOfDeletedAndUpdatedFunctionsAreRetiredAndNoOthers) {
  for (const char* name : {"deleted", "updated", "same"}) {
    ASSERT_TRUE(create(name));
    ASSERT_TRUE(invoke(name));
    invoker_.running_now.push_back(
        std::make_shared<const invoke::FunctionSpec>(invoker_.last_spec));
  }
  const auto change = [this](Lambda& service, Tx& tx) -> Result<int> {
    op::DeleteFunction::Input deleted;
    deleted.function_name = "deleted";
    TRY(delete_function(service, tx, context_, deleted));
    op::UpdateFunctionConfiguration::Input updated;
    updated.function_name = "updated";
    updated.memory_size = 256;
    TRY(update_configuration(service, tx, context_, updated));
    return 0;
  };
  ASSERT_TRUE(
      run<int>([&](Lambda& service) { return change_and_look(service, invoker_, change); }));
  EXPECT_EQ(invoker_.retired, (std::set<std::string>{"deleted", "updated"}));
}

TEST_F(LambdaTest, ALostPackageIsMadeAgainFromItsZip) {
  ASSERT_TRUE(create("f"));
  for (const auto& package : std::filesystem::directory_iterator(root_ + "/packages")) {
    std::filesystem::remove_all(package.path());
  }
  ASSERT_TRUE(invoke("f"));
  EXPECT_EQ(::access((invoker_.last_spec.package_path + "/index.js").c_str(), R_OK), 0);
}

}  // namespace
}  // namespace wolke::lambda

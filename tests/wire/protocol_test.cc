#include "wolke/shape/protocol.h"

#include <gtest/gtest.h>

#include "request.h"
#include "wolke/model/iam/operations.h"
#include "wolke/model/lambda/operations.h"
#include "wolke/model/logs/operations.h"
#include "wolke/model/s3/operations.h"
#include "wolke/model/sts/operations.h"
#include "wolke/model/tiny/operations.h"
#include "wolke/shape/json_codec.h"
#include "wolke/shape/pattern.h"

namespace wolke::shape {
namespace {

template <class Op>
Result<typename Op::Input> decode(const OwnedRequest& owned) {
  TRY(Value input, decode_input(Op::operation(), owned.view()));
  return std::move(input.as<typename Op::Input>());
}

template <class Op>
WireResponse encode(typename Op::Output output) {
  return *encode_output(Op::operation(), Value::of(*Op::operation().output, std::move(output)),
                        "req-1");
}

template <class Op>
WireResponse failed(const Error& error) {
  return encode_error(*Op::operation().service, &Op::operation(), error, "req-1", "/b/k", false);
}

TEST(Operations, are_constants_usable_in_constexpr_tables) {
  constexpr const Operation* rows[] = {&model::s3::op::PutObject::operation(),
                                       &model::s3::op::GetObject::operation()};
  EXPECT_EQ(rows[0]->name, "PutObject");
  EXPECT_EQ(rows[1]->service, &model::s3::service());
}

TEST(Operations, without_input_or_output_have_empty_structs) {
  static_assert(std::is_empty_v<model::s3::op::DeleteBucket::Output>);
  EXPECT_TRUE(decode<model::sts::op::GetCallerIdentity>(
      request("POST", "/", {}, "Action=GetCallerIdentity")));
  WireResponse response = encode<model::s3::op::DeleteBucket>({});
  EXPECT_EQ(response.status, 204);
  EXPECT_EQ(response.body, "");
}

TEST(Streaming, is_known_from_the_table_and_not_read) {
  using Put = model::s3::op::PutObject;
  EXPECT_EQ(streaming_member(Put::operation().input)->name, "Body");
  EXPECT_EQ(streaming_member(model::lambda::op::Invoke::operation().input), nullptr);
  Result<Put::Input> input =
      decode<Put>(request("PUT", "/b/k", {{"content-length", "3"}, {"x-amz-meta-a", "1"}}));
  ASSERT_TRUE(input);
  EXPECT_FALSE(input->body);
  EXPECT_EQ(input->content_length, 3);
  EXPECT_EQ(input->metadata->at("a"), "1");
}

TEST(Streaming, output_travels_beside_the_body) {
  model::s3::GetObjectOutput output;
  output.body = Body{.inline_bytes = "abc", .blobs = {}, .digests = {}};
  output.etag = "\"x\"";
  output.content_disposition = "a\r\nset-cookie: b";
  WireResponse response = encode<model::s3::op::GetObject>(std::move(output));
  ASSERT_TRUE(response.stream);
  EXPECT_EQ(response.stream->inline_bytes, "abc");
  EXPECT_EQ(header(response, "ETag"), "\"x\"");
  EXPECT_EQ(header(response, "Content-Disposition"), "a  set-cookie: b")
      << "a header must not be split";
}

TEST(RestXml, writes_s3_documents_under_their_real_names) {
  model::s3::ListObjectsV2Output output;
  output.name = "b";
  output.key_count = 1;
  output.contents.emplace().push_back({.key = "a&b",
                                       .last_modified = from_millis(1795427473123),
                                       .etag = "\"x\"",
                                       .size = 5'000'000'000});
  WireResponse response = encode<model::s3::op::ListObjectsV2>(std::move(output));
  EXPECT_EQ(response.body,
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
            "<ListBucketResult "
            "xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Contents><Key>a&amp;b</Key>"
            "<LastModified>2026-11-23T09:51:13.123Z</LastModified><ETag>&quot;x&quot;</"
            "ETag><Size>5000000000</Size>"
            "</Contents><Name>b</Name><KeyCount>1</KeyCount></ListBucketResult>");
}

TEST(RestXml, unwraps_the_bucket_location) {
  EXPECT_TRUE(encode<model::s3::op::GetBucketLocation>({}).body.ends_with(
      "<LocationConstraint "
      "xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"></LocationConstraint>"));
  EXPECT_TRUE(encode<model::s3::op::GetBucketLocation>({.location_constraint = "eu-west-1"})
                  .body.ends_with(">eu-west-1</LocationConstraint>"));
}

TEST(RestXml, writes_and_reads_attributes_with_their_namespace) {
  model::s3::GetBucketAclOutput output;
  auto& grant = output.grants.emplace().emplace_back();
  grant.grantee.emplace().type = "CanonicalUser";
  std::string body = encode<model::s3::op::GetBucketAcl>(std::move(output)).body;
  EXPECT_NE(body.find("<Grant><Grantee xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" "
                      "xsi:type=\"CanonicalUser\">"),
            std::string::npos)
      << body;
}

TEST(RestXml, refuses_a_document_with_another_root_or_broken_text) {
  using Put = model::s3::op::PutBucketVersioning;
  for (const char* body :
       {"<Versioning><Status>Enabled</Status></Versioning>", "<VersioningConfiguration>",
        "<VersioningConfiguration><Status>Maybe</Status></VersioningConfiguration>", "{}"}) {
    Result<Put::Input> input = decode<Put>(request("PUT", "/b?versioning", {}, body));
    ASSERT_FALSE(input) << body;
    EXPECT_EQ(input.error().code, "MalformedXML");
    EXPECT_EQ(input.error().status, 400);
  }
  EXPECT_EQ(decode<Put>(request("PUT", "/b?versioning")).error().code, "MissingRequestBodyError");
}

TEST(RestXml, ignores_conditions_that_are_no_dates) {
  using Get = model::s3::op::GetObject;
  Result<Get::Input> input =
      decode<Get>(request("GET", "/b/k", {{"if-modified-since", "yesterday"}}));
  ASSERT_TRUE(input);
  EXPECT_FALSE(input->if_modified_since);
}

TEST(RestXml, names_the_argument_that_is_wrong) {
  Result<model::s3::ListObjectsV2Request> input =
      decode<model::s3::op::ListObjectsV2>(request("GET", "/b?list-type=2&max-keys=many"));
  ASSERT_FALSE(input);
  EXPECT_EQ(input.error().code, "InvalidArgument");
  EXPECT_EQ(input.error().message, "Provided max-keys not an integer or within integer range");
  EXPECT_EQ(input.error().fields[0].second, "max-keys");
  EXPECT_EQ(
      decode<model::s3::op::PutObject>(request("PUT", "/b/k", {{"x-amz-storage-class", "GOLD"}}))
          .error()
          .code,
      "InvalidStorageClass");
}

TEST(RestJson, decodes_blobs_maps_and_labels) {
  using Create = model::lambda::op::CreateFunction;
  Result<Create::Input> input = decode<Create>(request(
      "POST", "/2015-03-31/functions", {},
      R"({"FunctionName":"f","Role":"arn:aws:iam::000000000000:role/r","Runtime":"nodejs99.x","Code":{"ZipFile":"UEsDBA=="},)"
      R"("Environment":{"Variables":{"KEY":"1"}},"MemorySize":256,"Unknown":[{}],"Description":null})"));
  ASSERT_TRUE(input) << input.error().message;
  EXPECT_EQ(input->code->zip_file, "PK\x03\x04");
  EXPECT_EQ(input->environment->variables->at("KEY"), "1");
  EXPECT_EQ(input->memory_size, 256);
  EXPECT_FALSE(input->description);
}

TEST(RestJson, words_validation_as_lambda_does) {
  using Create = model::lambda::op::CreateFunction;
  Error error =
      decode<Create>(
          request(
              "POST", "/2015-03-31/functions", {},
              R"({"FunctionName":"a b","Role":"arn:aws:iam::000000000000:role/r","Code":{},"MemorySize":64})"))
          .error();
  EXPECT_EQ(error.code, "ValidationException");
  EXPECT_EQ(error.status, 400);
  EXPECT_TRUE(error.message.starts_with(
      "2 validation errors detected: Value 'a b' at 'functionName' failed to satisfy "
      "constraint: Member must satisfy regular expression pattern: (arn:"))
      << error.message;
  EXPECT_TRUE(error.message.ends_with(
      "; Value '64' at 'memorySize' failed to satisfy constraint: Member must have value "
      "greater than or equal to 128"))
      << error.message;
  error = decode<Create>(
              request("POST", "/2015-03-31/functions", {}, R"({"FunctionName":"f","Code":{}})"))
              .error();
  EXPECT_EQ(error.message,
            "1 validation error detected: Value null at 'role' failed to satisfy constraint: "
            "Member must not be null");
}

TEST(RestJson, words_what_is_wrong_inside_a_list_or_map_as_the_whole) {
  using Create = model::lambda::op::CreateFunction;
  auto message = [](const std::string& member) {
    return decode<Create>(
               request(
                   "POST", "/2015-03-31/functions", {},
                   R"({"FunctionName":"f","Role":"arn:aws:iam::000000000000:role/r","Code":{},)" +
                       member + "}"))
        .error()
        .message;
  };
  EXPECT_EQ(message(R"("Architectures":["arm32"])"),
            "1 validation error detected: Value '[arm32]' at 'architectures' failed to satisfy "
            "constraint: Member must satisfy constraint: [Member must satisfy enum value set: "
            "[x86_64, arm64], Member must not be null]");
  EXPECT_EQ(message(R"("Environment":{"Variables":{"A":"1","B":"2"}})"),
            "1 validation error detected: Value at 'environment.variables' failed to satisfy "
            "constraint: Map keys must satisfy constraint: [Member must satisfy regular expression "
            "pattern: [a-zA-Z]([a-zA-Z0-9_])+]");
}

TEST(RestJson, tells_bad_documents_from_wrong_types) {
  using Create = model::lambda::op::CreateFunction;
  Error error = decode<Create>(request("POST", "/2015-03-31/functions", {}, "{")).error();
  EXPECT_EQ(error.code, "InvalidRequestContentException");
  EXPECT_TRUE(error.message.starts_with("Could not parse request body into json: "))
      << error.message;
  error = decode<Create>(request("POST", "/2015-03-31/functions", {}, R"({"MemorySize":"big"})"))
              .error();
  EXPECT_EQ(error.code, "SerializationException");
  EXPECT_EQ(error.message, "STRING_VALUE can not be converted to an Integer");
}

TEST(RestJson, answers_invoke_with_the_payload_as_it_is) {
  WireResponse response = encode<model::lambda::op::Invoke>({.status_code = 202,
                                                             .function_error = "Unhandled",
                                                             .log_result = {},
                                                             .payload = "{\"a\": 1}"});
  EXPECT_EQ(response.status, 202);
  EXPECT_EQ(header(response, "X-Amz-Function-Error"), "Unhandled");
  EXPECT_EQ(header(response, "content-type"), "application/json");
  EXPECT_EQ(response.body, "{\"a\": 1}");
}

TEST(Errors, of_lambda_carry_type_header_and_the_members_of_their_shape) {
  WireResponse response = failed<model::lambda::op::Invoke>(
      {.code = "TooManyRequestsException",
       .status = 429,
       .message = "Rate Exceeded.",
       .fields = {{"Reason", "CallerRateLimitExceeded"}, {"retryAfterSeconds", "1"}}});
  EXPECT_EQ(response.status, 429);
  EXPECT_EQ(header(response, "x-amzn-errortype"), "TooManyRequestsException");
  EXPECT_EQ(header(response, "Retry-After"), "1");
  EXPECT_EQ(response.body,
            R"({"Type":"User","message":"Rate Exceeded.","Reason":"CallerRateLimitExceeded"})");
  EXPECT_EQ(failed<model::lambda::op::Invoke>(
                {.code = "ResourceNotFoundException", .status = 404, .message = "m"})
                .body,
            R"({"Type":"User","Message":"m"})");
}

TEST(Errors, of_s3_are_bare_documents_and_empty_for_head) {
  Error error{.code = "NoSuchKey",
              .status = 404,
              .message = "The specified key does not exist.",
              .fields = {{"Key", "k<"}}};
  EXPECT_EQ(failed<model::s3::op::GetObject>(error).body,
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>NoSuchKey</Code><Message>The "
            "specified key does not "
            "exist.</Message><Key>k&lt;</Key><Resource>/b/k</Resource><RequestId>req-1</"
            "RequestId></Error>");
  EXPECT_EQ(encode_error(model::s3::service(), nullptr, error, "r", "", true).body, "");
}

TEST(Errors, of_query_services_use_the_wire_code) {
  WireResponse response = failed<model::iam::op::GetRole>(
      {.code = "NoSuchEntityException", .status = 404, .message = "no role"});
  EXPECT_EQ(response.body,
            "<ErrorResponse "
            "xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\"><Error><Type>Sender</Type>"
            "<Code>NoSuchEntity</Code><Message>no "
            "role</Message></Error><RequestId>req-1</RequestId></ErrorResponse>");
}

TEST(Errors, of_json_services_carry_their_type) {
  EXPECT_EQ(failed<model::logs::op::PutLogEvents>(
                {.code = "ResourceNotFoundException", .status = 400, .message = "m"})
                .body,
            R"({"__type":"ResourceNotFoundException","message":"m"})");
}

TEST(Query, reads_lists_and_structures_in_any_order) {
  using Create = model::iam::op::CreateRole;
  Result<Create::Input> input =
      decode<Create>(request("POST", "/", {},
                             "Tags.member.2.Value=d&RoleName=r&Tags.member.10.Key=e&Tags.member.10."
                             "Value=f&Tags.member.2.Key=c&Action=CreateRole"
                             "&Version=2010-05-08&AssumeRolePolicyDocument=%7B%7D"));
  ASSERT_TRUE(input) << input.error().message;
  ASSERT_EQ(input->tags->size(), 2);
  EXPECT_EQ((*input->tags)[0].key, "c");
  EXPECT_EQ((*input->tags)[1].value, "f");
}

TEST(Query, words_validation_as_iam_does) {
  Error error = decode<model::iam::op::GetRole>(request("POST", "/", {}, "RoleName=a%20b")).error();
  EXPECT_EQ(error.code, "ValidationError");
  EXPECT_EQ(error.message,
            "The specified value for roleName is invalid. It must contain only alphanumeric "
            "characters and/or the following: "
            "+=,.@_-");
  error =
      decode<model::sts::op::AssumeRole>(
          request("POST", "/", {},
                  "RoleArn=arn:aws:iam::000000000000:role/r&RoleSessionName=me&DurationSeconds=10"))
          .error();
  EXPECT_EQ(error.message,
            "1 validation error detected: Value '10' at 'durationSeconds' failed to satisfy "
            "constraint: Member must have "
            "value greater than or equal to 900");
  EXPECT_EQ(decode<model::sts::op::AssumeRole>(request("POST", "/", {}, "DurationSeconds=x"))
                .error()
                .code,
            "MalformedInput");
}

TEST(Query, answers_with_result_and_metadata) {
  EXPECT_EQ(encode<model::sts::op::GetCallerIdentity>(
                {.user_id = "u", .account = "000000000000", .arn = "a"})
                .body,
            "<GetCallerIdentityResponse "
            "xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><GetCallerIdentityResult>"
            "<UserId>u</UserId><Account>000000000000</Account><Arn>a</Arn></"
            "GetCallerIdentityResult><ResponseMetadata>"
            "<RequestId>req-1</RequestId></ResponseMetadata></GetCallerIdentityResponse>");
}

TEST(Json11, words_validation_as_logs_does) {
  Error error =
      decode<model::logs::op::CreateLogGroup>(request("POST", "/", {}, R"({"logGroupName":"a b"})"))
          .error();
  EXPECT_EQ(error.code, "InvalidParameterException");
  EXPECT_EQ(error.message,
            "1 validation error detected: Value 'a b' at 'logGroupName' failed to satisfy "
            "constraint: Member must satisfy "
            "regular expression pattern: [\\.\\-_/#A-Za-z0-9]+");
  EXPECT_EQ(decode<model::logs::op::CreateLogGroup>(request("POST", "/", {}, "[]")).error().code,
            "SerializationException");
}

TEST(Recursion, is_boxed_and_survives_a_round_trip) {
  using Put = model::tiny::op::PutTree;
  std::string text =
      R"({"Tree":{"Value":{"L":[{"S":"a"},{"M":{"k":{"NULL":true}}}]},"Left":{"Right":{"PlantedAt":1.5}},"delete":"pw"}})";
  Result<Put::Input> input = decode<Put>(request("PUT", "/trees/oak", {}, text));
  ASSERT_TRUE(input) << input.error().message;
  EXPECT_EQ(input->name, "oak");
  EXPECT_EQ((*input->tree->value->l)[1].m->at("k").null, true);
  model::tiny::PutTreeRequest copy = *input;
  input->tree.reset();
  EXPECT_EQ(to_json(copy, JsonForm::wire), text);
}

TEST(Recursion, in_a_document_ends_at_the_depth_limit) {
  std::string text = "{\"Tree\":";
  for (int i = 0; i < 100'000; ++i) text += "{\"Left\":";
  EXPECT_EQ(decode<model::tiny::op::PutTree>(request("PUT", "/trees/oak", {}, text)).error().code,
            "SerializationException");
}

TEST(Sensitive, members_are_redacted_on_request) {
  model::tiny::Tree tree;
  tree.delete_ = "password";
  std::string out;
  append_json(out, model::tiny::Tree::schema(), &tree, JsonForm::document, Sensitive::redact);
  EXPECT_EQ(out, R"({"delete":"***"})");
}

TEST(Patterns, of_all_models_compile) {
  int count = 0;
  std::vector<const Type*> seen, stack;
  for (const Service* service :
       {&model::s3::service(), &model::lambda::service(), &model::iam::service(),
        &model::sts::service(), &model::logs::service()}) {
    for (const Operation& operation : service->operations) {
      if (operation.served()) stack.push_back(operation.input);
    }
  }
  while (!stack.empty()) {
    const Type* type = stack.back();
    stack.pop_back();
    if (type == nullptr || std::find(seen.begin(), seen.end(), type) != seen.end()) continue;
    seen.push_back(type);
    if (!type->pattern.empty()) {
      Result<Pattern> pattern = Pattern::compile(type->pattern);
      EXPECT_TRUE(pattern) << type->name << " " << type->pattern;
      ++count;
    }
    for (const Member& member : type->members) stack.push_back(member.type);
    stack.push_back(type->element);
    stack.push_back(type->key);
  }
  EXPECT_GT(count, 80);
}

}  // namespace
}  // namespace wolke::shape

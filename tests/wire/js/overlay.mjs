// What the overlays add, against the SDK for JavaScript: the client serializes a command, wire_echo must decode the same
// values; wire_echo encodes an output, the client must parse the same values. No server: the request handler is ours.
//   node overlay.mjs WIRE_ECHO        exit 77 when the SDK is not installed (./dev test does)
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import assert from "node:assert";

const sdk = async (name) => {
  try {
    return await import(name);
  } catch (error) {
    if (error.code !== "ERR_MODULE_NOT_FOUND") throw error;
    console.log(`skipped: ${name} is not installed`);
    process.exit(77);
  }
};
const s3 = await sdk("@aws-sdk/client-s3");
const lambda = await sdk("@aws-sdk/client-lambda");
const logs = await sdk("@aws-sdk/client-cloudwatch-logs");

const echo = spawn(process.argv[2], { stdio: ["pipe", "pipe", "inherit"] });
const lines = createInterface({ input: echo.stdout })[Symbol.asyncIterator]();
const ask = async (request) => {
  echo.stdin.write(JSON.stringify(request) + "\n");
  return JSON.parse((await lines.next()).value);
};

const bytes = async (body) => {
  if (body === undefined) return Buffer.alloc(0);
  if (typeof body === "string" || body instanceof Uint8Array) return Buffer.from(body);
  const chunks = [];
  for await (const chunk of body) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
};

// Keeps the request; answers what `respond` says.
class Handler {
  async handle(request) {
    this.request = request;
    this.body = await bytes(request.body);
    const { status, headers, body } = this.respond;
    const { HttpResponse } = Handler;
    return { response: new HttpResponse({ statusCode: status, headers, body }) };
  }
  metadata = { handlerProtocol: "h1" };
}
Handler.HttpResponse = class {
  constructor(parts) {
    Object.assign(this, parts);
  }
};

const handler = new Handler();
const options = {
  region: "eu-west-1",
  credentials: { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "secret" },
  endpoint: "http://localhost:4566",
  requestHandler: handler,
  maxAttempts: 1,
};
const clients = {
  s3: new s3.S3Client({ ...options, forcePathStyle: true }),
  lambda: new lambda.LambdaClient(options),
  logs: new logs.CloudWatchLogsClient(options),
};
const commands = { s3, lambda, logs };

const encodeQuery = (query) =>
  Object.entries(query ?? {})
    .flatMap(([key, value]) => (Array.isArray(value) ? value : [value ?? ""]).map((one) => [key, one]))
    .map(([key, value]) => `${encodeURIComponent(key)}=${encodeURIComponent(value)}`)
    .join("&");

let count = 0;
const check = async (service, operation, input, output, { wire = input, parsed = output } = {}) => {
  const answer = await ask({ verb: "encode", service, operation, output });
  assert.ok(!answer.error, `${operation}: ${JSON.stringify(answer.error)}`);
  const { Readable } = await import("node:stream");
  handler.respond = {
    status: answer.status,
    headers: Object.fromEntries(answer.headers.map(([key, value]) => [key.toLowerCase(), value])),
    body: Readable.from([Buffer.from(answer.body, "base64")]),
  };
  const got = await clients[service].send(new commands[service][`${operation}Command`](input));
  delete got.$metadata;
  for (const [key, value] of Object.entries(parsed)) assert.deepStrictEqual(got[key], value, `${operation} output ${key}`);

  const { method, path, query, headers } = handler.request;
  const decoded = await ask({
    verb: "decode",
    service,
    method,
    path,
    query: encodeQuery(query),
    headers: Object.entries(headers),
    body: handler.body.toString("base64"),
  });
  assert.strictEqual(decoded.operation, operation, JSON.stringify(decoded));
  for (const [key, value] of Object.entries(wire)) {
    assert.deepStrictEqual(decoded.input[key], value, `${operation} input ${key}: ${JSON.stringify(decoded)}`);
  }
  ++count;
};

const at = { Bucket: "b", Key: "a b//c+é" };
await check("s3", "PutObject", { ...at, Body: "x", IfNoneMatch: "*", ChecksumAlgorithm: "CRC64NVME", ChecksumCRC64NVME: "AAAAAAAAAAA=" },
  { ETag: '"e"', ChecksumCRC64NVME: "AAAAAAAAAAA=", ChecksumType: "FULL_OBJECT", Size: 5000000000 },
  { wire: { ...at, IfNoneMatch: "*", ChecksumCRC64NVME: "AAAAAAAAAAA=" } });
await check("s3", "DeleteObject", { ...at, IfMatch: '"e"' }, {});
await check("s3", "CreateMultipartUpload", { ...at, ChecksumAlgorithm: "CRC64NVME", ChecksumType: "FULL_OBJECT" },
  { Bucket: "b", Key: at.Key, UploadId: "u", ChecksumType: "FULL_OBJECT", ChecksumAlgorithm: "CRC64NVME" });
await check("s3", "UploadPart", { ...at, Body: "x", UploadId: "u", PartNumber: 1 }, { ETag: '"p"', ChecksumCRC64NVME: "AAAAAAAAAAA=" },
  { wire: { ...at, UploadId: "u", PartNumber: 1 } });
await check("s3", "CompleteMultipartUpload",
  { ...at, UploadId: "u", MpuObjectSize: 12, IfNoneMatch: "*", ChecksumType: "FULL_OBJECT",
    MultipartUpload: { Parts: [{ PartNumber: 1, ETag: '"p"', ChecksumCRC64NVME: "AAAAAAAAAAA=" }] } },
  { Bucket: "b", Key: at.Key, ETag: '"e-1"', ChecksumCRC64NVME: "AAAAAAAAAAA=", ChecksumType: "FULL_OBJECT" });
await check("s3", "CopyObject", { ...at, CopySource: "b/k", IfNoneMatch: "*" },
  { CopyObjectResult: { ETag: '"e"', ChecksumType: "COMPOSITE" } });
await check("s3", "HeadObject", { ...at, ChecksumMode: "ENABLED" },
  { ContentLength: 3, ChecksumCRC64NVME: "AAAAAAAAAAA=", ChecksumType: "FULL_OBJECT", TagCount: 2 });
await check("s3", "ListBuckets", { MaxBuckets: 10, Prefix: "p", ContinuationToken: "c" },
  { Buckets: [{ Name: "b", BucketRegion: "eu-west-1" }], ContinuationToken: "d", Prefix: "p" });
await check("s3", "HeadBucket", { Bucket: "b" }, { BucketRegion: "eu-west-1" });
await check("s3", "ListObjectsV2", { Bucket: "b", OptionalObjectAttributes: ["RestoreStatus"] },
  { Contents: [{ Key: "k", ChecksumAlgorithm: ["CRC64NVME"], ChecksumType: "FULL_OBJECT" }], KeyCount: 1 });
await check("s3", "DeleteObjects", { Bucket: "b", Delete: { Objects: [{ Key: "k<&>", ETag: '"e"', Size: 1 }], Quiet: false } },
  { Deleted: [{ Key: "k<&>" }] });
await check("s3", "PutBucketNotificationConfiguration",
  { Bucket: "b", NotificationConfiguration: { LambdaFunctionConfigurations: [{ LambdaFunctionArn: "arn:aws:lambda:eu-west-1:000000000000:function:f",
    Events: ["s3:ObjectCreated:*"], Filter: { Key: { FilterRules: [{ Name: "Prefix", Value: "in/" }] } } }] } }, {});

const role = "arn:aws:iam::000000000000:role/r";
await check("lambda", "CreateFunction",
  { FunctionName: "f", Role: role, Runtime: "nodejs99.x", Handler: "i.h", Code: { ZipFile: Buffer.from("PK") },
    LoggingConfig: { LogFormat: "JSON", LogGroup: "g", ApplicationLogLevel: "INFO" }, SnapStart: { ApplyOn: "PublishedVersions" } },
  { FunctionName: "f", Runtime: "nodejs99.x", State: "Active", LoggingConfig: { LogFormat: "JSON", LogGroup: "g" },
    RuntimeVersionConfig: { RuntimeVersionArn: "a" }, SnapStart: { ApplyOn: "None", OptimizationStatus: "Off" } },
  { wire: { FunctionName: "f", Runtime: "nodejs99.x", Code: { ZipFile: Buffer.from("PK").toString("base64") },
            LoggingConfig: { LogFormat: "JSON", LogGroup: "g", ApplicationLogLevel: "INFO" }, SnapStart: { ApplyOn: "PublishedVersions" } } });
await check("lambda", "CreateFunctionUrlConfig", { FunctionName: "f", AuthType: "NONE", InvokeMode: "RESPONSE_STREAM" },
  { FunctionUrl: "http://x/", FunctionArn: "a", AuthType: "NONE", CreationTime: "t", InvokeMode: "RESPONSE_STREAM" });
await check("lambda", "PutFunctionRecursionConfig", { FunctionName: "f", RecursiveLoop: "Allow" }, { RecursiveLoop: "Allow" });
await check("lambda", "PutRuntimeManagementConfig", { FunctionName: "f", UpdateRuntimeOn: "Auto" },
  { UpdateRuntimeOn: "Auto", FunctionArn: "a" });
await check("lambda", "Invoke", { FunctionName: "f", Payload: '{"a":1}', TenantId: "t" }, { StatusCode: 200, ExecutedVersion: "$LATEST" },
  { wire: { FunctionName: "f", TenantId: "t", Payload: Buffer.from('{"a":1}').toString("base64") } });
await check("lambda", "ListFunctions", { MaxItems: 3 }, { Functions: [{ FunctionName: "f", Architectures: ["arm64"] }] });
await check("lambda", "TagResource", { Resource: "arn:aws:lambda:eu-west-1:000000000000:function:f", Tags: { a: "b" } }, {});

await check("logs", "CreateLogGroup", { logGroupName: "/aws/lambda/f", logGroupClass: "STANDARD" }, {});
await check("logs", "DescribeLogGroups", { logGroupNamePrefix: "/a", logGroupClass: "STANDARD" },
  { logGroups: [{ logGroupName: "/a", creationTime: 1795427473123, storedBytes: 0, logGroupClass: "STANDARD", logGroupArn: "arn" }] });
await check("logs", "PutLogEvents",
  { logGroupName: "g", logStreamName: "s", logEvents: [{ timestamp: 1795427473123, message: "m" }], entity: { attributes: { a: "b" } } },
  { rejectedEntityInfo: { errorType: "InvalidEntity" } });

// Errors reach the SDK's own classes.
const failing = async (service, operation, input, error, wanted) => {
  const answer = await ask({ verb: "error", service, operation, error });
  const { Readable } = await import("node:stream");
  handler.respond = { status: answer.status, headers: Object.fromEntries(answer.headers.map(([k, v]) => [k.toLowerCase(), v])),
    body: Readable.from([Buffer.from(answer.body, "base64")]) };
  const thrown = await clients[service].send(new commands[service][`${operation}Command`](input)).then(() => null, (e) => e);
  assert.ok(thrown, `${operation} did not throw`);
  assert.strictEqual(thrown.name, wanted.name ?? error.code);
  assert.strictEqual(thrown.message, error.message);
  for (const [key, value] of Object.entries(wanted)) assert.deepStrictEqual(thrown[key], value, `${operation} error ${key}`);
  ++count;
};
await failing("s3", "GetObject", at, { code: "NoSuchKey", status: 404, message: "gone <&>", fields: { Key: at.Key } }, { name: "NoSuchKey" });
await failing("lambda", "Invoke", { FunctionName: "f" },
  { code: "TooManyRequestsException", status: 429, message: "Rate Exceeded.", fields: { Reason: "CallerRateLimitExceeded", retryAfterSeconds: "1" } },
  { Reason: "CallerRateLimitExceeded", retryAfterSeconds: "1" });
await failing("lambda", "GetFunction", { FunctionName: "f" }, { code: "ResourceNotFoundException", status: 404, message: "no f", fields: {} }, { Type: "User" });
await failing("logs", "PutLogEvents", { logGroupName: "g", logStreamName: "s", logEvents: [] },
  { code: "ResourceNotFoundException", status: 400, message: "no group", fields: {} }, {});

echo.stdin.end();
console.log(`${count} commands of the SDK for JavaScript, all equal`);

'use strict';
// The SDK for JavaScript v3 against the server in WOLKE_ENDPOINT; prints one line for each case that passed.
const assert = require('node:assert/strict');
const crypto = require('node:crypto');
const { Readable } = require('node:stream');
const S3 = require('@aws-sdk/client-s3');
const Lambda = require('@aws-sdk/client-lambda');
const Logs = require('@aws-sdk/client-cloudwatch-logs');
const { Upload } = require('@aws-sdk/lib-storage');
const { getSignedUrl } = require('@aws-sdk/s3-request-presigner');

const config = { endpoint: process.env.WOLKE_ENDPOINT, region: 'us-east-1', maxAttempts: 1 };
const s3 = new S3.S3Client({ ...config, forcePathStyle: true });
const lambda = new Lambda.LambdaClient(config);
const bucket = `sdk-js-${crypto.randomBytes(6).toString('hex')}`;
const text = async (key) => (await s3.send(new S3.GetObjectCommand({ Bucket: bucket, Key: key }))).Body.transformToString();

const cases = {
  async objects() {
    const put = await s3.send(new S3.PutObjectCommand({ Bucket: bucket, Key: 'ä/b c+d', Body: 'hello', Metadata: { a: '1' } }));
    assert.ok(put.ChecksumCRC32 || put.ChecksumCRC64NVME, 'the SDK sends a checksum by itself');
    const got = await s3.send(new S3.GetObjectCommand({ Bucket: bucket, Key: 'ä/b c+d', ChecksumMode: 'ENABLED' }));
    assert.equal(await got.Body.transformToString(), 'hello');
    assert.deepEqual(got.Metadata, { a: '1' });
    const part = await s3.send(new S3.GetObjectCommand({ Bucket: bucket, Key: 'ä/b c+d', Range: 'bytes=1-2' }));
    assert.equal(await part.Body.transformToString(), 'el');
  },
  async 'an empty object, then another on the same connection'() {
    await s3.send(new S3.PutObjectCommand({ Bucket: bucket, Key: 'empty', Body: '' }));
    await s3.send(new S3.PutObjectCommand({ Bucket: bucket, Key: 'next', Body: 'x'.repeat(100) }));
    assert.equal(await text('empty'), '');
    assert.equal((await text('next')).length, 100);
  },
  async 'a stream without a checksum known ahead'() {
    const pieces = Array.from({ length: 40 }, (_, i) => Buffer.alloc(10_000, i));
    await s3.send(new S3.PutObjectCommand({ Bucket: bucket, Key: 'stream', Body: Readable.from(pieces), ContentLength: 400_000 }));
    const got = await s3.send(new S3.GetObjectCommand({ Bucket: bucket, Key: 'stream' }));
    assert.deepEqual(Buffer.from(await got.Body.transformToByteArray()), Buffer.concat(pieces));
  },
  async 'multipart of 12 MB with lib-storage'() {
    const body = crypto.randomBytes(12 * 1024 * 1024);
    const done = await new Upload({ client: s3, params: { Bucket: bucket, Key: 'big', Body: Readable.from([body]) } }).done();
    assert.match(done.ETag, /-3"$/);
    const got = await s3.send(new S3.GetObjectCommand({ Bucket: bucket, Key: 'big' }));
    assert.equal(Buffer.compare(Buffer.from(await got.Body.transformToByteArray()), body), 0);
  },
  async 'a live tail'() {
    const logs = new Logs.CloudWatchLogsClient({ ...config, disableHostPrefix: true });
    const logGroupName = `/${bucket}`;
    await logs.send(new Logs.CreateLogGroupCommand({ logGroupName }));
    await logs.send(new Logs.CreateLogStreamCommand({ logGroupName, logStreamName: 's' }));
    const tail = await logs.send(new Logs.StartLiveTailCommand({ logGroupIdentifiers: [logGroupName] }));
    for await (const event of tail.responseStream) {
      if (event.sessionStart) {
        assert.deepEqual(event.sessionStart.logGroupIdentifiers, [logGroupName]);
        const logEvents = [{ timestamp: Date.now(), message: 'live' }];
        await logs.send(new Logs.PutLogEventsCommand({ logGroupName, logStreamName: 's', logEvents }));
      } else if (event.sessionUpdate.sessionResults.length > 0) {
        assert.equal(event.sessionUpdate.sessionResults[0].message, 'live');
        break;
      }
    }
    await logs.send(new Logs.DeleteLogGroupCommand({ logGroupName }));
    logs.destroy();
  },
  async 'presigned put and get'() {
    const put = await getSignedUrl(s3, new S3.PutObjectCommand({ Bucket: bucket, Key: 'signed' }), { expiresIn: 60 });
    assert.equal((await fetch(put, { method: 'PUT', body: 'by link' })).status, 200);
    const get = await getSignedUrl(s3, new S3.GetObjectCommand({ Bucket: bucket, Key: 'signed' }), { expiresIn: 60 });
    assert.equal(await (await fetch(get)).text(), 'by link');
  },
  async 'a presigned put applies what the presigner hoisted'() {
    const wanted = { Metadata: { who: 'me' }, Tagging: 'a=b&c=d', StorageClass: 'STANDARD_IA', ACL: 'private' };
    const link = await getSignedUrl(s3, new S3.PutObjectCommand({ Bucket: bucket, Key: 'hoisted', ...wanted }), { expiresIn: 60 });
    assert.equal((await fetch(link, { method: 'PUT', body: 'by link', headers: { 'content-type': 'text/x' } })).status, 200);
    const head = await s3.send(new S3.HeadObjectCommand({ Bucket: bucket, Key: 'hoisted' }));
    assert.deepEqual([head.Metadata, head.StorageClass, head.ContentType], [{ who: 'me' }, 'STANDARD_IA', 'text/x']);
    const { TagSet } = await s3.send(new S3.GetObjectTaggingCommand({ Bucket: bucket, Key: 'hoisted' }));
    assert.deepEqual(TagSet, [{ Key: 'a', Value: 'b' }, { Key: 'c', Value: 'd' }]);
    const copy = await getSignedUrl(s3, new S3.CopyObjectCommand({ Bucket: bucket, Key: 'hoisted', CopySource: `${bucket}/next` }));
    assert.equal((await fetch(copy, { method: 'PUT' })).status, 400);
    assert.equal(await text('hoisted'), 'by link');
  },
  async 'listing, conditions, deletion'() {
    const listed = [];
    for await (const page of S3.paginateListObjectsV2({ client: s3, pageSize: 2 }, { Bucket: bucket })) {
      listed.push(...page.Contents.map((entry) => entry.Key));
    }
    assert.deepEqual(listed, [...listed].sort());
    assert.ok(listed.length >= 6);
    await assert.rejects(s3.send(new S3.PutObjectCommand({ Bucket: bucket, Key: 'next', Body: '', IfNoneMatch: '*' })),
      { name: 'PreconditionFailed' });
    await assert.rejects(text('missing'), S3.NoSuchKey);
    const gone = await s3.send(new S3.DeleteObjectsCommand({ Bucket: bucket, Delete: { Objects: listed.map((Key) => ({ Key })) } }));
    assert.equal(gone.Deleted.length, listed.length);
    await s3.send(new S3.DeleteBucketCommand({ Bucket: bucket }));
  },
  async functions() {
    const name = `sdk-js-${crypto.randomBytes(6).toString('hex')}`;
    await lambda.send(new Lambda.CreateFunctionCommand({
      FunctionName: name, Runtime: 'nodejs22.x', Handler: 'index.handler', Role: process.env.ROLE,
      Code: { ZipFile: Buffer.from(process.env.ZIP, 'base64') },
    }));
    await Lambda.waitUntilFunctionActiveV2({ client: lambda, maxWaitTime: 60, minDelay: 1 }, { FunctionName: name });
    const called = await lambda.send(new Lambda.InvokeCommand({ FunctionName: name, Payload: '{"n":1}', LogType: 'Tail' }));
    assert.deepEqual(JSON.parse(called.Payload.transformToString()), { echo: { n: 1 } });
    assert.match(Buffer.from(called.LogResult, 'base64').toString(), /REPORT RequestId/);
    await lambda.send(new Lambda.DeleteFunctionCommand({ FunctionName: name }));
    await assert.rejects(lambda.send(new Lambda.InvokeCommand({ FunctionName: name })), Lambda.ResourceNotFoundException);
  },
};

async function main() {
  await s3.send(new S3.CreateBucketCommand({ Bucket: bucket }));
  for (const [name, test] of Object.entries(cases)) {
    try {
      await test();
      console.log(`ok ${name}`);
    } catch (error) {
      console.log(`failed ${name}: ${error.stack}`);
      process.exitCode = 1;
    }
  }
}
main();

#include "wolke/services/s3/customer_key.h"

#include "wolke/base/hash.h"
#include "wolke/services/s3/s3_for_test.h"

namespace wolke::s3 {
namespace {

const std::string key_bytes(store::cipher_key_bytes, 'c');

class CustomerKeys : public S3Test {
 protected:
  CustomerKeys() { make_bucket("photos"); }

  template <class In>
  static void bring(In& in, const std::string& key = key_bytes) {
    in.sse_customer_algorithm = "AES256";
    in.sse_customer_key = to_base64(key);
    in.sse_customer_key_md5 = to_base64(digest(HashKind::md5, key));
  }
  /// A body as the edge stages it for a request with this key.
  Body staged(const std::string& bytes) {
    auto writer = *blobs->create({.account = {}, .customer_key = key_bytes});
    EXPECT_TRUE(writer->write(bytes));
    const BlobRef blob = *writer->seal();
    Body body;
    body.blobs.push_back({blob, 0, bytes.size()});
    body.digests["md5"] = digest(HashKind::md5, bytes);
    body.digests["crc64nvme"] = digest(HashKind::crc64nvme, bytes);
    return body;
  }
  In<op::PutObject> put_with_key(const std::string& bytes) {
    In<op::PutObject> in = put_input("a", "");
    in.body = staged(bytes);
    bring(in);
    return in;
  }
  In<op::HeadObject> head_input() {
    In<op::HeadObject> in;
    in.bucket = "photos";
    in.key = "a";
    return in;
  }
};

TEST_F(CustomerKeys, WhatIsWrongWithAKeyIsSaidAsS3SaysIt) {
  In<op::PutObject> in = put_with_key("x");
  in.sse_customer_key.reset();
  EXPECT_ERROR(run(put_object, in), "InvalidArgument");
  in = put_with_key("x");
  in.sse_customer_key_md5.reset();
  EXPECT_ERROR(run(put_object, in), "InvalidArgument");
  in = put_with_key("x");
  in.sse_customer_algorithm.reset();
  EXPECT_ERROR(run(put_object, in), "InvalidArgument");
  in = put_with_key("x");
  in.sse_customer_algorithm = "AES128";
  EXPECT_ERROR(run(put_object, in), "InvalidEncryptionAlgorithmError");
  in = put_with_key("x");
  bring(in, "short");
  EXPECT_ERROR(run(put_object, in), "InvalidArgument");
  in = put_with_key("x");
  in.sse_customer_key_md5 = to_base64(digest(HashKind::md5, "another"));
  EXPECT_ERROR(run(put_object, in), "InvalidArgument");
  in = put_with_key("x");
  in.server_side_encryption = "AES256";
  EXPECT_ERROR(run(put_object, in), "InvalidArgument");
}

TEST_F(CustomerKeys, AnObjectIsReadWithItsKeyOnly) {
  const auto put = run(put_object, put_with_key("content"));
  ASSERT_TRUE(put);
  EXPECT_EQ(put->sse_customer_algorithm, "AES256");
  EXPECT_FALSE(put->server_side_encryption);
  EXPECT_EQ(put->etag->find(to_hex(digest(HashKind::md5, "content"))), std::string::npos);
  In<op::HeadObject> in = head_input();
  EXPECT_ERROR(run(head_object, in), "InvalidRequest");
  bring(in, std::string(store::cipher_key_bytes, 'd'));
  EXPECT_ERROR(run(head_object, in), "AccessDenied");
  bring(in);
  EXPECT_EQ(run(head_object, in)->sse_customer_key_md5, in.sse_customer_key_md5);
}

TEST_F(CustomerKeys, AKeyIsRefusedWhereTheObjectHasNone) {
  ASSERT_TRUE(put("a"));
  In<op::HeadObject> in = head_input();
  bring(in);
  EXPECT_ERROR(run(head_object, in), "InvalidRequest");
}

TEST_F(CustomerKeys, NoRecordHasTheKeyAndTwoChecksOfOneKeyDiffer) {
  ASSERT_TRUE(run(put_object, put_with_key("content")));
  for (const store::Record& record : records_with("photos")) {
    EXPECT_EQ(record.value.find(key_bytes), std::string::npos);
    EXPECT_EQ(record.value.find(to_base64(key_bytes)), std::string::npos);
  }
  EXPECT_NE(make_key_check(random, key_bytes), make_key_check(random, key_bytes));
  EXPECT_TRUE(passes_key_check(make_key_check(random, key_bytes), key_bytes));
}

TEST_F(CustomerKeys, ABodyThatWasNotStagedUnderTheKeyIsNeverKept) {
  In<op::PutObject> in = put_with_key("x");
  in.body.emplace().inline_bytes = "in a record";
  EXPECT_ERROR(run(put_object, in), "InternalError");
}

TEST_F(CustomerKeys, ACopyGoesFromKeyToKeyAndOutOfThem) {
  ASSERT_TRUE(run(put_object, put_with_key("content")));
  In<op::CopyObject> in;
  in.bucket = "photos";
  in.key = "b";
  in.copy_source = "photos/a";
  EXPECT_ERROR(run_task(copy_object, in), "InvalidRequest");
  in.copy_source_sse_customer_algorithm = "AES256";
  in.copy_source_sse_customer_key = to_base64(key_bytes);
  in.copy_source_sse_customer_key_md5 = to_base64(digest(HashKind::md5, key_bytes));
  const auto plain = run_task(copy_object, in);
  ASSERT_TRUE(plain) << plain.error().message;
  EXPECT_EQ(plain->server_side_encryption, "AES256");
  EXPECT_EQ(bytes_of(get("b")->body), "content");
  const std::string other(store::cipher_key_bytes, 'o');
  bring(in, other);
  const auto moved = run_task(copy_object, in);
  ASSERT_TRUE(moved) << moved.error().message;
  EXPECT_EQ(moved->sse_customer_algorithm, "AES256");
  In<op::HeadObject> head = head_input();
  head.key = "b";
  bring(head);
  EXPECT_ERROR(run(head_object, head), "AccessDenied");
  bring(head, other);
  EXPECT_TRUE(run(head_object, head));
}

}  // namespace
}  // namespace wolke::s3

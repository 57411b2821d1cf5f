"""What a bucket keeps and tells of its website, logging, request payment and acceleration."""
import wire


class Site(wire.S3Case):
    def test_website(self):
        rules = [{"Condition": {"KeyPrefixEquals": "docs/"}, "Redirect": {"ReplaceKeyPrefixWith": "documents/"}}]
        website = {"IndexDocument": {"Suffix": "index.html"}, "ErrorDocument": {"Key": "error.html"}, "RoutingRules": rules}
        self.s3.put_bucket_website(Bucket=self.bucket, WebsiteConfiguration=website)
        told = self.s3.get_bucket_website(Bucket=self.bucket)
        self.assertEqual({key: told[key] for key in website}, website)
        elsewhere = {"RedirectAllRequestsTo": {"HostName": "example.com", "Protocol": "https"}}
        self.s3.put_bucket_website(Bucket=self.bucket, WebsiteConfiguration=elsewhere)
        told = self.s3.get_bucket_website(Bucket=self.bucket)
        self.assertEqual(told["RedirectAllRequestsTo"], elsewhere["RedirectAllRequestsTo"])
        self.assertNotIn("IndexDocument", told)
        self.s3.delete_bucket_website(Bucket=self.bucket)
        self.assert_refused("NoSuchWebsiteConfiguration", 404, self.s3.get_bucket_website, Bucket=self.bucket)
        self.s3.delete_bucket_website(Bucket=self.bucket)

    def test_what_is_no_website(self):
        for code, website in (
                ("InvalidArgument", {"ErrorDocument": {"Key": "error.html"}}),
                ("InvalidArgument", {"IndexDocument": {"Suffix": "a/index.html"}}),
                ("InvalidArgument", {"IndexDocument": {"Suffix": "i"}, "RedirectAllRequestsTo": {"HostName": "e"}}),
                ("MalformedXML", {"RedirectAllRequestsTo": {"HostName": "e", "Protocol": "ftp"}}),
                ("InvalidRequest", {"IndexDocument": {"Suffix": "i"}, "RoutingRules": [
                    {"Redirect": {"HostName": "e", "HttpRedirectCode": "300"}}]}),
                ("InvalidRequest", {"IndexDocument": {"Suffix": "i"}, "RoutingRules": [
                    {"Redirect": {"ReplaceKeyWith": "a", "ReplaceKeyPrefixWith": "b"}}]})):
            self.assert_refused(code, 400, self.s3.put_bucket_website, Bucket=self.bucket, WebsiteConfiguration=website)

    def test_logging(self):
        logging = {"LoggingEnabled": {"TargetBucket": self.bucket, "TargetPrefix": "logs/"}}
        self.s3.put_bucket_logging(Bucket=self.bucket, BucketLoggingStatus=logging)
        self.assertEqual(self.s3.get_bucket_logging(Bucket=self.bucket)["LoggingEnabled"], logging["LoggingEnabled"])
        self.s3.put_bucket_logging(Bucket=self.bucket, BucketLoggingStatus={})
        self.assertNotIn("LoggingEnabled", self.s3.get_bucket_logging(Bucket=self.bucket))
        logging["LoggingEnabled"]["TargetBucket"] += "-none"
        self.assert_refused("InvalidTargetBucketForLogging", 400, self.s3.put_bucket_logging, Bucket=self.bucket,
                            BucketLoggingStatus=logging)

    def test_request_payment_and_acceleration(self):
        self.s3.put_bucket_request_payment(Bucket=self.bucket, RequestPaymentConfiguration={"Payer": "Requester"})
        self.assertEqual(self.s3.get_bucket_request_payment(Bucket=self.bucket)["Payer"], "Requester")
        self.assertNotIn("Status", self.s3.get_bucket_accelerate_configuration(Bucket=self.bucket))
        self.s3.put_bucket_accelerate_configuration(Bucket=self.bucket, AccelerateConfiguration={"Status": "Enabled"})
        self.assertEqual(self.s3.get_bucket_accelerate_configuration(Bucket=self.bucket)["Status"], "Enabled")

    def test_replication_is_refused_by_name(self):
        rules = [{"Status": "Enabled", "Prefix": "", "Destination": {"Bucket": f"arn:aws:s3:::{self.bucket}"}}]
        answer = self.assert_refused("NotImplemented", 501, self.s3.put_bucket_replication, Bucket=self.bucket,
                                     ReplicationConfiguration={"Role": "arn:aws:iam::000000000000:role/r", "Rules": rules})
        self.assertIn("PutBucketReplication", answer["Error"]["Message"])

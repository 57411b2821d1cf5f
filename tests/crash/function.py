"""Deployed by the crash test: leaves one object per event, named by what asked for it and by the event's id. Signs by hand,
because importing an SDK takes longer than most of the server's lives."""

import datetime
import hashlib
import hmac
import http.client
import os
import urllib.parse


def put(key):
    endpoint = urllib.parse.urlsplit(os.environ["AWS_ENDPOINT_URL"])
    path = urllib.parse.quote(f"/{os.environ['RESULTS']}/{key}")
    now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ")
    body = hashlib.sha256(b"").hexdigest()
    headers = {"host": endpoint.netloc, "x-amz-content-sha256": body, "x-amz-date": now}
    if os.environ.get("AWS_SESSION_TOKEN"):
        headers["x-amz-security-token"] = os.environ["AWS_SESSION_TOKEN"]
    names = ";".join(headers)
    lines = "".join(f"{name}:{value}\n" for name, value in headers.items())
    request = hashlib.sha256(f"PUT\n{path}\n\n{lines}\n{names}\n{body}".encode()).hexdigest()
    region = os.environ["AWS_REGION"]
    scope = f"{now[:8]}/{region}/s3/aws4_request"
    signing = ("AWS4" + os.environ["AWS_SECRET_ACCESS_KEY"]).encode()
    for word in (now[:8], region, "s3", "aws4_request", f"AWS4-HMAC-SHA256\n{now}\n{scope}\n{request}"):
        signing = hmac.new(signing, word.encode(), hashlib.sha256).digest()
    headers["authorization"] = (f"AWS4-HMAC-SHA256 Credential={os.environ['AWS_ACCESS_KEY_ID']}/{scope}, "
                                f"SignedHeaders={names}, Signature={signing.hex()}")
    connection = http.client.HTTPConnection(endpoint.netloc, timeout=20)
    connection.request("PUT", path, headers=headers)
    answer = connection.getresponse()
    text = answer.read()
    if answer.status != 200:
        raise RuntimeError(f"PutObject: {answer.status} {text[:300]}")


def handler(event, context):
    if "Records" in event:
        for record in event["Records"]:
            entity = record["s3"]["object"]
            put(f"{urllib.parse.unquote_plus(entity['key'])}/{entity['eTag']}/{context.aws_request_id}")
    else:
        put(f"{event['token']}/{context.aws_request_id}")

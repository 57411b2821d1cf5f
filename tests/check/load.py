"""Clients that read and write a few registers at the same time, each call noted with when it began and ended.

Registers: the values of a few keys of one bucket (a value is its body's ETag) and the bucket's tagging. A listing reads every
key. A client whose call nobody answered waits for the next life of the server, so at most one such call is open for each.
"""
import hashlib
import random
import sys
import threading
import time

import boto3
import botocore.config
import botocore.exceptions

from checker import Operation

BUCKET = "check"
KEYS = [f"key/{number}" for number in range(4)]
TAGGING = "tagging"
LARGE_BYTES = 70_000  # more than lies in a commit
REFUSED = {"ServiceUnavailable", "SlowDown"}  # these promise that nothing was done
RACED = {"ConditionalRequestConflict"}  # AWS's 409: nothing was done, try again
ABSENT = {"NoSuchKey", "NoSuchTagSet"}
SWITCH_SECONDS = 0.0005  # threads take turns often, so that their calls overlap


class Lives:
    """How often the server was started. `began(n)` is known from the moment at which life n answers."""

    def __init__(self):
        self.changed = threading.Condition()
        self.starts = []
        self.over = False

    def start(self):
        with self.changed:
            self.starts.append(time.monotonic())
            self.changed.notify_all()

    def end(self):
        with self.changed:
            self.over = True
            self.changed.notify_all()

    def current(self):
        return len(self.starts)

    def wait_for_next(self, life):
        """False when there will be none."""
        with self.changed:
            self.changed.wait_for(lambda: self.over or len(self.starts) > life)
            return not self.over


def connect(server):
    config = botocore.config.Config(retries={"total_max_attempts": 1}, connect_timeout=2, read_timeout=10,
                                    s3={"addressing_style": "path"})
    return boto3.client("s3", endpoint_url=server.endpoint, region_name="us-east-1", aws_access_key_id="test",
                        aws_secret_access_key="test", config=config)


def etag_of(body):
    return hashlib.md5(body).hexdigest()


class Client(threading.Thread):
    """`history` gets (operation, life in which it ended) pairs; an unanswered operation's end is set later (end_unknown)."""

    def __init__(self, server, lives, stop, seed):
        super().__init__(daemon=True)
        self.lives, self.stop = lives, stop
        self.chance = random.Random(seed)
        self.s3 = connect(server)
        self.history = []
        self.failures = []
        self.known = {}  # the last value that this client saw of each key
        self.refused = 0

    def run(self):
        while not self.stop.is_set():
            life = self.lives.current()
            if not self.do_one() and not self.lives.wait_for_next(life):
                return

    def do_one(self):
        """False: nobody answered."""
        key = self.chance.choice(KEYS)
        draw = self.chance.random()
        if draw < 0.36:
            return self.put(key)
        if draw < 0.66:
            return self.call(key, "read", None, lambda: self.read(key))
        if draw < 0.76:
            return self.call(key, "delete", None, lambda: self.delete(key))
        if draw < 0.84:
            return self.list()
        return self.tagging()

    def put(self, key):
        size = LARGE_BYTES if self.chance.random() < 0.2 else 16
        body = self.chance.randbytes(size)
        condition, more = None, {}
        draw = self.chance.random()
        if draw < 0.3:
            condition, more = ("absent",), {"IfNoneMatch": "*"}
        elif draw < 0.6 and self.known.get(key):
            condition, more = ("is", self.known[key]), {"IfMatch": f'"{self.known[key]}"'}

        def write():
            self.put_object(key, body, more)
            self.known[key] = etag_of(body)
            return "ok"
        return self.call(key, "write", (etag_of(body), condition), write)

    def put_object(self, key, body, headers):
        """Debian's boto3 does not know the conditions of PutObject: they go in as headers."""
        def add(request, **_):
            for name, value in headers.items():
                request.headers[{"IfNoneMatch": "If-None-Match", "IfMatch": "If-Match"}[name]] = value
        self.s3.meta.events.register_first("before-sign.s3.PutObject", add, unique_id="conditions")
        try:
            self.s3.put_object(Bucket=BUCKET, Key=key, Body=body)
        finally:
            self.s3.meta.events.unregister("before-sign.s3.PutObject", unique_id="conditions")

    def read(self, key):
        answer = self.s3.get_object(Bucket=BUCKET, Key=key)
        body = answer["Body"].read()
        if etag_of(body) != answer["ETag"].strip('"'):
            self.failures.append(f"{key}: the body is not the one of its ETag {answer['ETag']}")
        self.known[key] = etag_of(body)
        return self.known[key]

    def delete(self, key):
        self.s3.delete_object(Bucket=BUCKET, Key=key)
        return "ok"

    def list(self):
        called = time.monotonic()
        try:
            page = self.s3.list_objects_v2(Bucket=BUCKET)
        except (botocore.exceptions.ClientError, botocore.exceptions.BotoCoreError) as error:
            return self.is_answer(error)
        returned = time.monotonic()
        found = {entry["Key"]: entry["ETag"].strip('"') for entry in page.get("Contents", [])}
        for key in KEYS:
            self.note(Operation(key, "read", None, found.get(key), called, returned))
        return True

    def tagging(self):
        draw = self.chance.random()
        if draw < 0.5:
            value = self.chance.randbytes(8).hex()

            def write():
                self.s3.put_bucket_tagging(Bucket=BUCKET, Tagging={"TagSet": [{"Key": "k", "Value": value}]})
                return "ok"
            return self.call(TAGGING, "write", (value, None), write)
        if draw < 0.9:
            return self.call(TAGGING, "read", None,
                             lambda: self.s3.get_bucket_tagging(Bucket=BUCKET)["TagSet"][0]["Value"])

        def delete():
            self.s3.delete_bucket_tagging(Bucket=BUCKET)
            return "ok"
        return self.call(TAGGING, "delete", None, delete)

    def call(self, register, kind, argument, action):
        """False: nobody answered."""
        called, known = time.monotonic(), True
        try:
            answer = action()
        except botocore.exceptions.ClientError as error:
            code = error.response["Error"]["Code"]
            if code in REFUSED | RACED:
                self.refused += code in REFUSED
                return True
            if code in ABSENT:
                answer = None if kind == "read" else "missing"
            elif code == "PreconditionFailed":
                answer = "precondition"
            else:
                answer, known = None, False
                self.is_answer(error)
        except botocore.exceptions.BotoCoreError:
            answer, known = None, False
        self.note(Operation(register, kind, argument, answer, called, time.monotonic(), known))
        return known

    def is_answer(self, error):
        """Whether a call that did nothing was answered all the same; what no fault explains is a failure."""
        if not isinstance(error, botocore.exceptions.ClientError):
            return False
        if error.response["ResponseMetadata"]["HTTPStatusCode"] < 500:
            self.failures.append(f"{error.operation_name}: {error}")
            return True
        return error.response["Error"]["Code"] in REFUSED

    def note(self, operation):
        self.history.append((operation, self.lives.current()))


def run_clients(server, lives, stop, count, chance):
    sys.setswitchinterval(SWITCH_SECONDS)
    clients = [Client(server, lives, stop, chance.getrandbits(60)) for _ in range(count)]
    for client in clients:
        client.start()
    return clients

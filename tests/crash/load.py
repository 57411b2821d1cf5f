"""The mixed load: threads that write until the server dies under them, and the check of what they were told."""

import io
import json
import random
import threading
import zipfile

import botocore.exceptions

from model import ABSENT, body_of
from server import UNKNOWN

BUCKET = "crash"
RESULTS = "crash-results"
KEYS_PER_WRITER = 5
PART_BYTES = 5 << 20  # S3's smallest part that is not the last
SIZES = (0, 100, 4096, 60_000, 70_000, 400_000)  # both sides of what lies in the commit itself

HANDLER = """
import boto3, os
s3 = boto3.client("s3")

def handler(event, context):
    s3.put_object(Bucket=os.environ["RESULTS"], Key=event["id"], Body=b"done")
"""


def package():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("index.py", HANDLER)
    return out.getvalue()


class NobodyKnows(Exception):
    """The server said that it failed: the call may have happened."""


class Writer(threading.Thread):
    """One client with names of its own. Ends at the first call whose outcome nobody knows."""

    def __init__(self, server, model, number, seed):
        super().__init__(daemon=True)
        self.s3 = server.client("s3")
        self.functions = server.client("lambda")
        self.model = model
        self.number = number
        self.random = random.Random(seed)
        self.error = None

    def run(self):
        try:
            while True:
                self.random.choices(self.CHOICES, self.WEIGHTS)[0](self)
        except (NobodyKnows, *UNKNOWN):
            pass
        except Exception as error:  # reported by the main thread
            self.error = error

    def attempt(self, name, kind, state, call):
        self.model.begin(name, state)
        try:
            call()
        except botocore.exceptions.ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] >= 500:
                raise NobodyKnows from error
            self.model.refused(name)
            raise
        self.model.acknowledge(name, kind)

    def key(self):
        return f"{self.number}/{self.random.randrange(KEYS_PER_WRITER)}"

    def state(self, size):
        return {"number": self.random.getrandbits(60), "size": size}

    def put(self):
        key, state = self.key(), self.state(self.random.choice(SIZES))
        self.attempt(key, "put", state, lambda: self.s3.put_object(
            Bucket=BUCKET, Key=key, Body=body_of(key, **state)))

    def delete(self):
        key = self.key()
        self.attempt(key, "delete", ABSENT, lambda: self.s3.delete_object(Bucket=BUCKET, Key=key))

    def multipart(self):
        key, state = self.key(), self.state(PART_BYTES + 1000)
        body = body_of(key, **state)
        upload = self.s3.create_multipart_upload(Bucket=BUCKET, Key=key)["UploadId"]
        parts = []
        for number, part in ((1, body[:PART_BYTES]), (2, body[PART_BYTES:])):
            answer = self.s3.upload_part(Bucket=BUCKET, Key=key, UploadId=upload, PartNumber=number, Body=part)
            parts.append({"PartNumber": number, "ETag": answer["ETag"]})
        self.attempt(key, "multipart", state, lambda: self.s3.complete_multipart_upload(
            Bucket=BUCKET, Key=key, UploadId=upload, MultipartUpload={"Parts": parts}))

    def update(self):
        name = f"update-{self.number}"
        number = self.random.getrandbits(60)
        self.attempt(name, "function update", number, lambda: self.functions.update_function_configuration(
            FunctionName=name, Environment={"Variables": {"NUMBER": str(number)}}))

    def invoke(self):
        event = f"{self.number}-{self.random.getrandbits(60)}"
        self.attempt(f"event {event}", "async invoke", "done", lambda: self.functions.invoke(
            FunctionName="work", InvocationType="Event", Payload=json.dumps({"id": event})))

    CHOICES = (put, delete, multipart, update, invoke)
    WEIGHTS = (60, 8, 2, 5, 10)


def prepare(server, model, writers):
    s3, functions = server.client("s3"), server.client("lambda")
    for bucket in (BUCKET, RESULTS):
        s3.create_bucket(Bucket=bucket)
    code = {"ZipFile": package()}
    common = {"Runtime": "python3.12", "Role": "arn:aws:iam::000000000000:role/crash", "Handler": "index.handler",
              "Code": code, "Timeout": 30}
    functions.create_function(FunctionName="work", Environment={"Variables": {"RESULTS": RESULTS}}, **common)
    for number in range(writers):
        name = f"update-{number}"
        functions.create_function(FunctionName=name, Environment={"Variables": {"NUMBER": "0"}}, **common)
        model.begin(name, 0)
        model.acknowledge(name, "function create")
    for name in ["work"] + [f"update-{number}" for number in range(writers)]:
        functions.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig={"Delay": 1})


def find_object(s3, key, candidates):
    """Which of the states the object has; a description when none of them."""
    try:
        found = s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()
    except s3.exceptions.NoSuchKey:
        return ABSENT
    for state in candidates:
        if isinstance(state, dict) and found == body_of(key, **state):
            return state
    return f"{len(found)} bytes that nobody wrote"


def check(server, model):
    """Everything but events, which may still be on their way. Returns what is wrong."""
    s3, functions = server.client("s3"), server.client("lambda")
    listed = {entry["Key"] for page in s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET)
              for entry in page.get("Contents", [])}
    wrong = []
    for name, entry in list(model.names.items()):
        if name.startswith("event "):
            continue
        if name.startswith("update-"):
            answer = functions.get_function_configuration(FunctionName=name)
            found = int(answer["Environment"]["Variables"]["NUMBER"])
        else:
            found = find_object(s3, name, (entry.acknowledged, entry.on_its_way))
            if (name in listed) != (found != ABSENT):
                wrong.append(f"{name}: the listing and GetObject disagree")
        wrong.append(model.judge(name, found))
    return [message for message in wrong if message]


def missing_events(server, model):
    s3 = server.client("s3")
    done = {entry["Key"] for page in s3.get_paginator("list_objects_v2").paginate(Bucket=RESULTS)
            for entry in page.get("Contents", [])}
    return [name for name, entry in model.names.items()
            if name.startswith("event ") and entry.acknowledged == "done" and name[len("event "):] not in done]

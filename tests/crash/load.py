"""The mixed load: clients with names of their own that work until they are told to stop, whatever happens to the server,
and write into the history what they were told and what they saw."""

import hashlib
import io
import json
import pathlib
import random
import threading
import time
import zipfile

import botocore.exceptions

BUCKET = "crash"
RESULTS = "crash-results"
KEYS_PER_WRITER = 8
PART_BYTES = 5 << 20  # S3's smallest part that is not the last
SIZES = (0, 100, 4096, 60_000, 65_536, 65_537, 70_000, 400_000)  # both sides of what lies in the commit itself
LIVES_PER_GENERATION = 15  # then other functions get the events: `wolke events` lists a function's newest 1,000
EVENTS_PER_SECOND_MAX = 12  # of each kind; so a generation stays below that, and is handled soon after the last kill
LIVES_PER_FULL_VERIFICATION = 25  # after the other deaths a client looks at what was touched, and at samples
EXPLAINED_SECONDS_MAX = 10  # a lost connection is followed by a death
# Failures after which nobody knows whether the call happened.
UNKNOWN = (botocore.exceptions.HTTPClientError, botocore.exceptions.ConnectionError)


def package():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("function.py", (pathlib.Path(__file__).parent / "function.py").read_text())
    return out.getvalue()


def body_of(name, number, size):
    """The bytes of one version of an object: any byte of another version is noticed."""
    return random.Random(f"{name} {number}").randbytes(size)


def state_of(body, etag=None):
    return {"size": len(body), "sha256": hashlib.sha256(body).hexdigest(), "etag": etag or hashlib.md5(body).hexdigest()}


class Client(threading.Thread):
    """Runs `step` again and again. After a death it looks at its own names (`verify`) before it goes on."""

    def __init__(self, server, history, number, seed):
        super().__init__(daemon=True)
        self.server = server
        self.history = history
        self.number = number
        self.random = random.Random(seed)
        self.s3 = server.client("s3")
        self.functions = server.client("lambda")
        self.ending = threading.Event()
        self.verified_life = 0
        self.prepare()

    def prepare(self):
        pass

    def step(self):
        raise NotImplementedError

    def verify(self):
        """What was touched since the last look, and samples of the rest."""

    def verify_all(self):
        """Everything that has this client's names."""

    def run(self):
        while not self.ending.is_set():
            if not self.server.up.wait(0.1):
                continue
            life = self.server.life
            try:
                if self.verified_life != life:
                    rounds = self.verified_life // LIVES_PER_FULL_VERIFICATION, life // LIVES_PER_FULL_VERIFICATION
                    self.verify() if rounds[0] == rounds[1] else self.verify_all()
                    self.verified_life = life
                self.step()
            except UNKNOWN as error:
                self.explain(life, error)
            except botocore.exceptions.ClientError as error:
                self.fail(f"{type(self).__name__}: {error}")
            except Exception as error:  # a thread must not end silently
                self.fail(f"{type(self).__name__} ended: {error!r}")
                return

    def fail(self, text):
        self.history.add("failure", text=f"in life {self.server.life}: {text}")
        time.sleep(0.1)

    def explain(self, life, error):
        deadline = time.monotonic() + EXPLAINED_SECONDS_MAX
        while self.server.life == life and self.server.up.is_set() and time.monotonic() < deadline:
            time.sleep(0.001)
        if self.server.life == life and self.server.up.is_set():
            self.fail(f"a call failed although the server was up: {error}")

    def attempt(self, call, expected=()):
        """(outcome, answer or error). An error of a call whose outcome nobody knows is raised by the caller."""
        try:
            return "ok", call()
        except UNKNOWN as error:
            return "unknown", error
        except botocore.exceptions.ClientError as error:
            refused = error.response["ResponseMetadata"]["HTTPStatusCode"] < 500
            if not refused or error.response["Error"]["Code"] not in expected:
                self.fail(f"{type(self).__name__}: {error}")
            return ("refused" if refused else "unknown"), error

    def write(self, name, kind, state, call, expected=()):
        outcome, answer = self.attempt(call, expected)
        self.history.add("write", name=name, kind=kind, state=state, outcome=outcome, life=self.server.life)
        if isinstance(answer, UNKNOWN):
            raise answer
        return outcome, answer

    def read(self, name, kind, found, life):
        self.history.add("read", name=name, kind=kind, found=found, life=life)


def object_name(key):
    return f"object {key}"


class ObjectClient(Client):
    """Puts, overwrites, deletes, gets and listings below a prefix of its own."""

    def prepare(self):
        self.keys = [f"{self.number}/{n}" for n in range(KEYS_PER_WRITER)]
        self.unknown = set()

    def get(self, key):
        life = self.server.life
        try:
            answer = self.s3.get_object(Bucket=BUCKET, Key=key)
            found = state_of(answer["Body"].read(), answer["ETag"].strip('"'))
        except self.s3.exceptions.NoSuchKey:
            found = None
        self.read(object_name(key), "get", found, life)
        self.unknown.discard(key)

    def change(self, key, kind, state, call):
        self.unknown.add(key)
        self.write(object_name(key), kind, state, call)
        self.unknown.discard(key)

    def put(self):
        key = self.random.choice(self.keys)
        body = body_of(key, self.random.getrandbits(60), self.random.choice(SIZES))
        self.change(key, "put", state_of(body), lambda: self.s3.put_object(Bucket=BUCKET, Key=key, Body=body))

    def delete(self):
        key = self.random.choice(self.keys)
        self.change(key, "delete", None, lambda: self.s3.delete_object(Bucket=BUCKET, Key=key))

    def list(self):
        life = self.server.life
        page = self.s3.list_objects_v2(Bucket=BUCKET, Prefix=f"{self.number}/")
        listed = {entry["Key"]: {"size": entry["Size"], "etag": entry["ETag"].strip('"')}
                  for entry in page.get("Contents", [])}
        for key in self.keys:
            self.read(object_name(key), "list", listed.pop(key, None), life)
        for key in listed:
            self.fail(f"the listing shows {key}, which nobody wrote")

    CHOICES = (put, delete, lambda self: self.get(self.random.choice(self.keys)), list)
    WEIGHTS = (60, 10, 20, 5)

    def step(self):
        self.random.choices(self.CHOICES, self.WEIGHTS)[0](self)

    def verify(self):
        for key in sorted(self.unknown | set(self.random.sample(self.keys, 2))):
            self.get(key)
        self.list()

    def verify_all(self):
        for key in self.keys:
            self.get(key)
        self.list()


class MultipartClient(ObjectClient):
    """Multipart uploads, completed or aborted; one that a death interrupts goes on in the next life."""

    def prepare(self):
        super().prepare()
        self.upload = None  # key, id, parts {number: (bytes, ETag or None)}, ending

    def step(self):
        if self.upload is None:
            self.begin()
        elif self.missing():
            self.put_part(self.missing()[0])
        elif self.random.random() < 0.3:
            self.get(self.upload["key"])
        else:
            self.end()

    def begin(self):
        key = self.random.choice(self.keys)
        number = self.random.getrandbits(60)
        sizes = [PART_BYTES, 1000] if self.random.random() < 0.1 else [self.random.choice((100, 60_000, 200_000))]
        # If nobody answers, an upload that nobody can name may stay: nothing was acknowledged.
        answer = self.s3.create_multipart_upload(Bucket=BUCKET, Key=key)
        body = body_of(key, number, sum(sizes))
        self.upload = {"key": key, "id": answer["UploadId"], "abort": self.random.random() < 0.25, "tried": False,
                       "parts": [body[sum(sizes[:n]):sum(sizes[:n + 1])] for n in range(len(sizes))], "etags": {}}
        self.history.add("write", name=self.name_of(), kind="upload", state={"open": True}, outcome="ok",
                         life=self.server.life)

    def name_of(self):
        return f"upload {self.upload['key']} {self.upload['id']}"

    def missing(self):
        return [n for n in range(1, len(self.upload["parts"]) + 1) if n not in self.upload["etags"]]

    def at(self, **more):
        return {"Bucket": BUCKET, "Key": self.upload["key"], "UploadId": self.upload["id"], **more}

    def put_part(self, number):
        body = self.upload["parts"][number - 1]
        etag = hashlib.md5(body).hexdigest()
        outcome, _ = self.write(f"{self.name_of()} part {number}", "part", {"etag": etag, "size": len(body)},
                                lambda: self.s3.upload_part(PartNumber=number, Body=body, **self.at()))
        if outcome == "ok":
            self.upload["etags"][number] = etag
        elif outcome == "refused":
            self.upload = None

    def end(self):
        upload, name = self.upload, self.name_of()
        etags = [upload["etags"][n] for n in sorted(upload["etags"])]
        parts = [{"PartNumber": n, "ETag": f'"{etag}"'} for n, etag in enumerate(etags, 1)]
        etag = hashlib.md5(b"".join(map(bytes.fromhex, etags))).hexdigest() + f"-{len(etags)}"
        state = state_of(b"".join(upload["parts"]), etag)
        call = (lambda: self.s3.abort_multipart_upload(**self.at())) if upload["abort"] else (
            lambda: self.s3.complete_multipart_upload(MultipartUpload={"Parts": parts}, **self.at()))
        # The end of an upload that may have ended already: then the first attempt did it, whole.
        tried, upload["tried"] = upload["tried"], True
        outcome, answer = self.attempt(call, ("NoSuchUpload",) if tried else ())
        if outcome == "refused" and tried:
            outcome = "ok"
        life = self.server.life
        self.history.add("write", name=name, kind="abort" if upload["abort"] else "complete", state=None,
                         outcome=outcome, life=life)
        if not upload["abort"]:
            self.history.add("write", name=object_name(upload["key"]), kind="multipart object", state=state,
                             outcome=outcome, life=life)
        if isinstance(answer, UNKNOWN):
            raise answer
        self.upload, key = None, upload["key"]
        self.get(key)

    def list_uploads(self):
        life = self.server.life
        answer = self.s3.list_multipart_uploads(Bucket=BUCKET, Prefix=f"{self.number}/")
        opened = {entry["UploadId"] for entry in answer.get("Uploads", [])}
        with self.history.lock:
            names = {entry["name"] for entry in self.history.entries[-3000:]
                     if entry["do"] == "write" and entry["kind"] in ("upload", "abort", "complete")}
        for name in names:
            self.read(name, "list uploads", {"open": True} if name.split()[-1] in opened else None, life)

    def verify(self):
        super().verify()
        if self.upload and not self.upload["tried"]:
            life = self.server.life
            try:
                answer = self.s3.list_parts(**self.at())
            except self.s3.exceptions.NoSuchUpload:
                self.read(self.name_of(), "list parts", None, life)
                self.upload = None
                return
            found = {part["PartNumber"]: part for part in answer.get("Parts", [])}
            for number in range(1, len(self.upload["parts"]) + 1):
                part = found.get(number)
                self.read(f"{self.name_of()} part {number}", "list parts",
                          part and {"etag": part["ETag"].strip('"'), "size": part["Size"]}, life)
        self.list_uploads()

    def verify_all(self):
        super().verify_all()
        self.list_uploads()


class PacedClient(Client):
    def pace(self):
        self.ending.wait(self.random.expovariate(EVENTS_PER_SECOND_MAX))

    def generation(self):
        return self.server.life // LIVES_PER_GENERATION


class EventClient(PacedClient):
    """Asynchronous invocations."""

    def step(self):
        group = self.generation()
        token = f"work-{group}/{self.random.getrandbits(60)}"
        outcome, answer = self.attempt(lambda: self.functions.invoke(
            FunctionName=f"work-{group}", InvocationType="Event", Payload=json.dumps({"token": token})),
            ("TooManyRequestsException",))
        self.history.add("event", kind="asynchronous invocation", token=token, outcome=outcome,
                         id=answer["ResponseMetadata"]["RequestId"] if outcome == "ok" else None)
        if isinstance(answer, UNKNOWN):
            raise answer
        self.pace()


class TriggerClient(PacedClient):
    """Puts that cause events: the event is in the commit of its put."""

    def step(self):
        key = f"trigger-{self.generation()}/{self.random.randrange(KEYS_PER_WRITER)}"
        body = body_of(key, self.random.getrandbits(60), self.random.choice((100, 70_000)))
        outcome, answer = self.attempt(lambda: self.s3.put_object(Bucket=BUCKET, Key=key, Body=body))
        self.history.add("event", kind="put with a notification", token=f"{key}/{hashlib.md5(body).hexdigest()}",
                         outcome=outcome, id=None)
        self.history.add("write", name=object_name(key), kind="put", state=state_of(body), outcome=outcome,
                         life=self.server.life)
        if isinstance(answer, UNKNOWN):
            raise answer
        self.pace()


class UpdateClient(PacedClient):
    """Updates of a function's configuration."""

    def prepare(self):
        self.function = f"update-{self.number}"

    def step(self):
        number = self.random.getrandbits(60)
        state = {"number": str(number), "memory": 128 + number % 1000, "description": f"number {number}"}
        self.write(f"function {self.function}", "function update", state,
                   lambda: self.functions.update_function_configuration(
                       FunctionName=self.function, Environment={"Variables": {"NUMBER": state["number"]}},
                       MemorySize=state["memory"], Description=state["description"]),
                   ("ResourceConflictException",))
        if self.random.random() < 0.3:
            self.verify()
        self.pace()

    def verify(self):
        life = self.server.life
        found = self.functions.get_function_configuration(FunctionName=self.function)
        self.read(f"function {self.function}", "get function", {
            "number": found["Environment"]["Variables"]["NUMBER"], "memory": found["MemorySize"],
            "description": found["Description"]}, life)

    def verify_all(self):
        self.functions.get_waiter("function_updated_v2").wait(
            FunctionName=self.function, WaiterConfig={"Delay": 1, "MaxAttempts": 30})
        self.verify()


def create_role(server):
    """What the functions may do: leave results and lines in the log."""
    iam = server.client("iam")
    trust = {"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]}
    allowed = {"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"], "Resource": "*"},
        {"Effect": "Allow", "Action": "s3:PutObject", "Resource": f"arn:aws:s3:::{RESULTS}/*"}]}
    role = iam.create_role(RoleName="crash", AssumeRolePolicyDocument=json.dumps(trust))["Role"]
    iam.put_role_policy(RoleName="crash", PolicyName="results", PolicyDocument=json.dumps(allowed))
    return role["Arn"]


def prepare(server, history, kills):
    """Buckets, functions and the clients that use them."""
    s3, functions = server.client("s3"), server.client("lambda")
    for bucket in (BUCKET, RESULTS):
        s3.create_bucket(Bucket=bucket)
    code = {"ZipFile": package()}
    role = create_role(server)
    configurations = []

    def create(name, environment, **more):
        return functions.create_function(
            FunctionName=name, Runtime="python3.12", Role=role, Timeout=30,
            Handler="function.handler", Code=code, Environment={"Variables": environment}, **more)["FunctionArn"]

    names = []
    for group in range(kills // LIVES_PER_GENERATION + 1):
        arn = create(f"react-{group}", {"RESULTS": RESULTS})
        names += [create(f"work-{group}", {"RESULTS": RESULTS}), arn]
        functions.add_permission(FunctionName=f"react-{group}", StatementId="s3", Action="lambda:InvokeFunction",
                                 Principal="s3.amazonaws.com", SourceArn=f"arn:aws:s3:::{BUCKET}")
        configurations.append({"LambdaFunctionArn": arn, "Events": ["s3:ObjectCreated:*"], "Filter": {
            "Key": {"FilterRules": [{"Name": "prefix", "Value": f"trigger-{group}/"}]}}})
    state = {"number": "0", "memory": 128, "description": "number 0"}
    create("update-6", {"NUMBER": "0"}, MemorySize=128, Description="number 0")
    history.add("write", name="function update-6", kind="function update", state=state, outcome="ok", life=0)
    for name in [*names, "update-6"]:
        functions.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig={"Delay": 1})
    s3.put_bucket_notification_configuration(Bucket=BUCKET, NotificationConfiguration={
        "LambdaFunctionConfigurations": configurations})
    return names


def clients(server, history, chance):
    kinds = (ObjectClient, ObjectClient, ObjectClient, MultipartClient, EventClient, TriggerClient, UpdateClient)
    return [kind(server, history, number, chance.getrandbits(60)) for number, kind in enumerate(kinds)]

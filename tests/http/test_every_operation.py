"""One gate: every operation that is served refuses who may not call it, and lets in who may call just it.

Generated from the operation tables: what `wolke version --operations` lists is called, with inputs made from the models. An
operation that is served tomorrow is tested tomorrow, by each caller of `columns.py`. What an operation asks is learned from
its refusals, and compared with what AWS asks; exceptions are below, each with its reason.
"""
import json
import re

import columns
import operations
from columns import DENIED, EVERYTHING, NEED_NO_PERMISSION, UNKNOWN_CALLER
from aws import BINARY, Case
from server import Server

NOT_AUTHORIZED = re.compile(r"is not authorized to perform: (\S+) on resource: (\S+) because (.*)", re.S)
VERSION = re.compile("Version(?=Acl|Tagging|Attributes|$)")  # s3:GetObjectVersion is GetObject's where a version is named
NOTHING = ("a:B", "*")
ASKS_MAX = 8

# GetAccessKeyInfo tells anybody who may call it the account of any key (STS API Reference); a list of one's own mappings
# or events may be filtered by any ARN.
TELL_ANYBODY = {("sts", "GetAccessKeyInfo"), ("lambda", "ListEventSourceMappings"), ("control", "ListEvents")}

# Items are judged singly: the answer names each that was refused.
JUDGE_ITEMS = {("s3", "DeleteObjects"): "s3:DeleteObject"}

# Service Authorization Reference: the actions that are not called like their operation.
ACTIONS = {
    ("lambda", "Invoke"): {"lambda:InvokeFunction"},
    ("lambda", "InvokeAsync"): {"lambda:InvokeFunction"},
    ("lambda", "InvokeWithResponseStream"): {"lambda:InvokeFunction"},
    ("lambda", "GetLayerVersionByArn"): {"lambda:GetLayerVersion"},
    ("s3", "ListBuckets"): {"s3:ListAllMyBuckets"},
    ("s3", "HeadBucket"): {"s3:ListBucket"},
    ("s3", "ListObjects"): {"s3:ListBucket"},
    ("s3", "ListObjectsV2"): {"s3:ListBucket"},
    ("s3", "ListObjectVersions"): {"s3:ListBucketVersions"},
    ("s3", "ListMultipartUploads"): {"s3:ListBucketMultipartUploads"},
    ("s3", "ListParts"): {"s3:ListMultipartUploadParts"},
    ("s3", "HeadObject"): {"s3:GetObject"},
    ("s3", "CopyObject"): {"s3:PutObject", "s3:GetObject"},
    ("s3", "CreateMultipartUpload"): {"s3:PutObject"},
    ("s3", "UploadPart"): {"s3:PutObject"},
    ("s3", "UploadPartCopy"): {"s3:PutObject", "s3:GetObject"},
    ("s3", "CompleteMultipartUpload"): {"s3:PutObject"},
    ("s3", "GetObjectAttributes"): {"s3:GetObject", "s3:GetObjectAttributes"},
    ("s3", "DeleteBucketTagging"): {"s3:PutBucketTagging"},
    ("s3", "GetBucketNotificationConfiguration"): {"s3:GetBucketNotification"},
    ("s3", "PutBucketNotificationConfiguration"): {"s3:PutBucketNotification"},
    ("s3", "GetBucketCors"): {"s3:GetBucketCORS"},
    ("s3", "PutBucketCors"): {"s3:PutBucketCORS"},
    ("s3", "DeleteBucketCors"): {"s3:PutBucketCORS"},
    ("s3", "GetBucketEncryption"): {"s3:GetEncryptionConfiguration"},
    ("s3", "PutBucketEncryption"): {"s3:PutEncryptionConfiguration"},
    ("s3", "DeleteBucketEncryption"): {"s3:PutEncryptionConfiguration"},
    ("s3", "GetBucketLifecycleConfiguration"): {"s3:GetLifecycleConfiguration"},
    ("s3", "PutBucketLifecycleConfiguration"): {"s3:PutLifecycleConfiguration"},
    ("s3", "DeleteBucketLifecycle"): {"s3:PutLifecycleConfiguration"},
    ("s3", "GetBucketReplication"): {"s3:GetReplicationConfiguration"},
    ("s3", "PutBucketReplication"): {"s3:PutReplicationConfiguration"},
    ("s3", "DeleteBucketReplication"): {"s3:PutReplicationConfiguration"},
    ("s3", "GetBucketAccelerateConfiguration"): {"s3:GetAccelerateConfiguration"},
    ("s3", "PutBucketAccelerateConfiguration"): {"s3:PutAccelerateConfiguration"},
    ("s3", "GetPublicAccessBlock"): {"s3:GetBucketPublicAccessBlock"},
    ("s3", "PutPublicAccessBlock"): {"s3:PutBucketPublicAccessBlock"},
    ("s3", "DeletePublicAccessBlock"): {"s3:PutBucketPublicAccessBlock"},
    ("s3", "DeleteBucketOwnershipControls"): {"s3:PutBucketOwnershipControls"},
    ("s3", "GetObjectLockConfiguration"): {"s3:GetBucketObjectLockConfiguration"},
    ("s3", "PutObjectLockConfiguration"): {"s3:PutBucketObjectLockConfiguration"},
}
# What else an input may ask for: what it passes on, copies from, or tags.
ALSO = {"iam:PassRole", "s3:GetObject", "s3:PutObjectTagging", "s3:GetObjectVersion", "s3:GetObjectVersionAttributes",
        "sts:TagSession", "sts:SetSourceIdentity", "s3:PutObjectAcl", "s3:PutBucketAcl", "s3:DeleteObjectVersion", "s3:GetObjectVersionTagging",
        "s3:PutObjectVersionTagging", "s3:DeleteObjectVersionTagging", "s3:GetObjectVersionAcl", "s3:PutObjectVersionAcl",
        "s3:PutObjectRetention", "s3:PutObjectLegalHold", "s3:BypassGovernanceRetention", "lambda:GetLayerVersion",
        "s3:PutBucketOwnershipControls", "s3:PutBucketVersioning", "s3:PutBucketObjectLockConfiguration", "s3:GetObjectTagging",
        "lambda:TagResource", "logs:TagResource", "iam:TagRole", "iam:TagUser", "iam:TagPolicy", "iam:TagInstanceProfile"}


def names_version(params):
    """Whether this call, or the first item of this batch, is about a version."""
    items = params.get("Delete", {}).get("Objects") or [params]
    return "VersionId" in items[0]


def statement(effect, asks):
    return [{"Effect": effect, "Action": action, "Resource": resource} for action, resource in asks]


def policy(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": [one for part in statements for one in part]})


class Judge:
    """The checks of one server; each gives the operations that it found fault with."""

    def __init__(self, server, account=None):
        self.server = server
        self.caller = operations.Caller(server.endpoint)
        self.root = operations.credentials(server.access_key, server.secret_key)
        self.served = operations.served(BINARY)
        if account is None:
            account = self.caller.call("sts", "GetCallerIdentity", {}, self.root).parsed["Account"]
        self.things = operations.Things(self.caller, self.root, account, "")
        self.things.make()

    def inputs(self, service, name):
        return [self.things.input(service, name, full) for full in (False, True)]

    def call(self, service, name, params, who):
        return self.caller.call(service, name, params, who)

    def refused(self, answer, service, name, code):
        if (service, name) in JUDGE_ITEMS and answer.status == 200:
            errors = answer.parsed.get("Errors", [])
            return bool(errors) and not answer.parsed.get("Deleted") and all(e["Code"] == code for e in errors)
        if self.caller.operation(service, name).http["method"] == "HEAD":
            # Without a body there is no code: a 400 may be one, but never says that a right is missing.
            return answer.status == 403 or answer.status == 400 and code != DENIED[service]
        return answer.status in (400, 401, 403) and answer.code == code

    def faults(self, column, judged):
        """Whom every operation must refuse, with the service's own code, and which does not. Adds (service, operation) to
        judged."""
        out = []
        for service, name in self.served:
            if (service, name) in column.exempt:
                continue
            for params in self.inputs(service, name):
                answer = self.call(service, name, params, column.who)
                judged.add((service, name))
                found = NOT_AUTHORIZED.search(answer.message)
                because = found.group(3) if found else column.because
                if not self.refused(answer, service, name, column.codes[service]) or not because.startswith(column.because):
                    out.append(f"{service} {name} {sorted(params)}: {answer}")
        return out

    def session(self, document):
        answer = self.things.root_call("sts", "AssumeRole", RoleArn=f"arn:aws:iam::{self.things.account}:role/all",
                                       RoleSessionName="exactly", Policy=document)
        return operations.credentials(answer)

    def make_callers(self):
        """A role that may do all, for sessions that may less; a user whom only resources' policies know."""
        trust = {"Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{self.things.account}:root"}, "Action": "sts:AssumeRole"}]}
        call = self.things.root_call
        call("iam", "CreateRole", RoleName="all", AssumeRolePolicyDocument=json.dumps(trust))
        call("iam", "PutRolePolicy", RoleName="all", PolicyName="all", PolicyDocument=columns.policy(EVERYTHING))
        self.guest = columns.Callers(self).user("guest")
        self.guest_arn = f"arn:aws:iam::{self.things.account}:user/guest"

    def asked(self, service, name, params, answer, asks=()):
        """(action, resource) that this answer misses, or None when the call came past the gate."""
        if (service, name) in JUDGE_ITEMS and answer.status == 200:
            errors = answer.parsed.get("Errors", [])
            if not errors or errors[0]["Code"] != "AccessDenied":
                return None
            action = JUDGE_ITEMS[(service, name)] + ("Version" if names_version(params) else "")
            missing = action, f"arn:aws:s3:::{self.things.bucket}/*"
            # The answer names no action. What is deleted by its ETag must be readable, too.
            return ("s3:GetObject", missing[1]) if missing in asks else missing
        if self.caller.operation(service, name).http["method"] == "HEAD" and answer.status == 403:
            action, = ACTIONS[(service, name)]
            return action + ("Version" if names_version(params) else ""), (
                f"arn:aws:s3:::{self.things.bucket}" + ("/k" if name == "HeadObject" else ""))
        found = NOT_AUTHORIZED.search(answer.message)
        if answer.status == 403 and found:
            return found.group(1), found.group(2)
        return None

    def judge_guest(self, service, name, params, asks):
        """Whom the policies of bucket, function and role alone know comes in where they are all that is asked."""
        things = self.things
        bucket = f"arn:aws:s3:::{things.bucket}"
        # A role's trust policy speaks of assuming it, not of changing it; a function's, of what Lambda does with it.
        speaks_of = {bucket: "s3:", things.function: "lambda:", things.role: "sts:"}

        def covered(action, resource):
            owner = bucket if resource.startswith(bucket + "/") else resource
            return action.startswith(speaks_of.get(owner, "no service:"))
        expected = all(covered(*ask) for ask in asks)
        things.trust_guest(self.guest_arn)
        answer = self.call(service, name, params, self.guest)
        things.trust_guest(None)
        refused = self.refused(answer, service, name, DENIED[service])
        if refused != expected:
            return refused, []
        return refused, [f"with resource policies for {asks} only: {answer}"]

    def judge_rights(self, service, name, params):
        """What is wrong with what this operation asks: each ask is learned from a refusal, so it is needed. And the asks."""
        asks, faults, answer = [], [], None
        for _ in range(ASKS_MAX):
            answer = self.call(service, name, params, self.session(policy(statement("Allow", asks or [NOTHING]))))
            missing = self.asked(service, name, params, answer, asks)
            if missing is None:
                break
            if missing in asks:
                return [f"is refused although exactly {missing} is allowed: {answer}"], asks
            faults += self.judge_ask(service, name, params, asks, missing)
            asks.append(missing)
        # From here the call was let in, and may have changed things.
        # The judge's callers are sessions, and no right lets a session make one of its own (STS API Reference).
        no_session = "with session credentials" in answer.message
        if not asks or answer.code == DENIED[service] and not no_session:
            faults.append(f"asked {asks} and answered {answer}")
        plain = service == "s3" and names_version(params)
        actions = {VERSION.sub("", action) if plain else action for action, _ in asks}
        wanted = self.wanted(service, name)
        if not wanted <= actions or actions - wanted - ALSO:
            faults.append(f"asks for {sorted(actions)}, AWS for {sorted(wanted)}")
        return faults, asks

    @staticmethod
    def wanted(service, name):
        prefix = operations.SIGNING_NAMES.get(service, service)
        return ACTIONS.get((service, name), {JUDGE_ITEMS.get((service, name), f"{prefix}:{name}")})

    def judge_ask(self, service, name, params, allowed, ask):
        """The same action elsewhere does not do, and a deny of it alone refuses."""
        faults = []
        if ask[1] != "*":
            elsewhere = statement("Allow", allowed + [(ask[0], "arn:aws:iam::000000000001:role/elsewhere")])
            answer = self.call(service, name, params, self.session(policy(elsewhere)))
            if not self.refused(answer, service, name, DENIED[service]):
                faults.append(f"needs no {ask}: {answer}")
        document = policy(statement("Allow", [("*", "*")]), statement("Deny", [ask]))
        answer = self.call(service, name, params, self.session(document))
        if not self.refused(answer, service, name, DENIED[service]):
            faults.append(f"a deny of {ask} is not seen: {answer}")
        return faults


class EveryOperation(Case):
    @classmethod
    def setUpClass(cls):
        cls.server = Server(BINARY, serve=True).start()
        cls.addClassCleanup(cls.server.stop)
        cls.judge = Judge(cls.server)
        cls.judge.make_callers()

    def none_found(self, faults):
        self.assertFalse(faults, f"{len(faults)} faults:\n" + "\n".join(faults))

    def test_a_there_are_operations_and_exceptions_are_served(self):
        served = set(self.judge.served)
        self.assertGreater(len(served), 150)
        self.assertLessEqual(NEED_NO_PERMISSION | JUDGE_ITEMS.keys(), served)

    def test_b_every_column_refuses_every_operation_and_nothing_changes(self):
        all_columns = columns.columns(self.judge)
        before = self.judge.things.picture(self.judge.served)
        for column in all_columns:
            with self.subTest(column.name):
                judged = set()
                self.none_found(self.judge.faults(column, judged))
                self.assertEqual(judged | column.exempt, set(self.judge.served), "every operation has its cell")
        after = self.judge.things.picture(self.judge.served)
        for name, seen in before.items():
            self.assertEqual(seen, after[name], name)

    def test_c_exactly_its_rights_let_in_and_nothing_less(self):
        faults, let_in, things = [], 0, self.judge.things
        for at, (service, name) in enumerate(self.judge.served):
            if (service, name) in NEED_NO_PERMISSION:
                continue
            reads = re.match("(Get|List|Head|Describe)", name)
            for full in (False, True):
                things.fresh = f"-{at}-{int(full)}"
                params = things.input(service, name, full)
                found, asks = self.judge.judge_rights(service, name, params)
                if not reads:
                    things.make()
                refused, more = self.judge.judge_guest(service, name, params, asks)
                let_in += not refused
                if not reads and not refused:
                    things.make()
                faults += [f"{service} {name} {sorted(params)} {fault}" for fault in found + more]
        self.none_found(faults)
        self.assertGreater(let_in, 100, "resource policies do let in")


class AnotherAccount(Case):
    """`wolke dev` takes any account's key; the gate behind is the same."""

    def test_another_account_reaches_nothing(self):
        with Server(BINARY) as server:
            server.access_key = owner = "111111111111"
            judge = Judge(server, account=owner)
            judge.things.fresh = "-of-a-stranger"
            stranger = operations.credentials("222222222222", "any")
            before, faults, named = judge.things.picture(judge.served), [], 0
            for service, name in judge.served:
                if (service, name) in TELL_ANYBODY:
                    continue
                for params in judge.inputs(service, name):
                    answer = judge.call(service, name, params, stranger)
                    words = [value for key, value in params.items() if "Expected" not in key and isinstance(value, str)]
                    if params.get("Bucket") == judge.things.bucket or owner in repr(words):
                        named += 1
                        if answer.status < 400 and not judge.refused(answer, service, name, DENIED[service]):
                            faults.append(f"{service} {name} {sorted(params)}: {answer} {answer.text}")
                    if answer.status < 300 and owner in answer.text:
                        faults.append(f"{service} {name} tells of the other account: {answer.text}")
            self.assertGreater(named, 100)
            self.assertFalse(faults, "\n".join(faults))
            after = judge.things.picture(judge.served)
            for name, seen in before.items():
                self.assertEqual(seen, after[name], name)


class TheJudgeItself(Case):
    """A positive control: where identity is not enforced, the same judge finds fault with nearly every operation."""

    def test_it_finds_operations_that_let_anybody_in(self):
        with Server(BINARY) as server:
            server.access_key = "000000000000"
            judge = Judge(server, account="000000000000")
            column = columns.Column("anonymous", None, UNKNOWN_CALLER)
            found = {tuple(fault.split()[:2]) for fault in judge.faults(column, set())}
            self.assertEqual(set(judge.served) - found, set())

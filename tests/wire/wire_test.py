#!/usr/bin/python3
"""Every operation of every .served list, both directions, against botocore.

Inputs that botocore serializes must be decoded to the same values; outputs and errors that we
encode must be parsed by botocore to the same values. Two sources of models: Debian's own (what a
client of that age sends; finds import mistakes) and ours with its overlay (finds what the
overlay adds). Seeded: --seed repeats a run, --only names one operation.
"""
import argparse
import base64
import json
import pathlib
import random
import subprocess
import sys
import urllib.parse
import xml.sax.saxutils

sys.dont_write_bytecode = True
ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tools"))

try:
    import botocore.awsrequest
    import botocore.loaders
    import botocore.model
    import botocore.parsers
    import botocore.serialize
except ImportError:
    print("skipped: python3-botocore is not installed")
    sys.exit(77)

import values  # noqa: E402
from models import importer, load  # noqa: E402


class Echo:
    def __init__(self, program):
        self.process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def ask(self, **request):
        self.process.stdin.write(json.dumps(request).encode() + b"\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"wire_echo died on {request}")
        return json.loads(line)

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def debian_model(service):
    name = "lambda" if service == "lambda" else service
    return botocore.loaders.Loader(include_default_search_paths=True).load_service_model(
        name, "service-2", load.SERVICES[service].split("/")[1]
    )


def newer_model(data, service):
    """A newer botocore's facts for what we model; its bindings must be ours."""
    theirs = importer.trim(
        importer.read_botocore(data, service), load.served_operations(ROOT / "models", service)
    )
    ours = own_model(service)
    for name, shape in theirs["shapes"].items():
        if name not in ours["shapes"]:
            continue
        if "members" in shape:
            known = ours["shapes"][name].get("members", {})
            shape["members"] = {
                member: value for member, value in shape["members"].items() if member in known
            }
            shape["required"] = [member for member in shape.get("required", []) if member in known]
    for name, operation in theirs["operations"].items():
        if "output" not in ours["operations"].get(name, {}):
            operation.pop(
                "output", None
            )  # Lambda's DeleteFunction: a document with nothing but the status
    return in_botocore_form(theirs)


def with_our_constraints(source, ours):
    """Bindings stay Debian's; what a value may be is ours, brought up to date by the overlay."""
    for name, shape in ours["shapes"].items():
        theirs = source["shapes"].setdefault(name, dict(shape))
        for key in ("pattern", "min", "max", "enum"):
            theirs.pop(key, None)
            if key in shape:
                theirs[key] = shape[key]
        for member, value in shape.get("members", {}).items():
            if member in theirs["members"] and ours["shapes"][value["shape"]]["type"] == "string":
                theirs["members"][member]["shape"] = value["shape"]
    return source


def own_model(service):
    return in_botocore_form(load.load(ROOT / "models", service))


def in_botocore_form(model):
    for name, operation in model["operations"].items():
        operation["name"] = name
        operation["errors"] = [{"shape": error} for error in operation.get("errors", [])]
    for shape in model["shapes"].values():
        if shape.get("eventstream"):
            shape["members"] = {}
    return model


class Wire:
    def __init__(self, service, source, echo, seed):
        self.service, self.echo = service, echo
        self.model = botocore.model.ServiceModel(source, service)
        self.protocol = self.model.metadata["protocol"]
        self.serializer = botocore.serialize.create_serializer(
            self.protocol, include_validation=True
        )
        self.parser = botocore.parsers.create_parser(self.protocol)
        self.random = random.Random(seed)
        self.maker = values.Maker(self.random)
        self.failures = []

    def fail(self, operation, side, sent, got):
        self.failures.append(f"{self.service} {operation} {side}\n  sent {sent}\n  got  {got}")

    def check_input(self, operation):
        shape = operation.input_shape
        params = self.maker.structure(shape, 0) if shape else {}
        request = self.serializer.serialize_to_request(params, operation)
        path, _, literal = request["url_path"].partition("?")
        pairs = urllib.parse.parse_qsl(literal, keep_blank_values=True)
        query = request["query_string"]
        for key, value in query.items() if isinstance(query, dict) else []:
            pairs += [(key, one) for one in (value if isinstance(value, list) else [value])]
        body = request["body"]
        if isinstance(body, dict):
            body = urllib.parse.urlencode(body).encode()
        elif isinstance(body, str):
            body = body.encode()
        got = self.echo.ask(
            verb="decode",
            service=self.service,
            method=request["method"],
            path=path,
            query=urllib.parse.urlencode(pairs, quote_via=urllib.parse.quote),
            headers=[[key, str(value)] for key, value in request["headers"].items()],
            body=base64.b64encode(body or b"").decode(),
        )
        wanted = values.picture(shape, params) if shape else {}
        payload = shape.serialization.get("payload") if shape else None
        if payload and shape.members[payload].serialization.get("streaming"):
            wanted.pop(payload, None)
        if got.get("operation") != operation.name or got.get("input") != wanted:
            self.fail(
                operation.name,
                "input",
                json.dumps(wanted, ensure_ascii=False),
                json.dumps(got, ensure_ascii=False),
            )

    def parse(self, answer, shape):
        headers = botocore.awsrequest.HeadersDict(answer["headers"])
        return self.parser.parse(
            {
                "status_code": answer["status"],
                "headers": headers,
                "body": base64.b64decode(answer["body"]),
                "context": {"operation_name": ""},
            },
            shape,
        )

    def check_output(self, operation):
        shape = operation.output_shape
        params = self.maker.structure(shape, 0) if shape else {}
        wanted = values.picture(shape, params) if shape else {}
        answer = self.echo.ask(
            verb="encode", service=self.service, operation=operation.name, output=wanted
        )
        if "error" in answer:
            self.fail(operation.name, "output", wanted, answer)
            return
        if operation.name == "GetBucketLocation":  # botocore's own handler unwraps it; so do we
            text = base64.b64decode(answer["body"]).decode()
            escaped = xml.sax.saxutils.escape(wanted["LocationConstraint"], {'"': "&quot;"})
            if f">{escaped}</LocationConstraint>" not in text:
                self.fail(operation.name, "output", wanted, text)
            return
        if operation.has_event_stream_output and self.protocol.startswith("json"):
            # Its stream tells everything, and there is none here.
            headers = {name.lower(): value for name, value in answer["headers"]}
            if headers["content-type"] != "application/vnd.amazon.eventstream" or answer["body"]:
                self.fail(operation.name, "output", "an event stream", answer)
            return
        parsed = self.parse(answer, shape)
        parsed.pop("ResponseMetadata", None)
        got = values.picture(shape, self.without_stream(shape, parsed)) if shape else {}
        for name in set(got) - set(
            wanted
        ):  # what botocore makes of nothing, and the content type that we add
            bound = shape.members[name].serialization
            if (
                got[name] == {}
                or bound.get("location") == "statusCode"
                or bound.get("name", "").lower() == "content-type"
            ):
                del got[name]
        if got != wanted:
            self.fail(
                operation.name,
                "output",
                json.dumps(wanted, ensure_ascii=False),
                json.dumps(got, ensure_ascii=False)
                + "\n  "
                + base64.b64decode(answer["body"]).decode(errors="replace"),
            )

    @staticmethod
    def without_stream(shape, parsed):
        payload = shape.serialization.get("payload")
        if payload:
            member = shape.members[payload]
            stream = member.serialization.get("streaming") or member.serialization.get(
                "eventstream"
            )
            # A blob payload that was not sent is parsed as an empty one.
            if stream or (member.type_name in ("blob", "string") and not parsed.get(payload)):
                parsed.pop(payload, None)
        return parsed

    def check_errors(self, operation):
        if operation.http["method"] == "HEAD":
            return
        for shape in operation.error_shapes:
            status = shape.metadata.get("error", {}).get("httpStatusCode", 400)
            members = self.maker.structure(shape, 0)
            fields = {
                name: str(value)
                for name, value in members.items()
                if name.lower() not in ("message", "type")
                and shape.members[name].type_name in ("string", "integer", "long")
            }
            answer = self.echo.ask(
                verb="error",
                service=self.service,
                operation=operation.name,
                error={
                    "code": shape.name,
                    "status": status,
                    "message": "no <such> & thing",
                    "fields": fields,
                },
            )
            parsed = self.parse(answer, operation.output_shape)
            code = shape.error_code if self.protocol == "query" else shape.name
            problem = parsed.get("Error", {})
            if problem.get("Code") != code or problem.get("Message") != "no <such> & thing":
                self.fail(operation.name, "error", (code, fields), parsed)
            if self.protocol.startswith("rest"):
                modelled = self.parse(answer, shape)
                got = {name: str(modelled.get(name)) for name in fields}
                if got != fields:
                    self.fail(operation.name, "error fields", fields, modelled)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--echo", required=True)
    parser.add_argument("--seed", type=int, default=20261123)
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--only")
    parser.add_argument(
        "--botocore", type=pathlib.Path, help="data folder of a newer botocore, as a third source"
    )
    arguments = parser.parse_args()
    echo = Echo(arguments.echo)
    failures, count, unknown = [], 0, []
    for service in load.SERVICES:
        served = load.served_operations(ROOT / "models", service)
        sources = [
            ("debian", with_our_constraints(debian_model(service), own_model(service))),
            ("own", own_model(service)),
        ]
        if arguments.botocore:
            sources.append(
                (
                    "newer",
                    with_our_constraints(
                        newer_model(arguments.botocore, service), own_model(service)
                    ),
                )
            )
        for name, source in sources:
            wire = Wire(service, source, echo, f"{arguments.seed}{service}{name}")
            for operation_name in served:
                if arguments.only and operation_name != arguments.only:
                    continue
                if operation_name not in source["operations"]:
                    unknown.append(f"{service} {operation_name}")
                    continue
                operation = wire.model.operation_model(operation_name)
                for _ in range(arguments.rounds):
                    wire.check_input(operation)
                    wire.check_output(operation)
                    wire.check_errors(operation)
                    count += 1
            failures += wire.failures
    echo.close()
    for failure in failures[:20]:
        print(failure)
    print(
        f"{count} rounds, {len(failures)} failures; "
        f"newer than this botocore: {', '.join(unknown) or 'none'}"
    )
    return 1 if failures or not count else 0


if __name__ == "__main__":
    sys.exit(main())

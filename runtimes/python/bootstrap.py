"""What runs first in a Python sandbox: it loads the handler and serves invocations, one at a time, as frames over
descriptor 3 (src/runtime/README.md has the layout)."""

import json
import os
import sys
import time

import endpoint
import fault
import handler as loading
import log

HEADER_BYTES = 12
FRAME_INVOKE = 1
FRAME_READY, FRAME_INIT_ERROR, FRAME_RESULT, FRAME_ERROR = 16, 17, 18, 19
RESPONSE_BYTES_MAX = 6291556  # https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
CONTROL = 3


def send(kind, identifier, payload):
    frame = memoryview(
        len(payload).to_bytes(4, "little") + kind.to_bytes(4, "little") + identifier.to_bytes(4, "little") + payload)
    while frame:
        frame = frame[os.write(CONTROL, frame):]


def read_exactly(count):
    pieces = []
    while count:
        try:
            piece = os.read(CONTROL, min(count, 1 << 20))
        except OSError:
            piece = b""
        if not piece:
            os._exit(0)  # the server is gone: there is nobody left to answer
        pieces.append(piece)
        count -= len(piece)
    return b"".join(pieces)


class ClientContext:
    """What a mobile client sent along: https://docs.aws.amazon.com/lambda/latest/dg/python-context.html"""

    class Client:
        def __init__(self, members):
            for name in ("installation_id", "app_title", "app_version_name", "app_version_code", "app_package_name"):
                setattr(self, name, members.get(name))

    def __init__(self, document):
        self.client = ClientContext.Client(document["client"]) if isinstance(document.get("client"), dict) else None
        self.custom = document.get("custom")
        self.env = document.get("env")


class Identity:
    cognito_identity_id = None
    cognito_identity_pool_id = None


class LambdaContext:
    def __init__(self, meta):
        environment = os.environ
        self.aws_request_id = meta["request_id"]
        self.log_group_name = environment.get("AWS_LAMBDA_LOG_GROUP_NAME")
        self.log_stream_name = environment.get("AWS_LAMBDA_LOG_STREAM_NAME")
        self.function_name = environment.get("AWS_LAMBDA_FUNCTION_NAME")
        self.memory_limit_in_mb = environment.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE")
        self.function_version = environment.get("AWS_LAMBDA_FUNCTION_VERSION")
        self.invoked_function_arn = meta["arn"]
        self.tenant_id = None
        client = meta.get("client_context")
        self.client_context = ClientContext(client) if isinstance(client, dict) else None
        self.identity = Identity()
        self._deadline_ms = meta["deadline_ms"]

    def get_remaining_time_in_millis(self):
        return max(0, self._deadline_ms - int(time.time() * 1000))

    def log(self, message):
        sys.stdout.write(str(message))

    def __repr__(self):
        return "LambdaContext([" + ",".join(f"{k}={v}" for k, v in vars(self).items() if k[0] != "_") + "])"


DIGITS = os.urandom(8).hex()  # stands for a number in a text; nobody else can know it
# "python3.12" and later write characters as they are.
ASCII_ONLY = os.environ.get("AWS_EXECUTION_ENV", "").rpartition("python3.")[2] in ("6", "7", "8", "9", "10", "11")


def encode(value):
    """What a handler returned as JSON: bytes are its own, and a Decimal (DynamoDB's numbers) keeps its digits."""
    if isinstance(value, bytes):
        return value
    numbers = []

    def other(value):
        if type(value).__name__ != "Decimal":
            raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")
        numbers.append("NaN" if value.is_nan() else str(value))
        return DIGITS

    pieces = json.dumps(value, default=other, ensure_ascii=ASCII_ONLY).split(f'"{DIGITS}"')
    return (pieces[0] + "".join(map("".join, zip(numbers, pieces[1:])))).encode()


def answer(handler, meta, event_bytes):
    """Runs the handler: (frame type, payload)."""
    request_id = meta["request_id"]
    try:
        event = json.loads(event_bytes)
    except ValueError as error:
        return failed(fault.described("Runtime.UnmarshalError", f"Unable to unmarshal input: {error}", request_id))
    try:
        value = handler(event, LambdaContext(meta))
    except Exception as error:
        return failed(fault.of_exception(error, request_id))
    try:
        result = encode(value)
    except Exception as error:
        return failed(fault.described("Runtime.MarshalError", f"Unable to marshal response: {error}", request_id))
    if len(result) > RESPONSE_BYTES_MAX:
        text = f"Response payload size exceeded maximum allowed payload size ({RESPONSE_BYTES_MAX} bytes)."
        return FRAME_ERROR, json.dumps({"errorMessage": text, "errorType": "Function.ResponseSizeTooLarge"}).encode()
    return FRAME_RESULT, result


def failed(description):
    log.error(description)
    return FRAME_ERROR, json.dumps(description).encode()


def serve(handler):
    while True:
        header = read_exactly(HEADER_BYTES)
        payload = read_exactly(int.from_bytes(header[0:4], "little"))
        if int.from_bytes(header[4:8], "little") != FRAME_INVOKE:
            continue
        meta_bytes = int.from_bytes(payload[0:4], "little")
        meta = json.loads(payload[4:4 + meta_bytes])
        log.request_id = meta["request_id"]
        if meta.get("trace"):
            os.environ["_X_AMZN_TRACE_ID"] = meta["trace"]
        else:
            os.environ.pop("_X_AMZN_TRACE_ID", None)
        kind, result = answer(handler, meta, payload[4 + meta_bytes:])
        log.flush()
        send(kind, int.from_bytes(header[8:12], "little"), result)


def main():
    os.set_inheritable(CONTROL, False)
    sys.stdout.reconfigure(line_buffering=True)
    log.format_python_logging()
    endpoint.teach_old_botocore()
    # The function's modules come first, as "python file.py" would have it; ours are loaded already.
    sys.path[0] = os.environ["LAMBDA_TASK_ROOT"]
    try:
        handler = loading.load(os.environ.get("_HANDLER", ""))
    except loading.LoadFault as error:
        description = fault.described(error.kind, str(error), "", error.trace)
        log.error(description)
        send(FRAME_INIT_ERROR, 0, json.dumps(description).encode())
        sys.exit(1)
    except Exception as error:
        description = fault.of_exception(error, "")
        log.error(description)
        send(FRAME_INIT_ERROR, 0, json.dumps(description).encode())
        sys.exit(1)
    log.flush()
    send(FRAME_READY, 0, json.dumps({"version": sys.version.split()[0]}).encode())
    serve(handler)


main()

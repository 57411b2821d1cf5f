"""The function's log: the `logging` module in Lambda's format (text, or one JSON object a record), print() as it is, errors as
Lambda reports them.

One log record is one log event: its line starts with a record separator (0x1e) and its line feeds travel as carriage
returns, which the server turns back."""

import json
import os
import sys
import time

from after_import import after_import

AS_JSON = os.environ.get("AWS_LAMBDA_LOG_FORMAT", "").upper() == "JSON"
request_id = ""


def flush():
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            pass  # the function closed it


def write(text):
    flush()
    line = memoryview(b"\x1e" + text.replace("\n", "\r").encode("utf-8", "replace") + b"\n")
    try:
        while line:
            line = line[os.write(1, line):]
    except OSError:
        pass  # nobody reads any more


def error(description):
    if AS_JSON:
        return write(json.dumps({"timestamp": now(time.time()), "level": "ERROR", **description}, ensure_ascii=False))
    lines = [f"[ERROR] {description['errorType']}: {description['errorMessage']}", "Traceback (most recent call last):"]
    for entry in description["stackTrace"]:
        lines += map(hard_spaces, entry.splitlines())
    write("\n".join(lines))


def now(seconds):
    milliseconds = int(seconds * 1000)
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(milliseconds // 1000)) + f".{milliseconds % 1000:03d}Z"


def hard_spaces(line):
    """Indented by no-break spaces, which no viewer of logs removes."""
    text = line.lstrip(" ")
    return "\u00a0" * (len(line) - len(text)) + text


def format_python_logging():
    """Gives the root logger our handler when the function first imports `logging`: its import costs 5 ms."""
    after_import("logging", _add_handler)


def _add_handler(logging):
    class Handler(logging.Handler):
        def emit(self, record):
            record.aws_request_id = request_id
            try:
                write(self.format(record))
            except Exception:
                self.handleError(record)

    handler = Handler()
    if AS_JSON:
        handler.setFormatter(_json_formatter(logging))
        level = os.environ.get("AWS_LAMBDA_LOG_LEVEL", "").upper()
        if level:
            logging.root.setLevel("DEBUG" if level == "TRACE" else level)
    else:
        formatter = logging.Formatter("[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t%(aws_request_id)s\t%(message)s",
                                      "%Y-%m-%dT%H:%M:%S")
        formatter.converter = time.gmtime
        handler.setFormatter(formatter)
    logging.root.addHandler(handler)


def _json_formatter(logging):
    """A record's own members, and those that the caller gave it by `extra`, as one object."""
    usual = set(vars(logging.makeLogRecord({}))) | {"message", "asctime", "aws_request_id"}

    class Formatter(logging.Formatter):
        def format(self, record):
            line = {"timestamp": now(record.created), "level": record.levelname, "message": record.getMessage(),
                    "logger": record.name}
            if record.exc_info:
                import traceback
                kind, error, trace = record.exc_info
                line.update(stackTrace=traceback.format_tb(trace), errorType=kind and kind.__name__, errorMessage=str(error))
            line["requestId"] = record.aws_request_id or None
            if record.exc_info:
                line["location"] = f"{record.pathname}:{record.funcName}:{record.lineno}"
            line.update((name, value) for name, value in vars(record).items() if name not in usual and name not in line)
            return json.dumps({name: value for name, value in line.items() if value is not None}, ensure_ascii=False)

    return Formatter()

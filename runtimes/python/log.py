"""The function's log: the `logging` module in Lambda's format, print() as it is, errors as Lambda reports them.

One log record is one log event: its line starts with a record separator (0x1e) and its line feeds travel as carriage
returns, which the server turns back."""

import os
import sys

from after_import import after_import

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
    lines = [f"[ERROR] {description['errorType']}: {description['errorMessage']}", "Traceback (most recent call last):"]
    for entry in description["stackTrace"]:
        lines += map(hard_spaces, entry.splitlines())
    write("\n".join(lines))


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
    formatter = logging.Formatter("[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t%(aws_request_id)s\t%(message)s",
                                  "%Y-%m-%dT%H:%M:%S")
    formatter.converter = __import__("time").gmtime
    handler.setFormatter(formatter)
    logging.root.addHandler(handler)

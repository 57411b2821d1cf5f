"""Errors in the form that Lambda's Python runtimes give them: errorMessage, errorType, requestId, stackTrace."""

import os


def described(kind, message, request_id, trace=()):
    return {"errorMessage": message, "errorType": kind, "requestId": request_id, "stackTrace": list(trace)}


def of_exception(error, request_id):
    import traceback  # costs milliseconds, and most invocations do not fail
    ours = os.path.dirname(os.path.abspath(__file__))
    frames = [f for f in traceback.extract_tb(error.__traceback__)
              if not f.filename.startswith(ours) and not f.filename.startswith("<frozen importlib")]
    return described(type(error).__name__, str(error), request_id, traceback.format_list(frames))

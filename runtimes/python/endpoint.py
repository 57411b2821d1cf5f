"""The short way to the AWS APIs for an SDK that does not know AWS_ENDPOINT_URL: a botocore before 1.31 (Debian 12's, and
old ones that functions bundle) is told of it. What is not told finds AWS's host names in the sandbox, and us behind them,
over TLS."""

import os

from after_import import after_import

FIRST_THAT_KNOWS = (1, 31)


def teach_old_botocore():
    if os.environ.get("AWS_ENDPOINT_URL"):
        after_import("botocore.session", _wrap)


def _wrap(module):
    import botocore
    version = tuple(int(part) for part in botocore.__version__.split(".")[:2] if part.isdigit())
    if version >= FIRST_THAT_KNOWS:
        return
    create = module.Session.create_client

    def create_client(self, service_name, *arguments, **named):
        # The sixth parameter; hardly anyone gives it by position.
        if named.get("endpoint_url") is None and len(arguments) < 5:
            named["endpoint_url"] = _endpoint_of(service_name)
        return create(self, service_name, *arguments, **named)

    module.Session.create_client = create_client


def _endpoint_of(service):
    if os.environ.get("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "").lower() == "true":
        return None
    own = "AWS_ENDPOINT_URL_" + service.upper().replace("-", "_")
    return os.environ.get(own) or os.environ.get("AWS_ENDPOINT_URL")

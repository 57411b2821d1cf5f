"""The server under test: started on a port of its own, killed with SIGKILL, started again on the same data."""

import os
import pathlib
import signal
import subprocess
import time

import boto3
import botocore.config
import botocore.exceptions

READY_SECONDS_MAX = 20
# Failures after which nobody knows whether the call happened.
UNKNOWN = (botocore.exceptions.HTTPClientError, botocore.exceptions.ConnectionError)


class Server:
    def __init__(self, binary, directory):
        self.binary = binary
        self.data = pathlib.Path(directory) / "data"
        self.log = open(pathlib.Path(directory) / "server.log", "ab")
        self.process = None
        self.endpoint = None

    def start(self):
        """Returns how many milliseconds it took until a call succeeded."""
        endpoint_file = self.data / "endpoint"
        endpoint_file.unlink(missing_ok=True)
        begin = time.monotonic()
        self.process = subprocess.Popen(
            [self.binary, "dev", "--data-dir", str(self.data), "--listen", "127.0.0.1:0"],
            stdout=self.log, stderr=self.log, start_new_session=True)
        while time.monotonic() - begin < READY_SECONDS_MAX:
            if self.process.poll() is not None:
                raise AssertionError(f"the server ended with {self.process.returncode}; see {self.log.name}")
            if endpoint_file.exists() and endpoint_file.read_text().strip():
                self.endpoint = endpoint_file.read_text().strip()
                if self.answers():
                    return (time.monotonic() - begin) * 1000
            time.sleep(0.002)
        raise AssertionError(f"the server is not ready after {READY_SECONDS_MAX} s; see {self.log.name}")

    def answers(self):
        try:
            self.client("s3").list_buckets()
            return True
        except (botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError):
            return False

    def kill(self):
        """The whole group: launcher, spawner and server, as when the machine's OOM killer is thorough."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def client(self, service):
        config = botocore.config.Config(
            retries={"total_max_attempts": 1}, connect_timeout=2, read_timeout=20,
            s3={"addressing_style": "path"}, max_pool_connections=4)
        return boto3.session.Session().client(
            service, endpoint_url=self.endpoint, region_name="us-east-1", config=config,
            aws_access_key_id="test", aws_secret_access_key="test")

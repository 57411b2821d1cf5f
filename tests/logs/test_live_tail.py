"""StartLiveTail: a stream of events over HTTP, read with botocore's own reader."""
import http.client
import json
import os
import time
import unittest
import urllib.parse
import uuid

import botocore.auth
import botocore.awsrequest
import botocore.eventstream
import botocore.session

from aws import BINARY, Case, client
from server import Server

ENDPOINT = os.environ.get("WOLKE_ENDPOINT", "")


class Tail:
    """One session: messages as (type, document), oldest first."""

    def __init__(self, endpoint, credentials, **arguments):
        body = json.dumps(arguments).encode()
        request = botocore.awsrequest.AWSRequest("POST", endpoint, data=body, headers={
            "Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": "Logs_20140328.StartLiveTail"})
        botocore.auth.SigV4Auth(credentials, "logs", "us-east-1").add_auth(request)
        self.connection = http.client.HTTPConnection(urllib.parse.urlsplit(endpoint).netloc, timeout=30)
        self.connection.request("POST", "/", body=body, headers=dict(request.headers))
        self.answer = self.connection.getresponse()
        self.buffer = botocore.eventstream.EventStreamBuffer()

    def close(self):
        self.answer.close()
        self.connection.close()

    def next(self):
        """None: the stream has ended."""
        while True:
            for message in self.buffer:
                return message.headers[":event-type"], json.loads(message.payload)
            piece = self.answer.read1()
            if not piece:
                return None
            self.buffer.add_data(piece)

    def results(self, count):
        """The next `count` events, of however many updates."""
        out = []
        while len(out) < count:
            kind, update = self.next()
            assert kind == "sessionUpdate", kind
            out += update["sessionResults"]
        return out


@unittest.skipUnless(ENDPOINT, "WOLKE_ENDPOINT is not set")
class LiveTail(Case):
    def setUp(self):
        self.logs = client("logs")
        self.group = "/tail/" + uuid.uuid4().hex[:8]
        self.logs.create_log_group(logGroupName=self.group)
        self.addCleanup(self.logs.delete_log_group, logGroupName=self.group)
        self.logs.create_log_stream(logGroupName=self.group, logStreamName="s")

    def tail(self, **arguments):
        tail = Tail(ENDPOINT, botocore.session.get_session().get_credentials(), **arguments)
        self.addCleanup(tail.close)
        return tail

    def put(self, *messages):
        now = int(time.time() * 1000)
        self.logs.put_log_events(logGroupName=self.group, logStreamName="s",
                                 logEvents=[{"timestamp": now, "message": message} for message in messages])

    def test_events_arrive_while_they_are_written(self):
        self.put("before")
        tail = self.tail(logGroupIdentifiers=[self.group], logEventFilterPattern="-quiet")
        self.assertEqual(tail.answer.status, 200)
        self.assertEqual(tail.answer.getheader("content-type"), "application/vnd.amazon.eventstream")
        self.assertEqual(tail.next(), ("initial-response", {}))
        kind, start = tail.next()
        self.assertEqual((kind, start["logGroupIdentifiers"], start["logEventFilterPattern"]), ("sessionStart", [self.group], "-quiet"))
        self.assertEqual(tail.next(), ("sessionUpdate", {"sessionMetadata": {"sampled": False}, "sessionResults": []}))
        self.put("one", "quiet", "zwei ✓")
        found = tail.results(2)
        self.assertEqual([event["message"] for event in found], ["one", "zwei ✓"])
        self.assertEqual(found[0]["logStreamName"], "s")
        self.assertTrue(found[0]["logGroupIdentifier"].endswith(":" + self.group))
        self.put("three")
        self.assertEqual([event["message"] for event in tail.results(1)], ["three"])

    def test_what_cannot_be_tailed_is_an_error_not_a_stream(self):
        tail = self.tail(logGroupIdentifiers=["/no/such/group"])
        self.assertEqual(tail.answer.status, 400)
        self.assertEqual(json.loads(tail.answer.read())["__type"].rpartition("#")[2], "ResourceNotFoundException")


class StopOfTheServer(Case):
    def test_a_session_does_not_keep_the_server(self):
        server = Server(BINARY, serve=True).start()
        self.addCleanup(server.stop)
        words = server.access_key, server.secret_key
        client("logs", server.endpoint, *words).create_log_group(logGroupName="/g")
        tail = Tail(server.endpoint, botocore.credentials.Credentials(*words), logGroupIdentifiers=["/g"])
        self.addCleanup(tail.close)
        tail.next()
        server.process.terminate()
        while tail.next():
            pass
        self.assertEqual(server.process.wait(30), 0)

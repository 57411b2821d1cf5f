"""Logs Insights, metric filters and filter patterns with boto3, as a person uses them."""
import base64
import os
import time
import unittest
import uuid

os.environ.setdefault("AWS_CONFIG_FILE", "/dev/null")
os.environ.setdefault("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")
os.environ.setdefault("AWS_ACCESS_KEY_ID", "test")
os.environ.setdefault("AWS_SECRET_ACCESS_KEY", "test")

import boto3  # noqa: E402
import botocore.exceptions  # noqa: E402

from aws import wait_for  # noqa: E402

ENDPOINT = os.environ.get("WOLKE_ENDPOINT", "")


@unittest.skipUnless(ENDPOINT, "WOLKE_ENDPOINT is not set")
class Insights(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.logs = boto3.client("logs", endpoint_url=ENDPOINT)
        cls.group = "/insights/" + uuid.uuid4().hex
        cls.now = int(time.time())
        cls.logs.create_log_group(logGroupName=cls.group)
        for stream, messages in {"a": ['{"level":"error","took":7}', '{"level":"info","took":1}'],
                                 "b": ['{"level":"error","took":9}', "plain text"]}.items():
            cls.logs.create_log_stream(logGroupName=cls.group, logStreamName=stream)
            cls.logs.put_log_events(logGroupName=cls.group, logStreamName=stream,
                                    logEvents=[{"timestamp": cls.now * 1000, "message": message} for message in messages])

    @classmethod
    def tearDownClass(cls):
        cls.logs.delete_log_group(logGroupName=cls.group)

    def start(self, query, **arguments):
        arguments = {"logGroupName": self.group, **arguments}
        return self.logs.start_query(startTime=self.now - 60, endTime=self.now + 60, queryString=query, **arguments)["queryId"]

    def ask(self, query, **arguments):
        query_id = self.start(query, **arguments)

        def ended():
            answer = self.logs.get_query_results(queryId=query_id)
            return answer["status"] not in ("Scheduled", "Running") and answer
        answer = wait_for(ended, what="the end of the query")
        self.assertEqual(answer["status"], "Complete")
        return [{item["field"]: item["value"] for item in row} for row in answer["results"]], answer["statistics"]

    def test_rows_come_with_their_fields(self):
        rows, statistics = self.ask('fields @message, @logStream, level | filter level = "error" | sort took desc')
        self.assertEqual([(row["@logStream"], row["level"]) for row in rows], [("b", "error"), ("a", "error")])
        self.assertIn("@ptr", rows[0])
        self.assertEqual((statistics["recordsScanned"], statistics["recordsMatched"]), (4, 2))

    def test_a_row_leads_to_its_event(self):
        rows, _ = self.ask("fields took | filter took = 9")
        record = self.logs.get_log_record(logRecordPointer=rows[0]["@ptr"])["logRecord"]
        self.assertEqual({name: record[name] for name in ("@message", "@logStream", "level", "took", "@timestamp")},
                         {"@message": '{"level":"error","took":9}', "@logStream": "b", "level": "error", "took": "9",
                          "@timestamp": str(self.now * 1000)})
        self.assertTrue(record["@log"].endswith(":" + self.group))
        self.refused("InvalidParameterException", self.logs.get_log_record, logRecordPointer="no pointer")
        elsewhere = base64.b64encode(f"{self.now * 1000}:99:{self.group}:b".encode()).decode()
        self.refused("ResourceNotFoundException", self.logs.get_log_record, logRecordPointer=elsewhere)

    def test_stats_group_and_bin(self):
        rows, _ = self.ask("stats count(*) as n, avg(took) as mean by level | sort n desc", logGroupName=self.group)
        self.assertEqual(rows[0], {"level": "error", "n": "2", "mean": "8"})
        rows, _ = self.ask("stats count(*) as n by bin(1d)")
        self.assertEqual(rows[0]["n"], "4")
        self.assertTrue(rows[0]["bin(1d)"].endswith(" 00:00:00.000"))

    def test_times_limit_what_is_read(self):
        query_id = self.logs.start_query(logGroupNames=[self.group], startTime=self.now - 100, endTime=self.now - 50,
                                         queryString="fields @message")["queryId"]
        answer = self.logs.get_query_results(queryId=query_id)
        self.assertEqual((answer["status"], answer["results"]), ("Complete", []))

    def test_queries_are_described_and_stopped(self):
        query_id = self.start("fields @message | limit 1")
        self.assertTrue(self.logs.stop_query(queryId=query_id)["success"])
        self.assertEqual(self.logs.get_query_results(queryId=query_id)["status"], "Cancelled")
        self.refused("InvalidParameterException", self.logs.stop_query, queryId=query_id)
        found = self.logs.describe_queries(logGroupName=self.group, status="Cancelled")["queries"]
        self.assertIn(query_id, [query["queryId"] for query in found])

    def test_a_query_ends_though_nobody_asks_for_its_results(self):
        query_id = self.start("fields @message | limit 1")
        wait_for(lambda: query_id in [query["queryId"] for query in self.logs.describe_queries(
            logGroupName=self.group, status="Complete")["queries"]], what="the query's end")

    def test_queries_are_kept_under_names(self):
        name, text = "team/errors-" + uuid.uuid4().hex, "fields @message | filter level = 'error'"
        made = self.logs.put_query_definition(name=name, queryString=text, logGroupNames=[self.group])["queryDefinitionId"]
        self.logs.put_query_definition(name=name, queryString=text + " | limit 3", queryDefinitionId=made)
        other = self.logs.put_query_definition(name=name + "2", queryString="fields a")["queryDefinitionId"]
        found = self.logs.describe_query_definitions(queryDefinitionNamePrefix=name)["queryDefinitions"]
        self.assertEqual([(one["queryDefinitionId"], one["name"]) for one in found], [(made, name), (other, name + "2")])
        self.assertEqual((found[0]["queryString"], found[0]["logGroupNames"]), (text + " | limit 3", []))
        page = self.logs.describe_query_definitions(queryDefinitionNamePrefix=name, maxResults=1)
        rest = self.logs.describe_query_definitions(queryDefinitionNamePrefix=name, nextToken=page["nextToken"])
        self.assertEqual([one["name"] for one in rest["queryDefinitions"]], [name + "2"])
        self.assertNotIn("nextToken", rest)
        for one in (made, other):
            self.assertTrue(self.logs.delete_query_definition(queryDefinitionId=one)["success"])
            self.refused("ResourceNotFoundException", self.logs.delete_query_definition, queryDefinitionId=one)
        self.refused("ResourceNotFoundException", self.logs.put_query_definition, name=name, queryString=text,
                     queryDefinitionId=made)

    def refused(self, code, call, **arguments):
        with self.assertRaises(botocore.exceptions.ClientError) as caught:
            call(**arguments)
        self.assertEqual(caught.exception.response["Error"]["Code"], code)

    def test_what_is_wrong_is_told(self):
        self.refused("MalformedQueryException", self.start, query="fields @message | nonsense")
        self.refused("ResourceNotFoundException", self.start, query="fields a", logGroupName=self.group + "x")
        self.refused("ResourceNotFoundException", self.logs.get_query_results, queryId=str(uuid.uuid4()))

    def test_filter_patterns_find_json(self):
        found = self.logs.filter_log_events(logGroupName=self.group, filterPattern='{ $.level = "err*" && $.took > 7 }')
        self.assertEqual([event["message"] for event in found["events"]], ['{"level":"error","took":9}'])
        self.refused("InvalidParameterException", self.logs.filter_log_events, logGroupName=self.group,
                     filterPattern="{ $.level = ")

    def test_metric_filters_are_kept_and_tried(self):
        change = {"metricName": "Errors", "metricNamespace": "App/1#2:b", "metricValue": "1"}
        self.logs.put_metric_filter(logGroupName=self.group, filterName="m", filterPattern="{ $.level = error }",
                                    metricTransformations=[change])
        self.addCleanup(self.logs.delete_metric_filter, logGroupName=self.group, filterName="m")
        found = self.logs.describe_metric_filters(logGroupName=self.group)["metricFilters"]
        self.assertEqual([(one["filterName"], one["metricTransformations"]) for one in found], [("m", [change])])
        tried = self.logs.test_metric_filter(filterPattern="[w1 = ERROR, w2]", logEventMessages=["INFO a", "ERROR b"])
        self.assertEqual([(match["eventNumber"], match["extractedValues"]) for match in tried["matches"]],
                         [(2, {"$w1": "ERROR", "$w2": "b"})])


if __name__ == "__main__":
    unittest.main()

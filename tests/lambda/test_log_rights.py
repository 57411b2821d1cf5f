"""A function's lines are kept with its role's rights; without them it runs, and the server's own log says why nothing is kept."""
import json
import os

import aws
from clients import wait_for
from server import Server

BINARY = os.environ.get("WOLKE_BINARY")
CODE = {"app.py": "def handler(event, context):\n    print('a line')\n    return 'ran'\n"}


class LogRights(aws.Case):
    @classmethod
    def setUpClass(cls):
        cls.server = Server(BINARY).start()
        cls.addClassCleanup(cls.server.stop)
        cls.iam, cls.functions, cls.logs = (aws.client_of(cls.server, name) for name in ("iam", "lambda", "logs"))

    def made(self, statement=None):
        """A function whose role has this right and no other."""
        role = aws.unique("role")
        arn = self.iam.create_role(RoleName=role, AssumeRolePolicyDocument=aws.TRUST)["Role"]["Arn"]
        self.role = role
        if statement:
            self.allow(statement)
        self.name = self.make_function(self.functions, arn, CODE, Runtime="python3.11", Handler="app.handler")
        return self.name

    def allow(self, statement):
        document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement}]}
        self.iam.put_role_policy(RoleName=self.role, PolicyName="p", PolicyDocument=json.dumps(document))

    def call(self):
        self.assertEqual(json.loads(self.functions.invoke(FunctionName=self.name)["Payload"].read()), "ran")

    def messages(self):
        try:
            events = self.logs.filter_log_events(logGroupName="/aws/lambda/" + self.name)["events"]
        except self.logs.exceptions.ResourceNotFoundException:
            return []
        return [event["message"] for event in events]

    def warnings(self):
        return [line for line in self.server.log().splitlines() if "log is not kept" in line and self.name in line]

    def test_without_rights_the_function_runs_and_nothing_is_kept(self):
        self.made()
        self.call()
        self.call()
        wait_for(self.warnings)
        self.assertEqual(len(self.warnings()), 1, self.server.log())
        self.assertIn("logs:PutLogEvents", self.warnings()[0])
        self.allow({"Action": "logs:*", "Resource": "*"})

        def kept():
            self.call()
            return self.messages()
        self.assertIn("a line\n", wait_for(kept))

    def test_a_group_that_exists_need_not_be_made(self):
        write = {"Action": ["logs:CreateLogStream", "logs:PutLogEvents"], "Resource": "*"}
        self.made(write)
        self.call()
        self.assertIn("logs:CreateLogGroup", self.warnings()[0])
        self.logs.create_log_group(logGroupName="/aws/lambda/" + self.name)

        def kept():
            self.call()
            return self.messages()
        self.assertIn("a line\n", wait_for(kept))

    def test_a_role_that_does_not_exist_may_all_in_development(self):
        self.name = self.make_function(self.functions, "arn:aws:iam::000000000000:role/none", CODE, Runtime="python3.11",
                                       Handler="app.handler")
        self.call()
        self.assertTrue(wait_for(self.messages))
        self.assertEqual(self.warnings(), [])

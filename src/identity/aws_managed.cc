// The table of AWS-managed policies (aws_managed.h).

#include "wolke/identity/aws_managed.h"

#include <algorithm>
#include <iterator>

namespace wolke::identity {
namespace {

// long: a table
constexpr AwsManagedPolicy policies[] = {
    {"AdministratorAccess", "/", "ANPAXUEARDEVTUHKHZ23E",
     "arn:aws:iam::aws:policy/AdministratorAccess", "Full access to everything.",
     R"({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["*"], )"
     R"("Resource": "*"}]})"},
    {"AmazonAPIGatewayPushToCloudWatchLogs", "/service-role/", "ANPAVNLE25ZOD6KNXBQCS",
     "arn:aws:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs",
     "Lets an API write access logs.",
     R"({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": )"
     R"(["logs:CreateLogGroup", "logs:CreateLogStream", "logs:DescribeLogGroups", )"
     R"("logs:DescribeLogStreams", "logs:PutLogEvents", "logs:GetLogEvents", )"
     R"("logs:FilterLogEvents"], "Resource": "*"}]})"},
    {"AmazonDynamoDBFullAccess", "/", "ANPA722ZZ6T5OH75EKGOU",
     "arn:aws:iam::aws:policy/AmazonDynamoDBFullAccess", "Full access to tables.",
     R"({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["dynamodb:*", )"
     R"("dax:*", "application-autoscaling:*", "cloudwatch:DeleteAlarms", )"
     R"("cloudwatch:DescribeAlarms", "cloudwatch:GetMetricData", )"
     R"("cloudwatch:GetMetricStatistics", "cloudwatch:ListMetrics", )"
     R"("cloudwatch:PutMetricAlarm", "iam:GetRole", "iam:ListRoles", "kms:DescribeKey", )"
     R"("kms:ListAliases", "sns:ListTopics", "sns:ListSubscriptions", )"
     R"("lambda:CreateEventSourceMapping", "lambda:DeleteEventSourceMapping", )"
     R"("lambda:GetFunctionConfiguration", "lambda:ListEventSourceMappings", )"
     R"("lambda:ListFunctions", "tag:GetResources"], "Resource": "*"}]})"},
    {"AmazonDynamoDBReadOnlyAccess", "/", "ANPAUXDJP3MFFK4MX7LUC",
     "arn:aws:iam::aws:policy/AmazonDynamoDBReadOnlyAccess", "Read access to tables.",
     R"({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": )"
     R"(["dynamodb:BatchGetItem", "dynamodb:ConditionCheckItem", "dynamodb:Describe*", )"
     R"("dynamodb:Get*", "dynamodb:List*", "dynamodb:PartiQLSelect", "dynamodb:Query", )"
     R"("dynamodb:Scan", "cloudwatch:GetMetricData", "cloudwatch:ListMetrics", )"
     R"("tag:GetResources"], "Resource": "*"}]})"},
    {"AmazonEventBridgeFullAccess", "/", "ANPACTU4SQZ4RISO7FM3F",
     "arn:aws:iam::aws:policy/AmazonEventBridgeFullAccess",
     "Full access to buses, rules and schedules.",
     R"({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["events:*", )"
     R"("schemas:*", "scheduler:*", "pipes:*"], "Resource": "*"}, {"Effect": "Allow", "Action": )"
     R"(["iam:PassRole"], "Resource": "*", "Condition": {"StringEquals": )"
     R"({"iam:PassedToService": ["events.amazonaws.com", "scheduler.amazonaws.com", )"
     R"("pipes.amazonaws.com"]}}}]})"},
    {"AmazonKinesisFullAccess", "/", "ANPADUO7FNS7BAKRGJNGL",
     "arn:aws:iam::aws:policy/AmazonKinesisFullAccess", "Full access to streams.",
     R"({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["kinesis:*"], )"
     R"("Resource": "*"}]})"},
    {"AmazonKinesisReadOnlyAccess", "/", "ANPAYR6SYPG4OGETW44HV",
     "arn:aws:iam::aws:policy/AmazonKinesisReadOnlyAccess", "Read access to streams.",
     R"({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["kinesis:Get*", )"
     R"("kinesis:List*", "kinesis:Describe*"], "Resource": "*"}]})"},
    {"AmazonS3FullAccess", "/", "ANPASRY7GFCAGYCBEI3OF",
     "arn:aws:iam::aws:policy/AmazonS3FullAccess", "Full access to all buckets.",
     R"({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["s3:*", )"
     R"("s3-object-lambda:*"], "Resource": "*"}]})"},
    {"AmazonS3ObjectLambdaExecutionRolePolicy", "/service-role/", "ANPADDP5J2HP2RYCMBOZV",
     "arn:aws:iam::aws:policy/service-role/AmazonS3ObjectLambdaExecutionRolePolicy",
     "Lets a function answer object requests and write its logs.",
     R"({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": )"
     R"(["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents", )"
     R"("s3-object-lambda:WriteGetObjectResponse"], "Resource": "*"}]})"},
    {"AmazonS3ReadOnlyAccess", "/", "ANPAQ5BXIUXVMDBU7G7AK",
     "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess", "Read access to all buckets.",
     R"({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["s3:Get*", )"
     R"("s3:List*", "s3:Describe*", "s3-object-lambda:Get*", "s3-object-lambda:List*"], )"
     R"("Resource": "*"}]})"},
    {"AmazonSESFullAccess", "/", "ANPAVYK4OW6CEJK7TLEYG",
     "arn:aws:iam::aws:policy/AmazonSESFullAccess", "Full access to mail.",
     R"({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["ses:*"], )"
     R"("Resource": "*"}]})"},
    {"AmazonSNSFullAccess", "/", "ANPAJK44LQFJXATEKS3YY",
     "arn:aws:iam::aws:policy/AmazonSNSFullAccess", "Full access to topics.",
     R"({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["sns:*"], )"
     R"("Resource": "*"}]})"},
    {"AmazonSNSReadOnlyAccess", "/", "ANPAK5JQCF4QY5L3UIT5E",
     "arn:aws:iam::aws:policy/AmazonSNSReadOnlyAccess", "Read access to topics.",
     R"({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": )"
     R"(["sns:GetTopicAttributes", "sns:List*"], "Resource": "*"}]})"},
    {"AmazonSQSFullAccess", "/", "ANPAHQZNUPANMX3QWZHPA",
     "arn:aws:iam::aws:policy/AmazonSQSFullAccess", "Full access to queues.",
     R"({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["sqs:*"], )"
     R"("Resource": "*"}]})"},
    {"AmazonSQSReadOnlyAccess", "/", "ANPA7MFRHZUZNCVG2JM5L",
     "arn:aws:iam::aws:policy/AmazonSQSReadOnlyAccess", "Read access to queues.",
     R"({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": )"
     R"(["sqs:GetQueueAttributes", "sqs:GetQueueUrl", "sqs:List*"], "Resource": "*"}]})"},
    {"AmazonSSMReadOnlyAccess", "/", "ANPAERDL4BXT2WWSURPDE",
     "arn:aws:iam::aws:policy/AmazonSSMReadOnlyAccess", "Read access to parameters.",
     R"({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["ssm:Describe*", )"
     R"("ssm:Get*", "ssm:List*"], "Resource": "*"}]})"},
    {"AWSLambda_FullAccess", "/", "ANPALEWUEUINMID2HO5AM",
     "arn:aws:iam::aws:policy/AWSLambda_FullAccess",
     "Full access to functions and what is around them.",
     R"({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": )"
     R"(["cloudformation:DescribeStacks", "cloudformation:ListStackResources", )"
     R"("cloudwatch:ListMetrics", "cloudwatch:GetMetricData", "ec2:DescribeSecurityGroups", )"
     R"("ec2:DescribeSubnets", "ec2:DescribeVpcs", "kms:ListAliases", "iam:GetPolicy", )"
     R"("iam:GetPolicyVersion", "iam:GetRole", "iam:GetRolePolicy", )"
     R"("iam:ListAttachedRolePolicies", "iam:ListRolePolicies", "iam:ListRoles", "lambda:*", )"
     R"("logs:DescribeLogGroups", "states:DescribeStateMachine", "states:ListStateMachines", )"
     R"("tag:GetResources", "xray:GetTraceSummaries", "xray:BatchGetTraces"], "Resource": "*"}, )"
     R"({"Effect": "Allow", "Action": ["iam:PassRole"], "Resource": "*", "Condition": )"
     R"({"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}}}, {"Effect": "Allow", )"
     R"("Action": ["logs:DescribeLogStreams", "logs:GetLogEvents", "logs:FilterLogEvents", )"
     R"("logs:StartLiveTail", "logs:StopLiveTail"], "Resource": )"
     R"("arn:aws:logs:*:*:log-group:/aws/lambda/*"}]})"},
    {"AWSLambda_ReadOnlyAccess", "/", "ANPARHUJZWCLHFTS3X4T6",
     "arn:aws:iam::aws:policy/AWSLambda_ReadOnlyAccess",
     "Read access to functions and what is around them.",
     R"({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": )"
     R"(["cloudformation:DescribeStacks", "cloudformation:ListStackResources", )"
     R"("cloudwatch:GetMetricData", "cloudwatch:ListMetrics", "iam:GetPolicy", )"
     R"("iam:GetPolicyVersion", "iam:GetRole", "iam:GetRolePolicy", )"
     R"("iam:ListAttachedRolePolicies", "iam:ListRolePolicies", "iam:ListRoles", "lambda:Get*", )"
     R"("lambda:List*", "logs:DescribeLogGroups", "logs:DescribeLogStreams", )"
     R"("logs:GetLogEvents", "logs:FilterLogEvents", "tag:GetResources"], "Resource": "*"}]})"},
    {"AWSLambdaBasicExecutionRole", "/service-role/", "ANPAGPCWREX4W5KP5EWTQ",
     "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole",
     "Lets a function write its logs.",
     R"({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": )"
     R"(["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"], "Resource": )"
     R"("*"}]})"},
    {"AWSLambdaDynamoDBExecutionRole", "/service-role/", "ANPAXBG2YTY2YZP5LNGFO",
     "arn:aws:iam::aws:policy/service-role/AWSLambdaDynamoDBExecutionRole",
     "Lets a function read table streams and write its logs.",
     R"({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": )"
     R"(["dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator", )"
     R"("dynamodb:ListStreams", "logs:CreateLogGroup", "logs:CreateLogStream", )"
     R"("logs:PutLogEvents"], "Resource": "*"}]})"},
    {"AWSLambdaENIManagementAccess", "/service-role/", "ANPAQPVJI5Z5RHO35NKLA",
     "arn:aws:iam::aws:policy/service-role/AWSLambdaENIManagementAccess",
     "Lets a service manage network interfaces for functions.",
     R"({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": )"
     R"(["ec2:CreateNetworkInterface", "ec2:DescribeNetworkInterfaces", )"
     R"("ec2:DeleteNetworkInterface"], "Resource": "*"}]})"},
    {"AWSLambdaExecute", "/", "ANPA7XVG6O63O6PKXXVGB", "arn:aws:iam::aws:policy/AWSLambdaExecute",
     "Lets a function read and write objects and its logs.",
     R"({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["logs:*"], )"
     R"("Resource": "arn:aws:logs:*:*:*"}, {"Effect": "Allow", "Action": ["s3:GetObject", )"
     R"("s3:PutObject"], "Resource": "arn:aws:s3:::*"}]})"},
    {"AWSLambdaInvocation-DynamoDB", "/", "ANPANZZ2QWJFUTQJ5TRCB",
     "arn:aws:iam::aws:policy/AWSLambdaInvocation-DynamoDB", "Lets table streams invoke functions.",
     R"({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": )"
     R"(["lambda:InvokeFunction", "dynamodb:DescribeStream", "dynamodb:GetRecords", )"
     R"("dynamodb:GetShardIterator", "dynamodb:ListStreams"], "Resource": "*"}]})"},
    {"AWSLambdaKinesisExecutionRole", "/service-role/", "ANPAKP5SML3UZCFHJ6LO2",
     "arn:aws:iam::aws:policy/service-role/AWSLambdaKinesisExecutionRole",
     "Lets a function read Kinesis streams and write its logs.",
     R"({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": )"
     R"(["kinesis:DescribeStream", "kinesis:DescribeStreamSummary", "kinesis:GetRecords", )"
     R"("kinesis:GetShardIterator", "kinesis:ListShards", "kinesis:ListStreams", )"
     R"("kinesis:SubscribeToShard", "logs:CreateLogGroup", "logs:CreateLogStream", )"
     R"("logs:PutLogEvents"], "Resource": "*"}]})"},
    {"AWSLambdaMSKExecutionRole", "/service-role/", "ANPASNOH4KRHWCRHCWPRD",
     "arn:aws:iam::aws:policy/service-role/AWSLambdaMSKExecutionRole",
     "Lets a function read Kafka clusters and write its logs.",
     R"({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": )"
     R"(["kafka:DescribeCluster", "kafka:DescribeClusterV2", "kafka:GetBootstrapBrokers", )"
     R"("ec2:CreateNetworkInterface", "ec2:DescribeNetworkInterfaces", "ec2:DescribeVpcs", )"
     R"("ec2:DeleteNetworkInterface", "ec2:DescribeSubnets", "ec2:DescribeSecurityGroups", )"
     R"("logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"], "Resource": "*"}]})"},
    {"AWSLambdaRole", "/service-role/", "ANPA7DYV36MZUWDFGFC5T",
     "arn:aws:iam::aws:policy/service-role/AWSLambdaRole", "Lets a service invoke functions.",
     R"({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": )"
     R"(["lambda:InvokeFunction"], "Resource": "*"}]})"},
    {"AWSLambdaSQSQueueExecutionRole", "/service-role/", "ANPAJUVVTUVCXCYSOKOFK",
     "arn:aws:iam::aws:policy/service-role/AWSLambdaSQSQueueExecutionRole",
     "Lets a function receive from queues and write its logs.",
     R"({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": )"
     R"(["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes", )"
     R"("logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"], "Resource": "*"}]})"},
    {"AWSLambdaVPCAccessExecutionRole", "/service-role/", "ANPA6OJABVMKB2M252NS3",
     "arn:aws:iam::aws:policy/service-role/AWSLambdaVPCAccessExecutionRole",
     "Lets a function work in a network and write its logs.",
     R"({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": )"
     R"(["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents", )"
     R"("ec2:CreateNetworkInterface", "ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets", )"
     R"("ec2:DeleteNetworkInterface", "ec2:AssignPrivateIpAddresses", )"
     R"("ec2:UnassignPrivateIpAddresses"], "Resource": "*"}]})"},
    {"AWSStepFunctionsFullAccess", "/", "ANPA2BIPIDT2OSYZ7JKLL",
     "arn:aws:iam::aws:policy/AWSStepFunctionsFullAccess", "Full access to state machines.",
     R"({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["states:*"], )"
     R"("Resource": "*"}]})"},
    {"AWSXRayDaemonWriteAccess", "/", "ANPASX32WQQRHRISQCLTR",
     "arn:aws:iam::aws:policy/AWSXRayDaemonWriteAccess", "Lets a function send traces.",
     R"({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": )"
     R"(["xray:PutTraceSegments", "xray:PutTelemetryRecords", "xray:GetSamplingRules", )"
     R"("xray:GetSamplingTargets", "xray:GetSamplingStatisticSummaries"], "Resource": "*"}]})"},
    {"AWSXrayFullAccess", "/", "ANPABU7FKKYCQJZ5JGOFQ", "arn:aws:iam::aws:policy/AWSXrayFullAccess",
     "Full access to traces.",
     R"({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["xray:*"], )"
     R"("Resource": "*"}]})"},
    {"AWSXrayWriteOnlyAccess", "/", "ANPA3Q7LSAL6KSFEXYYC5",
     "arn:aws:iam::aws:policy/AWSXrayWriteOnlyAccess", "Lets a function send traces.",
     R"({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": )"
     R"(["xray:PutTraceSegments", "xray:PutTelemetryRecords", "xray:GetSamplingRules", )"
     R"("xray:GetSamplingTargets", "xray:GetSamplingStatisticSummaries"], "Resource": "*"}]})"},
    {"CloudWatchFullAccess", "/", "ANPAT3AXP3UUTPEGP2AKV",
     "arn:aws:iam::aws:policy/CloudWatchFullAccess", "Full access to metrics and logs.",
     R"({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["cloudwatch:*", )"
     R"("logs:*", "sns:*", "autoscaling:Describe*", "iam:GetPolicy", "iam:GetPolicyVersion", )"
     R"("iam:GetRole"], "Resource": "*"}]})"},
    {"CloudWatchLambdaInsightsExecutionRolePolicy", "/", "ANPAIA4E4HUQBJP6BKN75",
     "arn:aws:iam::aws:policy/CloudWatchLambdaInsightsExecutionRolePolicy",
     "Lets a function write its insights.",
     R"({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": )"
     R"(["logs:CreateLogGroup"], "Resource": "*"}, {"Effect": "Allow", "Action": )"
     R"(["logs:CreateLogStream", "logs:PutLogEvents"], "Resource": )"
     R"("arn:aws:logs:*:*:log-group:/aws/lambda-insights:*"}]})"},
    {"CloudWatchLogsFullAccess", "/", "ANPA4VWLOMZ5ZODMZBSWE",
     "arn:aws:iam::aws:policy/CloudWatchLogsFullAccess", "Full access to logs.",
     R"({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["logs:*", )"
     R"("cloudwatch:GenerateQuery"], "Resource": "*"}]})"},
    {"CloudWatchLogsReadOnlyAccess", "/", "ANPAWXOUCQUDWNFBZFQQ6",
     "arn:aws:iam::aws:policy/CloudWatchLogsReadOnlyAccess", "Read access to logs.",
     R"({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": )"
     R"(["logs:Describe*", "logs:Get*", "logs:List*", "logs:StartQuery", "logs:StopQuery", )"
     R"("logs:TestMetricFilter", "logs:FilterLogEvents", "logs:StartLiveTail", )"
     R"("logs:StopLiveTail"], "Resource": "*"}]})"},
    {"IAMFullAccess", "/", "ANPA7B5UVX2EMSV5NZ2PS", "arn:aws:iam::aws:policy/IAMFullAccess",
     "Full access to identities.",
     R"({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["iam:*", )"
     R"("organizations:DescribeAccount", "organizations:DescribeOrganization", )"
     R"("organizations:ListPolicies"], "Resource": "*"}]})"},
    {"IAMReadOnlyAccess", "/", "ANPAPJ6MR2FDVTQR3ZOKF", "arn:aws:iam::aws:policy/IAMReadOnlyAccess",
     "Read access to identities.",
     R"({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": )"
     R"(["iam:GenerateCredentialReport", "iam:GenerateServiceLastAccessedDetails", "iam:Get*", )"
     R"("iam:List*", "iam:SimulateCustomPolicy", "iam:SimulatePrincipalPolicy"], "Resource": )"
     R"("*"}]})"},
    {"PowerUserAccess", "/", "ANPA2GJ374OZECNIBWSJS", "arn:aws:iam::aws:policy/PowerUserAccess",
     "Full access to everything but identities.",
     R"({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "NotAction": ["iam:*", )"
     R"("organizations:*", "account:*"], "Resource": "*"}, {"Effect": "Allow", "Action": )"
     R"(["account:GetAccountInformation", "account:GetPrimaryEmail", "account:ListRegions", )"
     R"("iam:CreateServiceLinkedRole", "iam:DeleteServiceLinkedRole", "iam:ListRoles", )"
     R"("organizations:DescribeOrganization"], "Resource": "*"}]})"},
    {"ReadOnlyAccess", "/", "ANPAFI55UOPBKUWLEKB5V", "arn:aws:iam::aws:policy/ReadOnlyAccess",
     "Read access to everything.",
     R"({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": )"
     R"(["apigateway:GET", "cloudformation:Describe*", "cloudformation:Detect*", )"
     R"("cloudformation:Estimate*", "cloudformation:Get*", "cloudformation:List*", )"
     R"("cloudwatch:Describe*", "cloudwatch:Get*", "cloudwatch:List*", "dynamodb:BatchGet*", )"
     R"("dynamodb:Describe*", "dynamodb:Get*", "dynamodb:List*", "dynamodb:PartiQLSelect", )"
     R"("dynamodb:Query", "dynamodb:Scan", "ec2:Describe*", "ec2:Get*", "ecr:BatchGet*", )"
     R"("ecr:Describe*", "ecr:Get*", "ecr:List*", "events:Describe*", "events:List*", )"
     R"("events:Test*", "iam:Generate*", "iam:Get*", "iam:List*", "iam:Simulate*", )"
     R"("kinesis:Describe*", "kinesis:Get*", "kinesis:List*", "kms:Describe*", "kms:Get*", )"
     R"("kms:List*", "lambda:Get*", "lambda:List*", "logs:Describe*", "logs:FilterLogEvents", )"
     R"("logs:Get*", "logs:List*", "logs:StartQuery", "logs:StopQuery", )"
     R"("logs:TestMetricFilter", "pipes:Describe*", "pipes:List*", "s3:DescribeJob", "s3:Get*", )"
     R"("s3:List*", "scheduler:Get*", "scheduler:List*", "secretsmanager:Describe*", )"
     R"("secretsmanager:List*", "sns:Get*", "sns:List*", "sqs:Get*", "sqs:List*", )"
     R"("sqs:ReceiveMessage", "ssm:Describe*", "ssm:Get*", "ssm:List*", "states:Describe*", )"
     R"("states:Get*", "states:List*", "sts:GetAccessKeyInfo", "sts:GetCallerIdentity", )"
     R"("sts:GetSessionToken", "tag:Get*", "xray:BatchGet*", "xray:Get*"], "Resource": "*"}]})"},
    {"SecretsManagerReadWrite", "/", "ANPANTXH6XWVVOTTMMZBY",
     "arn:aws:iam::aws:policy/SecretsManagerReadWrite", "Full access to secrets.",
     R"({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": )"
     R"(["secretsmanager:*", "kms:DescribeKey", "kms:ListAliases", "kms:ListKeys", )"
     R"("lambda:ListFunctions", "tag:GetResources"], "Resource": "*"}]})"},
    {"SecurityAudit", "/", "ANPA5S73TV3LVL3I7UUHC", "arn:aws:iam::aws:policy/SecurityAudit",
     "Read access to configuration.",
     R"({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["iam:Get*", )"
     R"("iam:List*", "iam:Generate*", "lambda:Get*", "lambda:List*", "logs:Describe*", )"
     R"("s3:GetBucket*", "s3:ListAllMyBuckets", "s3:GetEncryptionConfiguration", )"
     R"("s3:GetLifecycleConfiguration", "sns:GetTopicAttributes", "sns:List*", )"
     R"("sqs:GetQueueAttributes", "sqs:ListQueues"], "Resource": "*"}]})"},
    {"ViewOnlyAccess", "/job-function/", "ANPA5YUO66XIYKLN3EJKG",
     "arn:aws:iam::aws:policy/job-function/ViewOnlyAccess",
     "Lists resources without their content.",
     R"({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": )"
     R"(["cloudformation:List*", "cloudformation:DescribeStacks", "dynamodb:List*", )"
     R"("iam:List*", "kinesis:List*", "kms:List*", "lambda:List*", "logs:Describe*", )"
     R"("s3:ListAllMyBuckets", "s3:ListBucket", "sns:List*", "sqs:ListQueues", "states:List*"], )"
     R"("Resource": "*"}]})"},
};

}  // namespace

std::span<const AwsManagedPolicy> aws_managed_policies() {
  return policies;
}

const AwsManagedPolicy* find_aws_managed(std::string_view arn) {
  const auto* found =
      std::find_if(std::begin(policies), std::end(policies),
                   [arn](const AwsManagedPolicy& policy) { return policy.arn == arn; });
  return found == std::end(policies) ? nullptr : found;
}

}  // namespace wolke::identity

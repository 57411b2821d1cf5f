#pragma once
// The services that have a role of their own: principal, what follows "AWSServiceRoleFor" in the
// role's name, the policy that AWS attaches. Constant data. Source: each service's user guide,
// "Using service-linked roles".

#include <array>
#include <string_view>

namespace wolke::iam {

struct LinkedService {
  std::string_view principal;  // without ".amazonaws.com"
  std::string_view role;
  std::string_view policy;  // under /aws-service-role/
  bool suffix = false;      // several roles, told apart by a suffix
};

// long: a table
inline constexpr auto linked_services = std::to_array<LinkedService>({
    {"accountdiscovery.ssm", "AmazonSSM_AccountDiscovery",
     "AWSSystemsManagerAccountDiscoveryServicePolicy"},
    {"apidestinations.events", "AmazonEventBridgeApiDestinations",
     "AmazonEventBridgeApiDestinationsServiceRolePolicy"},
    {"appmesh", "AppMesh", "AWSAppMeshServiceRolePolicy"},
    {"autoscaling", "AutoScaling", "AutoScalingServiceRolePolicy", true},
    {"autoscaling-plans", "AutoScalingPlans_EC2AutoScaling",
     "AWSAutoScalingPlansEC2AutoScalingPolicy"},
    {"backup", "Backup", "AWSBackupServiceLinkedRolePolicyForBackup"},
    {"batch", "Batch", "BatchServiceRolePolicy"},
    {"cassandra.application-autoscaling", "ApplicationAutoScaling_CassandraTable",
     "AWSApplicationAutoscalingCassandraTablePolicy"},
    {"cks.kms", "KeyManagementServiceCustomKeyStores",
     "AWSKeyManagementServiceCustomKeyStoresServiceRolePolicy"},
    {"cloudtrail", "CloudTrail", "CloudTrailServiceRolePolicy"},
    {"config", "Config", "AWSConfigServiceRolePolicy"},
    {"connect", "AmazonConnect", "AmazonConnectServiceLinkedRolePolicy", true},
    {"dms-fleet-advisor", "DMSFleetAdvisor", "AWSDMSFleetAdvisorServiceRolePolicy"},
    {"docdb-elastic", "DocDB-Elastic", "AmazonDocDB-ElasticServiceRolePolicy"},
    {"dynamodb.application-autoscaling", "ApplicationAutoScaling_DynamoDBTable",
     "AWSApplicationAutoscalingDynamoDBTablePolicy"},
    {"ec2-instance-connect", "Ec2InstanceConnect", "Ec2InstanceConnectEndpoint"},
    {"ec2.application-autoscaling", "ApplicationAutoScaling_EC2SpotFleetRequest",
     "AWSApplicationAutoscalingEC2SpotFleetRequestPolicy"},
    {"ecs", "ECS", "AmazonECSServiceRolePolicy"},
    {"eks", "AmazonEKS", "AmazonEKSServiceRolePolicy"},
    {"eks-connector", "AmazonEKSConnector", "AmazonEKSConnectorServiceRolePolicy"},
    {"elasticache", "ElastiCache", "ElastiCacheServiceRolePolicy"},
    {"elasticfilesystem", "AmazonElasticFileSystem", "AmazonElasticFileSystemServiceRolePolicy"},
    {"elasticloadbalancing", "ElasticLoadBalancing", "AWSElasticLoadBalancingServiceRolePolicy"},
    {"email.cognito-idp", "AmazonCognitoIdpEmailService", "AmazonCognitoIdpEmailServiceRolePolicy"},
    {"emr-containers", "AmazonEMRContainers", "AmazonEMRContainersServiceRolePolicy"},
    {"events", "CloudWatchEvents", "CloudWatchEventsServiceRolePolicy"},
    {"grafana", "AmazonGrafana", "AmazonGrafanaServiceLinkedRolePolicy"},
    {"imagebuilder", "ImageBuilder", "AWSServiceRoleForImageBuilder"},
    {"iotmanagedintegrations", "IoTManagedIntegrations", "AWSIoTManagedIntegrationsRolePolicy"},
    {"lambda.application-autoscaling", "ApplicationAutoScaling_LambdaConcurrency",
     "AWSApplicationAutoscalingLambdaConcurrencyPolicy"},
    {"lex", "LexBots", "AmazonLexBotPolicy"},
    {"lexv2", "LexV2Bots", "AmazonLexV2BotPolicy", true},
    {"lightsail", "Lightsail", "LightsailExportAccess"},
    {"m2", "AWSM2", "AWSM2ServicePolicy"},
    {"mrk.kms", "KeyManagementServiceMultiRegionKeys",
     "AWSKeyManagementServiceMultiRegionKeysServiceRolePolicy"},
    {"notifications", "AwsUserNotifications", "AWSUserNotificationsServiceLinkedRolePolicy"},
    {"observability.aoss", "AmazonOpenSearchServerless",
     "AmazonOpenSearchServerlessServiceRolePolicy"},
    {"opensearchservice", "AmazonOpenSearchService", "AmazonOpenSearchServiceRolePolicy"},
    {"ops.apigateway", "APIGateway", "APIGatewayServiceRolePolicy"},
    {"ops.emr-serverless", "AmazonEMRServerless", "AmazonEMRServerlessServiceRolePolicy"},
    {"opsdatasync.ssm", "SystemsManagerOpsDataSync",
     "AWSSystemsManagerOpsDataSyncServiceRolePolicy"},
    {"opsinsights.ssm", "AmazonSSM_OpsInsights", "AWSSSMOpsInsightsServiceRolePolicy"},
    {"pullthroughcache.ecr", "ECRPullThroughCache", "AWSECRPullThroughCache_ServiceRolePolicy"},
    {"ram", "ResourceAccessManager", "AWSResourceAccessManagerServiceRolePolicy"},
    {"rds", "RDS", "AmazonRDSServiceRolePolicy"},
    {"redshift", "Redshift", "AmazonRedshiftServiceLinkedRolePolicy"},
    {"replication.cassandra", "KeyspacesReplication", "KeyspacesReplicationServiceRolePolicy"},
    {"replication.ecr", "ECRReplication", "ECRReplicationServiceRolePolicy"},
    {"replicator.lambda", "LambdaReplicator", "AWSLambdaReplicator"},
    {"repository.sync.codeconnections", "GitSync", "AWSGitSyncServiceRolePolicy"},
    {"rolesanywhere", "RolesAnywhere", "AWSRolesAnywhereServicePolicy"},
    {"s3-outposts", "S3OnOutposts", "AWSS3OnOutpostsServiceRolePolicy"},
    {"ses", "AmazonSES", "AmazonSESServiceRolePolicy"},
    {"shield", "AWSShield", "AWSShieldServiceRolePolicy"},
    {"ssm", "AmazonSSM", "AmazonSSMServiceRolePolicy"},
    {"ssm-incidents", "IncidentManager", "AWSIncidentManagerServiceRolePolicy"},
    {"ssm-quicksetup", "SSMQuickSetup", "SSMQuickSetupRolePolicy"},
    {"sso", "SSO", "AWSSSOServiceRolePolicy"},
    {"vpcorigin.cloudfront", "CloudFrontVPCOrigin", "AWSCloudFrontVPCOriginServiceRolePolicy"},
    {"waf", "WAFLogging", "WAFLoggingServiceRolePolicy"},
    {"wafv2", "WAFV2Logging", "WAFV2LoggingServiceRolePolicy"},
});

}  // namespace wolke::iam

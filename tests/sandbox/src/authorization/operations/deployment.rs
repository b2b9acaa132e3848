//! CloudFormation, and what stacks and baselines are made of.
//!
//! The resource types that StackSets check only if a policy names them (`type/resource/*`,
//! `stackset-target/*`) are not asked about.

use super::super::row::Key::{Many, One, TagKeys, Tags};
use super::super::row::{Also, Key, Row, also, passes, read, write};
use super::regional;

const STACK: &str = regional!("cloudformation", "stack/{StackName}/*");

const STACK_SET: &str = concat!(
    "arn:<partition>:cloudformation:<region>:{CallAs|administrator=SELF}:",
    "stackset/{StackSetName|stackset}:*"
);

const TARGET_REGIONS: &[Key] = &[Many("cloudformation:TargetRegion", "{Regions}")];

const STACK_KEYS: &[Key] = &[
    One("cloudformation:ChangeSetName", "{ChangeSetName}"),
    One("cloudformation:RoleArn", "{RoleARN}"),
    One("cloudformation:StackPolicyUrl", "{StackPolicyURL}"),
    One("cloudformation:TemplateUrl", "{TemplateURL}"),
    Many("cloudformation:ResourceTypes", "{ResourceTypes}"),
    Tags("Tags"),
];

const STACK_SET_KEYS: &[Key] = &[
    One("cloudformation:RoleArn", "{AdministrationRoleARN}"),
    One("cloudformation:TemplateUrl", "{TemplateURL}"),
    Many("cloudformation:TargetRegion", "{Regions}"),
    Tags("Tags"),
];

const STACK_PASSES: &[Also] = &[passes!("RoleARN", "cloudformation.amazonaws.com")];

const STACK_SET_PASSES: &[Also] =
    &[passes!("AdministrationRoleARN", "cloudformation.amazonaws.com")];

pub(super) const CLOUDFORMATION: &[Row] = &[
    write("CancelUpdateStack").on(&[STACK]),
    write("ContinueUpdateRollback").on(&[STACK]).keys(STACK_KEYS).also(STACK_PASSES),
    write("CreateChangeSet").on(&[STACK]).keys(STACK_KEYS).also(STACK_PASSES),
    write("CreateStack").on(&[STACK]).keys(STACK_KEYS).also(STACK_PASSES),
    write("CreateStackInstances").on(&[STACK_SET]).keys(TARGET_REGIONS),
    write("CreateStackSet").keys(STACK_SET_KEYS).also(STACK_SET_PASSES),
    write("DeleteChangeSet").on(&[STACK]).keys(STACK_KEYS),
    write("DeleteStack").on(&[STACK]).keys(STACK_KEYS).also(STACK_PASSES),
    write("DeleteStackInstances").on(&[STACK_SET]).keys(TARGET_REGIONS),
    write("DeleteStackSet").on(&[STACK_SET]),
    read("DescribeAccountLimits"),
    read("DescribeChangeSet").on(&[STACK]).keys(STACK_KEYS),
    read("DescribeOrganizationsAccess"),
    read("DescribeStackEvents").on(&[STACK]),
    read("DescribeStackInstance").on(&[STACK_SET]),
    read("DescribeStackResource").on(&[STACK]),
    read("DescribeStackResources").on(&[STACK]),
    read("DescribeStacks").on(&[regional!("cloudformation", "stack/{StackName=*}/*")]),
    read("DescribeStackSet").on(&[STACK_SET]),
    read("DescribeStackSetOperation").on(&[STACK_SET]),
    read("DetectStackDrift").on(&[STACK]),
    read("DetectStackSetDrift").on(&[STACK_SET]),
    write("ExecuteChangeSet").on(&[STACK]).keys(STACK_KEYS),
    read("GetTemplate").on(&[STACK]),
    read("GetTemplateSummary").on(&[STACK, STACK_SET]).keys(STACK_KEYS),
    read("ListChangeSets").on(&[STACK]),
    read("ListExports"),
    read("ListStackInstances").on(&[STACK_SET]),
    read("ListStackResources").on(&[STACK]),
    read("ListStacks"),
    read("ListStackSetOperationResults").on(&[STACK_SET]),
    read("ListStackSetOperations").on(&[STACK_SET]),
    read("ListStackSets"),
    write("StopStackSetOperation").on(&[STACK_SET]),
    write("UpdateStack").on(&[STACK]).keys(STACK_KEYS).also(STACK_PASSES),
    write("UpdateStackInstances").on(&[STACK_SET]).keys(TARGET_REGIONS),
    write("UpdateStackSet").on(&[STACK_SET]).keys(STACK_SET_KEYS).also(STACK_SET_PASSES),
    write("UpdateTerminationProtection").on(&[STACK]),
    read("ValidateTemplate").keys(STACK_KEYS),
];

pub(super) const EC2: &[Row] = &[
    write("DeleteInternetGateway").on(&[regional!("ec2", "internet-gateway/{InternetGatewayId}")]),
    write("DeleteRouteTable").on(&[regional!("ec2", "route-table/{RouteTableId}")]),
    write("DeleteSecurityGroup").on(&[regional!("ec2", "security-group/{GroupId}")]),
    write("DeleteSubnet").on(&[regional!("ec2", "subnet/{SubnetId}")]),
    write("DeleteVpc").on(&[regional!("ec2", "vpc/{VpcId}")]),
    read("DescribeInternetGateways"),
    read("DescribeNetworkAcls"),
    read("DescribeNetworkInterfaces"),
    read("DescribeRegions"),
    read("DescribeRouteTables"),
    read("DescribeSecurityGroups"),
    read("DescribeSubnets"),
    read("DescribeVpcs"),
    write("DetachInternetGateway").on(&[
        regional!("ec2", "internet-gateway/{InternetGatewayId}"),
        regional!("ec2", "vpc/{VpcId}"),
    ]),
    write("DisableEbsEncryptionByDefault"),
    write("DisableImageBlockPublicAccess"),
    write("DisableSnapshotBlockPublicAccess"),
    write("EnableEbsEncryptionByDefault"),
    write("EnableImageBlockPublicAccess"),
    write("EnableSnapshotBlockPublicAccess"),
    read("GetEbsDefaultKmsKeyId"),
    read("GetEbsEncryptionByDefault"),
    read("GetImageBlockPublicAccessState"),
    read("GetSnapshotBlockPublicAccessState"),
    write("ModifyEbsDefaultKmsKeyId"),
];

const KEY: &str = regional!("kms", "key/{KeyId|key}");
const KEY_OF_ALIAS: &str = regional!("kms", "key/{TargetKeyId|key=*}");
const ALIAS: &str = regional!("kms", "{AliasName}");

pub(super) const KMS: &[Row] = &[
    write("CreateAlias").on(&[KEY_OF_ALIAS, ALIAS]),
    write("CreateGrant").on(&[KEY]).keys(&[
        One("kms:GranteePrincipal", "{GranteePrincipal}"),
        Many("kms:GrantOperations", "{Operations}"),
    ]),
    write("CreateKey").keys(&[Tags("Tags")]).also(&[also(
        "Tags",
        "kms:TagResource",
        regional!("kms", "key/*"),
        &[],
    )]),
    write("Decrypt").on(&[regional!("kms", "key/{KeyId|key=*}")]),
    write("DeleteAlias").on(&[KEY_OF_ALIAS, ALIAS]),
    read("DescribeKey").on(&[KEY]),
    write("EnableKeyRotation").on(&[KEY]),
    write("Encrypt").on(&[KEY]),
    write("GenerateDataKey").on(&[KEY]),
    read("GetKeyPolicy").on(&[KEY]),
    read("GetKeyRotationStatus").on(&[KEY]),
    read("ListAliases"),
    read("ListGrants").on(&[KEY]),
    read("ListKeys"),
    read("ListResourceTags").on(&[KEY]),
    write("PutKeyPolicy").on(&[KEY]),
    write("RevokeGrant").on(&[KEY]),
    write("ScheduleKeyDeletion").on(&[KEY]),
    write("TagResource").on(&[KEY]).keys(&[Tags("Tags")]),
    write("UntagResource").on(&[KEY]).keys(&[TagKeys("TagKeys")]),
];

const BUCKET: &str = "arn:<partition>:s3:::{Bucket}";
const OBJECT: &str = "arn:<partition>:s3:::{Bucket}/{Key}";

pub(super) const S3: &[Row] = &[
    write("CreateBucket").at("PUT /{Bucket}").on(&[BUCKET]),
    write("DeleteBucket").at("DELETE /{Bucket}").on(&[BUCKET]),
    write("DeleteBucketPolicy").at("DELETE /{Bucket}?policy").on(&[BUCKET]),
    write("DeleteObject").at("DELETE /{Bucket}/{Key+}").on(&[OBJECT]),
    read("GetBucketAcl").at("GET /{Bucket}?acl").on(&[BUCKET]),
    read("GetBucketLocation").at("GET /{Bucket}?location").on(&[BUCKET]),
    read("GetBucketPolicy").at("GET /{Bucket}?policy").on(&[BUCKET]),
    read("GetObject").at("GET /{Bucket}/{Key+}").on(&[OBJECT]),
    read("GetPublicAccessBlock")
        .at("GET /v20180820/configuration/publicAccessBlock")
        .named("s3:GetAccountPublicAccessBlock"),
    read("HeadBucket").at("HEAD /{Bucket}").named("s3:ListBucket").on(&[BUCKET]),
    read("HeadObject").at("HEAD /{Bucket}/{Key+}").named("s3:GetObject").on(&[OBJECT]),
    read("ListBuckets").at("GET /").named("s3:ListAllMyBuckets"),
    read("ListObjects").at("GET /{Bucket}").named("s3:ListBucket").on(&[BUCKET]).keys(&[
        One("s3:delimiter", "{delimiter}"),
        One("s3:max-keys", "{max-keys}"),
        One("s3:prefix", "{prefix}"),
    ]),
    write("PutBucketEncryption")
        .at("PUT /{Bucket}?encryption")
        .named("s3:PutEncryptionConfiguration")
        .on(&[BUCKET]),
    write("PutBucketPolicy").at("PUT /{Bucket}?policy").on(&[BUCKET]),
    write("PutBucketPublicAccessBlock").at("PUT /{Bucket}?publicAccessBlock").on(&[BUCKET]),
    write("PutObject").at("PUT /{Bucket}/{Key+}").on(&[OBJECT]),
    write("PutPublicAccessBlock")
        .at("PUT /v20180820/configuration/publicAccessBlock")
        .named("s3:PutAccountPublicAccessBlock"),
];

const SECRET: &str = regional!("secretsmanager", "secret:{SecretId|secret}");

pub(super) const SECRETS_MANAGER: &[Row] = &[
    write("CreateSecret")
        .on(&[regional!("secretsmanager", "secret:{Name|secret}")])
        .keys(&[One("secretsmanager:Name", "{Name}"), Tags("Tags")])
        .tagging("secretsmanager:TagResource"),
    write("DeleteSecret").on(&[SECRET]),
    read("DescribeSecret").on(&[SECRET]),
    read("GetSecretValue").on(&[SECRET]),
    read("ListSecrets"),
    write("PutResourcePolicy").on(&[SECRET]),
    write("PutSecretValue").on(&[SECRET]),
    write("TagResource").on(&[SECRET]).keys(&[Tags("Tags")]),
    write("UpdateSecret").on(&[SECRET]),
];

const PARAMETER: &str = regional!("ssm", "parameter/{Name|relative}");

pub(super) const SSM: &[Row] = &[
    write("DeleteParameter").on(&[PARAMETER]),
    read("GetParameter").on(&[PARAMETER]),
    read("GetParameters").on(&[regional!("ssm", "parameter/{Names|relative}")]),
    read("GetParametersByPath").on(&[regional!("ssm", "parameter/{Path|relative}")]),
    write("PutParameter").on(&[PARAMETER]).keys(&[Tags("Tags")]).tagging("ssm:AddTagsToResource"),
];

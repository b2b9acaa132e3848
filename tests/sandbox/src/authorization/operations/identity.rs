//! IAM, STS and Identity Center.

use super::super::row::Key::{Many, One, TagKeys, Tags};
use super::super::row::{Key, Row, also, read, write};
use super::global;

const ROLE: &str = global!("iam", "role{Path=/}{RoleName}");
const USER: &str = global!("iam", "user{Path=/}{UserName}");
const CALLER: &str = global!("iam", "user/{UserName=*}");
const GROUP: &str = global!("iam", "group{Path=/}{GroupName}");
const INSTANCE_PROFILE: &str = global!("iam", "instance-profile{Path=/}{InstanceProfileName}");
const POLICY: &str = "{PolicyArn}";
const ATTACHED: &[Key] = &[One("iam:PolicyARN", "{PolicyArn}")];
const BOUNDARY: &[Key] = &[One("iam:PermissionsBoundary", "{PermissionsBoundary}"), Tags("Tags")];
const TAGS: &[Key] = &[Tags("Tags")];
const UNTAGGED: &[Key] = &[TagKeys("TagKeys")];

pub(super) const IAM: &[Row] = &[
    write("AddRoleToInstanceProfile").on(&[INSTANCE_PROFILE]).also(&[also(
        "RoleName",
        "iam:PassRole",
        ROLE,
        &[One("iam:PassedToService", "ec2.amazonaws.com")],
    )]),
    write("AddUserToGroup").on(&[GROUP]),
    write("AttachGroupPolicy").on(&[GROUP]).keys(ATTACHED),
    write("AttachRolePolicy").on(&[ROLE]).keys(ATTACHED),
    write("AttachUserPolicy").on(&[USER]).keys(ATTACHED),
    write("CreateAccessKey").on(&[CALLER]),
    write("CreateAccountAlias"),
    write("CreateGroup").on(&[GROUP]),
    write("CreateInstanceProfile").on(&[INSTANCE_PROFILE]).keys(TAGS),
    write("CreateOpenIDConnectProvider")
        .on(&[global!("iam", "oidc-provider/{Url|host}")])
        .keys(TAGS),
    write("CreatePolicy")
        .on(&[global!("iam", "policy{Path=/}{PolicyName}")])
        .keys(TAGS)
        .tagging("iam:TagPolicy"),
    write("CreatePolicyVersion").on(&[POLICY]),
    write("CreateRole").on(&[ROLE]).keys(BOUNDARY).tagging("iam:TagRole"),
    write("CreateSAMLProvider").on(&[global!("iam", "saml-provider/{Name}")]).keys(TAGS),
    write("CreateServiceLinkedRole")
        .on(&[global!("iam", "role/aws-service-role/{AWSServiceName}/*")])
        .keys(&[One("iam:AWSServiceName", "{AWSServiceName}")]),
    write("CreateUser").on(&[USER]).keys(BOUNDARY).tagging("iam:TagUser"),
    write("DeleteAccessKey").on(&[CALLER]),
    write("DeleteAccountAlias"),
    write("DeleteAccountPasswordPolicy"),
    write("DeleteGroup").on(&[GROUP]),
    write("DeleteInstanceProfile").on(&[INSTANCE_PROFILE]),
    write("DeletePolicy").on(&[POLICY]),
    write("DeletePolicyVersion").on(&[POLICY]),
    write("DeleteRole").on(&[ROLE]),
    write("DeleteRolePermissionsBoundary").on(&[ROLE]),
    write("DeleteRolePolicy").on(&[ROLE]),
    write("DeleteSAMLProvider").on(&["{SAMLProviderArn}"]),
    write("DeleteUser").on(&[USER]),
    write("DeleteUserPolicy").on(&[USER]),
    write("DetachGroupPolicy").on(&[GROUP]).keys(ATTACHED),
    write("DetachRolePolicy").on(&[ROLE]).keys(ATTACHED),
    write("DetachUserPolicy").on(&[USER]).keys(ATTACHED),
    read("GenerateCredentialReport"),
    read("GetAccessKeyLastUsed").on(&[CALLER]),
    read("GetAccountAuthorizationDetails"),
    read("GetAccountPasswordPolicy"),
    read("GetAccountSummary"),
    read("GetGroup").on(&[GROUP]),
    read("GetInstanceProfile").on(&[INSTANCE_PROFILE]),
    read("GetPolicy").on(&[POLICY]),
    read("GetPolicyVersion").on(&[POLICY]),
    read("GetRole").on(&[ROLE]),
    read("GetRolePolicy").on(&[ROLE]),
    read("GetSAMLProvider").on(&["{SAMLProviderArn}"]),
    read("GetUser").on(&[CALLER]),
    read("GetUserPolicy").on(&[USER]),
    read("ListAccessKeys").on(&[CALLER]),
    read("ListAccountAliases"),
    read("ListAttachedGroupPolicies").on(&[GROUP]),
    read("ListAttachedRolePolicies").on(&[ROLE]),
    read("ListAttachedUserPolicies").on(&[USER]),
    read("ListEntitiesForPolicy").on(&[POLICY]),
    read("ListGroups"),
    read("ListInstanceProfilesForRole").on(&[ROLE]),
    read("ListMFADevices").on(&[CALLER]),
    read("ListOpenIDConnectProviders"),
    read("ListOrganizationsFeatures"),
    read("ListPolicies"),
    read("ListPolicyTags").on(&[POLICY]),
    read("ListPolicyVersions").on(&[POLICY]),
    read("ListRolePolicies").on(&[ROLE]),
    read("ListRoles"),
    read("ListRoleTags").on(&[ROLE]),
    read("ListSAMLProviders"),
    read("ListUserPolicies").on(&[USER]),
    read("ListUsers"),
    read("ListUserTags").on(&[USER]),
    write("PutGroupPolicy").on(&[GROUP]),
    write("PutRolePermissionsBoundary").on(&[ROLE]).keys(BOUNDARY),
    write("PutRolePolicy").on(&[ROLE]),
    write("PutUserPermissionsBoundary").on(&[USER]).keys(BOUNDARY),
    write("PutUserPolicy").on(&[USER]),
    write("SetDefaultPolicyVersion").on(&[POLICY]),
    read("SimulateCustomPolicy"),
    read("SimulatePrincipalPolicy").on(&["{PolicySourceArn}"]),
    write("TagPolicy").on(&[POLICY]).keys(TAGS),
    write("TagRole").on(&[ROLE]).keys(TAGS),
    write("TagUser").on(&[USER]).keys(TAGS),
    write("UntagPolicy").on(&[POLICY]).keys(UNTAGGED),
    write("UntagRole").on(&[ROLE]).keys(UNTAGGED),
    write("UntagUser").on(&[USER]).keys(UNTAGGED),
    write("UpdateAccountPasswordPolicy"),
    write("UpdateAssumeRolePolicy").on(&[ROLE]),
    write("UpdateRole").on(&[ROLE]),
    write("UpdateRoleDescription").on(&[ROLE]),
    write("UpdateSAMLProvider").on(&["{SAMLProviderArn}"]),
];

const ASSUMED: &str = "{RoleArn}";

pub(super) const STS: &[Row] = &[
    read("AssumeRole")
        .on(&[ASSUMED])
        .keys(&[
            One("sts:ExternalId", "{ExternalId}"),
            One("sts:RoleSessionName", "{RoleSessionName}"),
            One("sts:SourceIdentity", "{SourceIdentity}"),
            Many("sts:TransitiveTagKeys", "{TransitiveTagKeys}"),
            Tags("Tags"),
        ])
        .tagging("sts:TagSession")
        .also(&[also("SourceIdentity", "sts:SetSourceIdentity", ASSUMED, &[])]),
    read("AssumeRoot")
        .on(&["arn:<partition>:iam::{TargetPrincipal}:root"])
        .keys(&[One("sts:TaskPolicyArn", "{TaskPolicyArn.arn}")]),
    read("DecodeAuthorizationMessage"),
    read("GetAccessKeyInfo"),
    read("GetCallerIdentity").free(),
    read("GetSessionToken").free(),
];

const INSTANCE: &str = "{InstanceArn}";
const PERMISSION_SET: &str = "{PermissionSetArn}";
const TARGET_ACCOUNT: &str = "arn:<partition>:sso:::account/{TargetId}";
const LISTED_ACCOUNT: &str = "arn:<partition>:sso:::account/{AccountId}";

pub(super) const IDENTITY_CENTER: &[Row] = &[
    write("AttachManagedPolicyToPermissionSet").on(&[PERMISSION_SET, INSTANCE]),
    write("CreateAccountAssignment").on(&[PERMISSION_SET, INSTANCE, TARGET_ACCOUNT]),
    write("CreatePermissionSet")
        .on(&[INSTANCE, "arn:<partition>:sso:::permissionSet/{InstanceArn|last}/*"])
        .keys(TAGS)
        .tagging("sso:TagResource"),
    write("DeleteAccountAssignment").on(&[PERMISSION_SET, INSTANCE, TARGET_ACCOUNT]),
    write("DeleteInlinePolicyFromPermissionSet").on(&[PERMISSION_SET, INSTANCE]),
    write("DeletePermissionSet").on(&[PERMISSION_SET, INSTANCE]),
    read("DescribeAccountAssignmentCreationStatus").on(&[INSTANCE]),
    read("DescribeAccountAssignmentDeletionStatus").on(&[INSTANCE]),
    read("DescribePermissionSet").on(&[PERMISSION_SET, INSTANCE]),
    read("DescribePermissionSetProvisioningStatus").on(&[INSTANCE]),
    write("DetachManagedPolicyFromPermissionSet").on(&[PERMISSION_SET, INSTANCE]),
    read("GetInlinePolicyForPermissionSet").on(&[PERMISSION_SET, INSTANCE]),
    read("ListAccountAssignmentCreationStatus").on(&[INSTANCE]),
    read("ListAccountAssignmentDeletionStatus").on(&[INSTANCE]),
    read("ListAccountAssignments").on(&[PERMISSION_SET, INSTANCE, LISTED_ACCOUNT]),
    read("ListAccountAssignmentsForPrincipal").on(&[INSTANCE]),
    read("ListAccountsForProvisionedPermissionSet").on(&[PERMISSION_SET, INSTANCE]),
    read("ListInstances"),
    read("ListManagedPoliciesInPermissionSet").on(&[PERMISSION_SET, INSTANCE]),
    read("ListPermissionSets").on(&[INSTANCE]),
    read("ListPermissionSetsProvisionedToAccount").on(&[INSTANCE, LISTED_ACCOUNT]),
    read("ListTagsForResource").on(&[INSTANCE, "{ResourceArn}"]),
    write("ProvisionPermissionSet").on(&[PERMISSION_SET, INSTANCE, TARGET_ACCOUNT]),
    write("PutInlinePolicyToPermissionSet").on(&[PERMISSION_SET, INSTANCE]),
    write("PutPermissionsBoundaryToPermissionSet").on(&[PERMISSION_SET, INSTANCE]),
    write("TagResource").on(&[INSTANCE, "{ResourceArn}"]).keys(TAGS),
    write("UntagResource").on(&[INSTANCE, "{ResourceArn}"]).keys(UNTAGGED),
    write("UpdatePermissionSet").on(&[PERMISSION_SET, INSTANCE]),
];

const STORE: &str = global!("identitystore", "identitystore/{IdentityStoreId}");
const STORE_GROUP: &str = "arn:<partition>:identitystore:::group/{GroupId=*}";
const STORE_USER: &str = "arn:<partition>:identitystore:::user/{UserId=*}";
const MEMBER: &str = "arn:<partition>:identitystore:::user/{MemberId.UserId=*}";
const ALL_MEMBERSHIPS: &str = "arn:<partition>:identitystore:::membership/*";
const MEMBERSHIP: &str = "arn:<partition>:identitystore:::membership/{MembershipId=*}";

pub(super) const IDENTITY_STORE: &[Row] = &[
    write("CreateGroup").on(&[STORE]),
    write("CreateGroupMembership").on(&[STORE, STORE_GROUP, MEMBER]),
    write("CreateUser").on(&[STORE]),
    write("DeleteGroup").on(&[STORE, STORE_GROUP]),
    write("DeleteGroupMembership").on(&[STORE, STORE_GROUP, MEMBER, MEMBERSHIP]),
    write("DeleteUser").on(&[STORE, STORE_USER]),
    read("DescribeGroup").on(&[STORE, STORE_GROUP]),
    read("DescribeGroupMembership").on(&[STORE, STORE_GROUP, MEMBER, MEMBERSHIP]),
    read("DescribeUser").on(&[STORE, STORE_USER]),
    read("GetGroupId").on(&[STORE, STORE_GROUP]),
    read("GetGroupMembershipId").on(&[STORE, STORE_GROUP, MEMBER, MEMBERSHIP]),
    read("GetUserId").on(&[STORE, STORE_USER]),
    read("IsMemberInGroups").on(&[
        STORE,
        "arn:<partition>:identitystore:::group/{GroupIds}",
        MEMBER,
        ALL_MEMBERSHIPS,
    ]),
    read("ListGroupMemberships").on(&[STORE, STORE_GROUP, ALL_MEMBERSHIPS]),
    read("ListGroupMembershipsForMember").on(&[STORE, MEMBER, ALL_MEMBERSHIPS]),
    read("ListGroups").on(&[STORE, "arn:<partition>:identitystore:::group/*"]),
    read("ListUsers").on(&[STORE, "arn:<partition>:identitystore:::user/*"]),
    write("UpdateGroup").on(&[STORE, STORE_GROUP]),
    write("UpdateUser").on(&[STORE, STORE_USER]),
];

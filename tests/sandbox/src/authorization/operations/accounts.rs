//! Organizations, accounts, quotas, Control Tower, Account Factory and costs.

use super::super::row::Key::{Many, One, TagKeys, Tags};
use super::super::row::{Also, Key, Row, also, read, write};
use super::regional;

/// An ARN of something in the organization, which belongs to the management account.
macro_rules! organization {
    ($kind:literal, $id:literal) => {
        concat!("arn:<partition>:organizations::<management>:", $kind, "/<organization>/", $id)
    };
}

const MEMBER: &str = organization!("account", "{AccountId}");
const UNIT: &str = organization!("ou", "{OrganizationalUnitId}");
const ROOT: &str = organization!("root", "{RootId}");
const POLICY: &str = "{PolicyId|organizations}";
const TARGET: &str = "{TargetId|organizations}";
const PARENT: &str = "{ParentId|organizations}";
const TAGGED: &str = "{ResourceId|organizations}";
const SERVICE_PRINCIPAL: &[Key] = &[One("organizations:ServicePrincipal", "{ServicePrincipal}")];
const POLICY_TYPE: &[Key] =
    &[One("organizations:PolicyType", "{PolicyType} || {Filter} || {Type}"), Tags("Tags")];

pub(super) const ORGANIZATIONS: &[Row] = &[
    write("AttachPolicy").on(&[POLICY, TARGET]),
    write("CloseAccount").on(&[MEMBER]),
    // The account does not exist yet, so its tags are asked about for any account.
    write("CreateAccount").keys(&[Tags("Tags")]).also(&[also(
        "Tags",
        "organizations:TagResource",
        organization!("account", "*"),
        &[],
    )]),
    write("CreateGovCloudAccount").keys(&[Tags("Tags")]),
    write("CreateOrganization"),
    write("CreateOrganizationalUnit")
        .on(&[PARENT])
        .keys(&[Tags("Tags")])
        .tagging("organizations:TagResource"),
    write("CreatePolicy")
        .on(&["arn:<partition>:organizations::<management>:policy/<organization>/{Type|policy_type}/p-*"])
        .keys(POLICY_TYPE)
        .tagging("organizations:TagResource"),
    write("DeleteOrganization"),
    write("DeleteOrganizationalUnit").on(&[UNIT]),
    write("DeletePolicy").on(&[POLICY]),
    write("DeleteResourcePolicy"),
    write("DeregisterDelegatedAdministrator").on(&[MEMBER]).keys(SERVICE_PRINCIPAL),
    read("DescribeAccount").on(&[MEMBER]),
    read("DescribeCreateAccountStatus"),
    read("DescribeOrganization"),
    read("DescribeOrganizationalUnit").on(&[UNIT]),
    read("DescribePolicy").on(&[POLICY]),
    read("DescribeResourcePolicy"),
    write("DetachPolicy").on(&[POLICY, TARGET]),
    write("DisableAWSServiceAccess").keys(SERVICE_PRINCIPAL),
    write("DisablePolicyType").on(&[ROOT]).keys(POLICY_TYPE),
    write("EnableAllFeatures"),
    write("EnableAWSServiceAccess").keys(SERVICE_PRINCIPAL),
    write("EnablePolicyType").on(&[ROOT]).keys(POLICY_TYPE),
    write("LeaveOrganization"),
    read("ListAccounts"),
    read("ListAccountsForParent").on(&[PARENT]),
    read("ListAWSServiceAccessForOrganization"),
    read("ListChildren").on(&[PARENT]),
    read("ListCreateAccountStatus"),
    read("ListDelegatedAdministrators").keys(SERVICE_PRINCIPAL),
    read("ListDelegatedServicesForAccount").on(&[MEMBER]),
    read("ListOrganizationalUnitsForParent").on(&[PARENT]),
    read("ListParents").on(&["{ChildId|organizations}"]),
    read("ListPolicies").keys(POLICY_TYPE),
    read("ListPoliciesForTarget").on(&[TARGET]).keys(POLICY_TYPE),
    read("ListRoots"),
    read("ListTagsForResource").on(&[TAGGED]),
    read("ListTargetsForPolicy").on(&[POLICY]),
    write("MoveAccount").on(&[
        MEMBER,
        "{SourceParentId|organizations}",
        "{DestinationParentId|organizations}",
    ]),
    write("PutResourcePolicy").on(&[organization!("resourcepolicy", "rp-*")]).keys(&[Tags("Tags")]),
    write("RegisterDelegatedAdministrator").on(&[MEMBER]).keys(SERVICE_PRINCIPAL),
    write("RemoveAccountFromOrganization").on(&[MEMBER]),
    write("TagResource").on(&[TAGGED]).keys(&[Tags("Tags")]),
    write("UntagResource").on(&[TAGGED]).keys(&[TagKeys("TagKeys")]),
    write("UpdateOrganizationalUnit").on(&[UNIT]),
    write("UpdatePolicy").on(&[POLICY]),
];

const MEMBER_ACCOUNT: &str = "arn:<partition>:account::<management>:account/<organization>/{AccountId} \
     || arn:<partition>:account::<account>:account";

const CONTACT: &[Key] = &[Many("account:AlternateContactTypes", "{AlternateContactType}")];

const TARGET_REGION: &[Key] = &[One("account:TargetRegion", "{RegionName}")];

pub(super) const ACCOUNT: &[Row] = &[
    write("AcceptPrimaryEmailUpdate").at("POST /acceptPrimaryEmailUpdate").on(&[MEMBER_ACCOUNT]),
    write("DeleteAlternateContact")
        .at("POST /deleteAlternateContact")
        .on(&[MEMBER_ACCOUNT])
        .keys(CONTACT),
    write("DisableRegion").at("POST /disableRegion").on(&[MEMBER_ACCOUNT]).keys(TARGET_REGION),
    write("EnableRegion").at("POST /enableRegion").on(&[MEMBER_ACCOUNT]).keys(TARGET_REGION),
    read("GetAccountInformation").at("POST /getAccountInformation").on(&[MEMBER_ACCOUNT]),
    read("GetAlternateContact").at("POST /getAlternateContact").on(&[MEMBER_ACCOUNT]).keys(CONTACT),
    read("GetContactInformation").at("POST /getContactInformation").on(&[MEMBER_ACCOUNT]),
    read("GetPrimaryEmail").at("POST /getPrimaryEmail").on(&[MEMBER_ACCOUNT]),
    read("GetRegionOptStatus")
        .at("POST /getRegionOptStatus")
        .on(&[MEMBER_ACCOUNT])
        .keys(TARGET_REGION),
    read("ListRegions").at("POST /listRegions").on(&[MEMBER_ACCOUNT]),
    write("PutAccountName").at("POST /putAccountName").on(&[MEMBER_ACCOUNT]),
    write("PutAlternateContact")
        .at("POST /putAlternateContact")
        .on(&[MEMBER_ACCOUNT])
        .keys(CONTACT),
    write("PutContactInformation").at("POST /putContactInformation").on(&[MEMBER_ACCOUNT]),
    write("StartPrimaryEmailUpdate").at("POST /startPrimaryEmailUpdate").on(&[MEMBER_ACCOUNT]),
];

const BUDGET: &str = "arn:<partition>:budgets::{AccountId}:budget/{Budget.BudgetName} \
     || arn:<partition>:budgets::{AccountId}:budget/{BudgetName=*}";

pub(super) const BUDGETS: &[Row] = &[
    write("CreateBudget").named("budgets:ModifyBudget").on(&[BUDGET]),
    write("DeleteBudget").named("budgets:ModifyBudget").on(&[BUDGET]),
    read("DescribeBudget").named("budgets:ViewBudget").on(&[BUDGET]),
    read("DescribeBudgets").named("budgets:ViewBudget").on(&[BUDGET]),
    write("UpdateBudget")
        .named("budgets:ModifyBudget")
        .on(&["arn:<partition>:budgets::{AccountId}:budget/{NewBudget.BudgetName}"]),
];

pub(super) const CONTROL_TOWER: &[Row] = &[
    write("DisableBaseline").at("POST /disable-baseline").on(&["{enabledBaselineIdentifier}"]),
    write("DisableControl").at("POST /disable-control").on(&["{enabledControlIdentifier}"]),
    write("EnableBaseline").at("POST /enable-baseline").keys(&[Tags("tags")]),
    write("EnableControl").at("POST /enable-control").keys(&[Tags("tags")]),
    read("GetBaseline").at("POST /get-baseline").on(&["{baselineIdentifier}"]),
    read("GetBaselineOperation").at("POST /get-baseline-operation"),
    read("GetControlOperation").at("POST /get-control-operation"),
    read("GetEnabledBaseline")
        .at("POST /get-enabled-baseline")
        .on(&["{enabledBaselineIdentifier}"]),
    read("GetEnabledControl").at("POST /get-enabled-control").on(&["{enabledControlIdentifier}"]),
    read("GetLandingZone").at("POST /get-landingzone").on(&["{landingZoneIdentifier}"]),
    read("GetLandingZoneOperation").at("POST /get-landingzone-operation"),
    read("ListBaselines").at("POST /list-baselines"),
    read("ListEnabledBaselines").at("POST /list-enabled-baselines"),
    read("ListEnabledControls").at("POST /list-enabled-controls"),
    read("ListLandingZoneOperations").at("POST /list-landingzone-operations"),
    read("ListLandingZones").at("POST /list-landingzones"),
    read("ListTagsForResource").at("GET /tags/{resourceArn}").on(&["{resourceArn}"]),
    write("ResetEnabledBaseline")
        .at("POST /reset-enabled-baseline")
        .on(&["{enabledBaselineIdentifier}"]),
    write("ResetLandingZone").at("POST /reset-landingzone").on(&["{landingZoneIdentifier}"]),
    write("TagResource")
        .at("POST /tags/{resourceArn}")
        .on(&["{resourceArn}"])
        .keys(&[Tags("tags")]),
    write("UntagResource")
        .at("DELETE /tags/{resourceArn}")
        .on(&["{resourceArn}"])
        .keys(&[TagKeys("tagKeys")]),
    write("UpdateEnabledBaseline")
        .at("POST /update-enabled-baseline")
        .on(&["{enabledBaselineIdentifier}"]),
    write("UpdateLandingZone").at("POST /update-landingzone").on(&["{landingZoneIdentifier}"]),
];

pub(super) const COST_EXPLORER: &[Row] = &[
    read("GetCostAndUsage").on(&["{BillingViewArn}"]),
    read("GetCostForecast").on(&["{BillingViewArn}"]),
    read("GetDimensionValues").on(&["{BillingViewArn}"]),
    read("GetTags").on(&["{BillingViewArn}"]),
    read("ListCostAllocationTags"),
    write("UpdateCostAllocationTagsStatus"),
];

const QUOTA: &str = regional!("servicequotas", "{ServiceCode}/{QuotaCode}");
const QUOTA_SERVICE: &[Key] = &[One("servicequotas:service", "{ServiceCode}")];

pub(super) const SERVICE_QUOTAS: &[Row] = &[
    write("AssociateServiceQuotaTemplate"),
    read("GetAssociationForServiceQuotaTemplate"),
    read("GetAWSDefaultServiceQuota"),
    read("GetRequestedServiceQuotaChange"),
    read("GetServiceQuota").on(&[QUOTA]).keys(QUOTA_SERVICE),
    read("ListAWSDefaultServiceQuotas"),
    read("ListRequestedServiceQuotaChangeHistory"),
    read("ListRequestedServiceQuotaChangeHistoryByQuota").on(&[QUOTA]).keys(QUOTA_SERVICE),
    read("ListServiceQuotaIncreaseRequestsInTemplate"),
    read("ListServiceQuotas"),
    read("ListServices"),
    write("PutServiceQuotaIncreaseRequestIntoTemplate").on(&[QUOTA]).keys(QUOTA_SERVICE),
    write("RequestServiceQuotaIncrease").on(&[QUOTA]).keys(QUOTA_SERVICE),
];

const PRODUCT: &str = regional!("catalog", "product/{ProductId}");
const PRODUCT_BY_ID: &str = regional!("catalog", "product/{Id}");

/// What Control Tower's Account Factory, the one product that a sandbox has, does with its caller's rights.
const FACTORY: &[Also] = &[
    also("ProductId", "controltower:CreateManagedAccount", "*", &[]),
    also("ProductId", "controltower:DescribeManagedAccount", "*", &[]),
    also("ProductId", "organizations:DescribeOrganization", "*", &[]),
];

/// The same where it lets go of an account.
const FACTORY_ENDS: &[Also] = &[
    also("ProvisionedProductId", "controltower:DescribeManagedAccount", "*", &[]),
    also("ProvisionedProductId", "controltower:DeregisterManagedAccount", "*", &[]),
];

pub(super) const SERVICE_CATALOG: &[Row] = &[
    write("AssociatePrincipalWithPortfolio").on(&[regional!("catalog", "portfolio/{PortfolioId}")]),
    read("DescribeProduct").on(&[PRODUCT_BY_ID]),
    read("DescribeProductAsAdmin").on(&[PRODUCT_BY_ID]),
    read("DescribeProvisionedProduct"),
    read("DescribeProvisioningArtifact").on(&[PRODUCT]),
    read("DescribeProvisioningParameters").on(&[PRODUCT]),
    read("DescribeRecord"),
    read("GetProvisionedProductOutputs"),
    read("ListLaunchPaths").on(&[PRODUCT]),
    read("ListPortfolios"),
    read("ListPortfoliosForProduct").on(&[PRODUCT]),
    read("ListPrincipalsForPortfolio").on(&[regional!("catalog", "portfolio/{PortfolioId}")]),
    read("ListProvisioningArtifacts").on(&[PRODUCT]),
    read("ListRecordHistory"),
    write("ProvisionProduct").on(&[PRODUCT]).keys(&[Tags("Tags")]).also(FACTORY),
    read("ScanProvisionedProducts"),
    read("SearchProducts"),
    read("SearchProductsAsAdmin"),
    read("SearchProvisionedProducts"),
    write("TerminateProvisionedProduct").also(FACTORY_ENDS),
    write("UpdateProvisionedProduct").keys(&[Tags("Tags")]).also(FACTORY),
];

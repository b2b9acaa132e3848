"""A written wish becomes a governed account: what is there after `landfall apply -f examples`."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.acceptance.conftest import Vended
from tests.acceptance.organization import ACCESS_ROLE, Organization
from tests.acceptance.user import User, refusal
from tests.acceptance.watch import Reign, Watch
from tests.faults import wishes
from tests.faults.wishes import LANDFALL
from tests.faults.world import MANAGEMENT, World

LOG_ARCHIVE = "222222222222"
SECURITY = "333333333333"
# As examples/ says it: workspace, project, landing zone, cost centre.
EXAMPLES = [
    ("payments", "checkout-prod", "production", "4711"),
    ("payments", "invoicing-prod", "production", "4711"),
    ("research", "notebooks", "sandbox", "4712"),
    ("research", "playground", "sandbox", "4712"),
]
# What only some examples have: tags of the workspace, and which contacts are ours.
OWN_TAGS = {
    "checkout-prod": {
        "landfall:businessUnit": "retail",
        "landfall:contacts": "billing operations security",
    },
    "invoicing-prod": {"landfall:contacts": "operations security"},
    "notebooks": {"landfall:contacts": "security"},
    "playground": {"landfall:contacts": "security"},
}
UNITS = {"production": "ou-land-workprod", "sandbox": "ou-land-sandbox1"}
every_example = pytest.mark.parametrize(
    ("workspace", "project", "zone", "cost_center"), EXAMPLES, ids=[one[1] for one in EXAMPLES]
)
MINUTES = 10
# What Landfall may do for ever to the account as a whole and to its Regions.
EVERYWHERE = (
    "account:ListRegions",
    "ec2:DescribeInternetGateways",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeRouteTables",
    "ec2:DescribeSecurityGroups",
    "ec2:DescribeSubnets",
    "ec2:DescribeVpcs",
    "ec2:EnableEbsEncryptionByDefault",
    "ec2:EnableImageBlockPublicAccess",
    "ec2:EnableSnapshotBlockPublicAccess",
    "ec2:GetEbsDefaultKmsKeyId",
    "ec2:GetEbsEncryptionByDefault",
    "ec2:GetImageBlockPublicAccessState",
    "ec2:GetSnapshotBlockPublicAccessState",
    "ec2:ModifyEbsDefaultKmsKeyId",
    "iam:CreateAccountAlias",
    "iam:DeleteAccountAlias",
    "iam:GetAccountPasswordPolicy",
    "iam:ListAccountAliases",
    "iam:UpdateAccountPasswordPolicy",
    "s3:GetAccountPublicAccessBlock",
    "s3:PutAccountPublicAccessBlock",
    "servicequotas:GetAWSDefaultServiceQuota",
    "servicequotas:GetServiceQuota",
    "servicequotas:ListRequestedServiceQuotaChangeHistoryByQuota",
    "servicequotas:RequestServiceQuotaIncrease",
)


def test_apply_says_what_became_of_each_tenant_without_control_characters(vended: Vended) -> None:
    said = vended.applied.stdout
    for workspace, project, *_ in EXAMPLES:
        (line,) = [one for one in said.splitlines() if one.startswith(f"{workspace}.{project}.aws")]
        assert "Ready" in line
        assert vended.organization.account(workspace, project) in line
    assert "\x1b" not in said + vended.applied.stderr


@every_example
def test_the_account_is_in_its_unit_with_exactly_its_tags(
    vended: Vended, workspace: str, project: str, zone: str, cost_center: str
) -> None:
    organization = vended.organization
    account = organization.account(workspace, project)
    assert organization.parent(account) == UNITS[zone]
    assert organization.tags(account) == {
        "landfall:tenant": str(uuid.uuid5(LANDFALL, f"{workspace}.{project}.aws#1")),
        "landfall:workspace": workspace,
        "landfall:project": project,
        "landfall:landingZone": zone,
        "landfall:environment": zone,
        "landfall:costCenter": cost_center,
        "landfall:managedBy": "Landfall",
        "landfall:stage": {"production": "Production"}.get(zone, zone),
        "landfall:owner": f"{'ada' if workspace == 'payments' else 'grace'}@example.com",
        **OWN_TAGS[project],
    }


def test_the_organization_has_no_other_accounts(vended: Vended) -> None:
    addresses = {f"aws+{one[0]}.{one[1]}@example.com" for one in EXAMPLES}
    seeded = {f"aws+{name}@example.com" for name in ("automation", "log-archive", "security")}
    found = set(vended.organization.accounts())
    assert {one for one in found if "management" not in one and "master" not in one} == (
        addresses | seeded
    )


def test_the_security_account_may_audit_production(vended: Vended) -> None:
    account = vended.organization.account("payments", "checkout-prod")
    audit = f"arn:aws:iam::{account}:role/landfall-audit"
    auditor = vended.organization.member_of_staff(SECURITY, "Auditor")
    vended.world.until(lambda: refusal(lambda: auditor.assume(audit)) is None, hours=0.1)
    session = auditor.assume(audit)
    assert session.client("sts").get_caller_identity()["Account"] == account
    role = session.client("iam").get_role(RoleName="landfall-audit")["Role"]
    (statement,) = role["AssumeRolePolicyDocument"]["Statement"]
    assert statement["Principal"] == {"AWS": f"arn:aws:iam::{SECURITY}:root"}
    owner = User.administrator(vended.world, account).client("iam")
    attached = owner.list_attached_role_policies(RoleName="landfall-audit")["AttachedPolicies"]
    assert [one["PolicyArn"] for one in attached] == ["arn:aws:iam::aws:policy/SecurityAudit"]
    stranger = vended.organization.member_of_staff(LOG_ARCHIVE, "Auditor")
    vended.world.until(lambda: refusal(lambda: stranger.assume(audit)) is None, hours=0.05)
    assert refusal(lambda: stranger.assume(audit)) == "AccessDenied"


@pytest.mark.parametrize(
    ("workspace", "project", "regions"),
    [
        ("payments", "checkout-prod", ["eu-central-1", "us-east-1"]),
        ("research", "playground", ["eu-central-1"]),
    ],
)
def test_the_use_of_the_access_role_rings_in_each_region(
    vended: Vended, workspace: str, project: str, regions: list[str]
) -> None:
    account = vended.organization.account(workspace, project)
    owner = User.administrator(vended.world, account)
    for region in regions:
        topic = f"arn:aws:sns:{region}:{account}:landfall-access-role-used"
        topics = owner.aws("sns", "list-topics", "--region", region)["Topics"]
        assert [one["TopicArn"] for one in topics] == [topic]
        named = ("--region", region, "--rule", "landfall-access-role-used")
        (target,) = owner.aws("events", "list-targets-by-rule", *named)["Targets"]
        assert target["Arn"] == topic
        rule = owner.client("events", region).describe_rule(Name="landfall-access-role-used")
        assert rule["State"] == "ENABLED"
        assert f"arn:aws:iam::{account}:role/{ACCESS_ROLE}" in rule["EventPattern"]
        attributes = owner.client("sns", region).get_topic_attributes(TopicArn=topic)["Attributes"]
        assert "events.amazonaws.com" in attributes["Policy"]


def remaining(world: World, account: str) -> dict[str, Any]:
    """What is left of an access role, as the account's own administrator reads it."""
    iam = User.administrator(world, account).client("iam")
    role = iam.get_role(RoleName=ACCESS_ROLE)["Role"]
    attached = iam.list_attached_role_policies(RoleName=ACCESS_ROLE)["AttachedPolicies"]
    return {
        "attached": [one["PolicyArn"] for one in attached],
        "inline": iam.list_role_policies(RoleName=ACCESS_ROLE)["PolicyNames"],
        "boundary": role.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn"),
        "trust": role["AssumeRolePolicyDocument"],
    }


def only_life(account: str) -> dict[str, Any]:
    """What is left in mode strict, whatever was there before."""
    life = f"arn:aws:iam::{account}:policy/landfall-life"
    return {"attached": [life], "inline": [], "boundary": life}


@every_example
def test_of_the_access_role_only_the_life_policy_remains(
    vended: Vended, workspace: str, project: str, zone: str, cost_center: str
) -> None:
    account = vended.organization.account(workspace, project)
    left = remaining(vended.world, account)
    trust = left.pop("trust")
    assert left == only_life(account)
    (statement,) = trust["Statement"]
    root = f"arn:aws:iam::{MANAGEMENT}:root"
    assert statement["Effect"] == "Allow"
    assert statement["Principal"] == {"AWS": root}
    assert statement["Action"] == "sts:AssumeRole"
    roles = [f"arn:aws:iam::{MANAGEMENT}:role/{name}" for name in ("LandfallRead", "LandfallVend")]
    tightened = {"ArnLike": {"aws:PrincipalArn": roles}}
    assert statement.get("Condition") == (tightened if zone == "production" else None)


def test_the_life_policy_says_what_landfall_does_for_ever_and_no_more(vended: Vended) -> None:
    account = vended.organization.account("payments", "checkout-prod")
    owner = User.administrator(vended.world, account)
    arn = f"arn:aws:iam::{account}:policy/landfall-life"
    version = owner.aws("iam", "get-policy", "--policy-arn", arn)["Policy"]["DefaultVersionId"]
    named = ("--policy-arn", arn, "--version-id", version)
    document = owner.aws("iam", "get-policy-version", *named)["PolicyVersion"]["Document"]
    allowed: set[tuple[str, str]] = set()
    for statement in document["Statement"]:
        assert statement["Effect"] == "Allow"
        actions = statement["Action"]
        for action in actions if isinstance(actions, list) else [actions]:
            allowed.add((action, statement["Resource"].rpartition(":role/")[2]))
    execution = "AWSCloudFormationStackSetExecutionRole"
    stack = f"arn:aws:cloudformation:*:{account}:stack/landfall-access-stack/*"
    assert allowed == {
        ("cloudformation:DescribeStackEvents", stack),
        ("cloudformation:DescribeStacks", stack),
        ("iam:GetRole", execution),
        ("iam:GetRolePolicy", execution),
        ("iam:GetRole", "AWSControlTowerExecution"),
        ("iam:ListAttachedRolePolicies", "AWSControlTowerExecution"),
        ("iam:GetRole", ACCESS_ROLE),
        ("iam:GetRolePolicy", ACCESS_ROLE),
        ("iam:ListAttachedRolePolicies", ACCESS_ROLE),
        ("iam:ListRolePolicies", ACCESS_ROLE),
        ("iam:DeleteRolePolicy", ACCESS_ROLE),
        ("iam:DetachRolePolicy", ACCESS_ROLE),
        ("iam:PutRolePermissionsBoundary", ACCESS_ROLE),
        ("iam:CreateServiceLinkedRole", "aws-service-role/servicequotas.amazonaws.com/*"),
    } | {(action, "*") for action in EVERYWHERE}


@pytest.mark.parametrize("zone", ["production", "sandbox"])
def test_a_fresh_session_of_the_access_role_can_live_and_not_widen_itself(
    vended: Vended, zone: str
) -> None:
    workspace, project = next((one[0], one[1]) for one in EXAMPLES if one[2] == zone)
    account = vended.organization.account(workspace, project)
    vended.world.until(lambda: propagated(vended.organization, account), hours=0.2)
    session = vended.organization.chain(account)
    iam, s3 = session.client("iam"), session.client("s3")
    assert iam.get_role(RoleName=ACCESS_ROLE)["Role"]["RoleName"] == ACCESS_ROLE
    assert iam.list_attached_role_policies(RoleName=ACCESS_ROLE)["AttachedPolicies"]
    assert iam.list_role_policies(RoleName=ACCESS_ROLE)["PolicyNames"] == []
    assert iam.get_role(RoleName="AWSCloudFormationStackSetExecutionRole")
    document = '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}'
    life = f"arn:aws:iam::{account}:policy/landfall-life"
    administrator = "arn:aws:iam::aws:policy/AdministratorAccess"
    forbidden = {
        "iam:CreateRole": lambda: iam.create_role(
            RoleName="another", AssumeRolePolicyDocument=document
        ),
        "iam:PutRolePolicy": lambda: iam.put_role_policy(
            RoleName=ACCESS_ROLE, PolicyName="all", PolicyDocument=document
        ),
        "iam:AttachRolePolicy": lambda: iam.attach_role_policy(
            RoleName=ACCESS_ROLE, PolicyArn=administrator
        ),
        "iam:CreatePolicyVersion": lambda: iam.create_policy_version(
            PolicyArn=life, PolicyDocument=document, SetAsDefault=True
        ),
        "iam:DetachRolePolicy of the life policy": lambda: iam.detach_role_policy(
            RoleName=ACCESS_ROLE, PolicyArn=life
        ),
        "iam:PutRolePermissionsBoundary of another": lambda: iam.put_role_permissions_boundary(
            RoleName=ACCESS_ROLE, PermissionsBoundary=administrator
        ),
        "iam:DeleteRolePermissionsBoundary": lambda: iam.delete_role_permissions_boundary(
            RoleName=ACCESS_ROLE
        ),
        "iam:UpdateAssumeRolePolicy": lambda: iam.update_assume_role_policy(
            RoleName=ACCESS_ROLE, PolicyDocument=document
        ),
        "s3:CreateBucket": lambda: s3.create_bucket(
            Bucket="anothers",
            CreateBucketConfiguration={"LocationConstraint": "eu-central-1"},
        ),
    }
    assert {name: refusal(call) for name, call in forbidden.items()} == dict.fromkeys(
        forbidden, "AccessDenied"
    )
    left = remaining(vended.world, account)
    left.pop("trust")
    assert left == only_life(account)


def propagated(organization: Organization, account: str) -> bool:
    """Whether IAM has taken the administrator from fresh sessions: at most a minute later."""
    iam = organization.chain(account).client("iam")
    return refusal(lambda: iam.list_roles()) == "AccessDenied"


def test_a_tightened_access_role_is_nobody_elses(vended: Vended) -> None:
    role = "arn:aws:iam::{}:role/" + ACCESS_ROLE
    tightened = vended.organization.account("payments", "checkout-prod")
    kept = vended.organization.account("research", "playground")
    stranger = vended.organization.member_of_staff(MANAGEMENT, "Administrator")
    vended.world.until(lambda: refusal(lambda: stranger.assume(role.format(kept))) is None, 0.1)
    assert refusal(lambda: stranger.assume(role.format(kept))) is None
    assert refusal(lambda: stranger.assume(role.format(tightened))) == "AccessDenied"
    assert refusal(lambda: vended.organization.chain(tightened)) is None


def test_history_tells_each_transition_once_and_who_caused_it(vended: Vended) -> None:
    done = vended.person.landfall("history", "payments.checkout-prod.aws", "-o", "json")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("landfall-sandbox-operator") >= 1


@dataclass(frozen=True)
class Variant:
    """A tenant whose access role was made another way."""

    account: str
    phase: str
    failure: Any
    reign: Reign
    left: dict[str, Any]


@pytest.fixture(scope="module")
def variants() -> Iterator[dict[str, Variant]]:
    """Administrators as managed policy, inline, both, and with a baseline that never rolls out."""
    with World(seed=2, speed=60) as world, Watch(world) as watch:
        organization = Organization(world)
        world.found()
        tenants = {
            name: wishes.Tenant(name, "production" if name == "failing" else "sandbox")
            for name in ("managed", "inline", "both", "failing")
        }
        failing = {"stackSet": "landfall-audit-role", "reason": "the template is wrong"}
        world.configure(failInstances=[failing], creationLatencySeconds=5)
        for name, tenant in tenants.items():
            world.configure(administratorAccess="managed" if name == "failing" else name)
            world.wish(tenant)
            address = f"aws+{wishes.WORKSPACE}.{name}@example.com"
            world.until(lambda one=address: one in organization.accounts(), hours=0.5)

        def settled() -> bool:
            rows = world.rows(tenants.values()).values()
            return all(one["phase"] in ("Ready", "Failed") for one in rows)

        assert world.until(settled, hours=1), world.said()
        rows = world.rows(tenants.values())
        found = {}
        for name, tenant in tenants.items():
            account = organization.account(wishes.WORKSPACE, name)
            left = remaining(world, account)
            row = rows[tenant.id]
            failure = row.get("failed")
            found[name] = Variant(account, row["phase"], failure, watch.reigns[account], left)
        yield found


@pytest.mark.parametrize("name", ["managed", "inline", "both", "failing"])
def test_the_access_role_is_an_administrator_for_ten_minutes_at_most(
    variants: dict[str, Variant], name: str
) -> None:
    variant = variants[name]
    assert variant.phase == ("Failed" if name == "failing" else "Ready"), variant.failure
    ways = {"both": {"managed", "inline"}, "failing": {"managed"}}.get(name, {name})
    assert variant.reign.ways == ways
    assert variant.reign.minutes <= MINUTES
    variant.left.pop("trust")
    assert variant.left == only_life(variant.account)


@every_example
def test_an_example_too_is_an_administrator_for_ten_minutes_at_most(
    vended: Vended, workspace: str, project: str, zone: str, cost_center: str
) -> None:
    reign = vended.reigns[vended.organization.account(workspace, project)]
    assert 0 < reign.minutes <= MINUTES

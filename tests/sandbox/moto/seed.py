"""The organization a real foundation would have: accounts, OUs, trail, Identity Center.

`POST /landfall/seed` runs it inside moto's process; `{"accounts": 2000}` adds as many ready member
accounts to the Sandbox OU.
"""

from typing import Any

import accounts
import clock
import identity_center
import tower

MANAGEMENT = "111111111111"
AUTOMATION = "123456789012"
LOG_ARCHIVE = "222222222222"
SECURITY = "333333333333"
ORGANIZATION = "o-landfall01"
ROOT = "r-land"
HOME = "eu-central-1"

UNITS = {
    "ou-land-security": ("Security", ROOT),
    "ou-land-infrastr": ("Infrastructure", ROOT),
    "ou-land-workload": ("Workloads", ROOT),
    "ou-land-workprod": ("Prod", "ou-land-workload"),
    "ou-land-worknonp": ("NonProd", "ou-land-workload"),
    "ou-land-sandbox1": ("Sandbox", ROOT),
    "ou-land-suspende": ("Suspended", ROOT),
}
MEMBERS = {
    AUTOMATION: ("automation", "aws+automation@example.com", "ou-land-infrastr"),
    LOG_ARCHIVE: ("log-archive", "aws+log-archive@example.com", "ou-land-security"),
    SECURITY: ("security", "aws+security@example.com", "ou-land-security"),
}
TRUSTED = (
    "account.amazonaws.com",
    "cloudtrail.amazonaws.com",
    "sso.amazonaws.com",
    "servicequotas.amazonaws.com",
    "member.org.stacksets.cloudformation.amazonaws.com",
)
USERS = {
    "ada@example.com": ("Ada", "Lovelace"),
    "bob@example.com": ("Bob", "Bemer"),
    "grace@example.com": ("Grace", "Hopper"),
}
GROUPS = {"auditors": ["bob@example.com"], "platform-team": ["ada@example.com"]}
# The examples' platform names them by their numbers: ps-0000000000000001 and so on.
PERMISSION_SETS = {
    "Administrator": "arn:aws:iam::aws:policy/AdministratorAccess",
    "ReadOnly": "arn:aws:iam::aws:policy/ReadOnlyAccess",
    "Auditor": "arn:aws:iam::aws:policy/SecurityAudit",
}
# Long before the sandbox began, so that nothing here is young.
FOUNDED = clock.START - 400 * 86_400


def seed(request: dict[str, Any]) -> dict[str, Any]:
    """Makes the organization if there is none, then adds the accounts asked for."""
    if accounts.backend() is None:
        _organization()
        _trail()
        _identity_center()
        tower.seed()
    extra = int(request.get("accounts") or 0)
    first = sum(1 for one in accounts.register.by_id if one.startswith("4000"))
    for number in range(first, first + extra):
        _member(f"{400_000_000_000 + number}", f"member-{number:05}", "ou-land-sandbox1")
    return {
        "organization": ORGANIZATION,
        "management": MANAGEMENT,
        "automation": AUTOMATION,
        "accounts": len(accounts.backend().accounts),
    }


def _organization() -> None:
    from moto.organizations import utils
    from moto.organizations.models import FakeOrganizationalUnit, organizations_backends

    organizations = organizations_backends[MANAGEMENT]["aws"]
    random_organization, random_root = utils.make_random_org_id, utils.make_random_root_id
    utils.make_random_org_id, utils.make_random_root_id = lambda: ORGANIZATION, lambda: ROOT
    try:
        organizations.create_organization(region="us-east-1", FeatureSet="ALL")
    finally:
        utils.make_random_org_id, utils.make_random_root_id = random_organization, random_root
    organizations.enable_policy_type(RootId=ROOT, PolicyType="SERVICE_CONTROL_POLICY")
    for identifier, (name, parent) in UNITS.items():
        unit = FakeOrganizationalUnit(organizations.org, Name=name, ParentId=parent)
        unit.id = identifier
        organizations.ou.append(unit)
        organizations.attach_policy(PolicyId=utils.DEFAULT_SCP_POLICY_ID, TargetId=identifier)
    for principal in TRUSTED:
        organizations.enable_aws_service_access(ServicePrincipal=principal)
    for identifier, (name, email, unit_id) in MEMBERS.items():
        member = _member(identifier, name, unit_id, email)
        accounts.make_access_role(member, "OrganizationAccountAccessRole")


def _member(identifier: str, name: str, parent: str, email: str | None = None) -> accounts.Account:
    organization = accounts.backend().org
    email = email or f"aws+{name}@example.com"
    member = accounts.Account(organization, name, email, identifier, joined=FOUNDED)
    member.parent_id = parent
    accounts.add(member)
    return member


def _trail() -> None:
    from moto.cloudtrail.models import cloudtrail_backends
    from moto.s3.models import s3_backends

    bucket = f"aws-cloudtrail-logs-{MANAGEMENT}"
    s3_backends[MANAGEMENT]["aws"].create_bucket(bucket, HOME)
    trails = cloudtrail_backends[MANAGEMENT][HOME]
    trails.create_trail(
        name="organization",
        bucket_name=bucket,
        s3_key_prefix="",
        sns_topic_name="",
        is_global=True,
        is_multi_region=True,
        log_validation=True,
        is_org_trail=True,
        cw_log_group_arn="",
        cw_role_arn="",
        kms_key_id="",
        tags_list=[],
    )
    trails.start_logging("organization")


def _identity_center() -> None:
    from moto.identitystore.models import identitystore_backends
    from moto.ssoadmin.models import ssoadmin_backends

    identity_center.install()
    sso = ssoadmin_backends[MANAGEMENT][HOME]
    instance = sso.list_instances()[0]
    instance_arn, store_id = instance.instance_arn, instance.identity_store_id
    store = identitystore_backends[MANAGEMENT][HOME]
    users = {
        email: store.create_user(
            identity_store_id=store_id,
            user_name=email,
            name={"GivenName": given, "FamilyName": family},
            display_name=f"{given} {family}",
            nick_name="",
            profile_url="",
            emails=[{"Value": email, "Type": "work", "Primary": True}],
            addresses=[],
            phone_numbers=[],
            user_type="",
            title="",
            preferred_language="",
            locale="",
            timezone="",
        )[0]
        for email, (given, family) in USERS.items()
    }
    for name, members in GROUPS.items():
        group = store.create_group(store_id, name, "")[0]
        for email in members:
            store.create_group_membership(store_id, group, {"UserId": users[email]})
    for name, policy in PERMISSION_SETS.items():
        permission_set = sso.create_permission_set(
            name=name,
            description=name,
            instance_arn=instance_arn,
            session_duration="PT4H",
            relay_state="",
            tags=[],
        )
        sso.attach_managed_policy_to_permission_set(
            instance_arn, permission_set["PermissionSetArn"], policy
        )

"""The verdict sees what it is there to see: each wrong, done by hand, is found."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.faults.trial import Trial, run
from tests.faults.verdict import ACCESS_ROLE, INSTANCE, STORE, judge
from tests.faults.wishes import Tenant
from tests.faults.world import AUTOMATION, LEDGER, MANAGEMENT, World

ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"


@pytest.fixture(scope="module")
def vended() -> Iterator[tuple[World, Tenant, str]]:
    """A world with a Ready tenant, and the tenant's account."""
    with World(seed=1, quiet=True) as world:
        world.found()
        trial = Trial((), Tenant("seen", "production"))
        assert [one.wrong for one in run(world, [trial], 1)] == [[]]
        key = {"pk": {"S": f"TENANT#{trial.tenant.id}"}, "sk": {"S": "TENANT"}}
        row = world.client("dynamodb", AUTOMATION).get_item(TableName=LEDGER, Key=key)["Item"]
        yield world, trial.tenant, row["account"]["S"]


def found(vended: tuple[World, Tenant, str]) -> list[str]:
    world, tenant, _ = vended
    verdict = judge(world, [tenant])
    return verdict.tenants[tenant.id] + verdict.whole


def test_an_administrator_is_found_managed_and_inline(vended: tuple[World, Tenant, str]) -> None:
    world, _, account = vended
    iam = world.client("iam", account, "us-east-1")
    assert found(vended) == []
    iam.attach_role_policy(RoleName=ACCESS_ROLE, PolicyArn=ADMINISTRATOR)
    assert found(vended) == [f"{ADMINISTRATOR} makes the access role an administrator"]
    iam.detach_role_policy(RoleName=ACCESS_ROLE, PolicyArn=ADMINISTRATOR)
    policy = '{"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}'
    policy = policy.replace("{", '{"Version": "2012-10-17", ', 1)
    iam.put_role_policy(RoleName=ACCESS_ROLE, PolicyName="all", PolicyDocument=policy)
    assert found(vended) == ["the inline policy all makes the access role an administrator"]
    iam.delete_role_policy(RoleName=ACCESS_ROLE, PolicyName="all")
    assert found(vended) == []


def test_a_missing_boundary_is_found(vended: tuple[World, Tenant, str]) -> None:
    world, _, account = vended
    iam = world.client("iam", account, "us-east-1")
    boundary = iam.get_role(RoleName=ACCESS_ROLE)["Role"]["PermissionsBoundary"]
    iam.delete_role_permissions_boundary(RoleName=ACCESS_ROLE)
    assert found(vended) == ["the boundary is not set"]
    arn = boundary["PermissionsBoundaryArn"]
    iam.put_role_permissions_boundary(RoleName=ACCESS_ROLE, PermissionsBoundary=arn)


def test_whoever_may_enter_and_should_not_is_found(vended: tuple[World, Tenant, str]) -> None:
    world, tenant, account = vended
    sso = world.client("sso-admin", MANAGEMENT)
    store = world.client("identitystore", MANAGEMENT)
    assert found(vended) == []
    group = store.create_group(IdentityStoreId=STORE, DisplayName="intruders", Description="x")
    facts = {
        "InstanceArn": INSTANCE,
        "TargetId": account,
        "TargetType": "AWS_ACCOUNT",
        "PermissionSetArn": sso.list_permission_sets(InstanceArn=INSTANCE)["PermissionSets"][0],
        "PrincipalType": "GROUP",
        "PrincipalId": group["GroupId"],
    }
    sso.create_account_assignment(**facts)
    assert world.until(lambda: any("may enter" in wrong for wrong in found(vended)), hours=0.1)
    sso.delete_account_assignment(**facts)
    assert world.until(lambda: found(vended) == [], hours=0.1)
    own = f"landfall-{tenant.name.removesuffix('.aws')}.admin"
    unique = {"UniqueAttribute": {"AttributePath": "displayName", "AttributeValue": own}}
    id_ = store.get_group_id(IdentityStoreId=STORE, AlternateIdentifier=unique)["GroupId"]
    (member,) = store.list_group_memberships(IdentityStoreId=STORE, GroupId=id_)["GroupMemberships"]
    store.delete_group_membership(IdentityStoreId=STORE, MembershipId=member["MembershipId"])
    assert found(vended) == [f"in group {own} are []"]
    store.create_group_membership(IdentityStoreId=STORE, GroupId=id_, MemberId=member["MemberId"])
    assert found(vended) == []


def test_an_account_without_a_tenant_and_a_second_one_are_found(
    vended: tuple[World, Tenant, str],
) -> None:
    world, tenant, first = vended
    organizations = world.client("organizations", MANAGEMENT, "us-east-1")
    made = organizations.create_account(Email="stray@example.com", AccountName="stray")
    request = made["CreateAccountStatus"]["Id"]

    def stray() -> Any:
        answer = organizations.describe_create_account_status(CreateAccountRequestId=request)
        return answer["CreateAccountStatus"].get("AccountId")

    account = world.until(stray, hours=1)
    assert found(vended) == [f"account {account} is no tenant's (tag: None)"]
    tag = {"Key": "landfall:tenant", "Value": tenant.id}
    organizations.tag_resource(ResourceId=account, Tags=[tag])
    wrong = f"its accounts are {sorted([first, account])}, the ledger says {first}"
    assert wrong in found(vended)
    organizations.untag_resource(ResourceId=account, TagKeys=["landfall:tenant"])


def test_a_forgotten_token_and_a_gap_in_the_history_are_found(
    vended: tuple[World, Tenant, str],
) -> None:
    world, tenant, _ = vended
    table = world.client("dynamodb", AUTOMATION)
    partition = {"S": f"TENANT#{tenant.id}"}
    before = found(vended)
    table.update_item(
        TableName=LEDGER,
        Key={"pk": partition, "sk": {"S": "STEP#place-account"}},
        UpdateExpression="SET #token = :token",
        ExpressionAttributeNames={"#token": "token"},
        ExpressionAttributeValues={":token": {"S": "t"}},
    )
    entries = table.query(
        TableName=LEDGER,
        KeyConditionExpression="pk = :pk AND begins_with(sk, :history)",
        ExpressionAttributeValues={":pk": partition, ":history": {"S": "HISTORY#"}},
    )["Items"]
    begun = next(entry for entry in entries if entry["event"]["S"] == "run 1 began")
    table.delete_item(TableName=LEDGER, Key={"pk": partition, "sk": begun["sk"]})
    wrong = set(found(vended)) - set(before)
    assert "STEP#place-account waits for None, but nothing runs" in wrong
    assert "run 1 began 0 and ended 1 times" in wrong

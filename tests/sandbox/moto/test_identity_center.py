"""Identity Center is in one place, keeps names apart, and takes its time with assignments."""

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from trial import AUTOMATION, HOME, MANAGEMENT, SECURITY, Sandbox

INSTANCE = "arn:aws:sso:::instance/ssoins-0123456789abcdef"
STORE = "d-0123456789"
ADMINISTRATOR = "arn:aws:sso:::permissionSet/ssoins-0123456789abcdef/ps-0000000000000001"
NOBODY = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
def sso(shared: Sandbox) -> Iterator[Any]:
    before = shared.get("config")
    yield shared.client("sso-admin", MANAGEMENT, HOME)
    shared.post("config", before)


@pytest.fixture
def store(shared: Sandbox) -> Any:
    return shared.client("identitystore", MANAGEMENT, HOME)


def code_of(error: pytest.ExceptionInfo[ClientError]) -> str:
    return str(error.value.response["Error"]["Code"])


def named(store: Any, path: str, value: str) -> str:
    unique = {"UniqueAttribute": {"AttributePath": path, "AttributeValue": value}}
    if path == "displayName":
        found = store.get_group_id(IdentityStoreId=STORE, AlternateIdentifier=unique)
        return str(found["GroupId"])
    found = store.get_user_id(IdentityStoreId=STORE, AlternateIdentifier=unique)
    return str(found["UserId"])


def facts(store: Any, group: str = "auditors", target: str = SECURITY) -> dict[str, str]:
    return {
        "InstanceArn": INSTANCE,
        "TargetId": target,
        "TargetType": "AWS_ACCOUNT",
        "PermissionSetArn": ADMINISTRATOR,
        "PrincipalType": "GROUP",
        "PrincipalId": named(store, "displayName", group),
    }


def assigned(sso: Any, group: str) -> list[str]:
    found = sso.list_account_assignments_for_principal(
        InstanceArn=INSTANCE,
        PrincipalType="GROUP",
        PrincipalId=group,
        Filter={"AccountId": SECURITY},
    )
    return [one["PermissionSetArn"] for one in found["AccountAssignments"]]


def ended(shared: Sandbox, sso: Any, kind: str, request: dict[str, Any]) -> dict[str, Any]:
    describe = getattr(sso, f"describe_account_assignment_{kind.lower()}_status")
    question = {f"AccountAssignment{kind}RequestId": request["RequestId"]}

    def done() -> Any:
        answer = describe(InstanceArn=INSTANCE, **question)[f"AccountAssignment{kind}Status"]
        return answer if answer["Status"] != "IN_PROGRESS" else None

    return dict(shared.until(done))


def test_there_is_one_instance_and_it_is_the_management_accounts(shared: Sandbox, sso: Any) -> None:
    (instance,) = sso.list_instances()["Instances"]
    assert (instance["InstanceArn"], instance["IdentityStoreId"]) == (INSTANCE, STORE)
    for account, region in ((AUTOMATION, HOME), (MANAGEMENT, "us-east-1")):
        elsewhere = shared.client("sso-admin", account, region)
        assert elsewhere.list_instances()["Instances"] == []
        with pytest.raises(ClientError) as refused:
            elsewhere.list_permission_sets(InstanceArn=INSTANCE)
        assert code_of(refused) == "AccessDeniedException"
        with pytest.raises(ClientError) as refused:
            shared.client("identitystore", account, region).list_users(IdentityStoreId=STORE)
        assert code_of(refused) == "AccessDeniedException"


def test_an_assignment_comes_and_goes_later(shared: Sandbox, sso: Any, store: Any) -> None:
    shared.configure(assignmentSeconds=60)
    wanted = facts(store)
    group = wanted["PrincipalId"]
    request = sso.create_account_assignment(**wanted)["AccountAssignmentCreationStatus"]
    assert request["Status"] == "IN_PROGRESS"
    assert assigned(sso, group) == []
    with pytest.raises(ClientError) as busy:
        sso.create_account_assignment(**wanted)
    assert code_of(busy) == "ConflictException"
    assert ended(shared, sso, "Creation", request)["Status"] == "SUCCEEDED"
    assert assigned(sso, group) == [ADMINISTRATOR]
    again = sso.create_account_assignment(**wanted)["AccountAssignmentCreationStatus"]
    assert ended(shared, sso, "Creation", again)["Status"] == "SUCCEEDED"
    assert assigned(sso, group) == [ADMINISTRATOR]
    removal = sso.delete_account_assignment(**wanted)["AccountAssignmentDeletionStatus"]
    assert assigned(sso, group) == [ADMINISTRATOR]
    assert ended(shared, sso, "Deletion", removal)["Status"] == "SUCCEEDED"
    assert assigned(sso, group) == []
    with pytest.raises(ClientError) as missing:
        sso.delete_account_assignment(**wanted)
    assert code_of(missing) == "ResourceNotFoundException"


def test_an_assignment_can_fail_and_says_why(shared: Sandbox, sso: Any, store: Any) -> None:
    failing = {"group": "platform-team", "reason": "AWS is in trouble", "times": 1}
    shared.configure(failAssignments=[failing])
    request = sso.create_account_assignment(**facts(store, "platform-team"))
    answer = ended(shared, sso, "Creation", request["AccountAssignmentCreationStatus"])
    assert (answer["Status"], answer["FailureReason"]) == ("FAILED", "AWS is in trouble")


def test_what_is_not_there_is_not_assigned(sso: Any, store: Any) -> None:
    right = facts(store)
    wrong = (
        {"PrincipalId": NOBODY},
        {"TargetId": "999999999999"},
        {"PermissionSetArn": ADMINISTRATOR[:-1] + "9"},
    )
    for one in wrong:
        with pytest.raises(ClientError) as missing:
            sso.create_account_assignment(**{**right, **one})
        assert code_of(missing) == "ResourceNotFoundException"


def test_aws_makes_fifteen_assignments_at_once(shared: Sandbox, sso: Any, store: Any) -> None:
    shared.configure(assignmentSeconds=3600, concurrentAssignments=2)
    groups = [
        store.create_group(IdentityStoreId=STORE, DisplayName=f"crowd-{number}", Description="x")
        for number in range(3)
    ]
    right = facts(store)
    for group in groups[:2]:
        sso.create_account_assignment(**{**right, "PrincipalId": group["GroupId"]})
    with pytest.raises(ClientError) as full:
        sso.create_account_assignment(**{**right, "PrincipalId": groups[2]["GroupId"]})
    assert code_of(full) == "ServiceQuotaExceededException"


def test_a_name_is_given_once_and_a_member_joins_once(store: Any) -> None:
    group = store.create_group(IdentityStoreId=STORE, DisplayName="once", Description="ours")
    group_id = group["GroupId"]
    with pytest.raises(ClientError) as taken:
        store.create_group(IdentityStoreId=STORE, DisplayName="once", Description="theirs")
    assert code_of(taken) == "ConflictException"
    assert taken.value.response["Reason"] == "UNIQUENESS_CONSTRAINT_VIOLATION"
    ada = {"UserId": named(store, "userName", "ADA@example.com")}
    joined = {"IdentityStoreId": STORE, "GroupId": group_id, "MemberId": ada}
    membership = store.create_group_membership(**joined)["MembershipId"]
    with pytest.raises(ClientError) as twice:
        store.create_group_membership(**joined)
    assert twice.value.response["Reason"] == "UNIQUENESS_CONSTRAINT_VIOLATION"
    store.delete_group_membership(IdentityStoreId=STORE, MembershipId=membership)
    with pytest.raises(ClientError) as gone:
        store.delete_group_membership(IdentityStoreId=STORE, MembershipId=membership)
    assert code_of(gone) == "ResourceNotFoundException"
    store.create_group_membership(**joined)
    store.delete_group(IdentityStoreId=STORE, GroupId=group_id)
    with pytest.raises(ClientError) as none:
        store.list_group_memberships(IdentityStoreId=STORE, GroupId=group_id)
    assert code_of(none) == "ResourceNotFoundException"
    with pytest.raises(ClientError) as nobody:
        named(store, "userName", "nobody@example.com")
    assert code_of(nobody) == "ResourceNotFoundException"


def test_members_are_listed_in_pages(store: Any) -> None:
    group = store.create_group(IdentityStoreId=STORE, DisplayName="paged", Description="x")
    for user in ("ada@example.com", "bob@example.com", "grace@example.com"):
        member = {"UserId": named(store, "userName", user)}
        store.create_group_membership(
            IdentityStoreId=STORE, GroupId=group["GroupId"], MemberId=member
        )
    pages = store.get_paginator("list_group_memberships").paginate(
        IdentityStoreId=STORE, GroupId=group["GroupId"], PaginationConfig={"PageSize": 2}
    )
    assert [len(page["GroupMemberships"]) for page in pages] == [2, 1]

"""Accounts come as Organizations makes them: late, once per e-mail, unusable at first, and told."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from trial import AUTOMATION, MANAGEMENT, Sandbox


@pytest.fixture
def organizations(shared: Sandbox) -> Iterator[Any]:
    before = shared.get("config")
    yield shared.client("organizations", MANAGEMENT, "us-east-1")
    shared.post("config", before)


def code_of(error: pytest.ExceptionInfo[ClientError]) -> str:
    return str(error.value.response["Error"]["Code"])


def reason_of(error: pytest.ExceptionInfo[ClientError]) -> str:
    return str(error.value.response.get("Reason"))


def create(organizations: Any, email: str, **more: Any) -> dict[str, Any]:
    request = {"Email": email, "AccountName": email.split("@")[0], **more}
    return dict(organizations.create_account(**request)["CreateAccountStatus"])


def ended(shared: Sandbox, organizations: Any, status: dict[str, Any]) -> dict[str, Any]:
    def done() -> Any:
        answer = organizations.describe_create_account_status(CreateAccountRequestId=status["Id"])
        answer = answer["CreateAccountStatus"]
        return answer if answer["State"] != "IN_PROGRESS" else None

    return dict(shared.until(done))


def test_an_account_comes_later_in_the_root_and_is_told(
    shared: Sandbox, organizations: Any
) -> None:
    shared.configure(creationLatencySeconds=60)
    tags = [{"Key": "landfall:tenant", "Value": "t1"}]
    status = create(organizations, "later@example.com", Tags=tags)
    assert status["State"] == "IN_PROGRESS"
    assert status["Id"].startswith("car-")
    assert "AccountId" not in status
    answer = ended(shared, organizations, status)
    assert answer["State"] == "SUCCEEDED"
    took = (answer["CompletedTimestamp"] - answer["RequestedTimestamp"]).total_seconds()
    assert 60 <= took < 600
    identifier = answer["AccountId"]
    account = organizations.describe_account(AccountId=identifier)["Account"]
    assert (account["State"], account["Status"]) == ("ACTIVE", "ACTIVE")
    assert account["Paths"] == [f"o-landfall01/r-land/{identifier}/"]
    assert organizations.list_parents(ChildId=identifier)["Parents"][0]["Id"] == "r-land"
    assert organizations.list_tags_for_resource(ResourceId=identifier)["Tags"] == tags
    result = shared.until(lambda: shared.events("CreateAccountResult"))[-1]
    assert result["region"] == "us-east-1"
    told = result["detail"]["serviceEventDetails"]["createAccountStatus"]
    assert (told["state"], told["accountId"], told["accountName"]) == (
        "SUCCEEDED",
        identifier,
        "****",
    )
    joined = shared.until(lambda: shared.events("AccountJoinedOrganization"))[-1]
    assert joined["detail"]["serviceEventDetails"]["accountId"] == identifier


def test_an_email_is_used_once_even_after_closing(shared: Sandbox, organizations: Any) -> None:
    shared.configure(creationLatencySeconds=100, closureLatencySeconds=300)
    first = create(organizations, "once@example.com")
    second = create(organizations, "Once@example.com")
    assert ended(shared, organizations, second)["FailureReason"] == (
        "CONCURRENT_ACCOUNT_MODIFICATION"
    )
    account = ended(shared, organizations, first)["AccountId"]
    third = ended(shared, organizations, create(organizations, "once@example.com"))
    assert third["FailureReason"] == "EMAIL_ALREADY_EXISTS"
    organizations.close_account(AccountId=account)
    assert organizations.describe_account(AccountId=account)["Account"]["State"] == (
        "PENDING_CLOSURE"
    )
    shared.until(
        lambda: organizations.describe_account(AccountId=account)["Account"]["State"] == "CLOSED"
    )
    assert organizations.describe_account(AccountId=account)["Account"]["Status"] == "SUSPENDED"
    closed = shared.until(lambda: shared.events("CloseAccountResult"))[-1]
    details = closed["detail"]["serviceEventDetails"]["closeAccountStatus"]
    assert details["accountId"] == account
    fourth = ended(shared, organizations, create(organizations, "once@example.com"))
    assert fourth["FailureReason"] == "EMAIL_ALREADY_EXISTS"
    with pytest.raises(ClientError) as again:
        organizations.close_account(AccountId=account)
    assert code_of(again) == "AccountAlreadyClosedException"


def test_five_creations_run_at_a_time(shared: Sandbox, organizations: Any) -> None:
    shared.configure(creationLatencySeconds=400)
    started = [create(organizations, f"five{number}@example.com") for number in range(5)]
    with pytest.raises(ClientError) as sixth:
        create(organizations, "six@example.com")
    assert code_of(sixth) == "ConstraintViolationException"
    assert reason_of(sixth) == "ACCOUNT_CREATION_RATE_LIMIT_EXCEEDED"
    assert [ended(shared, organizations, one)["State"] for one in started] == ["SUCCEEDED"] * 5


def test_quota_foreign_addresses_and_knobs_fail_with_their_reason(
    shared: Sandbox, organizations: Any
) -> None:
    knob = {"email": "knob@example.com", "reason": "INTERNAL_FAILURE", "times": 1}
    shared.configure(
        creationLatencySeconds=2, foreignEmails=["foreign@example.com"], failCreations=[knob]
    )
    answers = {}
    for email in ("foreign@example.com", "knob@example.com"):
        answers[email] = ended(shared, organizations, create(organizations, email))
    assert answers["foreign@example.com"]["FailureReason"] == "EMAIL_ALREADY_EXISTS"
    assert answers["knob@example.com"]["FailureReason"] == "INTERNAL_FAILURE"
    repeated = ended(shared, organizations, create(organizations, "knob@example.com"))
    assert repeated["State"] == "SUCCEEDED"
    shared.configure(accountQuota=3)
    full = ended(shared, organizations, create(organizations, "full@example.com"))
    assert full["FailureReason"] == "ACCOUNT_LIMIT_EXCEEDED"
    failed = organizations.list_create_account_status(States=["FAILED"])["CreateAccountStatuses"]
    assert {one["FailureReason"] for one in failed} >= {"ACCOUNT_LIMIT_EXCEEDED"}


@pytest.mark.parametrize(
    ("request_", "reason"),
    [
        ({"Email": "not-an-address"}, "INVALID_EMAIL_ADDRESS_TARGET"),
        ({"Email": f"{'a' * 60}@example.com"}, "INVALID_EMAIL_ADDRESS_TARGET"),
        ({"Email": "a b@example.com"}, "INVALID_EMAIL_ADDRESS_TARGET"),
        ({"AccountName": "x" * 51}, "INVALID_PATTERN"),
        ({"Tags": [{"Key": "aws:x", "Value": "y"}]}, "INVALID_SYSTEM_TAGS_PARAMETER"),
        ({"Tags": [{"Key": "x", "Value": "y"}] * 2}, "DUPLICATE_TAG_KEY"),
        ({"RoleName": "no spaces please"}, "INVALID_ROLE_NAME"),
    ],
)
def test_input_that_aws_refuses_is_refused(
    shared: Sandbox, organizations: Any, request_: dict[str, Any], reason: str
) -> None:
    given = {"Email": "fine@example.com", "AccountName": "fine", **request_}
    client = unchecked(shared)
    with pytest.raises(ClientError) as refused:
        client.create_account(**given)
    assert (code_of(refused), reason_of(refused)) == ("InvalidInputException", reason)


def unchecked(shared: Sandbox) -> Any:
    """A client that sends what the server has to refuse."""
    shared.client("organizations", MANAGEMENT, "us-east-1")
    keys = shared.keys[MANAGEMENT, "sandbox-operator"]
    return shared._client("organizations", "us-east-1", keys, parameter_validation=False)


def test_tags_are_limited_to_fifty(organizations: Any) -> None:
    tags = [{"Key": f"k{number}", "Value": "v"} for number in range(51)]
    with pytest.raises(ClientError) as many:
        organizations.tag_resource(ResourceId=AUTOMATION, Tags=tags)
    assert reason_of(many) == "MAX_TAG_LIMIT_EXCEEDED"


def test_a_units_name_is_taken_beneath_one_parent(organizations: Any) -> None:
    unit = {"ParentId": "ou-land-sandbox1", "Name": "one"}
    organizations.create_organizational_unit(**unit)
    with pytest.raises(ClientError) as twice:
        organizations.create_organizational_unit(**unit)
    assert code_of(twice) == "DuplicateOrganizationalUnitException"
    organizations.create_organizational_unit(ParentId="ou-land-workprod", Name="one")


def test_moving_tells_the_difference_of_every_wrong_parent(
    shared: Sandbox, organizations: Any
) -> None:
    shared.configure(creationLatencySeconds=2)
    account = shared.new_account("moved@example.com")
    move = {"AccountId": account, "SourceParentId": "r-land"}
    with pytest.raises(ClientError) as nowhere:
        organizations.move_account(**move, DestinationParentId="ou-land-nowhere1")
    assert code_of(nowhere) == "DestinationParentNotFoundException"
    organizations.move_account(**move, DestinationParentId="ou-land-workprod")
    with pytest.raises(ClientError) as there:
        organizations.move_account(**move, DestinationParentId="ou-land-workprod")
    assert code_of(there) == "DuplicateAccountException"
    with pytest.raises(ClientError) as wrong:
        organizations.move_account(**move, DestinationParentId="ou-land-sandbox1")
    assert code_of(wrong) == "SourceParentNotFoundException"
    account_now = organizations.describe_account(AccountId=account)["Account"]
    assert account_now["Paths"] == [
        f"o-landfall01/r-land/ou-land-workload/ou-land-workprod/{account}/"
    ]
    moved = shared.events("MoveAccount")
    assert len(moved) == 1
    assert moved[0]["detail"]["requestParameters"]["destinationParentId"] == "ou-land-workprod"


def test_a_fresh_account_refuses_until_it_is_ready(shared: Sandbox, organizations: Any) -> None:
    ready = {"sts": 300, "iam": 600, "default": 600}
    shared.configure(creationLatencySeconds=2, readinessSeconds=ready)
    account = shared.new_account("young@example.com")
    sts = shared.client("sts", MANAGEMENT)
    request = {
        "RoleArn": f"arn:aws:iam::{account}:role/OrganizationAccountAccessRole",
        "RoleSessionName": "test",
    }
    with pytest.raises(ClientError) as denied:
        sts.assume_role(**request)
    assert code_of(denied) == "AccessDenied"
    assert denied.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403

    def taken() -> Any:
        try:
            return sts.assume_role(**request)["Credentials"]
        except ClientError:
            return None

    keys = shared.until(taken)
    iam = shared._client("iam", "us-east-1", keys)
    with pytest.raises(ClientError) as unsubscribed:
        iam.list_roles()
    assert code_of(unsubscribed) in ("SubscriptionRequiredException", "OptInRequired")

    def listed() -> Any:
        try:
            return iam.list_roles()["Roles"]
        except ClientError:
            return None

    assert [role["RoleName"] for role in shared.until(listed)] == ["OrganizationAccountAccessRole"]
    with pytest.raises(ClientError) as unknown:
        sts.assume_role(RoleArn=f"arn:aws:iam::{account}:role/nobody", RoleSessionName="test")
    assert code_of(unknown) == "AccessDenied"


@pytest.mark.parametrize("configured", ["managed", "inline", "both"])
def test_the_access_role_is_an_administrator_as_configured(
    shared: Sandbox, organizations: Any, configured: str
) -> None:
    shared.configure(creationLatencySeconds=2, readinessSeconds=0, administratorAccess=configured)
    account = shared.new_account(f"{configured}@example.com")
    iam = shared.client("iam", account)
    name = "OrganizationAccountAccessRole"
    attached = iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]
    inline = iam.list_role_policies(RoleName=name)["PolicyNames"]
    assert bool(attached) == (configured in ("managed", "both"))
    assert bool(inline) == (configured in ("inline", "both"))
    trust = iam.get_role(RoleName=name)["Role"]["AssumeRolePolicyDocument"]
    assert trust["Statement"][0]["Principal"] == {"AWS": f"arn:aws:iam::{MANAGEMENT}:root"}


def test_accounts_are_listed_twenty_at_a_time(organizations: Any) -> None:
    client = organizations
    first = client.list_accounts(MaxResults=2)
    assert len(first["Accounts"]) == 2
    rest = client.list_accounts(MaxResults=20, NextToken=first["NextToken"])
    assert first["Accounts"][0]["Id"] not in {one["Id"] for one in rest["Accounts"]}


def test_members_may_not_ask_the_organization(shared: Sandbox) -> None:
    member = shared.client("organizations", AUTOMATION)
    assert member.describe_organization()["Organization"]["Id"] == "o-landfall01"
    with pytest.raises(ClientError) as denied:
        member.list_accounts()
    assert code_of(denied) == "AccessDeniedException"


def test_three_closures_run_at_a_time(shared: Sandbox, organizations: Any) -> None:
    shared.configure(creationLatencySeconds=2, closureLatencySeconds=400)
    members = [shared.new_account(f"close{number}@example.com") for number in range(4)]
    for account in members[:3]:
        organizations.close_account(AccountId=account)
    with pytest.raises(ClientError) as fourth:
        organizations.close_account(AccountId=members[3])
    assert reason_of(fourth) == "CLOSE_ACCOUNT_REQUESTS_LIMIT_EXCEEDED"
    with pytest.raises(ClientError) as management:
        organizations.close_account(AccountId=MANAGEMENT)
    assert reason_of(management) == "CANNOT_CLOSE_MANAGEMENT_ACCOUNT"
    delegate = {"AccountId": members[3], "ServicePrincipal": "guardduty.amazonaws.com"}
    organizations.register_delegated_administrator(**delegate)
    with pytest.raises(ClientError) as administrator:
        organizations.close_account(AccountId=members[3])
    assert reason_of(administrator) == "CANNOT_REMOVE_DELEGATED_ADMINISTRATOR_FROM_ORG"
    organizations.deregister_delegated_administrator(**delegate)
    shared.until(lambda: len(shared.events("CloseAccountResult")) >= 3)
    shared.configure(closureQuota=3)
    with pytest.raises(ClientError) as quota:
        organizations.close_account(AccountId=members[3])
    assert reason_of(quota) == "CLOSE_ACCOUNT_QUOTA_EXCEEDED"


def test_the_same_seed_makes_the_same_accounts() -> None:
    numbers = []
    for _ in range(2):
        one = Sandbox(seed=7)
        one.configure(creationLatencySeconds=1)
        numbers.append(one.new_account("seeded@example.com"))
        one.end()
    assert numbers[0] == numbers[1]


def test_two_thousand_accounts_are_there_in_a_moment(sandbox: Sandbox) -> None:
    assert sandbox.post("seed", {"accounts": 2000})["accounts"] == 2004
    organizations = sandbox.client("organizations", MANAGEMENT, "us-east-1")
    pages = list(organizations.get_paginator("list_accounts").paginate())
    assert (len(pages), len(pages[0]["Accounts"])) == (101, 20)


def test_a_control_policy_is_attached_once_and_of_limited_size(shared: Sandbox) -> None:
    organizations = shared.client("organizations", MANAGEMENT, "us-east-1")
    deny = {"Effect": "Deny", "Action": "s3:*", "Resource": "*"}
    content = json.dumps({"Version": "2012-10-17", "Statement": [deny]})
    kind = "SERVICE_CONTROL_POLICY"
    made = organizations.create_policy(Name="once", Description="once", Type=kind, Content=content)[
        "Policy"
    ]["PolicySummary"]["Id"]
    organizations.attach_policy(PolicyId=made, TargetId="ou-land-suspende")
    with pytest.raises(ClientError) as twice:
        organizations.attach_policy(PolicyId=made, TargetId="ou-land-suspende")
    assert twice.value.response["Error"]["Code"] == "DuplicatePolicyAttachmentException"
    for wrong, code in (
        (content + " " * 10_240, "ConstraintViolationException"),
        ("{}", "MalformedPolicyDocumentException"),
    ):
        with pytest.raises(ClientError) as refused:
            organizations.update_policy(PolicyId=made, Content=wrong)
        assert refused.value.response["Error"]["Code"] == code
    organizations.detach_policy(PolicyId=made, TargetId="ou-land-suspende")
    organizations.delete_policy(PolicyId=made)

"""Names, contacts, addresses and aliases are refused and kept as AWS does."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from trial import AUTOMATION, MANAGEMENT, Sandbox

SECURITY = "333333333333"
CONTACT = {
    "AccountId": SECURITY,
    "AlternateContactType": "SECURITY",
    "Name": "Security operations",
    "Title": "Team",
    "EmailAddress": "soc@example.com",
    "PhoneNumber": "+49 30 1",
}


@pytest.fixture(scope="module")
def account(shared: Sandbox) -> Any:
    return shared.client("account", MANAGEMENT, "us-east-1")


def code_of(error: pytest.ExceptionInfo[ClientError]) -> str:
    return str(error.value.response["Error"]["Code"])


def test_a_contact_is_kept_read_and_taken_off(account: Any) -> None:
    about = {"AccountId": SECURITY, "AlternateContactType": "SECURITY"}
    with pytest.raises(ClientError) as nobody:
        account.get_alternate_contact(**about)
    assert code_of(nobody) == "ResourceNotFoundException"
    account.put_alternate_contact(**CONTACT)
    kept = account.get_alternate_contact(**about)["AlternateContact"]
    assert (kept["EmailAddress"], kept["PhoneNumber"]) == ("soc@example.com", "+49 30 1")
    account.delete_alternate_contact(**about)
    with pytest.raises(ClientError) as again:
        account.delete_alternate_contact(**about)
    assert code_of(again) == "ResourceNotFoundException"


@pytest.mark.parametrize(
    "wrong", [{"PhoneNumber": "call me"}, {"Title": "x" * 51}, {"EmailAddress": "nobody"}]
)
def test_a_contact_that_aws_refuses_is_refused(account: Any, wrong: dict[str, str]) -> None:
    with pytest.raises(ClientError) as refused:
        account.put_alternate_contact(**{**CONTACT, **wrong})
    assert code_of(refused) == "ValidationException"


def test_only_the_management_account_asks_about_members(shared: Sandbox, account: Any) -> None:
    member = shared.client("account", AUTOMATION, "us-east-1")
    assert member.get_account_information()["AccountName"] == "automation"
    for call, request in (
        (member.get_account_information, {"AccountId": SECURITY}),
        (member.get_primary_email, {"AccountId": AUTOMATION}),
        (account.get_account_information, {"AccountId": MANAGEMENT}),
    ):
        with pytest.raises(ClientError) as denied:
            call(**request)
        assert code_of(denied) == "AccessDeniedException"


def test_an_account_is_given_another_name(shared: Sandbox, account: Any) -> None:
    account.put_account_name(AccountId=AUTOMATION, AccountName="robots")
    organizations = shared.client("organizations", MANAGEMENT, "us-east-1")
    assert organizations.describe_account(AccountId=AUTOMATION)["Account"]["Name"] == "robots"
    account.put_account_name(AccountId=AUTOMATION, AccountName="automation")
    with pytest.raises(ClientError) as refused:
        account.put_account_name(AccountId=AUTOMATION, AccountName="<robots>")
    assert code_of(refused) == "ValidationException"


def test_another_address_takes_the_code_that_was_mailed_to_it(
    shared: Sandbox, account: Any
) -> None:
    new = "security-new@example.com"
    about = {"AccountId": SECURITY, "PrimaryEmail": new}
    with pytest.raises(ClientError) as unasked:
        account.accept_primary_email_update(**about, Otp="123456")
    assert code_of(unasked) == "ResourceNotFoundException"
    with pytest.raises(ClientError) as taken:
        account.start_primary_email_update(
            AccountId=SECURITY, PrimaryEmail="aws+automation@example.com"
        )
    assert code_of(taken) == "ConflictException"
    assert account.start_primary_email_update(**about)["Status"] == "PENDING"
    assert account.start_primary_email_update(**about)["Status"] == "PENDING"
    first, second = (mail["code"] for mail in shared.get(f"mailbox?address={new}"))
    assert first != second
    with pytest.raises(ClientError) as earlier:
        account.accept_primary_email_update(**about, Otp=first)
    assert code_of(earlier) == "ValidationException"
    assert account.get_primary_email(AccountId=SECURITY)["PrimaryEmail"] != new
    assert account.accept_primary_email_update(**about, Otp=second)["Status"] == "ACCEPTED"
    assert account.get_primary_email(AccountId=SECURITY)["PrimaryEmail"] == new
    organizations = shared.client("organizations", MANAGEMENT, "us-east-1")
    assert organizations.describe_account(AccountId=SECURITY)["Account"]["Email"] == new


def test_an_alias_belongs_to_one_account_of_all(shared: Sandbox) -> None:
    iam = shared.client("iam", AUTOMATION)
    iam.create_account_alias(AccountAlias="land-automation")
    iam.create_account_alias(AccountAlias="land-robots")
    assert iam.list_account_aliases()["AccountAliases"] == ["land-robots"]
    other = shared.client("iam", SECURITY)
    for taken in ("land-robots", "acme"):
        with pytest.raises(ClientError) as refused:
            other.create_account_alias(AccountAlias=taken)
        assert code_of(refused) in ("EntityAlreadyExists", "EntityAlreadyExistsException")
    other.create_account_alias(AccountAlias="land-automation")
    for wrong in ("a--b", "-ab", "123456789012", "Big"):
        with pytest.raises(ClientError) as invalid:
            other.create_account_alias(AccountAlias=wrong)
        assert code_of(invalid) in ("ValidationError", "InvalidInput")

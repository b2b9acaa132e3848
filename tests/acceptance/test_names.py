"""What accounts are called and whom AWS asks about them, seen from outside with boto3."""

import copy
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.acceptance.conftest import Vended, vending
from tests.acceptance.organization import document
from tests.acceptance.user import User, refusal
from tests.faults.world import MANAGEMENT

CHECKOUT = "/workspaces/payments/projects/checkout-prod/tenants/aws"
NOTEBOOKS = "/workspaces/research/projects/notebooks/tenants/aws"
CONCERNS = ("BILLING", "OPERATIONS", "SECURITY")


@pytest.fixture(scope="module")
def vended(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Vended]:
    """The examples in a world whose tenants may keep what they are changed to."""
    with vending(tmp_path_factory.mktemp("names")) as vended:
        yield vended


def details(vended: Vended) -> Any:
    """Account Management, as the management account's administrator."""
    return vended.world.client("account", MANAGEMENT, "us-east-1")


def contacts(vended: Vended, account: str) -> dict[str, str]:
    """Whom AWS asks, by concern."""
    found = {}
    for concern in CONCERNS:
        call = {"AccountId": account, "AlternateContactType": concern}
        if refusal(lambda call=call: details(vended).get_alternate_contact(**call)) is None:
            one = details(vended).get_alternate_contact(**call)["AlternateContact"]
            parts = ("Name", "EmailAddress", "Title", "PhoneNumber")
            found[concern] = " · ".join(str(one[part]) for part in parts)
    return found


def alias(vended: Vended, account: str) -> list[str]:
    """The account's aliases: one or none."""
    iam = User.administrator(vended.world, account).client("iam")
    return list(iam.list_account_aliases()["AccountAliases"])


def tenant(vended: Vended, path: str) -> Any:
    """A tenant as its requester sees it."""
    return vended.person.ask("GET", path).body


def put(vended: Vended, path: str, change: Callable[[dict[str, Any]], None]) -> Any:
    """Applies a tenant with a changed wish."""
    _, workspace, _, project, _, platform = path.strip("/").split("/")
    spec = copy.deepcopy(tenant(vended, path)["spec"])
    change(spec)
    wish = {
        "apiVersion": "landfall/v1",
        "kind": "Tenant",
        "metadata": {"workspace": workspace, "project": project, "platform": platform},
        "spec": spec,
    }
    return vended.person.ask("PUT", path, wish)


def settled(vended: Vended, path: str) -> Any:
    """The tenant once its runs have ended."""

    def ended() -> Any:
        found = tenant(vended, path)
        saw = found["observedGeneration"] == found["generation"]
        return found if saw and not found["running"] else None

    return vended.world.until(ended, hours=3)


def changes(found: Any, step: str) -> list[str]:
    """What a step changed in the last run."""
    return [line for one in found["steps"] if one["step"] == step for line in one["changes"]]


@pytest.fixture
def checkout(vended: Vended) -> str:
    return vended.organization.account("payments", "checkout-prod")


def test_every_account_has_the_alias_and_the_name_that_the_patterns_make(vended: Vended) -> None:
    for workspace, project in [("payments", "checkout-prod"), ("research", "notebooks")]:
        account = vended.organization.account(workspace, project)
        assert alias(vended, account) == [f"acme-{workspace}-{project}"]
        told = details(vended).get_account_information(AccountId=account)
        assert told["AccountName"] == f"{workspace}.{project}"
    assert tenant(vended, CHECKOUT)["names"]["alias"] == "acme-payments-checkout-prod"


def test_aws_asks_whom_the_tenant_names_and_else_whom_its_landing_zone_does(
    vended: Vended, checkout: str
) -> None:
    assert contacts(vended, checkout) == {
        "BILLING": "money · money@example.com · billing contact · +49 30 1234567",
        "OPERATIONS": "noc · noc@example.com · operations contact · +49 30 1234567",
        "SECURITY": "Security operations · soc@example.com · security contact · +49 30 1234568",
    }


def test_a_name_that_somebody_changed_comes_back_and_an_alias_stays(
    vended: Vended, checkout: str
) -> None:
    details(vended).put_account_name(AccountId=checkout, AccountName="Shop")
    iam = User.administrator(vended.world, checkout).client("iam")
    iam.create_account_alias(AccountAlias="somebodys-own-alias")
    before = tenant(vended, CHECKOUT)["run"]
    vended.person.ask("POST", f"{CHECKOUT}/replications", {})
    assert vended.world.until(lambda: tenant(vended, CHECKOUT)["run"] > before, hours=1)
    found = settled(vended, CHECKOUT)
    assert changes(found, "name-account") == [
        "name the account payments.checkout-prod instead of Shop"
    ]
    told = details(vended).get_account_information(AccountId=checkout)
    assert told["AccountName"] == "payments.checkout-prod"
    assert alias(vended, checkout) == ["somebodys-own-alias"], "the platform does not enforce it"
    iam.create_account_alias(AccountAlias="acme-payments-checkout-prod")


@pytest.fixture
def contacts_as_before(vended: Vended) -> Iterator[None]:
    before = tenant(vended, CHECKOUT)["spec"]
    yield
    assert put(vended, CHECKOUT, lambda spec: (spec.clear(), spec.update(before))).status in (
        200,
        202,
    )
    settled(vended, CHECKOUT)


@pytest.mark.usefixtures("contacts_as_before")
def test_contacts_and_tags_that_are_ours_come_and_go_and_others_stay(
    vended: Vended, checkout: str
) -> None:
    organizations = vended.organization.client
    organizations.tag_resource(ResourceId=checkout, Tags=[{"Key": "theirs", "Value": "untouched"}])
    vended.world.sleep(90)  # readings of Organizations are stale for a minute

    def change(spec: dict[str, Any]) -> None:
        del spec["contacts"]["billing"]
        spec["tags"] = {"costCenter": "4713", "businessUnit": "wholesale"}
        spec["paymentTags"] = {"costCenter": "0000", "budget": "q3"}

    assert put(vended, CHECKOUT, change).status == 202
    found = settled(vended, CHECKOUT)
    assert found["phase"] == "Ready", found
    assert "BILLING" not in contacts(vended, checkout)
    assert set(contacts(vended, checkout)) == {"OPERATIONS", "SECURITY"}
    vended.world.sleep(90)
    tags = vended.organization.tags(checkout)
    assert tags["landfall:contacts"] == "operations security"
    assert tags["landfall:costCenter"] == "4713", "the project's wins over what pays"
    assert tags["landfall:businessUnit"] == "wholesale", "and over the workspace's"
    assert tags["landfall:budget"] == "q3"
    assert tags.pop("theirs") == "untouched"
    organizations.untag_resource(ResourceId=checkout, TagKeys=["theirs"])


def test_a_new_address_waits_for_the_code_that_aws_mails_to_it(vended: Vended) -> None:
    new = "notebooks@example.com"
    account = vended.organization.account("research", "notebooks")
    assert vended.person.ask("POST", f"{NOTEBOOKS}/answers", {"otp": "123456"}).status == 409
    taken = put(
        vended, NOTEBOOKS, lambda spec: spec.update(email="aws+payments.checkout-prod@example.com")
    )
    assert (taken.status, taken.body["problems"][0]["field"]) == (422, "spec.email")

    assert put(vended, NOTEBOOKS, lambda spec: spec.update(email=new)).status == 202
    waiting = settled(vended, NOTEBOOKS)
    assert waiting["phase"] == "Waiting", waiting
    assert waiting["waiting"]["step"] == "name-account"
    assert f"AWS mailed to {new}" in waiting["waiting"]["for"]
    assert "landfall answer research.notebooks.aws" in waiting["waiting"]["for"]
    said = vended.person.landfall("describe", "research.notebooks.aws").stdout
    assert f"the code that AWS mailed to {new}" in said
    (code,) = vended.world.mailbox(new)

    wrong = f"{(int(code) + 1) % 10**6:06}"
    vended.person.landfall("answer", "research.notebooks.aws", "--otp", wrong)
    still = settled(vended, NOTEBOOKS)
    assert still["phase"] == "Waiting"
    assert "wrong or too old" in still["waiting"]["for"]
    assert details(vended).get_primary_email(AccountId=account)["PrimaryEmail"] != new
    assert vended.world.mailbox(new) == [code], "nobody asked for another"

    vended.person.landfall("answer", "research.notebooks.aws", "--resend")
    assert settled(vended, NOTEBOOKS)["phase"] == "Waiting"
    *_, latest = vended.world.mailbox(new)
    assert latest != code
    answered = vended.person.landfall("answer", "research.notebooks.aws", "--otp", latest)
    assert answered.returncode == 0, answered.stdout + answered.stderr
    found = settled(vended, NOTEBOOKS)
    assert found["phase"] == "Ready", found
    assert details(vended).get_primary_email(AccountId=account)["PrimaryEmail"] == new
    assert found["names"]["email"] == new
    history = vended.person.ask("GET", f"{NOTEBOOKS}/history").body["entries"]
    events = [entry["event"] for entry in history]
    assert f"the account's e-mail address is {new} now" in events
    assert latest not in str(history), "a code stands nowhere"


def test_a_landing_zone_that_takes_no_new_tenants_goes_on_with_those_it_has(
    vended: Vended,
) -> None:
    zone = vended.person.ask("GET", "/landing-zones/sandbox").body
    closed = copy.deepcopy(zone)
    closed["spec"] |= {"disabled": True, "restrictedTo": ["payments"]}
    assert vended.person.insist("PUT", "/landing-zones/sandbox", closed).status == 202
    try:
        wish = {
            "apiVersion": "landfall/v1",
            "kind": "Tenant",
            "metadata": {"workspace": "research", "project": "late", "platform": "aws"},
            "spec": {"landingZone": "sandbox"},
        }
        refused = vended.person.ask("PUT", "/workspaces/research/projects/late/tenants/aws", wish)
        rules = [one["rule"] for one in refused.body["problems"]]
        assert refused.status == 422
        assert rules == [
            "takes no new tenants: it is disabled",
            "is not for workspace `research`",
        ]
        assert put(vended, NOTEBOOKS, lambda spec: spec["tags"].update(late="no")).status == 202
        assert settled(vended, NOTEBOOKS)["phase"] == "Ready"
    finally:
        assert vended.person.insist("PUT", "/landing-zones/sandbox", zone).status in (200, 202)


def replicated(vended: Vended, path: str) -> Any:
    """The tenant after another run."""
    before = tenant(vended, path)["run"]
    assert vended.person.ask("POST", f"{path}/replications", {}).status == 202
    assert vended.world.until(lambda: tenant(vended, path)["run"] > before, hours=1)
    return settled(vended, path)


def test_an_account_that_somebody_moved_beneath_its_unit_stays_there(
    vended: Vended, checkout: str
) -> None:
    organizations = vended.organization.client
    unit = organizations.create_organizational_unit(ParentId="ou-land-workprod", Name="Special")
    below = unit["OrganizationalUnit"]["Id"]
    home = {"AccountId": checkout, "SourceParentId": "ou-land-workprod"}
    organizations.move_account(**home, DestinationParentId=below)
    vended.world.sleep(90)
    assert changes(replicated(vended, CHECKOUT), "place-account") == []
    assert vended.organization.parent(checkout) == below
    organizations.move_account(
        AccountId=checkout, SourceParentId=below, DestinationParentId="ou-land-workprod"
    )
    vended.world.sleep(90)


def test_a_workspace_gets_a_unit_of_its_own_once_landfall_may_make_one(vended: Vended) -> None:
    path = "/workspaces/research/projects/playground/tenants/aws"
    account = vended.organization.account("research", "playground")
    zone = vended.person.ask("GET", "/landing-zones/sandbox").body
    apart = copy.deepcopy(zone)
    apart["metadata"]["name"] = "apart"
    apart["spec"]["organizationalUnitPerWorkspace"] = True
    assert vended.person.insist("PUT", "/landing-zones/apart", apart).status == 201
    assert put(vended, path, lambda spec: spec.update(landingZone="apart")).status == 202
    refused = settled(vended, path)
    assert (refused["phase"], refused["failed"]["name"]) == ("Failed", "Blocked"), refused

    iam = vended.world.client("iam", MANAGEMENT)
    may = {
        "Effect": "Allow",
        "Action": "organizations:CreateOrganizationalUnit",
        "Resource": f"arn:aws:organizations::{MANAGEMENT}:ou/o-*/ou-*",
    }
    iam.put_role_policy(
        RoleName="LandfallVend", PolicyName="make-units", PolicyDocument=document(may)
    )
    vended.world.sleep(120)
    found = replicated(vended, path)
    assert found["phase"] == "Ready", found["failed"]
    organizations = vended.organization.client
    units = organizations.list_organizational_units_for_parent(ParentId="ou-land-sandbox1")
    (unit,) = [one["Id"] for one in units["OrganizationalUnits"] if one["Name"] == "research"]
    assert vended.organization.parent(account) == unit
    vended.world.sleep(90)
    assert changes(replicated(vended, path), "place-account") == []
    assert put(vended, path, lambda spec: spec.update(landingZone="sandbox")).status == 202
    assert settled(vended, path)["phase"] == "Ready"

"""What comes before an account is closed: Control Tower lets go of it, its address gets free."""

import itertools
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from tests.acceptance.tower import FACTORY, UNIT, Tower, make
from tests.acceptance.user import User
from tests.faults import wishes
from tests.faults.wishes import Tenant
from tests.faults.world import AUTOMATION, MANAGEMENT, World

GUARDDUTY = "guardduty.amazonaws.com"
MACIE = "macie.amazonaws.com"


@pytest.fixture(scope="module")
def moving() -> Iterator[Tower]:
    """Control Tower enrols what is moved into its units."""
    with World(seed=21) as world:
        world.configure(creationLatencySeconds=5, enrolmentSeconds=120)
        yield make(world, "auto")


@pytest.fixture(scope="module")
def ordering() -> Iterator[Tower]:
    """Account Factory enrols."""
    with World(seed=22) as world:
        world.configure(creationLatencySeconds=5, enrolmentSeconds=120, autoEnrolment=False)
        yield make(world, FACTORY)


def state(tower: Tower, account: str) -> str:
    """What Organizations says of an account."""
    found = tower.organization.client.describe_account(AccountId=account)["Account"]
    return str(found["State"])


def provisioned(tower: Tower, account: str) -> str:
    """The account's provisioned product."""
    (product,) = tower.products(account)
    return str(product["Id"])


def records(tower: Tower, product: str) -> list[tuple[str, str]]:
    """What was asked about a provisioned product, and what became of it, in its order."""
    found = tower.catalog.list_record_history(
        AccessLevelFilter={"Key": "Account", "Value": "self"},
        SearchFilter={"Key": "provisionedproduct", "Value": product},
    )["RecordDetails"]
    return [(one["RecordType"], one["Status"]) for one in reversed(found)]


def until_failed(tower: Tower, tenant: Tenant) -> dict[str, Any]:
    """Why a deletion does not go on, once nothing runs."""

    def there() -> Any:
        row = tower.world.rows([tenant])[tenant.id]
        return None if row.get("running") else row.get("failed")

    return dict(tower.world.until(there, hours=2))


def until_deleted(tower: Tower, tenant: Tenant, hours: float = 4) -> None:
    """Waits until a tenant is no more."""

    def gone() -> bool:
        return bool(tower.world.rows([tenant])[tenant.id]["phase"] == "Deleted")

    assert tower.world.until(gone, hours=hours), tower.world.rows([tenant])


def calls(tower: Tower, tenant: Tenant) -> list[str]:
    """What close-account asked of AWS, in its order."""
    return [
        one["action"]
        for one in tower.world.log()
        if one["step"] == "close-account" and one["tenant"] == tenant.id
    ]


def history(tower: Tower, tenant: Tenant) -> list[str]:
    """What happened to a tenant."""
    entries = tower.person.ask("GET", f"{tenant.path}/history").body["entries"]
    return [str(entry["event"]) for entry in entries]


def test_an_account_that_administers_a_service_is_closed_once_it_is_deregistered(
    moving: Tower,
) -> None:
    tenant = Tenant("delegate", "sandbox")
    moving.world.wish(tenant)
    moving.until_settled("delegate")
    account = moving.account("delegate")
    client = moving.organization.client
    for service in (GUARDDUTY, MACIE):
        client.register_delegated_administrator(AccountId=account, ServicePrincipal=service)
    moving.world.remove(tenant)
    failed = until_failed(moving, tenant)
    assert (failed["step"], failed["failure"]["name"]) == ("close-account", "Blocked")
    remark = failed["failure"]["userRemark"]
    assert f"Account {account} administers {GUARDDUTY}, {MACIE} for the organization" in remark
    assert f"--account-id {account} --service-principal {MACIE}`" in remark
    assert f"`landfall replicate {tenant.name}`" in remark
    asked = calls(moving, tenant)
    assert "iam:DeleteAccountAlias" not in asked, "its alias is not given up for nothing"
    assert "organizations:CloseAccount" not in asked
    assert state(moving, account) == "ACTIVE"
    for service in (GUARDDUTY, MACIE):
        client.deregister_delegated_administrator(AccountId=account, ServicePrincipal=service)
    again = moving.person.landfall("replicate", tenant.name)
    assert again.returncode == 0, again.stdout + again.stderr
    until_deleted(moving, tenant)
    assert state(moving, account) == "CLOSED"


def test_an_account_that_was_moved_in_is_moved_out_before_it_is_closed(moving: Tower) -> None:
    tenant = Tenant("mover", "production")
    moving.vend("mover")
    account = moving.account("mover")
    assert moving.enrolment(account) == "SUCCEEDED"
    moving.world.configure(releaseSeconds=1_200)
    moving.world.remove(tenant)

    def awaited() -> Any:
        found = moving.person.ask("GET", "/operator/awaited").body["items"]
        return [one["for"] for one in found if one["name"] == tenant.name]

    wanted = ["Control Tower to let go of the account"]
    assert moving.world.until(lambda: awaited() == wanted, hours=1), awaited()
    assert moving.organization.parent(account) == "r-land"
    assert state(moving, account) == "ACTIVE"
    until_deleted(moving, tenant)
    assert state(moving, account) == "CLOSED"
    assert moving.enrolment(account) is None
    asked = calls(moving, tenant)
    order = [
        "organizations:MoveAccount",
        "iam:DeleteAccountAlias",
        "organizations:CloseAccount",
    ]
    assert [one for one in asked if one in order] == order
    said = moving.person.landfall("describe", tenant.name).stdout
    for line in (
        f"let Control Tower let go of account {account} by a move from {UNIT} to r-land",
        f"Control Tower has let go of account {account}",
    ):
        assert line in said, said
    heard = [event for event in history(moving, tenant) if "moved" in event or "drift" in event]
    assert heard == [], "a move of our own is nobody else's"


def test_accounts_are_let_go_of_one_at_a_time_and_all_are_closed(moving: Tower) -> None:
    names = [f"crowd-{number}" for number in range(3)]
    moving.vend(*names)
    accounts = [moving.account(name) for name in names]
    moving.world.configure(releaseSeconds=120)
    for name in names:
        moving.world.remove(Tenant(name, "production"))
    for name in names:
        until_deleted(moving, Tenant(name, "production"))
    assert [state(moving, account) for account in accounts] == ["CLOSED"] * 3
    assert [moving.enrolment(account) for account in accounts] == [None] * 3
    tenants = {Tenant(name, "production").id for name in names}
    moves = [
        one
        for one in moving.world.log()
        if one["action"] == "organizations:MoveAccount"
        and one["step"] == "close-account"
        and one["tenant"] in tenants
    ]
    assert sorted(one["tenant"] for one in moves) == sorted(tenants)
    moments = [datetime.fromisoformat(one["at"]).timestamp() for one in moves]
    apart = [later - earlier for earlier, later in itertools.pairwise(sorted(moments))]
    assert min(apart) >= 120, apart


def test_an_account_of_account_factory_leaves_it_by_the_end_of_its_product(
    ordering: Tower,
) -> None:
    tenant = Tenant("ordered", "production")
    ordering.vend("ordered")
    account = ordering.account("ordered")
    product = provisioned(ordering, account)
    ordering.world.remove(tenant)
    until_deleted(ordering, tenant)
    assert state(ordering, account) == "CLOSED"
    assert ordering.products(account) == []
    assert ordering.enrolment(account) is None
    assert records(ordering, product)[1:] == [("TERMINATE_PROVISIONED_PRODUCT", "SUCCEEDED")]
    asked = calls(ordering, tenant)
    assert asked.index("servicecatalog:TerminateProvisionedProduct") < asked.index(
        "organizations:CloseAccount"
    )
    assert "organizations:MoveAccount" not in asked, "Control Tower has moved it"
    said = ordering.person.landfall("describe", tenant.name).stdout
    assert f"by the end of its provisioned product {product}" in said, said


def test_ends_of_products_wait_for_one_another_and_for_what_control_tower_works_on(
    ordering: Tower,
) -> None:
    other, *names = [f"turn-{number}" for number in range(3)]
    ordering.vend(other, *names, hours=6)
    accounts = [ordering.account(name) for name in names]
    ordering.world.configure(releaseSeconds=3_600)
    # Somebody else's end is under way: Control Tower is busy, and nothing has failed.
    strange = provisioned(ordering, ordering.account(other))
    ordering.catalog.terminate_provisioned_product(ProvisionedProductId=strange)
    ordering.world.configure(releaseSeconds=300)
    for name in names:
        ordering.world.remove(Tenant(name, "production"))
    for name in names:
        until_deleted(ordering, Tenant(name, "production"), hours=8)
        assert not [
            event for event in history(ordering, Tenant(name, "production")) if "fail" in event
        ]
    assert [state(ordering, account) for account in accounts] == ["CLOSED"] * 2
    for account in accounts:
        assert ordering.products(account) == []
    refused = {
        one["error"]
        for one in ordering.world.log()
        if one["action"] == "servicecatalog:TerminateProvisionedProduct" and one["status"] >= 400
    }
    assert refused == {"ResourceInUseException"}


def test_a_request_whose_answer_got_lost_is_the_same_request(ordering: Tower) -> None:
    tenant = Tenant("lost", "production")
    ordering.vend("lost")
    account = ordering.account("lost")
    product = provisioned(ordering, account)
    fault = ordering.world.fault(
        step="close-account",
        action="servicecatalog:TerminateProvisionedProduct",
        kind="kill",
        occurrence=1,
        tenant=tenant.id,
    )
    ordering.world.remove(tenant)
    until_deleted(ordering, tenant)
    assert ordering.world.hits()[fault] == 1
    ends = [kind for kind, _ in records(ordering, product)].count("TERMINATE_PROVISIONED_PRODUCT")
    assert ends == 1
    assert state(ordering, account) == "CLOSED"


def test_an_end_that_fails_is_tried_again_and_a_person_is_asked_where_that_does_not_help(
    ordering: Tower,
) -> None:
    tenant = Tenant("tough", "production")
    ordering.vend("tough")
    account = ordering.account("tough")
    product = provisioned(ordering, account)
    reason = "AccessDenied with an explicit deny in a service control policy"
    ordering.world.configure(
        releaseSeconds=120, failReleases=[{"account": account, "reason": reason, "times": 1}]
    )
    ordering.world.remove(tenant)
    failed = until_failed(ordering, tenant)
    assert (failed["step"], failed["failure"]["name"]) == ("close-account", "Blocked")
    assert "service control policy" in failed["failure"]["userRemark"]
    assert reason in failed["failure"]["systemRemark"]
    assert state(ordering, account) == "ACTIVE"
    knob = {"account": account, "reason": "An internal error occurred.", "times": 1}
    ordering.world.configure(failReleases=[knob])
    ordering.world.replicate(tenant)
    until_deleted(ordering, tenant)
    assert [status for _, status in records(ordering, product)[1:]] == [
        "FAILED",
        "FAILED",
        "SUCCEEDED",
    ]
    assert state(ordering, account) == "CLOSED"


def test_an_account_that_control_tower_does_not_let_go_of_by_itself_waits_for_a_person(
    moving: Tower,
) -> None:
    tenant = Tenant("kept", "production")
    moving.vend("kept")
    account = moving.account("kept")
    moving.world.configure(autoEnrolment=False)
    moving.world.remove(tenant)
    failed = until_failed(moving, tenant)
    assert (failed["step"], failed["failure"]["name"]) == ("close-account", "Blocked")
    assert f"governs account {account} and does not let go" in failed["failure"]["userRemark"]
    assert state(moving, account) == "ACTIVE"
    assert moving.organization.parent(account) == UNIT, "it is moved for nothing nowhere"
    moving.world.configure(autoEnrolment=True, releaseSeconds=60)
    moving.world.replicate(tenant)
    until_deleted(moving, tenant)
    assert state(moving, account) == "CLOSED"


def test_an_account_that_is_not_enrolled_is_closed_where_it_stands(moving: Tower) -> None:
    tenant = Tenant("free", "sandbox")
    moving.world.wish(tenant)
    moving.until_settled("free")
    account = moving.account("free")
    moving.world.remove(tenant)
    until_deleted(moving, tenant)
    assert state(moving, account) == "CLOSED"
    assert moving.organization.parent(account) == "ou-land-sandbox1"
    assert "organizations:MoveAccount" not in calls(moving, tenant)


def address_of(tower: Tower, account: str) -> str:
    """The account's e-mail address, as Account Management says it."""
    client = tower.world.client("account", MANAGEMENT, "us-east-1")
    return str(client.get_primary_email(AccountId=account)["PrimaryEmail"])


def readdressing(tower: Tower, zone: str, **wished: Any) -> None:
    """A landing zone like the sandbox whose accounts get another address before they are closed."""
    zones = {one["metadata"]["name"]: one for one in wishes.landing_zones()}
    pattern = "end+#{workspaceIdentifier}.#{projectIdentifier}@example.com"
    spec = {**zones["sandbox"]["spec"], "addressAfterClosing": {"pattern": pattern, **wished}}
    document = {**zones["sandbox"], "metadata": {"name": zone}, "spec": spec}
    tower.world.insist("PUT", f"/landing-zones/{zone}", document)


def marked(tower: Tower, name: str, zone: str) -> tuple[Tenant, str]:
    """A tenant that has landed and whose code is waited for, and its account."""
    tenant = Tenant(name, zone)
    tower.world.wish(tenant)
    tower.until_settled(name)
    account = tower.account(name)
    outlook = tower.person.landfall("delete", tenant.name).stdout
    assert "has the account's e-mail address changed, if somebody gives AWS's code" in outlook
    tower.world.remove(tenant)

    def asked() -> bool:
        waiting = tower.person.ask("GET", tenant.path).body.get("waiting")
        return bool(waiting and "landfall answer" in waiting["for"])

    assert tower.world.until(asked, hours=1), tower.world.rows([tenant])
    return tenant, account


def test_an_account_is_closed_with_another_address_once_the_code_is_given(moving: Tower) -> None:
    readdressing(moving, "farewell", withinDays=2)
    tenant, account = marked(moving, "readdressed", "farewell")
    new, old = "end+sweep.readdressed@example.com", "aws+sweep.readdressed@example.com"
    assert state(moving, account) == "ACTIVE"
    assert "iam:DeleteAccountAlias" not in calls(moving, tenant)
    waiting = moving.person.ask("GET", tenant.path).body["waiting"]
    assert f"the code that AWS mailed to {new}" in waiting["for"]
    until = datetime.fromisoformat(waiting["until"]).timestamp()
    assert 46 <= (until - moving.world.now()) / 3_600 <= 48, waiting
    (code,) = moving.world.mailbox(new)
    wrong = f"{(int(code) + 1) % 10**6:06}"
    moving.person.landfall("answer", tenant.name, "--otp", wrong)

    def refused() -> bool:
        waiting = moving.person.ask("GET", tenant.path).body.get("waiting")
        return bool(waiting and "wrong or too old" in waiting["for"])

    assert moving.world.until(refused, hours=1)
    assert address_of(moving, account) == old
    answered = moving.person.landfall("answer", tenant.name, "--otp", code)
    assert answered.returncode == 0, answered.stdout + answered.stderr
    until_deleted(moving, tenant)
    assert state(moving, account) == "CLOSED"
    found = moving.organization.client.describe_account(AccountId=account)["Account"]
    assert found["Email"] == new
    told = history(moving, tenant)
    assert f"the account's e-mail address is {new} now" in told
    assert code not in str(told)
    # The old address is free: another account may have it.
    moving.organization.client.create_account(Email=old, AccountName="again")
    assert moving.world.until(lambda: old in moving.organization.accounts(), hours=1)


def test_an_address_that_aws_refuses_keeps_no_account_open(moving: Tower) -> None:
    readdressing(moving, "refused")
    new = "end+sweep.taken@example.com"
    moving.organization.client.create_account(Email=new, AccountName="taken")
    assert moving.world.until(lambda: new in moving.organization.accounts(), hours=1)
    tenant = Tenant("taken", "refused")
    moving.world.wish(tenant)
    moving.until_settled("taken")
    account = moving.account("taken")
    moving.world.remove(tenant)
    until_deleted(moving, tenant)
    assert state(moving, account) == "CLOSED"
    told = history(moving, tenant)
    assert any(event.endswith(f"AWS does not take {new}") for event in told), told


def test_an_address_after_closing_that_can_not_be_is_refused_when_it_is_applied(
    moving: Tower,
) -> None:
    zones = {one["metadata"]["name"]: one for one in wishes.landing_zones()}
    for wished, field in (
        ({"pattern": "all@example.com"}, "pattern"),
        ({"pattern": "aws+#{workspaceIdentifier}.#{projectIdentifier}@example.com"}, "pattern"),
        ({"pattern": "closed+#{rand:%.9s}@example.com", "withinDays": 31}, "withinDays"),
    ):
        spec = {**zones["sandbox"]["spec"], "addressAfterClosing": wished}
        answer = moving.person.insist(
            "PUT", "/landing-zones/sandbox", {**zones["sandbox"], "spec": spec}
        )
        assert answer.status == 422, answer.body
        fields = {one["field"] for one in answer.body["problems"]}
        assert fields == {f"spec.addressAfterClosing.{field}"}
    kept = moving.person.ask("GET", "/landing-zones/sandbox").body["spec"]
    assert "addressAfterClosing" not in kept


def test_an_account_is_closed_with_its_address_where_nobody_gives_the_code_in_time(
    moving: Tower,
) -> None:
    readdressing(moving, "hurried", withinDays=1)
    tenant, account = marked(moving, "unanswered", "hurried")
    moving.world.sleep(3_600)
    assert state(moving, account) == "ACTIVE"
    moving.world.leap(86_400)
    tower = replace(moving, person=User.administrator(moving.world, AUTOMATION))
    until_deleted(tower, tenant)
    assert state(tower, account) == "CLOSED"
    old, new = "aws+sweep.unanswered@example.com", "end+sweep.unanswered@example.com"
    assert tower.organization.accounts()[old] == account
    (kept,) = [event for event in history(tower, tenant) if "closed with" in event]
    assert kept == (
        f"the account is closed with the e-mail address {old}: "
        f"nobody gave the code for {new} in time"
    )

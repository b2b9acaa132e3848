"""What must be let go of before an account is closed: services that it administers, Control Tower."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.acceptance.tower import Tower, make
from tests.faults.wishes import Tenant
from tests.faults.world import World

GUARDDUTY = "guardduty.amazonaws.com"
MACIE = "macie.amazonaws.com"


@pytest.fixture(scope="module")
def moving() -> Iterator[Tower]:
    """Control Tower enrols what is moved into its units."""
    with World(seed=21) as world:
        world.configure(creationLatencySeconds=5, enrolmentSeconds=120)
        yield make(world, "auto")


def state(tower: Tower, account: str) -> str:
    """What Organizations says of an account."""
    found = tower.organization.client.describe_account(AccountId=account)["Account"]
    return str(found["State"])


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

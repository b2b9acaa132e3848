"""Tenants come to other projects: the same account, other tags and groups, a name that is free."""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.acceptance.conftest import Vended, vending
from tests.acceptance.test_access import ADMINISTRATOR, AUDITOR, READ_ONLY, Center
from tests.faults.verdict import STORE
from tests.faults.wishes import Tenant
from tests.faults.world import AUTOMATION, LEDGER

OLD = "/workspaces/payments/projects/checkout-prod/tenants/aws"
NEW = "/workspaces/shipping/projects/checkout/tenants/aws"
SET = "landfall-audit-role"


@pytest.fixture(scope="module")
def vended(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Vended]:
    """The examples in a world whose tenants may move."""
    with vending(tmp_path_factory.mktemp("move")) as vended:
        yield vended


def get(vended: Vended, path: str) -> Any:
    """A tenant as its requester sees it."""
    return vended.person.ask("GET", path).body


def history(vended: Vended, path: str) -> list[dict[str, Any]]:
    """What happened to a tenant."""
    entries: list[dict[str, Any]] = get(vended, f"{path}/history")["entries"]
    return entries


def until(vended: Vended, path: str, phase: str) -> Any:
    """The tenant once it is in this phase and its last wish was met."""

    def there() -> Any:
        found = get(vended, path)
        met = found.get("observedGeneration") == found.get("generation")
        return found if met and found.get("phase") == phase and not found["running"] else None

    found = vended.world.until(there, hours=2)
    assert found, get(vended, path)
    return found


def move(vended: Vended, path: str, workspace: str, project: str, **headers: str) -> Any:
    """Asks Landfall to move a tenant."""
    to = {"workspace": workspace, "project": project}
    return vended.person.ask("POST", f"/operator{path}/move", to, headers)


def ready(vended: Vended, project: str) -> Any:
    """A tenant of its own that has landed."""
    one = Tenant(project, "sandbox")
    vended.world.wish(one)
    return until(vended, one.path, "Ready")


def problems(answer: Any) -> dict[str, str]:
    """The rules that are broken, by field."""
    assert answer.status == 422, answer
    assert all(one["remedy"] for one in answer.body["problems"])
    return {one["field"]: one["rule"] for one in answer.body["problems"]}


def test_a_tenant_moves_with_its_account_and_its_old_name_is_free(vended: Vended) -> None:
    before = get(vended, OLD)
    account = before["account"]
    center = Center(vended.world)
    old_groups = {f"landfall-payments.checkout-prod.{role}" for role in ("admin", "reader")}
    new_groups = {f"landfall-shipping.checkout.{role}" for role in ("admin", "reader")}
    assert old_groups <= set(center.groups())
    vended.settle()

    planned = vended.person.landfall("move", before["name"], "--to", "shipping.checkout")
    assert planned.returncode == 2, planned.stdout + planned.stderr
    assert f"keeps account {account}" in planned.stdout
    assert "acme-payments-checkout-prod" in planned.stdout
    for line in (
        "landfall:workspace",
        "landfall:project",
        "make group landfall-shipping.checkout.admin with ada@example.com",
        "shut group landfall-payments.checkout-prod.admin out",
        "delete group landfall-payments.checkout-prod.admin",
    ):
        assert line in planned.stdout, planned.stdout
    assert "nothing is moved" in planned.stderr
    assert get(vended, OLD) | {"asOf": 0} == before | {"asOf": 0, "nextRun": before["nextRun"]}
    assert vended.person.ask("GET", NEW).status == 404
    assert vended.organization.tags(account)["landfall:workspace"] == "payments"

    moved = vended.person.landfall("move", before["name"], "--to", "shipping.checkout", "--yes")
    assert moved.returncode == 0, moved.stdout + moved.stderr
    after = until(vended, NEW, "Ready")
    assert (after["id"], after["account"], after["name"]) == (
        before["id"],
        account,
        "shipping.checkout.aws",
    )
    assert after["names"] == before["names"], "what was rendered once is kept"
    assert after["spec"] == before["spec"]
    tags = vended.organization.tags(account)
    assert (tags["landfall:workspace"], tags["landfall:project"]) == ("shipping", "checkout")
    assert tags["landfall:tenant"] == before["id"]

    vended.world.sleep(120)
    groups = set(center.groups())
    assert new_groups <= groups
    assert not old_groups & groups
    admins, readers = (f"landfall-shipping.checkout.{role}" for role in ("admin", "reader"))
    assert center.members(admins) == {"ada@example.com"}
    assert center.members(readers) == {"bob@example.com"}
    assert center.assigned(account) == {
        (admins, ADMINISTRATOR),
        (readers, READ_ONLY),
        (readers, AUDITOR),
        ("auditors", READ_ONLY),
        ("auditors", AUDITOR),
    }
    made = center.store.describe_group(IdentityStoreId=STORE, GroupId=center.groups()[admins])
    assert made["Description"].endswith("of shipping.checkout.aws.")

    entries = history(vended, NEW)
    assert entries[0]["event"].startswith("requested in landing zone")
    said = "moved from payments.checkout-prod.aws to shipping.checkout.aws"
    (entry,) = (one for one in entries if one["event"] == said)
    assert AUTOMATION in entry["author"]
    assert entries[-1]["event"].endswith("all is as wished")

    gone = vended.person.ask("GET", OLD)
    assert gone.status == 404
    assert "was moved, and is `shipping.checkout.aws`" in gone.body["detail"]
    assert vended.person.landfall("get", "tenant", before["name"]).returncode == 6
    names = [one["name"] for one in get(vended, "/operator/tenants")["items"]]
    assert "shipping.checkout.aws" in names
    assert before["name"] not in names
    again = move(vended, OLD, "shipping", "checkout")
    assert (again.status, again.body["id"]) == (200, before["id"]), "who heard nothing asks again"

    wish = {
        "apiVersion": "landfall/v1",
        "kind": "Tenant",
        "metadata": {"workspace": "payments", "project": "checkout-prod", "platform": "aws"},
        "spec": before["spec"],
    }
    assert vended.person.insist("PUT", OLD, wish).status == 201
    second = until(vended, OLD, "Ready")
    assert second["id"] != before["id"]
    assert second["account"] != account
    assert second["names"]["email"] == "aws+payments.checkout-prod-2@example.com"
    vended.world.sleep(120)
    assert center.assigned(account) == {
        (admins, ADMINISTRATOR),
        (readers, READ_ONLY),
        (readers, AUDITOR),
        ("auditors", READ_ONLY),
        ("auditors", AUDITOR),
    }
    assert {group for group, _ in center.assigned(second["account"])} == {*old_groups, "auditors"}


def test_where_a_tenant_can_not_go_is_said_and_nothing_is_changed(vended: Vended) -> None:
    one = ready(vended, "stays")
    path = Tenant("stays", "sandbox").path
    taken = get(vended, "/workspaces/research/projects/notebooks/tenants/aws")
    rule = f"has a tenant already, with account {taken['account']}"
    assert problems(move(vended, path, "research", "notebooks")) == {"project": rule}
    wrong = problems(move(vended, path, "Research", "x" * 31))
    assert wrong == {
        "workspace": "is no identifier",
        "project": "has 31 characters; 30 are allowed",
    }
    zone = get(vended, "/landing-zones/sandbox")
    closed = {**zone, "metadata": {"name": "sandbox"}}
    closed["spec"] = {**zone["spec"], "restrictedTo": ["sweep", "research"]}
    vended.world.insist("PUT", "/landing-zones/sandbox", closed)
    refused = problems(move(vended, path, "shipping", "stays"))
    assert refused == {"spec.landingZone": "is not for workspace `shipping`"}
    vended.world.insist("PUT", "/landing-zones/sandbox", {**closed, "spec": zone["spec"]})
    one = until(vended, path, "Ready")

    stale = move(vended, path, "shipping", "stays", **{"If-Match": '"99"'})
    assert stale.status == 412
    for body in ({}, {"workspace": "a"}, {"workspace": "a", "project": "b", "platform": "c"}):
        assert vended.person.ask("POST", f"/operator{path}/move", body).status == 400
    nobody = move(vended, "/workspaces/sweep/projects/nobody/tenants/aws", "a", "b")
    assert nobody.status == 404
    wordy = vended.person.landfall("move", one["name"], "--to", "shipping.stays.aws", "--yes")
    assert (wordy.returncode, "write <workspace>.<project>" in wordy.stderr) == (2, True)
    kept = get(vended, path)
    assert (kept["id"], kept["generation"]) == (one["id"], one["generation"])

    assert vended.person.ask("DELETE", path).status == 202
    going = move(vended, path, "shipping", "stays")
    assert (going.status, going.body["type"].rsplit(":", 1)[-1]) == (409, "not-now")


def test_a_move_during_a_run_is_what_the_next_one_brings(vended: Vended) -> None:
    vended.world.configure(creationLatencySeconds=400)
    one = Tenant("early", "sandbox")
    vended.world.wish(one)
    assert vended.world.until(lambda: get(vended, one.path)["running"], hours=1)
    assert move(vended, one.path, "shipping", "early").status == 202
    vended.world.configure(creationLatencySeconds=None)
    found = until(vended, "/workspaces/shipping/projects/early/tenants/aws", "Ready")
    assert found["id"] == one.id
    tags = vended.organization.tags(found["account"])
    assert (tags["landfall:workspace"], tags["landfall:tenant"]) == ("shipping", one.id)
    accounts = vended.organization.accounts()
    mine = [email for email in accounts if "early" in email]
    assert len(mine) == 1, "one account was made"


def test_who_moves_to_one_name_at_once_gets_it_once(vended: Vended) -> None:
    projects = [f"rival-{number}" for number in range(4)]
    found = {project: ready(vended, project) for project in projects}
    with ThreadPoolExecutor(len(projects)) as pool:
        answers = list(
            pool.map(
                lambda one: move(vended, Tenant(one, "sandbox").path, "sweep", "won"), projects
            )
        )
    assert Counter(one.status for one in answers) == {202: 1, 422: len(projects) - 1}
    (winner,) = (p for p, one in zip(projects, answers, strict=True) if one.status == 202)
    won = until(vended, "/workspaces/sweep/projects/won/tenants/aws", "Ready")
    assert (won["id"], won["account"]) == (found[winner]["id"], found[winner]["account"])
    for project in projects:
        status = vended.person.ask("GET", Tenant(project, "sandbox").path).status
        assert status == (404 if project == winner else 200)
    names = Counter(one["name"] for one in get(vended, "/operator/tenants")["items"])
    assert set(names.values()) == {1}

    # What is moved back is called as before, and still is who it is.
    assert move(vended, "/workspaces/sweep/projects/won/tenants/aws", "sweep", winner).status == 202
    back = until(vended, Tenant(winner, "sandbox").path, "Ready")
    assert back["id"] == found[winner]["id"]
    rows = vended.world.client("dynamodb", AUTOMATION)
    key = {"pk": {"S": f"NAME#sweep.{winner}.aws"}, "sk": {"S": "NAME"}}
    held = rows.get_item(TableName=LEDGER, Key=key, ConsistentRead=True)["Item"]
    assert (held["tenant"]["S"], held["incarnation"]["N"]) == (back["id"], "2")
    entries = rows.query(
        TableName=LEDGER,
        KeyConditionExpression="pk = :pk AND begins_with(sk, :history)",
        ExpressionAttributeValues={
            ":pk": {"S": f"TENANT#{back['id']}"},
            ":history": {"S": "HISTORY#"},
        },
        ConsistentRead=True,
    )["Items"]
    said = [(int(one["version"]["N"]), one["event"]["S"]) for one in entries]
    assert sorted(event for _, event in said if event.startswith("moved")) == sorted(
        [
            f"moved from sweep.{winner}.aws to sweep.won.aws",
            f"moved from sweep.won.aws to sweep.{winner}.aws",
        ]
    )
    versions = [version for version, _ in said]
    assert versions == sorted(set(versions))

"""`landfall doctor --rotate` while tenants are vended: no run fails, the old value opens none."""

import json
from collections.abc import Iterator
from threading import Thread
from typing import Any

import pytest

from tests.acceptance.organization import Organization
from tests.acceptance.test_doctor import Doctor, doctor_of, said
from tests.acceptance.user import User, refusal
from tests.faults.world import AUTOMATION, LEDGER, MANAGEMENT, World

ROLES = {
    "LandfallRead": "landfall-external-id",
    "LandfallVend": "landfall-external-id",
    "LandfallClose": "landfall-external-id",
    "LandfallMetering": "landfall-metering-external-id",
}
PHASES = [
    "each secret has a new value beside the old one",
    "every role takes both values",
    "the functions use the new value",
    "every role takes the new value only",
    "the old value is forgotten",
]


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with World(seed=7) as world:
        yield world


@pytest.fixture(scope="module")
def doctor(world: World, tmp_path_factory: pytest.TempPathFactory) -> Doctor:
    return doctor_of(world, tmp_path_factory.mktemp("doctor"))


def secret(world: World, name: str) -> dict[str, str]:
    """What a secret says."""
    secrets = world.client("secretsmanager", AUTOMATION)
    found: dict[str, str] = json.loads(secrets.get_secret_value(SecretId=name)["SecretString"])
    return found


def taken(world: World, account: str, role: str) -> Any:
    """What a role's trust asks for."""
    trust = world.client("iam", account).get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"]
    return trust["Statement"][0]["Condition"]["StringEquals"]["sts:ExternalId"]


def settled(world: World, before: dict[str, dict[str, str]]) -> None:
    """Every role takes what its secret says and nothing else, and that is new."""
    for role, name in ROLES.items():
        now = secret(world, name)
        assert list(now) == ["current"]
        assert now["current"] != before[name]["current"]
        assert taken(world, MANAGEMENT, role) == now["current"]
    stacks = taken(world, AUTOMATION, "LandfallStacks")
    assert stacks == secret(world, "landfall-external-id")["current"]


def test_tenants_are_vended_while_the_external_ids_are_rotated(
    world: World, doctor: Doctor
) -> None:
    before = {name: secret(world, name) for name in ROLES.values()}
    person = User.administrator(world, AUTOMATION)
    applied: list[Any] = []
    vend = Thread(target=lambda: applied.append(person.landfall("apply", "-f", "examples")))
    vend.start()
    table = world.client("dynamodb", AUTOMATION)

    def an_account_is_made() -> bool:
        rows = table.scan(TableName=LEDGER, ConsistentRead=True)["Items"]
        return any("account" in row for row in rows if row["sk"]["S"] == "TENANT")

    assert world.until(an_account_is_made, hours=2)
    checks = doctor("--rotate")
    assert said(checks, "rotation", "ok") == PHASES
    vend.join()
    (done,) = applied
    assert done.returncode == 0, done.stdout + done.stderr + world.said()
    rows = table.scan(TableName=LEDGER, ConsistentRead=True)["Items"]
    blocked = [row for row in rows if "Blocked" in json.dumps(row)]
    assert not blocked
    settled(world, before)
    organization = Organization(world)
    function = organization.function("PlaceAccount")
    role = f"arn:aws:iam::{MANAGEMENT}:role/LandfallVend"
    old = before["landfall-external-id"]["current"]
    assert refusal(lambda: function.assume(role, ExternalId=old)) == "AccessDenied"
    assert refusal(lambda: function.assume(role, ExternalId=organization.external_id())) is None


@pytest.mark.parametrize("stopped", ["next", "previous"])
def test_a_rotation_that_was_interrupted_goes_on_where_it_stopped(
    world: World, doctor: Doctor, stopped: str
) -> None:
    """The secret says how far it came; until then both the doctor and the steps know what to do."""
    before = {name: secret(world, name) for name in ROLES.values()}
    secrets = world.client("secretsmanager", AUTOMATION)
    current = before["landfall-external-id"]["current"]
    half = {
        "next": {"current": current, "next": f"half-way-{stopped}"},
        "previous": {"current": f"half-way-{stopped}", "previous": current},
    }[stopped]
    secrets.put_secret_value(SecretId="landfall-external-id", SecretString=json.dumps(half))
    assert said(doctor(), "external id", "failing")
    # No role takes the new value yet: a function that has just read it asks with the other one.
    person = User.administrator(world, AUTOMATION)
    done = person.landfall("replicate", "payments.checkout-prod.aws", "--wait")
    assert done.returncode == 0, done.stdout + done.stderr
    checks = doctor("--rotate")
    assert said(checks, "rotation", "ok") == PHASES
    assert [one for one in checks if one["verdict"] == "failing"] == []
    settled(world, before)
    assert secret(world, "landfall-external-id") == {"current": f"half-way-{stopped}"}


def test_a_secret_that_can_not_be_read_is_said_without_its_text(
    world: World, doctor: Doctor
) -> None:
    secrets = world.client("secretsmanager", AUTOMATION)
    kept = json.dumps(secret(world, "landfall-external-id"))
    secrets.put_secret_value(SecretId="landfall-external-id", SecretString="no JSON, and secret")
    try:
        (failing,) = said(doctor(), "role", "failing")
    finally:
        secrets.put_secret_value(SecretId="landfall-external-id", SecretString=kept)
    assert "landfall-external-id" in failing
    assert "and secret" not in failing

"""A survey of two thousand accounts: what it costs, and how it goes on where it was cut short."""

import uuid
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.acceptance.test_survey import ELSEWHERE, UNIT, Scene
from tests.faults.wishes import LANDFALL, Tenant
from tests.faults.world import AUTOMATION, LEDGER, World, plain

LARGE = 2_000
LONG_AGO = "2020-01-01T00:00:00.000Z"


@pytest.fixture(scope="module")
def large() -> Iterator[Scene]:
    """Two thousand accounts that are tenants' as far as the ledger knows."""
    with World(seed=22, quiet=True) as world:
        world.found()
        first = Tenant("first", "sandbox")
        world.wish(first)
        scene = Scene(world)
        scene.settle(first)
        world._ask("POST", "landfall/seed", {"accounts": LARGE})
        _copy(world, first)
        yield scene


def _copy(world: World, tenant: Tenant) -> None:
    """Writes a tenant for each of the many accounts, as alike to one that is Ready as can be."""
    table = world.client("dynamodb", AUTOMATION)
    key = {"pk": {"S": f"TENANT#{tenant.id}"}, "sk": {"S": "TENANT"}}
    row = table.get_item(TableName=LEDGER, Key=key)["Item"]
    rows = []
    for number in range(LARGE):
        project, account = f"member-{number:05}", f"{400_000_000_000 + number}"
        name = f"sweep.{project}.aws"
        one = tenant_id(project)
        names = {
            "email": {"S": f"aws+{project}@example.com"},
            "accountName": {"S": project},
        }
        rows.append(
            {
                **row,
                "pk": {"S": f"TENANT#{one}"},
                "id": {"S": one},
                "name": {"M": {**row["name"]["M"], "project": {"S": project}}},
                "listedName": {"S": name},
                "account": {"S": account},
                "names": {"M": names},
            }
        )
    for start in range(0, LARGE, 25):
        requests = [{"PutRequest": {"Item": one}} for one in rows[start : start + 25]]
        table.batch_write_item(RequestItems={LEDGER: requests})


def next_survey(world: World) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Lets the time of the next survey come, without the stacks; what it finds, and its calls."""
    table = world.client("dynamodb", AUTOMATION)
    seen = world.log()[-1]["seq"]
    recent = datetime.fromtimestamp(world.now(), UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    key = {"pk": {"S": "SURVEY#aws"}, "sk": {"S": "SURVEY"}}
    table.update_item(
        TableName=LEDGER,
        Key=key,
        UpdateExpression="SET #last = :old, lastStacks = :recent REMOVE wanted, #position, held",
        ExpressionAttributeNames={"#last": "last", "#position": "position"},
        ExpressionAttributeValues={":old": {"S": LONG_AGO}, ":recent": {"S": recent}},
    )

    def ended() -> bool:
        row = table.get_item(TableName=LEDGER, Key=key, ConsistentRead=True)["Item"]
        return row["last"]["S"] != LONG_AGO

    assert world.until(ended, hours=1), world.said()
    _, surveys = world.ask("GET", "/operator/surveys")
    calls = [
        call
        for call in world.log(seen)
        if call["step"] == "survey" and not call["action"].startswith("dynamodb:")
    ]
    return surveys["items"][0]["ended"][0], calls


def of(calls: list[dict[str, Any]], action: str) -> int:
    """How often something was called."""
    return sum(call["action"] == action for call in calls)


def test_a_survey_of_two_thousand_accounts_costs_a_call_for_twenty(large: Scene) -> None:
    next_survey(large.world)
    found, calls = next_survey(large.world)
    accounts = found["accounts"]
    assert accounts == LARGE + 5
    assert (found["tenants"], found["differing"], found["unmanaged"]) == (LARGE + 1, 0, 2)
    pages = -(-accounts // 20)
    assert of(calls, "organizations:ListAccounts") == pages == found["calls"]["accounts"]
    assert len(calls) <= accounts / 20 + 10, Counter(call["action"] for call in calls)
    per_account = {"organizations:DescribeAccount", "cloudformation:DescribeStackInstance"}
    assert not per_account & {call["action"] for call in calls}


def test_a_survey_that_is_cut_short_goes_on_and_looks_again_at_one_account(large: Scene) -> None:
    world = large.world
    account = "400000001234"
    large.organization.client.move_account(
        AccountId=account, SourceParentId=UNIT, DestinationParentId=ELSEWHERE
    )
    # AWS is busy: whoever lists accounts is refused, and tried again once by the SDK.
    rule = {"step": "survey", "action": "organizations:ListAccounts"}
    fault = world.fault(**rule, kind="throttle", occurrence=50, times=2)
    try:
        found, calls = next_survey(world)
        assert world.hits()[fault] == 2
    finally:
        world.mend(fault)
    assert (found["accounts"], found["tenants"]) == (LARGE + 5, LARGE + 1)
    assert (found["differing"], found["drifted"], found["missing"]) == (1, 1, 0)
    assert of(calls, "organizations:DescribeAccount") == 1
    assert of(calls, "organizations:ListAccounts") <= found["accounts"] / 20 + 5
    row = world.client("dynamodb", AUTOMATION).get_item(
        TableName=LEDGER,
        Key={"pk": {"S": f"TENANT#{tenant_id('member-01234')}"}, "sk": {"S": "TENANT"}},
    )["Item"]
    (field,) = plain(row["drift"])
    assert (field["field"], field["actual"]) == ("organizationalUnit", ELSEWHERE)


def test_a_survey_whose_function_is_killed_is_taken_up_by_the_next(large: Scene) -> None:
    rule = {"step": "survey", "action": "organizations:ListAccounts"}
    fault = large.world.fault(**rule, kind="kill", occurrence=70, times=1)
    try:
        found, _ = next_survey(large.world)
        assert large.world.hits()[fault] == 1
    finally:
        large.world.mend(fault)
    assert (found["accounts"], found["tenants"], found["missing"]) == (LARGE + 5, LARGE + 1, 0)


def tenant_id(project: str) -> str:
    """The id of a tenant of the crowd."""
    return str(uuid.uuid5(LANDFALL, f"sweep.{project}.aws#1"))

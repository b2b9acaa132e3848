"""What Landfall tells programs and people, as queues behind the bus and the topic hear it."""

import copy
import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest

from tests.faults import wishes
from tests.faults.wishes import ROOT, Tenant
from tests.faults.world import AUTOMATION, HOME, MANAGEMENT, World

SCHEMA = json.loads((ROOT / "docs/events.schema.json").read_text())
PHASE, DRIFT = "Tenant Phase Changed", "Tenant Drift Changed"
PATTERN = {"source": ["landfall"], "detail-type": [PHASE, DRIFT]}
UNIT, ELSEWHERE = "ou-land-sandbox1", "ou-land-suspende"
TOPIC = f"arn:aws:sns:{HOME}:{AUTOMATION}:landfall-needs-a-person"


class Listener:
    """Two queues: one hears what programs are told, one what people are."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.sqs = world.client("sqs", AUTOMATION)
        self.queues = {one: self._queue(one) for one in ("programs", "people")}
        self.heard: dict[str, list[Any]] = {"programs": [], "people": []}
        events = world.client("events", AUTOMATION)
        events.put_rule(Name="programs", EventPattern=json.dumps(PATTERN))
        arn = f"arn:aws:sqs:{HOME}:{AUTOMATION}:programs"
        events.put_targets(Rule="programs", Targets=[{"Id": "programs", "Arn": arn}])
        arn = f"arn:aws:sqs:{HOME}:{AUTOMATION}:people"
        world.client("sns", AUTOMATION).subscribe(TopicArn=TOPIC, Protocol="sqs", Endpoint=arn)

    def _queue(self, name: str) -> str:
        statement = {
            "Effect": "Allow",
            "Principal": {"Service": "events.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": f"arn:aws:sqs:{HOME}:{AUTOMATION}:{name}",
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        made = self.sqs.create_queue(QueueName=name, Attributes={"Policy": policy})
        return str(made["QueueUrl"])

    def _all(self, name: str) -> list[Any]:
        heard = self.heard[name]
        queue = self.queues[name]
        while messages := self.sqs.receive_message(
            QueueUrl=queue, MaxNumberOfMessages=10, WaitTimeSeconds=0
        ).get("Messages"):
            for message in messages:
                heard.append(json.loads(message["Body"]))
                self.sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
        return heard

    def events(self, tenant: Tenant, kind: str = PHASE) -> list[dict[str, Any]]:
        """The details of a tenant's events of a kind."""
        all_ = [event["detail"] for event in self._all("programs") if event["detail-type"] == kind]
        return [detail for detail in all_ if detail["id"] == tenant.id]

    def messages(self, tenant: Tenant) -> list[dict[str, Any]]:
        """What people were told of a tenant."""
        return [one for one in self._all("people") if tenant.name in one["Message"]]

    def phases(self, tenant: Tenant) -> list[str]:
        """The phases of a tenant as they were told."""
        return [detail["to"] for detail in self.events(tenant)]


@pytest.fixture(scope="module")
def listener() -> Iterator[Listener]:
    """A world with a platform in which somebody listens."""
    with World(seed=12, quiet=True) as world:
        world.found()
        yield Listener(world)


def ended(world: World, tenant: Tenant, phase: str, run: int) -> bool:
    """Whether the run has ended in the phase."""

    def there() -> bool:
        row = world.rows([tenant]).get(tenant.id, {})
        return (row.get("phase"), row.get("run"), "running" in row) == (phase, run, False)

    return bool(world.until(there, hours=0.7))


def test_each_change_of_phase_is_told_once_in_order_and_as_the_schema_says(
    listener: Listener,
) -> None:
    world, tenant = listener.world, Tenant("heard", "sandbox")
    world.wish(tenant)
    assert ended(world, tenant, "Ready", 1)
    assert world.until(lambda: "Ready" in listener.phases(tenant), hours=0.2)
    details = listener.events(tenant)
    assert [detail["to"] for detail in details] == ["Requested", "Replicating", "Ready"]
    assert set(Counter(detail["version"] for detail in details).values()) == {1}
    for detail in details:
        jsonschema.validate(detail, SCHEMA)
        assert not set(detail) - set(SCHEMA["properties"])
    assert "from" not in details[0]
    assert "account" in details[-1]
    assert not listener.messages(tenant)


def test_what_blocks_a_tenant_again_and_again_is_told_to_a_person_once(listener: Listener) -> None:
    world, tenant = listener.world, Tenant("blocked", "sandbox")
    world.fault(
        step="place-account",
        action="organizations:MoveAccount",
        kind="error",
        error={"code": "AccessDeniedException", "status": 400, "message": "Not you."},
        times=1_000_000,
        tenant=tenant.id,
    )
    world.wish(tenant)
    for run in (1, 2, 3):
        assert ended(world, tenant, "Failed", run), world.rows([tenant])
        world.make_due(tenant)
    assert world.until(lambda: listener.phases(tenant).count("Failed") >= 3, hours=0.2)
    (message,) = listener.messages(tenant)
    assert message["Subject"] == f"Landfall: Blocked at place-account: {tenant.name}"
    assert f"\n    landfall replicate {tenant.name}\n" in message["Message"]
    failed = [detail for detail in listener.events(tenant) if detail["to"] == "Failed"]
    assert failed[0]["failure"]["name"] == "Blocked"
    assert "systemRemark" not in json.dumps(failed)
    assert "AccessDenied" not in json.dumps(failed)


def zone(world: World, name: str, **spec: Any) -> None:
    """Writes a landing zone that is the sandbox's but for this."""
    (like,) = (one for one in wishes.landing_zones() if one["metadata"]["name"] == "sandbox")
    document = copy.deepcopy(like)
    document["metadata"]["name"] = name
    document["spec"].update(spec)
    world.insist("PUT", f"/landing-zones/{name}", document)


def test_an_approver_is_told_of_a_deletion(listener: Listener) -> None:
    world, tenant = listener.world, Tenant("unwanted", "asking")
    zone(world, "asking", automateDeletionApproval=False)
    world.wish(tenant)
    assert ended(world, tenant, "Ready", 1)
    world.remove(tenant)
    assert world.until(lambda: "MarkedForDeletion" in listener.phases(tenant), hours=0.2)
    assert world.until(lambda: listener.messages(tenant), hours=0.1)
    (told,) = listener.messages(tenant)
    assert f"landfall approve {tenant.name}" in told["Message"]


def test_whoever_closes_accounts_by_hand_is_told_once(listener: Listener) -> None:
    world, tenant = listener.world, Tenant("handed", "by-hand")
    zone(world, "by-hand", automateDeletionApproval=True, automateDeletionReplication=False)
    world.wish(tenant)
    assert ended(world, tenant, "Ready", 1)
    world.remove(tenant)
    for run in (2, 3):
        assert ended(world, tenant, "MarkedForDeletion", run), world.rows([tenant])
        world.make_due(tenant)
    assert world.until(lambda: listener.messages(tenant), hours=0.1)
    (told,) = listener.messages(tenant)
    account = world.insist("GET", tenant.path)["account"]
    assert f"somebody to close account {account}" in told["Message"]


def test_drift_is_told_and_to_a_person_where_no_run_follows(listener: Listener) -> None:
    world, tenant = listener.world, Tenant("drifter", "reported")
    zone(world, "reported", drift={"default": "report"})
    world.wish(tenant)
    assert ended(world, tenant, "Ready", 1)
    account = world.insist("GET", tenant.path)["account"]
    world.sleep(150)
    organizations = world.client("organizations", MANAGEMENT, "us-east-1")
    move = {"SourceParentId": UNIT, "DestinationParentId": ELSEWHERE}
    organizations.move_account(AccountId=account, **move)
    assert world.until(lambda: listener.events(tenant, DRIFT), hours=1)
    (told,) = listener.events(tenant, DRIFT)
    jsonschema.validate(told, SCHEMA)
    assert (told["from"], told["to"]) == ("Ready", "Ready")
    (drift,) = told["drift"]
    assert (drift["field"], drift["actual"]) == ("organizationalUnit", ELSEWHERE)
    assert world.until(lambda: listener.messages(tenant), hours=0.1)
    (message,) = listener.messages(tenant)
    assert message["Subject"] == f"Landfall: it has drifted: {tenant.name}"
    assert f"organizationalUnit is {ELSEWHERE} instead of {UNIT}" in message["Message"]


@pytest.mark.parametrize(
    ("project", "action", "kind"),
    [
        ("refused", "events:PutEvents", "error"),
        ("unanswered", "events:PutEvents", "lost-response"),
        ("killed", "dynamodb:UpdateItem", "kill"),
    ],
)
def test_what_could_not_be_told_is_told_later(
    listener: Listener, project: str, action: str, kind: str
) -> None:
    world, tenant = listener.world, Tenant(project, "sandbox")
    times = {"times": 4} if kind == "error" else {}
    fault = world.fault(step="announce", action=action, kind=kind, **times)
    world.wish(tenant)
    try:
        assert ended(world, tenant, "Ready", 1)
        assert world.until(lambda: "Ready" in listener.phases(tenant), hours=0.3)
        assert world.hits()[fault], "nothing failed"
    finally:
        world.mend(fault)
    versions = {detail["version"]: detail["to"] for detail in listener.events(tenant)}
    told = [versions[version] for version in sorted(versions)]
    assert told == ["Requested", "Replicating", "Ready"]

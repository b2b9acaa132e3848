"""The life of landing zones and platforms: applied, changed, deleted, applied again."""

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.organization import document
from tests.acceptance.test_hooks import settled
from tests.acceptance.user import Answer, User
from tests.faults import wishes
from tests.faults.wishes import Tenant
from tests.faults.world import AUTOMATION, LEDGER, World

ROLES = ("requester", "approver", "operator", "auditor")


class Scene:
    """Configuration, its operator, and one session of each kind of user."""

    def __init__(self, world: World, folder: Path) -> None:
        self.world = world
        self.folder = folder
        self.administrator = User.administrator(world, AUTOMATION)
        self.table = world.client("dynamodb", AUTOMATION)
        world.found()
        self.people = {name: self.person(name) for name in ROLES}
        for name, person in self.people.items():
            assert world.until(lambda p=person: reads(p, "/landing-zones/sandbox"), 0.1), name

    def person(self, name: str) -> User:
        """A role with the policy of that name, which ships."""
        iam = self.world.client("iam", AUTOMATION)
        trust = {"Effect": "Allow", "Principal": {"AWS": AUTOMATION}, "Action": "sts:AssumeRole"}
        role = name.capitalize()
        iam.create_role(RoleName=role, AssumeRolePolicyDocument=document(trust))
        policy = f"arn:aws:iam::{AUTOMATION}:policy/landfall-{name}"
        iam.attach_role_policy(RoleName=role, PolicyArn=policy)
        return self.administrator.assume(f"arn:aws:iam::{AUTOMATION}:role/{role}")

    def apply(self, what: dict[str, Any], person: User | None = None) -> str:
        """Applies a document with our command; what that says."""
        file = self.folder / "document.json"
        file.write_text(json.dumps(what))
        done = (person or self.administrator).landfall("apply", "-f", str(file))
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    def history(self, kind: str, name: str) -> list[dict[str, Any]]:
        """The history of a landing zone or platform as our command prints it for programs."""
        done = self.administrator.landfall("history", kind, name, "-o", "json")
        assert done.returncode == 0, done.stderr
        return list(json.loads(done.stdout))

    def names(self, kind: str) -> set[str]:
        """Landing zones or platforms that our command lists."""
        done = self.administrator.landfall("get", kind, "-o", "json")
        return {one["metadata"]["name"] for one in json.loads(done.stdout)}

    def row(self, pk: str, sk: str) -> dict[str, Any] | None:
        """A row of the table."""
        key = {"pk": {"S": pk}, "sk": {"S": sk}}
        found = self.table.get_item(TableName=LEDGER, Key=key, ConsistentRead=True)
        row: dict[str, Any] | None = found.get("Item")
        return row


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """The examples' platform and landing zones."""
    with World(seed=41, quiet=True) as world:
        yield Scene(world, tmp_path_factory.mktemp("configuration"))


def zone(name: str, platform: str = "aws", **more: Any) -> dict[str, Any]:
    """A landing zone like the sandbox's."""
    (like,) = (one for one in wishes.landing_zones() if one["metadata"]["name"] == "sandbox")
    spec = copy.deepcopy(like["spec"]) | {"platform": platform} | more
    return {**like, "metadata": {"name": name}, "spec": spec}


def reads(person: User, path: str) -> bool:
    """Whether somebody gets an answer."""
    return person.ask("GET", path).status == 200


def refused(answer: Answer) -> bool:
    """Whether API Gateway itself said no."""
    return answer.status == 403 and set(answer.body) == {"message"}


def test_history_tells_each_change_with_its_author_and_its_fields(scene: Scene) -> None:
    first = zone("told", tags={"team": "a", "stage": "test"})
    second = zone("told", tags={"team": "b", "stage": "test"}, rollOut={"waveSize": "50%"})
    scene.apply(first)
    scene.apply(first)
    scene.apply(second, scene.people["operator"])
    wrong = zone("told", organizationalUnit="ou-land-nowhere1")
    assert scene.administrator.insist("PUT", "/landing-zones/told", wrong).status == 422

    created, changed = scene.history("landing-zone", "told")
    assert [one["version"] for one in (created, changed)] == [1, 2]
    assert (created["event"], changed["event"]) == ("created", "changed")
    assert "landfall-sandbox-operator" in created["author"]
    assert changed["author"] == f"arn:aws:sts::{AUTOMATION}:assumed-role/Operator/acceptance"
    assert "before" not in created
    assert changed["before"] == created["after"]
    assert (created["after"]["tags"]["team"], changed["after"]["tags"]["team"]) == ("a", "b")
    shown = scene.administrator.landfall("history", "landing-zone", "told").stdout
    (told,) = (line for line in shown.splitlines() if " changed " in line)
    assert "acceptance" in told
    assert "spec.tags.team: a -> b" in shown
    assert "spec.rollOut.waveSize: (nothing) -> 50%" in shown
    assert "stage" not in shown, "what stays as it was is not named"
    assert scene.history("platform", "aws")[0]["event"] == "created"


def test_a_long_history_comes_in_parts(scene: Scene) -> None:
    scene.administrator.insist("PUT", "/landing-zones/long", zone("long"))
    (last,) = scene.history("landing-zone", "long")
    row = scene.row("HISTORY#CONFIG", "HISTORY#LandingZone#long#000000000001")
    assert row
    for version in range(2, 252):
        sort = f"HISTORY#LandingZone#long#{version:012}"
        again = {**row, "sk": {"S": sort}, "version": {"N": str(version)}}
        scene.table.put_item(TableName=LEDGER, Item=again)
    part = scene.administrator.ask("GET", "/landing-zones/long/history").body
    assert (len(part["items"]), part["next"]) == (100, "100")
    entries = scene.history("landing-zone", "long")
    assert [one["version"] for one in entries] == list(range(1, 252))
    assert entries[0] == last
    wrong = scene.administrator.ask("GET", "/landing-zones/long/history?after=x")
    assert (wrong.status, wrong.body["type"]) == (400, "urn:landfall:problem:wrong-query")


def test_what_is_used_is_not_deleted_and_the_refusal_says_by_whom(scene: Scene) -> None:
    scene.apply(zone("used", automateDeletionApproval=False))
    tenant = Tenant("used", "used")
    scene.world.wish(tenant)
    settled(scene.world, tenant, "Ready")
    outlook = scene.administrator.landfall("delete", "landing-zone", "used")
    assert outlook.returncode == 2
    assert f"is refused while these tenants live, 1 in all: {tenant.name}" in outlook.stdout
    assert "nothing is deleted" in outlook.stderr

    def denied(kind: str, name: str, *said: str) -> None:
        done = scene.administrator.landfall("delete", kind, name, "--yes")
        assert done.returncode == 4, done.stdout + done.stderr
        for one in said:
            assert one in done.stderr, done.stderr

    denied("landing-zone", "used", f"1 living tenant ({tenant.name})", "with another landing zone")
    denied("platform", "aws", tenant.name, "used", "sandbox", "delete or purge the tenants")
    answer = scene.administrator.ask("DELETE", "/landing-zones/used")
    assert (answer.status, answer.body["type"]) == (409, "urn:landfall:problem:in-use")

    # Who is marked for deletion still lives.
    assert scene.administrator.ask("DELETE", tenant.path).status == 202
    denied("landing-zone", "used", tenant.name)
    assert len(scene.history("landing-zone", "used")) == 1
    purged = scene.administrator.landfall("purge", tenant.name, "--yes")
    assert purged.returncode == 0, purged.stderr
    settled(scene.world, tenant, "Deleted")
    done = scene.administrator.landfall("delete", "landing-zone", "used", "--yes")
    assert done.returncode == 0, done.stderr
    # What the tenant was stays readable without its landing zone.
    assert scene.administrator.ask("GET", tenant.path).body["landingZone"] == "used"


def test_what_nobody_uses_is_deleted_and_goes_on_where_it_is_applied_again(scene: Scene) -> None:
    path = "/landing-zones/fleeting"
    scene.apply(zone("fleeting"))
    scene.apply(zone("fleeting", tags={"team": "a"}))
    assert scene.row("ROLLOUT", "ROLLOUT#LandingZone#fleeting")
    ask = scene.administrator.ask
    assert ask("DELETE", path, headers={"If-Match": '"1"'}).status == 412
    assert ask("GET", path).headers["etag"] == '"2"'
    since = scene.world.log()[-1]["seq"]
    deleted = ask("DELETE", path, headers={"If-Match": '"2"'})
    assert (deleted.status, deleted.headers["etag"]) == (200, '"3"')
    assert (deleted.body["event"], "after" in deleted.body) == ("deleted", False)
    asked = {one["action"] for one in scene.world.log(since) if one["step"] == "intake"}
    assert asked, "the log says what the deletion asked AWS"
    assert all(action.startswith("dynamodb:") for action in asked), asked

    assert "fleeting" not in scene.names("landing-zones")
    assert ask("GET", path).status == 404
    assert not scene.row("ROLLOUT", "ROLLOUT#LandingZone#fleeting")
    assert "fleeting" not in json.dumps(ask("GET", "/operator/rollouts").body)
    wish = ask("PUT", Tenant("late", "fleeting").path, Tenant("late", "fleeting").document)
    assert (wish.status, wish.body["problems"][0]["field"]) == (422, "spec.landingZone")
    # Who did not hear the answer asks again.
    again = ask("DELETE", path)
    assert (again.status, again.body) == (deleted.status, deleted.body)
    assert ask("DELETE", path, headers={"If-Match": '"2"'}).status == 412
    assert ask("DELETE", "/landing-zones/never").status == 404
    assert ask("GET", "/landing-zones/never/history").status == 404
    missing = scene.administrator.landfall("delete", "landing-zone", "never")
    assert missing.returncode == 6
    events = ["created", "changed", "deleted"]
    assert [one["event"] for one in scene.history("landing-zone", "fleeting")] == events

    assert "created" in scene.apply(zone("fleeting"))
    assert ask("GET", path).headers["etag"] == '"4"'
    scene.apply(zone("fleeting", tags={"team": "b"}))
    entries = scene.history("landing-zone", "fleeting")
    assert [one["event"] for one in entries] == [*events, "created again", "changed"]
    assert [one["version"] for one in entries] == [1, 2, 3, 4, 5]
    lines = scene.administrator.landfall("history", "export").stdout.splitlines()
    exported = [json.loads(line) for line in lines]
    assert [one for one in exported if one["name"] == "fleeting"] == entries


def test_a_wish_that_crosses_a_deletion_is_not_lost(scene: Scene) -> None:
    scene.apply(zone("crossed"))
    tenant = Tenant("crossed", "crossed")
    scene.world.wish(tenant)
    account = settled(scene.world, tenant, "Ready")["account"]
    # As if the index of names did not show the tenant yet.
    key = {"pk": {"S": f"TENANT#{tenant.id}"}, "sk": {"S": "TENANT"}}
    scene.table.update_item(TableName=LEDGER, Key=key, UpdateExpression="REMOVE listed, listedName")
    assert scene.administrator.ask("DELETE", "/landing-zones/crossed").status == 200
    scene.world.replicate(tenant)
    failed = settled(scene.world, tenant, "Failed")["failed"]
    assert failed["name"] == "Rejected"
    assert failed["remark"].startswith("There is no landing zone `crossed`. Name one that exists")
    # Once it is there again, its tenant runs by itself.
    scene.apply(zone("crossed"))
    assert settled(scene.world, tenant, "Ready")["account"] == account


def test_a_platform_goes_with_what_was_kept_of_its_surveys(scene: Scene) -> None:
    spare = wishes.platform()
    spare["metadata"]["name"] = "spare"
    scene.apply(spare)
    scene.apply(zone("of-spare", "spare"))
    ask = scene.administrator.ask
    comment = ("--comment", "We look at it first")
    assert scene.administrator.landfall("limits", "open-breaker", "spare", *comment).returncode == 0
    assert ask("POST", "/operator/surveys/spare").status == 202
    assert scene.world.until(lambda: scene.row("SURVEY#spare", "SURVEY"), hours=1)

    def unmanaged() -> set[str]:
        found = ask("GET", "/operator/unmanaged").body["items"]
        return {one["platform"] for one in found}

    assert scene.world.until(lambda: "spare" in unmanaged(), hours=1)
    refusal = ask("DELETE", "/platforms/spare")
    assert refusal.status == 409
    assert "of-spare" in refusal.body["detail"]
    for kind, name in (("landing-zone", "of-spare"), ("platform", "spare")):
        done = scene.administrator.landfall("delete", kind, name, "--yes")
        assert done.returncode == 0, done.stderr
    assert "spare" not in scene.names("platforms")
    assert "spare" not in unmanaged()
    shown = [ask("GET", f"/operator/{what}").body for what in ("surveys", "limits", "rollouts")]
    assert "spare" not in json.dumps(shown)
    lines = scene.administrator.landfall("history", "export", "--platform", "spare").stdout
    exported = [json.loads(line) for line in lines.splitlines()]
    assert {(one["kind"], one["name"]) for one in exported} == {
        ("Platform", "spare"),
        ("LandingZone", "of-spare"),
    }

    scene.apply(spare)
    events = [one["event"] for one in scene.history("platform", "spare")]
    assert events == ["created", "deleted", "created again"]
    (limits,) = (
        one for one in ask("GET", "/operator/limits").body["items"] if one["platform"] == "spare"
    )
    assert limits["breaker"]["state"] == "open", "it speaks of the organization"


def test_who_may_apply_configuration_may_delete_it_and_nobody_else(scene: Scene) -> None:
    scene.apply(zone("guarded"))
    path, history = "/landing-zones/guarded", "/landing-zones/guarded/history"
    for name in ("requester", "approver", "auditor"):
        person = scene.people[name]
        assert refused(person.ask("DELETE", path)), name
        assert refused(person.ask("DELETE", "/platforms/aws")), name
        assert refused(person.ask("PUT", path, zone("guarded"))), name
        assert person.ask("GET", history).status == 200, name
    for name in ("requester", "approver"):
        assert refused(scene.people[name].ask("GET", "/platforms/aws/history")), name
    assert scene.people["auditor"].ask("GET", "/platforms/aws/history").status == 200
    denied = scene.people["auditor"].landfall("delete", "landing-zone", "guarded", "--yes")
    assert denied.returncode == 3
    assert scene.people["operator"].ask("DELETE", path).status == 200
    (_, end) = scene.history("landing-zone", "guarded")
    assert end["author"].endswith("assumed-role/Operator/acceptance")

"""Adoption by rule: each account of a unit becomes a tenant by itself, or is refused with why."""

import json
from collections.abc import Iterator
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

from tests.acceptance.test_adopt import UNIT, Scene
from tests.faults.world import World

OLD_UNIT = "ou-land-worknonp"
LOCKED = "400000000000"


@pytest.fixture(scope="module")
def scene() -> Iterator[Scene]:
    """A world in which nothing was wished for."""
    with World(seed=29, quiet=True) as world:
        world.found()
        yield Scene(world)


@pytest.fixture
def template(tmp_path: Path) -> Path:
    """What all adopted tenants have in common."""
    file = tmp_path / "template.json"
    file.write_text(json.dumps(written()))
    return file


def written(**metadata: str) -> dict[str, Any]:
    """A tenant's document without a project."""
    return {
        "apiVersion": "landfall/v1",
        "kind": "Tenant",
        "metadata": {"workspace": "legacy", "platform": "aws", **metadata},
        "spec": {
            "landingZone": "sandbox",
            "contacts": {"owner": "ada@example.com", "security": "soc@example.com"},
            "tags": {"costCenter": "4711"},
        },
    }


def old_account(scene: Scene, name: str, unit: str | None, **tags: str) -> str:
    """An account that others have made, put into a unit and tagged."""
    return place(scene, scene.organization.made_by_hand(name), unit, **tags)


def place(scene: Scene, account: str, unit: str | None, **tags: str) -> str:
    """Puts an account into a unit, and tags it, as others do."""
    organizations = scene.organization.client
    if unit:
        organizations.move_account(
            AccountId=account,
            SourceParentId=scene.organization.parent(account),
            DestinationParentId=unit,
        )
    if tags:
        pairs = [{"Key": key, "Value": value} for key, value in tags.items()]
        organizations.tag_resource(ResourceId=account, Tags=pairs)
    return account


def seen(scene: Scene) -> None:
    """Everything is written where a rule looks."""
    scene.world.sleep(120)
    surveyed = scene.operator.landfall("survey", "aws")
    assert surveyed.returncode == 0, surveyed.stderr


def adopt(scene: Scene, template: Path, *more: str) -> CompletedProcess[str]:
    """Adopts what stands in the old unit."""
    return scene.operator.landfall("adopt", "--unit", OLD_UNIT, "-f", str(template), *more)


def outcomes(done: CompletedProcess[str]) -> dict[str, Any]:
    """What became of each account."""
    return {one["account"]: one for one in json.loads(done.stdout)}


def path(project: str) -> str:
    """A tenant's path."""
    return f"/workspaces/legacy/projects/{project}/tenants/aws"


def test_a_rule_adopts_what_it_can_and_says_why_it_can_not(scene: Scene, template: Path) -> None:
    alpha, beta = (old_account(scene, name, OLD_UNIT, stage="legacy") for name in ("alpha", "beta"))
    other = old_account(scene, "other", OLD_UNIT, stage="new")
    outside = old_account(scene, "outside", None, stage="legacy")
    scene.world._ask("POST", "landfall/seed", {"accounts": 1})
    place(scene, LOCKED, OLD_UNIT, stage="legacy")
    seen(scene)

    rule = ("--tag", "stage=legacy", "-o", "json")
    dry = adopt(scene, template, *rule, "--dry-run")
    assert dry.returncode == 1, dry.stdout + dry.stderr
    assert "2 would be adopted, 1 refused; nothing was changed" in dry.stderr
    found = outcomes(dry)
    assert set(found) == {alpha, beta, LOCKED}
    assert (found[alpha]["became"], found[alpha]["tenant"]) == ("planned", "legacy.old-alpha.aws")
    changes = [line for step in found[alpha]["plan"]["steps"] for line in step["changes"]]
    assert f"move the account from {OLD_UNIT} to {UNIT}" in changes
    assert found[LOCKED]["became"] == "refused"
    assert "does not let Landfall in" in found[LOCKED]["why"]
    assert "Make the role in the account" in found[LOCKED]["why"]
    assert scene.operator.ask("GET", path("old-alpha")).status == 404
    assert scene.organization.parent(alpha) == OLD_UNIT
    assert {alpha, beta, other, outside, LOCKED} <= scene.unmanaged()

    done = adopt(scene, template, *rule)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "2 adopted, 1 refused" in done.stderr
    assert {one["became"] for one in outcomes(done).values()} == {"adopted", "refused"}
    for account, project in ((alpha, "old-alpha"), (beta, "old-beta")):
        view = scene.operator.ask("GET", path(project)).body
        assert (view["phase"], view["account"]) == ("Ready", account)
        assert scene.organization.parent(account) == UNIT
        tags = scene.organization.tags(account)
        assert (tags["landfall:tenant"], tags["landfall:costCenter"]) == (view["id"], "4711")
        assert tags["stage"] == "legacy", "what is others' stays"
    assert scene.organization.parent(other) == OLD_UNIT
    assert {other, outside, LOCKED} <= scene.unmanaged()

    before = scene.operator.ask("GET", path("old-alpha")).body
    again = adopt(scene, template, *rule)
    assert (again.returncode, set(outcomes(again))) == (1, {LOCKED})
    after = scene.operator.ask("GET", path("old-alpha")).body
    assert (after["run"], after["generation"]) == (before["run"], before["generation"])
    nothing = adopt(scene, template, "--tag", "stage=unknown")
    assert (nothing.returncode, "selects no account" in nothing.stderr) == (0, True)


def test_a_tag_names_the_projects_and_two_of_one_project_are_neithers(
    scene: Scene, template: Path
) -> None:
    shop = old_account(scene, "s1", OLD_UNIT, wave="2", Project="Web Shop_EU")
    first = old_account(scene, "t1", OLD_UNIT, wave="2", Project="twin")
    second = old_account(scene, "t2", OLD_UNIT, wave="2", Project="Twin")
    nameless = old_account(scene, "n1", OLD_UNIT, wave="2")
    seen(scene)
    done = adopt(scene, template, "--tag", "wave=2", "--project-tag", "Project", "-o", "json")
    assert done.returncode == 1, done.stdout + done.stderr
    found = outcomes(done)
    assert found[shop]["tenant"] == "legacy.web-shop-eu.aws"
    assert found[shop]["phase"] == "Ready"
    assert f"would be project `twin` as account {second} would" in found[first]["why"]
    assert f"would be project `twin` as account {first} would" in found[second]["why"]
    assert found[nameless]["why"] == "has no tag Project that names its project"
    assert scene.operator.ask("GET", path("twin")).status == 404

    read = scene.operator.ask("GET", f"/operator/unmanaged/aws/{first}/tags")
    assert (read.status, read.body) == (200, {"tags": {"wave": "2", "Project": "twin"}})
    for account in (shop, "999999999999"):
        gone = scene.operator.ask("GET", f"/operator/unmanaged/aws/{account}/tags")
        assert gone.status == 404


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--unit", OLD_UNIT, "--tag", "stage"), "`stage` is no tag: write KEY=VALUE"),
        (("--unit", "Sandbox"), "`Sandbox` is no organizational unit"),
        (("444455556666", "--unit", OLD_UNIT), "cannot be used with"),
        (("444455556666", "--tag", "a=b"), "cannot be used with"),
        (("444455556666", "--project-tag", "a"), "cannot be used with"),
        (("--tag", "a=b"), "--unit <OU>"),
        ((), "required"),
    ],
)
def test_a_rule_that_can_not_be_read_is_refused(
    scene: Scene, template: Path, arguments: tuple[str, ...], said: str
) -> None:
    done = scene.operator.landfall("adopt", *arguments, "-f", str(template))
    assert (done.returncode, said in done.stderr) == (2, True), done.stderr


@pytest.mark.parametrize(
    ("document", "said"),
    [
        (written(project="shop"), "metadata.project"),
        ({**written(), "kind": "Platform"}, "is not Tenant"),
        (written(workspace="Legacy!"), "is no identifier"),
    ],
)
def test_a_template_that_can_not_be_several_tenants_is_refused(
    scene: Scene, tmp_path: Path, document: Any, said: str
) -> None:
    file = tmp_path / "template.json"
    file.write_text(json.dumps(document))
    done = adopt(scene, file)
    assert (done.returncode, said in done.stderr) == (2, True), done.stderr

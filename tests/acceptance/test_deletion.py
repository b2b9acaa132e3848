"""How tenants end, seen from outside with boto3: access, approval, closing, names used again."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.acceptance.conftest import Vended, vending
from tests.acceptance.user import User
from tests.faults import wishes
from tests.faults.wishes import Tenant
from tests.faults.world import AUTOMATION, LEDGER, MANAGEMENT

CHECKOUT = "/workspaces/payments/projects/checkout-prod/tenants/aws"
PROJECT = "/workspaces/sweep/projects/both"
APPROVER = "LandfallApprover"


@pytest.fixture(scope="module")
def vended(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Vended]:
    """The examples in a world whose tenants may go."""
    with vending(tmp_path_factory.mktemp("deletion")) as vended:
        yield vended


@pytest.fixture(scope="module")
def approver(vended: Vended) -> User:
    """Somebody else, who may approve."""
    iam = vended.world.client("iam", AUTOMATION)
    trust = {
        "Version": "2012-10-17",
        "Statement": {
            "Effect": "Allow",
            "Principal": {"AWS": AUTOMATION},
            "Action": "sts:AssumeRole",
        },
    }
    iam.create_role(RoleName=APPROVER, AssumeRolePolicyDocument=json.dumps(trust))
    policy = f"arn:aws:iam::{AUTOMATION}:policy/landfall-approver"
    iam.attach_role_policy(RoleName=APPROVER, PolicyArn=policy)
    user = vended.person.assume(f"arn:aws:iam::{AUTOMATION}:role/{APPROVER}")
    assert vended.world.until(lambda: user.ask("GET", CHECKOUT).status == 200, hours=0.1)
    return user


def tenant(vended: Vended, path: str) -> Any:
    """A tenant as its requester sees it."""
    return vended.person.ask("GET", path).body


def state(vended: Vended, account: str) -> str:
    """What Organizations says of an account."""
    organizations = vended.world.client("organizations", MANAGEMENT, "us-east-1")
    return str(organizations.describe_account(AccountId=account)["Account"]["State"])


def until(vended: Vended, path: str, **wanted: Any) -> Any:
    """The tenant once its fields are so and nothing runs."""

    def there() -> Any:
        found = tenant(vended, path)
        so = all(found.get(name) == value for name, value in wanted.items())
        return found if so and not found["running"] else None

    found = vended.world.until(there, hours=2)
    assert found, json.dumps(tenant(vended, path), indent=1)
    return found


def ready(vended: Vended, project: str, zone: str = "sandbox") -> Any:
    """A tenant of its own that has landed."""
    one = Tenant(project, zone)
    vended.world.wish(one)
    return until(vended, one.path, phase="Ready")


def on_another_platform(vended: Vended, project: str) -> Any:
    """A tenant of the project that has landed on a second platform, where an approver is asked."""
    platform = wishes.platform()
    platform["metadata"]["name"] = "second"
    pattern = "two+#{workspaceIdentifier}.#{projectIdentifier}@example.com"
    platform["spec"] |= {"accountEmailPattern": pattern}
    platform["spec"].pop("accountAliasPattern")
    vended.world.insist("PUT", "/platforms/second", platform)
    (zone,) = (one for one in wishes.landing_zones() if one["metadata"]["name"] == "sandbox")
    zone = {**zone, "metadata": {"name": "asking"}}
    zone["spec"] = {**zone["spec"], "platform": "second", "automateDeletionApproval": False}
    vended.world.insist("PUT", "/landing-zones/asking", zone)
    wish = {
        "apiVersion": "landfall/v1",
        "kind": "Tenant",
        "metadata": {"workspace": "sweep", "project": project, "platform": "second"},
        "spec": {"landingZone": "asking", "contacts": {"owner": "ada@example.com"}},
    }
    path = f"/workspaces/sweep/projects/{project}/tenants/second"
    vended.world.insist("PUT", path, wish)
    return until(vended, path, phase="Ready")


def assignments(vended: Vended, account: str) -> list[str]:
    """Groups that are let into an account."""
    sso = vended.world.client("sso-admin", MANAGEMENT)
    instance = sso.list_instances()["Instances"][0]["InstanceArn"]
    sets = sso.list_permission_sets(InstanceArn=instance)["PermissionSets"]
    found = []
    for one in sets:
        answer = sso.list_account_assignments(
            InstanceArn=instance, AccountId=account, PermissionSetArn=one
        )
        found += [grant["PrincipalId"] for grant in answer["AccountAssignments"]]
    return found


def refused(answer: Any) -> str:
    """Why something is not done now."""
    assert answer.status == 409, answer
    assert answer.body["type"].endswith(":not-now")
    return str(answer.body["detail"])


def test_a_deletion_shuts_everybody_out_and_closes_nothing_before_somebody_else_agrees(
    vended: Vended, approver: User
) -> None:
    account = vended.organization.account("payments", "checkout-prod")
    assert assignments(vended, account)
    outlook = vended.person.landfall("delete", "payments.checkout-prod.aws")
    assert outlook.returncode == 2
    assert f"closes account {account}" in outlook.stdout, outlook.stdout
    assert tenant(vended, CHECKOUT)["phase"] == "Ready"

    marked = vended.person.landfall("delete", "payments.checkout-prod.aws", "--yes")
    assert marked.returncode == 0, marked.stdout + marked.stderr
    found = until(vended, CHECKOUT, phase="MarkedForDeletion")
    assert found["removal"]["stage"] == "RequiresApproval"
    assert found["waiting"]["for"].startswith("an approver: `landfall approve")
    awaited = vended.person.ask("GET", "/operator/awaited").body["items"]
    assert [one["for"] for one in awaited if one["name"] == found["name"]] == [
        found["waiting"]["for"]
    ]
    assert assignments(vended, account) == []
    assert state(vended, account) == "ACTIVE"

    wish = {
        "apiVersion": "landfall/v1",
        "kind": "Tenant",
        "metadata": {"workspace": "payments", "project": "checkout-prod", "platform": "aws"},
        "spec": found["spec"],
    }
    assert "marked for deletion" in refused(vended.person.ask("PUT", CHECKOUT, wish))
    again = vended.person.ask("DELETE", CHECKOUT)
    assert (again.status, again.body["removal"]) == (200, found["removal"])
    assert "another approver" in refused(vended.person.ask("POST", f"{CHECKOUT}/approve", {}))
    long = approver.ask("POST", f"{CHECKOUT}/approve", {"comment": "x" * 256})
    assert long.status == 422
    assert long.body["problems"][0]["field"] == "comment"

    assert approver.ask("POST", f"{CHECKOUT}/approve", {"comment": "It has ended."}).status == 202
    found = until(vended, CHECKOUT, phase="Deleted")
    assert state(vended, account) == "CLOSED"
    assert found["removal"]["comment"] == "It has ended."
    assert found["markedForDeletionOn"] < found["deletedOn"]
    assert "deleted already" in refused(vended.person.ask("DELETE", CHECKOUT))
    history = vended.person.ask("GET", f"{CHECKOUT}/history").body["entries"]
    events = [entry["event"] for entry in history]
    assert "the account's alias acme-payments-checkout-prod was given up" in events
    assert f"account {account} is closed" in events
    assert events[-1] == "deleted"
    authors = {entry["event"]: entry["author"] for entry in history}
    assert APPROVER in authors["the deletion was approved: It has ended."]


def test_a_declined_deletion_brings_access_back(vended: Vended, approver: User) -> None:
    found = ready(vended, "declined", "production")
    path = Tenant("declined", "production").path
    before = sorted(assignments(vended, found["account"]))
    assert vended.person.ask("DELETE", path).status == 202
    until(vended, path, phase="MarkedForDeletion")
    assert vended.world.until(lambda: not assignments(vended, found["account"]), hours=1)
    assert approver.ask("POST", f"{path}/decline", {"comment": "Still used."}).status == 202
    found = until(vended, path, phase="Ready")
    assert "removal" not in found
    after = sorted(assignments(vended, found["account"]))
    assert len(after) == len(before) > 0
    assert state(vended, found["account"]) == "ACTIVE"


def test_a_name_may_be_used_again_with_another_account_and_another_address(
    vended: Vended,
) -> None:
    first = ready(vended, "again")
    path = Tenant("again", "sandbox").path
    assert vended.person.ask("DELETE", path).status == 202
    until(vended, path, phase="Deleted")
    listed = vended.person.ask("GET", "/workspaces/sweep/tenants").body["items"]
    assert path not in [one["name"] for one in listed]
    gone = vended.person.ask("GET", "/workspaces/sweep/tenants?deleted=true").body["items"]
    assert first["id"] in [one["id"] for one in gone]

    second = ready(vended, "again")
    assert second["id"] != first["id"]
    assert second["account"] != first["account"]
    local, _, domain = first["names"]["email"].partition("@")
    assert second["names"]["email"] == f"{local}-2@{domain}"


def test_a_project_goes_as_a_whole_and_stays_where_somebody_keeps_a_tenant(
    vended: Vended, approver: User
) -> None:
    closes = ready(vended, "both")
    stays = on_another_platform(vended, "both")
    neighbour = ready(vended, "both-not")
    paths = [f"{PROJECT}/tenants/{platform}" for platform in ("aws", "second")]

    outlook = vended.person.landfall("delete", "project", "sweep.both")
    assert outlook.returncode == 2
    for found, path in zip((closes, stays), paths, strict=True):
        assert f"Deleting tenant {found['name']}:\n" in outlook.stdout, outlook.stdout
        assert tenant(vended, path)["phase"] == "Ready"

    # Whoever asks dies with the first write: it is the only one that counts.
    fault = vended.world.fault(step="intake", action="dynamodb:PutItem", kind="kill", occurrence=1)
    assert vended.person.ask("DELETE", PROJECT).status >= 500
    vended.world.mend(fault)
    marked = [tenant(vended, path) for path in paths]
    assert [one["phase"] for one in marked] == ["MarkedForDeletion"] * 2
    assert marked[0]["markedForDeletionOn"] == marked[1]["markedForDeletionOn"]
    again = vended.person.ask("DELETE", PROJECT)
    assert (again.status, [one["id"] for one in again.body["items"]]) == (
        200,
        [closes["id"], stays["id"]],
    )

    # Each goes its own way from there.
    until(vended, paths[0], phase="Deleted")
    until(vended, paths[1], phase="MarkedForDeletion")
    assert approver.ask("POST", f"{paths[1]}/decline", {"comment": "Still used."}).status == 202
    until(vended, paths[1], phase="Ready")
    assert state(vended, closes["account"]) == "CLOSED"
    assert state(vended, stays["account"]) == "ACTIVE"

    done = vended.person.landfall("delete", "project", "sweep.both", "--yes")
    assert done.returncode == 0, done.stdout + done.stderr
    assert until(vended, paths[1], phase="MarkedForDeletion")["waiting"]
    assert tenant(vended, Tenant("both-not", "sandbox").path)["phase"] == "Ready", neighbour

    nobody = vended.person.ask("DELETE", "/workspaces/sweep/projects/none")
    assert (nobody.status, "`sweep.none`" in nobody.body["detail"]) == (404, True)
    for name, code in (("sweep.none", 6), ("sweep", 2), ("sweep.both.aws", 2)):
        assert vended.person.landfall("delete", "project", name).returncode == code, name


def test_a_project_goes_with_a_tenant_whose_platform_is_gone(vended: Vended) -> None:
    stranded = on_another_platform(vended, "stranded")
    table = vended.world.client("dynamodb", AUTOMATION)
    key = {"pk": {"S": "CONFIG#Platform"}, "sk": {"S": "CONFIG#second"}}
    platform = table.get_item(TableName=LEDGER, Key=key)["Item"]
    table.delete_item(TableName=LEDGER, Key=key)
    marked = vended.person.ask("DELETE", "/workspaces/sweep/projects/stranded")
    table.put_item(TableName=LEDGER, Item=platform)
    assert marked.status == 202, marked
    assert [(one["id"], one["phase"]) for one in marked.body["items"]] == [
        (stranded["id"], "MarkedForDeletion")
    ]


def test_a_tenant_that_is_deleted_while_its_account_is_made_leaves_no_account(
    vended: Vended,
) -> None:
    vended.world.configure(creationLatencySeconds=400)
    one = Tenant("premature", "sandbox")
    vended.world.wish(one)

    def asked() -> bool:
        calls = vended.world.log()
        return any(
            call["tenant"] == one.id and call["action"] == "organizations:CreateAccount"
            for call in calls
        )

    assert vended.world.until(asked, hours=1)
    assert vended.person.ask("DELETE", one.path).status == 202
    vended.world.configure(creationLatencySeconds=None)
    found = until(vended, one.path, phase="Deleted")
    assert state(vended, found["account"]) == "CLOSED"


def test_a_tenant_that_never_had_an_account_needs_none_to_end(vended: Vended) -> None:
    breaker = "/operator/limits/aws/breaker"
    opened = vended.person.ask("PUT", breaker, {"state": "open", "comment": "for a test"})
    assert opened.status == 200, opened
    one = Tenant("unborn", "sandbox")
    vended.world.wish(one)
    until(vended, one.path, phase="Waiting")
    assert vended.person.ask("DELETE", one.path).status == 202
    found = until(vended, one.path, phase="Deleted")
    assert "account" not in found
    vended.person.ask("PUT", breaker, {"state": "closed", "comment": "for a test"})


def test_a_purged_tenant_is_forgotten_and_its_account_stays(vended: Vended) -> None:
    found = ready(vended, "purged")
    assert vended.person.landfall("purge", "sweep.purged.aws").returncode == 2
    purged = vended.person.landfall("purge", "sweep.purged.aws", "--yes")
    assert purged.returncode == 0, purged.stderr
    assert tenant(vended, Tenant("purged", "sandbox").path)["phase"] == "Deleted"
    assert state(vended, found["account"]) == "ACTIVE"
    assert assignments(vended, found["account"])


def test_an_exhausted_number_of_closures_parks_a_deletion_until_tomorrow(vended: Vended) -> None:
    found = ready(vended, "parked")
    path = Tenant("parked", "sandbox").path
    vended.world.configure(closureQuota=0)
    assert vended.person.ask("DELETE", path).status == 202
    waiting = until(vended, path, phase="MarkedForDeletion")["waiting"]
    assert waiting["for"].startswith("AWS to let more accounts be closed")
    assert waiting["until"].endswith("T00:00:00Z")
    vended.world.configure(closureQuota=None)
    vended.world.make_due(Tenant("parked", "sandbox"))
    until(vended, path, phase="Deleted")
    assert state(vended, found["account"]) == "CLOSED"


def test_an_account_that_does_not_say_whose_it_is_is_not_closed(vended: Vended) -> None:
    found = ready(vended, "unmarked")
    path = Tenant("unmarked", "sandbox").path
    organizations = vended.world.client("organizations", MANAGEMENT, "us-east-1")
    organizations.untag_resource(ResourceId=found["account"], TagKeys=[wishes.TAG])
    vended.world.sleep(120)
    assert vended.person.ask("DELETE", path).status == 202
    assert vended.world.until(lambda: "failed" in tenant(vended, path), hours=1)
    failed = tenant(vended, path)["failed"]
    assert (failed["step"], failed["name"]) == ("close-account", "Blocked")
    assert "does not say that it is this tenant's" in failed["remark"]
    assert state(vended, found["account"]) == "ACTIVE"


def test_an_account_that_somebody_else_closed_is_said_to_be_closed(vended: Vended) -> None:
    account = ready(vended, "behind")["account"]
    path = Tenant("behind", "sandbox").path
    organizations = vended.world.client("organizations", MANAGEMENT, "us-east-1")
    organizations.close_account(AccountId=account)
    failed = until(vended, path, phase="Failed")["failed"]
    assert (failed["step"], failed["name"]) == ("place-account", "Blocked")
    assert f"Account {account} is closed or suspended, and not by Landfall" in failed["remark"]
    assert vended.person.ask("DELETE", path).status == 202
    until(vended, path, phase="Deleted")


def test_where_somebody_closes_accounts_landfall_sees_to_it_that_they_are_closed(
    vended: Vended,
) -> None:
    zones = {zone["metadata"]["name"]: zone for zone in wishes.landing_zones()}
    zone = {**zones["sandbox"], "metadata": {"name": "by-hand"}}
    zone["spec"] = {**zone["spec"], "automateDeletionReplication": False}
    vended.world.insist("PUT", "/landing-zones/by-hand", zone)
    account = ready(vended, "by-hand", "by-hand")["account"]
    path = Tenant("by-hand", "by-hand").path
    assert vended.person.ask("DELETE", path).status == 202
    waiting = until(vended, path, phase="MarkedForDeletion")["waiting"]
    assert waiting["for"] == f"somebody to close account {account}"
    assert state(vended, account) == "ACTIVE"
    organizations = vended.world.client("organizations", MANAGEMENT, "us-east-1")
    organizations.close_account(AccountId=account)
    found = until(vended, path, phase="Deleted")
    assert any(
        entry["event"] == f"account {account} was closed"
        for entry in vended.person.ask("GET", f"{path}/history").body["entries"]
    ), found

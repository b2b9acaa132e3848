"""Exactly those who are wished for get into an account, for as long as they are wished for."""

import copy
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import yaml

from tests.acceptance.conftest import Vended
from tests.acceptance.organization import pages
from tests.acceptance.user import refusal
from tests.faults.verdict import INSTANCE, STORE
from tests.faults.wishes import ROOT, Tenant
from tests.faults.world import MANAGEMENT, World

SETS = "arn:aws:sso:::permissionSet/ssoins-0123456789abcdef/ps-000000000000000"
ADMINISTRATOR, READ_ONLY, AUDITOR = (f"{SETS}{number}" for number in (1, 2, 3))
PORTAL = "https://example.awsapps.com/start"


class Center:
    """Identity Center as its administrators see it."""

    def __init__(self, world: World) -> None:
        self.sso = world.client("sso-admin", MANAGEMENT)
        self.store = world.client("identitystore", MANAGEMENT)

    def groups(self) -> dict[str, str]:
        """Ids of all groups by name."""
        found = pages(self.store.list_groups, "Groups", IdentityStoreId=STORE)
        return {group["DisplayName"]: group["GroupId"] for group in found}

    def members(self, group: str) -> set[str]:
        """Who is in a group."""
        memberships = pages(
            self.store.list_group_memberships,
            "GroupMemberships",
            IdentityStoreId=STORE,
            GroupId=self.groups()[group],
        )
        users = [one["MemberId"]["UserId"] for one in memberships]
        describe = self.store.describe_user
        return {describe(IdentityStoreId=STORE, UserId=one)["UserName"] for one in users}

    def assigned(self, account: str) -> set[tuple[str, str]]:
        """Which group may enter an account, and by which permission set."""
        names = {identifier: name for name, identifier in self.groups().items()}
        sets = pages(self.sso.list_permission_sets, "PermissionSets", InstanceArn=INSTANCE)
        return {
            (names.get(one["PrincipalId"], one["PrincipalId"]), arn)
            for arn in sets
            for one in pages(
                self.sso.list_account_assignments,
                "AccountAssignments",
                InstanceArn=INSTANCE,
                AccountId=account,
                PermissionSetArn=arn,
            )
        }

    def facts(self, group: str, account: str, permission_set: str) -> dict[str, str]:
        """An assignment as AWS names it."""
        return {
            "InstanceArn": INSTANCE,
            "TargetId": account,
            "TargetType": "AWS_ACCOUNT",
            "PermissionSetArn": permission_set,
            "PrincipalType": "GROUP",
            "PrincipalId": self.groups()[group],
        }


@pytest.fixture(scope="module")
def center(vended: Vended) -> Center:
    """The one of the world where the examples are applied."""
    return Center(vended.world)


def document(project: str) -> Any:
    """A tenant of examples/."""
    return yaml.safe_load((ROOT / f"examples/tenants/{project}.yaml").read_text())


def path(project: str) -> str:
    """Its path in the API."""
    return f"/workspaces/payments/projects/{project}/tenants/aws"


def put(vended: Vended, project: str, access: list[dict[str, Any]]) -> None:
    """Wishes for access, and waits until the run has ended."""
    wish = copy.deepcopy(document(project))
    wish["spec"]["access"] = access
    # Readings of Identity Center are stale for a minute: they would say that nothing is to be done.
    vended.world.sleep(60)
    vended.world.insist("PUT", path(project), wish)

    def settled() -> bool:
        view = vended.world.insist("GET", path(project))
        return not view["running"] and view["observedGeneration"] == view["generation"]

    assert vended.world.until(settled, hours=1)


def phase(vended: Vended, project: str) -> str:
    return str(vended.world.insist("GET", path(project))["phase"])


def warnings(vended: Vended, project: str) -> list[str]:
    """What a requester reads about the step."""
    steps = vended.world.insist("GET", path(project))["steps"]
    (step,) = [one for one in steps if one["step"] == "grant-access"]
    return list(step.get("warnings", []))


@pytest.fixture
def changing(vended: Vended) -> Iterator[str]:
    """A tenant to wish otherwise for; afterwards it is as the examples say."""
    project = "invoicing-prod"
    yield project
    put(vended, project, document(project)["spec"]["access"])


ADMINS, READERS = "landfall-payments.invoicing-prod.admin", "landfall-payments.checkout-prod.reader"


def test_exactly_those_who_are_wished_for_may_enter(vended: Vended, center: Center) -> None:
    checkout = vended.organization.account("payments", "checkout-prod")
    admins = "landfall-payments.checkout-prod.admin"
    assert center.assigned(checkout) == {
        (admins, ADMINISTRATOR),
        (READERS, READ_ONLY),
        (READERS, AUDITOR),
        ("auditors", READ_ONLY),
        ("auditors", AUDITOR),
    }
    assert center.members(admins) == {"ada@example.com"}
    assert center.members(READERS) == {"bob@example.com"}
    invoicing = vended.organization.account("payments", "invoicing-prod")
    assert center.assigned(invoicing) == {
        (ADMINS, ADMINISTRATOR),
        ("auditors", READ_ONLY),
        ("auditors", AUDITOR),
    }
    assert center.members(ADMINS) == {"ada@example.com", "grace@example.com"}
    for project in ("notebooks", "playground"):
        assert center.assigned(vended.organization.account("research", project)) == set()
    ours = {name for name in center.groups() if name.startswith("landfall-payments")}
    assert ours == {admins, READERS, ADMINS}
    assert center.members("auditors") == {"bob@example.com"}, "it is assigned as it is"


def test_a_group_says_whose_it_is(vended: Vended, center: Center) -> None:
    tenant = vended.world.insist("GET", path("invoicing-prod"))["id"]
    group = center.store.describe_group(IdentityStoreId=STORE, GroupId=center.groups()[ADMINS])
    assert group["Description"].startswith(f"Landfall's, for tenant {tenant}.")


def test_people_read_where_to_sign_in(vended: Vended) -> None:
    account = vended.organization.account("payments", "checkout-prod")
    said = vended.person.landfall("describe", "payments.checkout-prod.aws").stdout
    assert PORTAL in said
    assert f"{PORTAL}/#/console?account_id={account}" in said
    assert "admin: ada@example.com" in said
    view = vended.world.insist("GET", path("checkout-prod"))
    assert view["signIn"]["consoleUrl"] == f"{PORTAL}/#/console?account_id={account}"


def test_another_run_changes_nothing(vended: Vended) -> None:
    vended.world.sleep(60)
    vended.settle()
    vended.calls()
    done = vended.person.landfall("replicate", "payments.checkout-prod.aws")
    assert done.returncode == 0, done.stdout + done.stderr
    calls = [call for call in vended.calls() if call["step"] == "grant-access"]
    asked = {call["action"] for call in calls}
    assert {"sso:ListAccountAssignmentsForPrincipal", "identitystore:ListGroupMemberships"} <= asked
    assert "identitystore:DescribeGroup" not in asked, "its members say that a group is there"
    writes = [call["action"] for call in calls if call["write"]]
    assert [one for one in writes if not one.startswith(("dynamodb:", "lambda:"))] == []
    assert [one for one in writes if one.startswith("dynamodb:")] == ["dynamodb:UpdateItem"]


def test_who_is_no_longer_wished_for_leaves_and_what_is_others_stays(
    vended: Vended, center: Center, changing: str
) -> None:
    account = vended.organization.account("payments", changing)
    center.store.create_group(
        IdentityStoreId=STORE, DisplayName="emergency", Description="The foundation's own."
    )
    for group in ("emergency", "platform-team"):
        center.sso.create_account_assignment(**center.facts(group, account, ADMINISTRATOR))
    others = {("emergency", ADMINISTRATOR), ("platform-team", ADMINISTRATOR)}
    assert vended.world.until(lambda: others <= center.assigned(account), hours=0.1)
    put(vended, changing, [{"role": "admin", "users": ["GRACE@example.com"]}])
    assert phase(vended, changing) == "Ready"
    assert center.members(ADMINS) == {"grace@example.com"}
    assert center.assigned(account) == {(ADMINS, ADMINISTRATOR), *others}
    put(vended, changing, [])
    assert center.assigned(account) == others
    assert ADMINS not in center.groups()
    assert "emergency" in center.groups()
    for group in ("emergency", "platform-team"):
        center.sso.delete_account_assignment(**center.facts(group, account, ADMINISTRATOR))
    assert vended.world.until(lambda: center.assigned(account) == set(), hours=0.1)


def test_a_group_of_ours_that_somebody_deletes_is_made_again(
    vended: Vended, center: Center
) -> None:
    account = vended.organization.account("payments", "invoicing-prod")
    before = center.groups()[ADMINS]
    center.store.delete_group(IdentityStoreId=STORE, GroupId=before)
    # Readings may show it for a while.
    vended.world.sleep(60)
    done = vended.person.landfall("replicate", "payments.invoicing-prod.aws")
    assert done.returncode == 0, done.stdout + done.stderr
    assert center.groups()[ADMINS] != before
    assert center.members(ADMINS) == {"ada@example.com", "grace@example.com"}
    assert (ADMINS, ADMINISTRATOR) in center.assigned(account)
    assert before not in {group for group, _ in center.assigned(account)}


def test_whoever_is_not_known_is_a_warning_and_the_account_is_ready(
    vended: Vended, center: Center, changing: str
) -> None:
    access = [
        {"role": "admin", "users": ["ada@example.com", "ghost@example.com"]},
        {"role": "reader", "groups": ["nobody"]},
        {"role": "guest", "users": ["bob@example.com"]},
    ]
    put(vended, changing, access)
    assert phase(vended, changing) == "Ready"
    account = vended.organization.account("payments", changing)
    assert center.assigned(account) == {(ADMINS, ADMINISTRATOR)}
    assert center.members(ADMINS) == {"ada@example.com"}
    said = warnings(vended, changing)
    assert [any(name in one for one in said) for name in ("ghost", "nobody", "guest")] == [True] * 3
    shown = vended.person.landfall("describe", f"payments.{changing}.aws").stdout
    assert "! Identity Center does not know user `ghost@example.com`" in shown


def test_a_grant_ends_when_its_time_is_over(vended: Vended, center: Center, changing: str) -> None:
    end = datetime.fromtimestamp(vended.world.now() + 900, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    access = [
        {"role": "admin", "users": ["ada@example.com"]},
        {"role": "admin", "users": ["bob@example.com"], "until": end},
        {"role": "reader", "groups": ["auditors"], "until": end},
    ]
    put(vended, changing, access)
    account = vended.organization.account("payments", changing)
    assert center.members(ADMINS) == {"ada@example.com", "bob@example.com"}
    view = vended.world.insist("GET", path(changing))
    due = datetime.fromisoformat(view["nextRun"]).timestamp()
    assert due == datetime.fromisoformat(end).timestamp()
    assert vended.world.until(lambda: center.members(ADMINS) == {"ada@example.com"}, hours=0.5)
    over = {(ADMINS, ADMINISTRATOR)}
    assert vended.world.until(lambda: center.assigned(account) == over, hours=0.2)
    assert vended.world.now() - due < 600


def test_a_changed_mapping_makes_the_new_group_and_removes_the_old_one(
    vended: Vended, center: Center
) -> None:
    zone = "/landing-zones/production"
    before = vended.world.insist("GET", zone)
    after = copy.deepcopy(before)
    after["spec"]["roleMappings"]["admin"] = {"alias": "power", "permissionSets": [AUDITOR]}
    account = vended.organization.account("payments", "invoicing-prod")
    power = "landfall-payments.invoicing-prod.power"
    readers = {("auditors", READ_ONLY), ("auditors", AUDITOR)}
    vended.world.sleep(60)
    vended.world.insist("PUT", zone, after)
    try:
        wanted = {(power, AUDITOR), *readers}
        assert vended.world.until(lambda: center.assigned(account) == wanted, hours=1)
        assert vended.world.until(lambda: ADMINS not in center.groups(), hours=0.2)
        assert center.members(power) == {"ada@example.com", "grace@example.com"}
    finally:
        vended.settle()
        vended.world.sleep(90)
        vended.world.insist("PUT", zone, before)
    wanted = {(ADMINS, ADMINISTRATOR), *readers}
    assert vended.world.until(lambda: center.assigned(account) == wanted, hours=1)
    assert vended.world.until(lambda: power not in center.groups(), hours=0.2)
    vended.settle()


def test_a_group_of_the_same_name_that_is_not_ours_is_left_alone_and_told(
    vended: Vended, center: Center, changing: str
) -> None:
    name = f"landfall-payments.{changing}.reader"
    made = center.store.create_group(
        IdentityStoreId=STORE, DisplayName=name, Description="Somebody else's."
    )
    try:
        access = [
            {"role": "admin", "users": ["ada@example.com"]},
            {"role": "reader", "users": ["bob@example.com"]},
        ]
        put(vended, changing, access)
        view = vended.world.insist("GET", path(changing))
        assert (view["phase"], view["failed"]["name"]) == ("Failed", "Blocked")
        assert name in view["failed"]["remark"]
        account = vended.organization.account("payments", changing)
        assert center.assigned(account) == {(ADMINS, ADMINISTRATOR)}, "others are let in"
        assert center.members(name) == set()
    finally:
        center.store.delete_group(IdentityStoreId=STORE, GroupId=made["GroupId"])


def test_an_assignment_that_aws_fails_on_is_reported_with_its_reason_and_repeated(
    vended: Vended, center: Center, changing: str
) -> None:
    reason = "Received a 404 status error"
    failing = {"group": "auditors", "permissionSet": AUDITOR, "reason": reason, "times": 2}
    put(vended, changing, [])
    vended.world.configure(failAssignments=[failing])
    put(vended, changing, document(changing)["spec"]["access"])
    view = vended.world.insist("GET", f"/operator{path(changing)}")
    assert view["failed"]["step"] == "grant-access", view
    assert reason in view["failed"]["systemRemark"]
    assert reason not in json.dumps(vended.world.insist("GET", path(changing)))
    account = vended.organization.account("payments", changing)
    assert center.assigned(account) == {(ADMINS, ADMINISTRATOR), ("auditors", READ_ONLY)}
    vended.world.insist("POST", f"{path(changing)}/replications", {})
    wanted = {(ADMINS, ADMINISTRATOR), ("auditors", READ_ONLY), ("auditors", AUDITOR)}
    assert vended.world.until(lambda: center.assigned(account) == wanted, hours=0.5)
    assert vended.world.until(lambda: phase(vended, changing) == "Ready", hours=0.2)


def test_nobody_is_let_into_the_management_account_and_a_look_lets_nobody_in(
    vended: Vended, center: Center
) -> None:
    account = vended.organization.account("payments", "checkout-prod")
    for role, target in (("LandfallVend", MANAGEMENT), ("LandfallRead", account)):
        sso = vended.organization.management(role).client("sso-admin")
        facts = center.facts("auditors", target, ADMINISTRATOR)
        said = refusal(lambda one=facts, ask=sso: ask.create_account_assignment(**one))
        assert said == "AccessDeniedException", role


@pytest.mark.parametrize("field", ["samlProvider", "scimEndpoint", "ssoAccessToken", "awsSso"])
def test_other_ways_in_are_refused_with_the_one_to_take(vended: Vended, field: str) -> None:
    platform = vended.world.insist("GET", "/platforms/aws")
    platform["spec"][field] = "SECRET"
    answer = vended.person.insist("PUT", "/platforms/aws", platform)
    assert answer.status == 422, answer
    (problem,) = answer.body["problems"]
    assert problem["field"] == f"spec.{field}"
    assert "identityCenter" in problem["remedy"]
    assert "Identity Store API" in problem["remedy"]
    assert "SECRET" not in json.dumps(answer.body)


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("instanceArn", "arn:aws:sso:::instance/ssoins-ffffffffffffffff"),
        ("identityStoreId", "d-ffffffffff"),
        ("roles.admin.permissionSets[0]", f"{SETS}9"),
    ],
)
def test_an_identity_center_that_is_not_there_is_refused(
    vended: Vended, field: str, wrong: str
) -> None:
    platform = vended.world.insist("GET", "/platforms/aws")
    center = platform["spec"]["identityCenter"]
    if field == "instanceArn":
        center["roles"] = json.loads(
            json.dumps(center["roles"]).replace("ssoins-0123456789abcdef", wrong.split("/")[1])
        )
    if field.startswith("roles"):
        center["roles"]["admin"]["permissionSets"] = [wrong]
    else:
        center[field] = wrong
    answer = vended.person.insist("PUT", "/platforms/aws", platform)
    assert answer.status == 422, answer
    assert [one["field"] for one in answer.body["problems"]] == [f"spec.identityCenter.{field}"]


def test_no_more_than_ten_assignments_are_asked_for_at_once() -> None:
    with World(seed=3, quiet=True) as world:
        world.configure(assignmentSeconds=90, concurrentAssignments=10)
        world.found()
        tenants = [Tenant(f"crowd-{number}", "sandbox") for number in range(14)]
        for tenant in tenants:
            world.wish(tenant)

        def ready() -> bool:
            return all(row["phase"] == "Ready" for row in world.rows(tenants).values())

        assert world.until(ready, hours=2), world.rows(tenants)
        asked = [call for call in world.log() if call["action"] == "sso:CreateAccountAssignment"]
        assert len(asked) == 2 * len(tenants)
        assert {call["status"] for call in asked} == {200}

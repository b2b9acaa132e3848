"""Control Tower governs what a landing zone enrols: by a move, or by Account Factory."""

import copy
import json
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.tower import FACTORY, UNIT, Tower, make
from tests.faults import verdict, wishes
from tests.faults.wishes import Tenant
from tests.faults.world import AUTOMATION, HOME, MANAGEMENT, World

EXECUTION = "AWSControlTowerExecution"
# What a look at an account that is governed asks of AWS.
LOOK = {"organizations:DescribeAccount": 1, "controltower:ListEnabledBaselines": 1}


@pytest.fixture(scope="module")
def moving() -> Iterator[Tower]:
    """Control Tower enrols what is moved into its units."""
    with World(seed=11) as world:
        world.configure(creationLatencySeconds=5, enrolmentSeconds=240)
        yield make(world, "auto")


@pytest.fixture(scope="module")
def ordering() -> Iterator[Tower]:
    """Account Factory enrols."""
    with World(seed=12) as world:
        world.configure(creationLatencySeconds=5, enrolmentSeconds=600, autoEnrolment=False)
        yield make(world, FACTORY)


def test_accounts_are_moved_into_a_unit_one_after_another_and_enrolled(moving: Tower) -> None:
    names = ["one", "two", "three"]
    moving.vend(*names)
    accounts = [moving.account(name) for name in names]
    assert [moving.enrolment(account) for account in accounts] == ["SUCCEEDED"] * 3
    assert [moving.organization.parent(account) for account in accounts] == [UNIT] * 3
    for name in names:
        moved = [one for one in moving.calls(name) if one["action"] == "organizations:MoveAccount"]
        assert [one["status"] for one in moved] == [200]
    said = moving.person.landfall("describe", "sweep.one.aws").stdout
    assert f"move the account to {UNIT}, where Control Tower enrols it" in said
    assert "the account is enrolled in Control Tower" in said
    assert moving.catalog.search_provisioned_products()["ProvisionedProducts"] == []


def test_a_governed_account_costs_two_looks(moving: Tower) -> None:
    moving.vend("governed")
    before = moving.world.log()[-1]["seq"]
    moving.world.make_due(Tenant("governed", "production"))
    assert moving.world.until(lambda: moving.row("governed")["run"] == 2, hours=1)
    moving.until_settled("governed")
    again = moving.calls("governed", since=before)
    assert Counter(one["action"] for one in again) == LOOK


def test_an_account_that_was_moved_out_is_enrolled_again(moving: Tower) -> None:
    moving.vend("wanderer")
    account = moving.account("wanderer")
    moving.organization.client.move_account(
        AccountId=account, SourceParentId=UNIT, DestinationParentId="ou-land-sandbox1"
    )
    assert moving.world.until(lambda: moving.enrolment(account) is None, hours=1)
    moving.world.make_due(Tenant("wanderer", "production"))
    assert moving.world.until(lambda: moving.enrolment(account) == "SUCCEEDED", hours=2)
    moving.until_settled("wanderer")
    assert moving.organization.parent(account) == UNIT


def test_an_enrolment_whose_events_are_lost_is_looked_at(moving: Tower) -> None:
    delivery = moving.world.control("GET", "delivery")
    moving.world.control("POST", "delivery", {**delivery, "lose": 1.0})
    try:
        moving.vend("unheard")
    finally:
        moving.world.control("POST", "delivery", delivery)
    assert moving.enrolment(moving.account("unheard")) == "SUCCEEDED"
    looks = [
        one
        for one in moving.calls("unheard")
        if one["action"] == "controltower:ListEnabledBaselines"
    ]
    assert len(looks) > 2


def test_an_enrolment_that_takes_hours_holds_no_run(moving: Tower) -> None:
    moving.world.configure(enrolmentSeconds=6_000)
    try:
        moving.vend("slow", phases=("Waiting",))
        said = moving.person.landfall("describe", "sweep.slow.aws").stdout
        assert "Control Tower to enrol the account" in said
        first = moving.row("slow")["run"]
        moving.world.leap(5_000)
        moving.until_settled("slow", hours=6)
    finally:
        moving.world.configure(enrolmentSeconds=240)
    assert moving.row("slow")["run"] > first
    moved = [one for one in moving.calls("slow") if one["action"] == "organizations:MoveAccount"]
    assert len(moved) == 1


def test_an_account_that_control_tower_could_not_enrol_waits_for_a_person(moving: Tower) -> None:
    address = "aws+sweep.broken@example.com"
    reason = "AccessDenied with an explicit deny in a service control policy"
    moving.world.configure(failEnrolments=[{"email": address, "reason": reason, "times": 1}])
    moving.vend("broken", phases=("Failed",))
    failed = moving.row("broken")["failed"]
    assert (failed["step"], failed["failure"]["name"]) == ("enrol-account", "Blocked")
    assert "service control policy" in failed["failure"]["userRemark"]
    assert reason in failed["failure"]["systemRemark"]
    # A person takes the policy away and moves the account out; the next run moves it in again.
    moving.organization.client.move_account(
        AccountId=moving.account("broken"), SourceParentId=UNIT, DestinationParentId="r-land"
    )
    moving.world.until(lambda: moving.enrolment(moving.account("broken")) is None, hours=1)
    moving.world.replicate(Tenant("broken", "production"))
    moving.until_settled("broken")
    assert moving.enrolment(moving.account("broken")) == "SUCCEEDED"


def test_what_control_tower_can_not_enrol_is_refused_when_it_is_applied(moving: Tower) -> None:
    zone = copy.deepcopy(next(one for one in wishes.landing_zones() if one["spec"].get("enrol")))
    path = f"/landing-zones/{zone['metadata']['name']}"

    def problem(field: str) -> str:
        answer = moving.person.insist("PUT", path, zone)
        assert answer.status == 422, answer.body
        return next(str(one) for one in answer.body["problems"] if one["field"] == field)

    zone["spec"]["organizationalUnit"] = "ou-land-sandbox1"
    assert "is not registered with Control Tower" in problem("spec.organizationalUnit")
    zone["spec"]["organizationalUnit"] = UNIT
    moving.world.configure(autoEnrolment=False)
    try:
        assert "does not enrol what is moved" in problem("spec.enrol")
    finally:
        moving.world.configure(autoEnrolment=True)
    moving.world.configure(controlTower=False)
    try:
        assert "there is no Control Tower in eu-central-1" in problem("spec.enrol")
    finally:
        moving.world.configure(controlTower=True)


def test_account_factory_enrols_an_account_through_a_role_that_outlives_the_downgrade(
    ordering: Tower,
) -> None:
    ordering.vend("ordered")
    account = ordering.account("ordered")
    assert ordering.enrolment(account) == "SUCCEEDED"
    (product,) = ordering.products(account)
    tenant = Tenant("ordered", "production")
    assert (product["Name"], product["Status"]) == (f"landfall-{tenant.id}", "AVAILABLE")
    done = [one["action"] for one in ordering.calls("ordered")]
    assert done.count("servicecatalog:ProvisionProduct") == 1
    assert "servicecatalog:UpdateProvisionedProduct" not in done
    iam = ordering.world.client("iam", account)
    attached = iam.list_attached_role_policies(RoleName=EXECUTION)["AttachedPolicies"]
    assert [one["PolicyName"] for one in attached] == ["AdministratorAccess"]
    (statement,) = iam.get_role(RoleName=EXECUTION)["Role"]["AssumeRolePolicyDocument"]["Statement"]
    assert statement["Principal"] == {"AWS": f"arn:aws:iam::{MANAGEMENT}:root"}
    seen = verdict.judge(ordering.world, [tenant])
    assert seen.tenants[tenant.id] == []
    # The role stays, and a later run wants nothing.
    before = ordering.world.log()[-1]["seq"]
    ordering.world.make_due(tenant)
    assert ordering.world.until(lambda: ordering.row("ordered")["run"] == 2, hours=1)
    ordering.until_settled("ordered")
    again = ordering.calls("ordered", since=before)
    assert Counter(one["action"] for one in again) == {"controltower:ListEnabledBaselines": 1}


def test_a_failed_product_is_repaired_by_an_update_and_not_made_twice(ordering: Tower) -> None:
    address = "aws+sweep.mended@example.com"
    knob = {"email": address, "reason": "An internal error occurred.", "times": 2}
    ordering.world.configure(failEnrolments=[knob])
    ordering.vend("mended", hours=6)
    account = ordering.account("mended")
    assert ordering.enrolment(account) == "SUCCEEDED"
    (product,) = ordering.products(account)
    records = ordering.catalog.list_record_history(
        AccessLevelFilter={"Key": "Account", "Value": "self"},
        SearchFilter={"Key": "provisionedproduct", "Value": product["Id"]},
    )["RecordDetails"]
    kinds = [(one["RecordType"], one["Status"]) for one in reversed(records)]
    assert kinds == [
        ("PROVISION_PRODUCT", "FAILED"),
        ("UPDATE_PROVISIONED_PRODUCT", "FAILED"),
        ("UPDATE_PROVISIONED_PRODUCT", "SUCCEEDED"),
    ]


def test_a_product_that_fails_for_a_reason_waits_for_a_person_who_mends_it(
    ordering: Tower,
) -> None:
    address = "aws+sweep.forbidden@example.com"
    reason = "AccessDenied with an explicit deny in a service control policy"
    ordering.world.configure(failEnrolments=[{"email": address, "reason": reason}])
    ordering.vend("forbidden", hours=6, phases=("Failed",))
    failed = ordering.row("forbidden")["failed"]
    assert (failed["step"], failed["failure"]["name"]) == ("enrol-account", "Blocked")
    assert "service control policy" in failed["failure"]["userRemark"]
    assert reason not in failed["failure"]["userRemark"]
    ordering.world.configure(failEnrolments=[])
    ordering.world.replicate(Tenant("forbidden", "production"))
    ordering.until_settled("forbidden", hours=6)
    assert ordering.enrolment(ordering.account("forbidden")) == "SUCCEEDED"
    done = [one["action"] for one in ordering.calls("forbidden")]
    assert done.count("servicecatalog:ProvisionProduct") == 1


def test_an_order_whose_answer_got_lost_is_the_same_order(ordering: Tower) -> None:
    tenant = Tenant("lost", "production")
    fault = ordering.world.fault(
        step="enrol-account",
        action="servicecatalog:ProvisionProduct",
        kind="kill",
        occurrence=1,
        tenant=tenant.id,
    )
    ordering.vend("lost", hours=6)
    assert ordering.world.hits()[fault] == 1
    assert len(ordering.products(ordering.account("lost"))) == 1


def test_account_factory_is_never_asked_for_more_than_it_takes(ordering: Tower) -> None:
    names = [f"crowd-{number}" for number in range(7)]
    ordering.vend(*names, hours=12)
    asked = [
        one
        for name in names
        for one in ordering.calls(name)
        if one["action"] == "servicecatalog:ProvisionProduct"
    ]
    assert [one["status"] for one in asked] == [200] * 7


def test_an_enrolled_landing_zone_plans_its_enrolment(ordering: Tower) -> None:
    said = ordering.person.landfall("plan", "-f", "examples/tenants/checkout-prod.yaml")
    assert said.returncode in (0, 2), said.stderr
    assert "enrol the account in Control Tower by Account Factory" in said.stdout
    assert "make the role AWSControlTowerExecution for Control Tower" in said.stdout


def doctor(tower: Tower, folder: Path) -> dict[str, dict[str, Any]]:
    """What `landfall doctor` says, by check."""
    config, credentials = "", ""
    for name, account in (("management", MANAGEMENT), ("automation", AUTOMATION)):
        keys = tower.world.keys(account)
        config += f"[profile {name}]\nregion = {HOME}\nendpoint_url = {tower.world.endpoint}\n"
        credentials += (
            f"[{name}]\naws_access_key_id = {keys['accessKeyId']}\n"
            f"aws_secret_access_key = {keys['secretAccessKey']}\n"
            f"aws_session_token = {keys['sessionToken']}\n"
        )
    (folder / "config").write_text(config)
    (folder / "credentials").write_text(credentials)
    kept = {k: v for k, v in tower.person.environment.items() if not k.startswith("AWS_")}
    done = subprocess.run(
        [
            *("landfall", "doctor", "-o", "json"),
            *("--profile", "management", "--automation-profile", "automation"),
        ],
        env=kept
        | {
            "AWS_CONFIG_FILE": str(folder / "config"),
            "AWS_SHARED_CREDENTIALS_FILE": str(folder / "credentials"),
            "AWS_REGION": HOME,
        },
        cwd=wishes.ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return {one["check"]: one for one in json.loads(done.stdout)}


TOWER_CHECKS = ("Control Tower", "its events", "enrolment", "execution role")
FACTORY_CHECKS = ("product", "active version", "portfolio", "launch path", "rights")


def test_the_doctor_finds_what_enrolment_by_a_move_lacks(moving: Tower, tmp_path: Path) -> None:
    well = doctor(moving, tmp_path)
    assert [well[name]["verdict"] for name in TOWER_CHECKS] == ["ok"] * 4
    assert not set(FACTORY_CHECKS) & set(well)
    for settings, wanted in (
        ({"controlTower": False}, "never set up"),
        ({"landingZoneStatus": "FAILED"}, "is FAILED"),
        ({"autoEnrolment": False}, "does not enrol"),
    ):
        before = json.loads(moving.world._ask("GET", "landfall/config"))
        moving.world.configure(**settings)
        try:
            found = doctor(moving, tmp_path)["Control Tower"]
        finally:
            moving.world.configure(**{name: before[name] for name in settings})
        assert (found["verdict"], wanted in found["found"]) == ("failing", True), found
        assert found["remedy"]


def test_the_doctor_finds_what_account_factory_lacks(ordering: Tower, tmp_path: Path) -> None:
    well = doctor(ordering, tmp_path)
    checks = (*TOWER_CHECKS, *FACTORY_CHECKS)
    assert {name: well[name]["verdict"] for name in checks} == dict.fromkeys(checks, "ok")
    for name, settings in (
        ("product", {"accountFactory": False}),
        ("active version", {"activeArtifact": False}),
        ("launch path", {"accountFactoryPrincipals": []}),
    ):
        before = json.loads(ordering.world._ask("GET", "landfall/config"))
        ordering.world.configure(**settings)
        try:
            found = doctor(ordering, tmp_path)[name]
        finally:
            ordering.world.configure(**{one: before[one] for one in settings})
        assert found["verdict"] == "failing", found
        assert found["remedy"]


def test_the_doctor_names_the_policy_that_keeps_control_tower_out(
    ordering: Tower, tmp_path: Path
) -> None:
    client = ordering.organization.client
    deny = {"Effect": "Deny", "Action": "iam:CreateRole", "Resource": "*"}
    policy = client.create_policy(
        Content=json.dumps({"Version": "2012-10-17", "Statement": [deny]}),
        Description="",
        Name="no-roles",
        Type="SERVICE_CONTROL_POLICY",
    )["Policy"]["PolicySummary"]["Id"]
    client.attach_policy(PolicyId=policy, TargetId="ou-land-workload")
    try:
        found = doctor(ordering, tmp_path)["execution role"]
    finally:
        client.detach_policy(PolicyId=policy, TargetId="ou-land-workload")
    assert found["verdict"] == "failing"
    assert f"{UNIT} of landing zone production denies iam:CreateRole" in found["found"]
    assert "Except arn:*:iam::*:role/" in found["remedy"]

"""A plan says what would change and changes nothing: neither by itself nor if it wanted to."""

import json
from typing import Any

import pytest
import yaml

from tests.acceptance.conftest import Vended
from tests.acceptance.organization import document
from tests.acceptance.user import refusal
from tests.faults.wishes import ROOT, Tenant
from tests.faults.world import AUTOMATION, MANAGEMENT

# What Landfall writes for itself: its ledger, its executions, its logs.
OWN = ("dynamodb:", "lambda:InvokeFunction", "states:", "logs:", "xray:")


def writes(calls: list[dict[str, Any]]) -> list[str]:
    """Writes outside the ledger and Landfall's own executions."""
    return [
        f"{call['step']} {call['action']} {call['resource']}"
        for call in calls
        if call["write"] and not call["action"].startswith(OWN) and call["step"]
    ]


def of_plans(calls: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The calls that steps made for plans."""
    return [call for call in calls if call["mode"] == "plan"]


def test_the_plan_of_a_ready_tenant_has_no_changes_and_makes_none(vended: Vended) -> None:
    vended.settle()
    vended.calls()
    planned = vended.person.landfall("plan", "-f", "examples/tenants", "-o", "json")
    calls = vended.calls()
    assert planned.returncode == 0, planned.stdout + planned.stderr
    plans = json.loads(planned.stdout)
    assert len(plans) == 4
    assert [change for plan in plans for step in plan["steps"] for change in step["changes"]] == []
    assert "no changes" in vended.person.landfall("plan", "-f", "examples/tenants").stdout
    looks = {call["action"] for call in of_plans(calls)}
    assert looks >= {
        "organizations:DescribeAccount",
        "organizations:ListTagsForResource",
        "iam:GetRole",
        "iam:ListAttachedRolePolicies",
        "cloudformation:DescribeStackInstance",
    }
    assert writes(calls) == []
    assert [call for call in of_plans(calls) if call["decision"].startswith("denied")] == []


def test_the_plan_of_a_new_tenant_tells_every_change_and_makes_none(
    vended: Vended, tmp_path: Any
) -> None:
    wish = tmp_path / "new.yaml"
    wish.write_text(yaml.safe_dump(Tenant("not-yet", "production").document))
    accounts = vended.organization.accounts()
    vended.calls()
    planned = vended.person.landfall("plan", "-f", str(wish))
    calls = vended.calls()
    assert planned.returncode == 0, planned.stdout + planned.stderr
    for change in (
        "create account sweep.not-yet <aws+sweep.not-yet@example.com>",
        "ou-land-workprod",
        "AdministratorAccess",
        "landfall-access",
        "landfall-audit-role",
        "landfall-access-alarm",
    ):
        assert change in planned.stdout
    assert of_plans(calls)
    assert writes(calls) == []
    assert vended.organization.accounts() == accounts
    assert vended.person.landfall("get", "tenants", "sweep.not-yet.aws").returncode == 6


def statements(step: str, half: str) -> list[dict[str, Any]]:
    """A half of what a step declares in the management account."""
    policy = json.loads((ROOT / f"infra/policies/{step}.json").read_text())
    return [
        {key: value for key, value in one.items() if key != "Sid"}
        for one in policy["Statement"]
        if one["Sid"].startswith(f"Management{half}")
    ]


@pytest.mark.parametrize("half", ["Look", "Act"])
def test_an_act_forced_in_a_plan_is_refused_by_iam(vended: Vended, half: str) -> None:
    """The sessions that a plan and a replication get, of the role that may act."""
    declared = statements("place-account", "Look")
    declared += statements("place-account", "Act") if half == "Act" else []
    session = vended.organization.management("LandfallVend", Policy=document(*declared))
    organizations = session.client("organizations", "us-east-1")
    account = vended.organization.account("research", "playground")
    assert organizations.list_parents(ChildId=account)["Parents"][0]["Id"] == "ou-land-sandbox1"
    vended.calls()
    code = refusal(
        lambda: organizations.move_account(
            AccountId=account,
            SourceParentId="ou-land-sandbox1",
            DestinationParentId="ou-land-worknonp",
        )
    )
    (call,) = (one for one in vended.calls() if one["action"].endswith(":MoveAccount"))
    if half == "Look":
        assert code == "AccessDeniedException"
        assert call["decision"] == "denied:session"
        assert vended.organization.parent(account) == "ou-land-sandbox1"
    else:
        assert code is None
        vended.world.client("organizations", MANAGEMENT, "us-east-1").move_account(
            AccountId=account,
            SourceParentId="ou-land-worknonp",
            DestinationParentId="ou-land-sandbox1",
        )


def test_only_landfalls_functions_with_the_secret_take_its_roles(vended: Vended) -> None:
    role = f"arn:aws:iam::{MANAGEMENT}:role/LandfallVend"
    function = vended.organization.function("PlaceAccount")
    assert refusal(lambda: function.assume(role)) == "AccessDenied"
    assert refusal(lambda: function.assume(role, ExternalId="guessed")) == "AccessDenied"
    stranger = vended.organization.member_of_staff(AUTOMATION, "Stranger")
    secret = {"ExternalId": vended.organization.external_id()}
    assert refusal(lambda: stranger.assume(role, **secret)) == "AccessDenied"


def test_the_secret_is_read_by_functions_that_take_sessions_and_stands_in_no_environment(
    vended: Vended,
) -> None:
    secrets = vended.world.client("secretsmanager", AUTOMATION)

    def read(function: str, secret: str) -> str | None:
        arn = secrets.describe_secret(SecretId=secret)["ARN"]
        client = vended.organization.function(function).client("secretsmanager")
        return refusal(lambda: client.get_secret_value(SecretId=arn))

    assert read("PlaceAccount", "landfall-external-id") is None
    assert read("PlaceAccount", "landfall-metering-external-id") == "AccessDeniedException"
    assert read("Admit", "landfall-external-id") == "AccessDeniedException"
    functions = vended.world.client("lambda", AUTOMATION).list_functions()["Functions"]
    environments = json.dumps([function.get("Environment") for function in functions])
    assert "landfall-external-id" in environments
    assert vended.organization.external_id() not in environments


def spoken(vended: Vended, tmp_path: Any, document: dict[str, Any], *commands: str) -> Any:
    """What our command says about a document."""
    file = tmp_path / "configuration.yaml"
    file.write_text(yaml.safe_dump(document))
    return vended.person.landfall(*commands, "-f", str(file))


def test_the_plan_of_a_changed_landing_zone_says_whom_it_touches_and_how(
    vended: Vended, tmp_path: Any
) -> None:
    zone = vended.person.ask("GET", "/landing-zones/production").body
    zone["spec"]["tags"]["environment"] = "planned"
    zone["spec"]["stackSets"] = zone["spec"]["stackSets"][:1]
    vended.settle()
    vended.calls()
    planned = spoken(vended, tmp_path, zone, "plan")
    calls = vended.calls()
    assert planned.returncode == 0, planned.stdout + planned.stderr
    waves = "1 at first, then 25% at a time, until more than 0 have failed"
    assert f"LandingZone production\n  concerns 2 tenants: {waves}\n" in planned.stdout
    for project in ("checkout-prod", "invoicing-prod"):
        (place,) = [
            part
            for part in planned.stdout.split("payments.")
            if part.startswith(f"{project}.aws\n")
        ]
        assert "environment" in place
        assert "planned" in place
    assert "notebooks" not in planned.stdout
    assert writes(calls) == []
    applied = vended.person.ask("GET", "/landing-zones/production").body
    assert applied["spec"]["tags"]["environment"] == "production"
    (told,) = json.loads(spoken(vended, tmp_path, zone, "plan", "-o", "json").stdout)
    assert (told["kind"], told["concerned"], len(told["plans"])) == ("LandingZone", 2, 2)


def test_configuration_that_is_applied_touches_nobody(vended: Vended, tmp_path: Any) -> None:
    platform = vended.person.ask("GET", "/platforms/aws").body
    planned = spoken(vended, tmp_path, platform, "plan")
    assert planned.stdout == "Platform aws\n  as it is applied\n"


def test_nothing_is_applied_where_one_configuration_is_wrong(vended: Vended, tmp_path: Any) -> None:
    platform = vended.person.ask("GET", "/platforms/aws").body
    zone = vended.person.ask("GET", "/landing-zones/production").body
    version = vended.person.ask("GET", "/platforms/aws").headers["etag"]
    platform["spec"]["limits"]["dailyCreations"] = 99
    zone["spec"]["stackSets"][0]["parameters"] = {"SecurityAcountId": "333333333333"}
    zone["spec"]["stackSets"][1]["name"] = "no-such-stack-set"
    zone["spec"]["organizationalUnit"] = "ou-land-nosuchou"
    file = tmp_path / "configuration.yaml"
    file.write_text(yaml.safe_dump_all([platform, zone]))
    done = vended.person.landfall("apply", "-f", str(file))
    assert done.returncode == 2, done.stdout + done.stderr
    assert "LandingZone production: The document has 3 problems" in done.stderr
    for said in (
        "spec.organizationalUnit: `ou-land-nosuchou` does not exist",
        "spec.stackSets[0].parameters.SecurityAcountId",
        "spec.stackSets[1].name: `no-such-stack-set` does not exist",
    ):
        assert said in done.stderr
    assert vended.person.ask("GET", "/platforms/aws").headers["etag"] == version
    # A role that can't be assumed is a problem of the platform.
    platform["spec"]["managementAccount"] = "222222222222"
    denied = spoken(vended, tmp_path, platform, "apply")
    assert denied.returncode == 2
    assert (
        "spec.managementAccount: `222222222222` is no account that lets Landfall in"
        in denied.stderr
    )
    assert vended.person.ask("GET", "/platforms/aws").headers["etag"] == version

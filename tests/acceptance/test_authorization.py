"""Who may do what: the four policies that ship, given to roles of the automation account."""

import json
from dataclasses import dataclass
from typing import Any

import pytest
import yaml

from tests.acceptance.conftest import Vended
from tests.acceptance.organization import document
from tests.acceptance.user import Answer, User
from tests.faults.wishes import ROOT
from tests.faults.world import AUTOMATION

CHECKOUT = "/workspaces/payments/projects/checkout-prod/tenants/aws"
PLAYGROUND = "/workspaces/research/projects/playground/tenants/aws"


@dataclass(frozen=True)
class People:
    """One session of each kind of user."""

    requester: User
    approver: User
    operator: User
    auditor: User
    nobody: User


@pytest.fixture(scope="module")
def people(vended: Vended) -> People:
    """Roles with the shipped policies; the requester's tag says `payments`."""
    iam = vended.world.client("iam", AUTOMATION)
    trust = {"Effect": "Allow", "Principal": {"AWS": AUTOMATION}, "Action": "sts:AssumeRole"}
    found = {}
    for name in ("requester", "approver", "operator", "auditor", "nobody"):
        role = name.capitalize()
        iam.create_role(
            RoleName=role,
            AssumeRolePolicyDocument=document(trust),
            Tags=[{"Key": "workspace", "Value": "payments"}],
        )
        if name != "nobody":
            arn = f"arn:aws:iam::{AUTOMATION}:policy/landfall-{name}"
            iam.attach_role_policy(RoleName=role, PolicyArn=arn)
        arn = f"arn:aws:iam::{AUTOMATION}:role/{role}"
        found[name] = vended.person.assume(arn)
    users = People(**found)
    ready = [
        (users.requester, CHECKOUT),
        (users.approver, CHECKOUT),
        (users.operator, "/operator/tenants"),
        (users.auditor, "/operator/tenants"),
    ]
    for user, path in ready:
        assert vended.world.until(lambda u=user, p=path: u.ask("GET", p).status == 200, hours=0.1)
    return users


def refused(answer: Answer) -> bool:
    """Whether API Gateway itself said no."""
    return answer.status == 403 and set(answer.body) == {"message"}


def test_an_unsigned_request_is_refused(vended: Vended) -> None:
    for method, path in (("GET", CHECKOUT), ("GET", "/operator/tenants"), ("GET", "/platforms")):
        assert refused(vended.person.ask(method, path, signed=False))


def test_a_request_that_is_signed_with_another_secret_is_refused(vended: Vended) -> None:
    forged = {**vended.person.keys, "secretAccessKey": "guessed"}
    assert refused(User(vended.world, forged).ask("GET", CHECKOUT))


def test_who_has_none_of_the_policies_may_do_nothing(people: People) -> None:
    for path in (CHECKOUT, "/landing-zones", "/operator/tenants"):
        assert refused(people.nobody.ask("GET", path))


def test_a_requester_works_in_the_own_workspace(people: People) -> None:
    requester = people.requester
    found = requester.ask("GET", CHECKOUT)
    assert found.status == 200
    assert "systemRemark" not in json.dumps(found.body)
    assert requester.ask("PUT", CHECKOUT, wish(found.body)).status == 200
    assert requester.ask("GET", f"{CHECKOUT}/history").status == 200
    listed = requester.ask("GET", "/workspaces/payments/tenants")
    assert {one["name"] for one in listed.body["items"]} == {
        "payments.checkout-prod.aws",
        "payments.invoicing-prod.aws",
    }
    for path in ("/landing-zones", "/landing-zones/production", "/platforms", "/schemas/tenant"):
        assert requester.ask("GET", path).status == 200
    assert requester.ask("DELETE", "/workspaces/payments/projects/none").status == 404


def test_a_requester_neither_reads_nor_writes_another_workspace(
    vended: Vended, people: People
) -> None:
    body = wish(vended.person.ask("GET", PLAYGROUND).body)
    for method, path in (
        ("GET", PLAYGROUND),
        ("PUT", PLAYGROUND),
        ("GET", f"{PLAYGROUND}/history"),
        ("POST", f"{PLAYGROUND}/replications"),
        ("GET", "/workspaces/research/tenants"),
        ("PUT", "/workspaces/research/projects/playground/plans/aws"),
        ("PUT", "/workspaces/research/projects/new/tenants/aws"),
        ("DELETE", PLAYGROUND),
        ("DELETE", "/workspaces/research/projects/playground"),
    ):
        sent = None if method == "GET" else body
        assert refused(people.requester.ask(method, path, sent)), f"{method} {path}"


def test_a_path_that_only_looks_like_the_own_workspace_leads_nowhere(people: People) -> None:
    for path in (
        "/workspaces/payments/../research/tenants",
        "/workspaces/payments%2F..%2Fresearch/tenants",
        "/workspaces/payments/tenants/../../research/tenants",
        "/workspaces/payments/tenants?after=research.playground.aws",
        "/workspaces/payments/tenants?workspace=research",
    ):
        assert "playground" not in json.dumps(people.requester.ask("GET", path).body)


def test_a_requester_has_no_operators_routes(people: People) -> None:
    for method, path in (
        ("GET", "/operator/tenants"),
        ("GET", "/operator/history"),
        ("GET", f"/operator{CHECKOUT}"),
        ("PUT", "/landing-zones/production"),
        ("PUT", "/platforms/aws"),
    ):
        assert refused(people.requester.ask(method, path, None if method == "GET" else {}))


def test_an_approver_reads_every_workspace_and_wishes_nothing(people: People) -> None:
    assert people.approver.ask("GET", PLAYGROUND).status == 200
    assert refused(people.approver.ask("PUT", PLAYGROUND, {}))
    assert refused(people.approver.ask("POST", f"{PLAYGROUND}/replications", {}))
    assert refused(people.approver.ask("GET", "/operator/tenants"))
    assert refused(people.approver.ask("PUT", "/landing-zones/production", {}))


def test_an_auditor_reads_everything_and_writes_nothing(people: People) -> None:
    for path in (
        CHECKOUT,
        PLAYGROUND,
        f"{PLAYGROUND}/history",
        "/operator/tenants",
        "/operator/history",
        f"/operator{CHECKOUT}",
        "/landing-zones",
        "/platforms/aws",
    ):
        assert people.auditor.ask("GET", path).status == 200, path
    for method, path in (
        ("PUT", PLAYGROUND),
        ("POST", f"{PLAYGROUND}/replications"),
        ("PUT", "/workspaces/research/projects/playground/plans/aws"),
        ("PUT", "/landing-zones/production"),
        ("PUT", "/platforms/aws"),
    ):
        assert refused(people.auditor.ask(method, path, {})), f"{method} {path}"


def test_what_is_no_route_is_asked_of_iam_and_answered_as_a_problem(people: People) -> None:
    for method, path in (("GET", "/nothing"), ("POST", "/platforms/aws")):
        assert refused(people.nobody.ask(method, path))
    missing = people.operator.ask("GET", "/nothing")
    assert (missing.status, missing.body["type"]) == (404, "urn:landfall:problem:missing")
    wrong = people.operator.ask("POST", "/platforms/aws", {})
    assert (wrong.status, wrong.headers["allow"]) == (405, "PUT, GET, DELETE")


def test_an_operator_runs_everything(people: People) -> None:
    assert people.operator.ask("GET", f"/operator{PLAYGROUND}").status == 200
    zone = people.operator.ask("GET", "/landing-zones/production")
    assert people.operator.insist("PUT", "/landing-zones/production", zone.body).status == 200
    assert people.operator.ask("POST", f"{PLAYGROUND}/replications", {}).status in (200, 202)


def test_the_author_in_history_is_the_caller_whom_aws_proved(
    vended: Vended, people: People
) -> None:
    before = people.requester.ask("GET", CHECKOUT).body
    changed = wish(before)
    changed["spec"]["tags"]["costCenter"] = "4713"
    forged = {"x-author": "somebody", "x-amzn-iam-user-arn": "arn:aws:iam::1:user/somebody"}
    assert people.requester.ask("PUT", CHECKOUT, changed, forged).status in (200, 202)
    history = people.requester.ask("GET", f"{CHECKOUT}/history").body
    authors = {entry["author"] for entry in history["entries"]}
    assert f"arn:aws:sts::{AUTOMATION}:assumed-role/Requester/acceptance" in authors
    assert "somebody" not in json.dumps(history)
    assert people.requester.ask("PUT", CHECKOUT, wish(before)).status in (200, 202)
    vended.settle()


def test_our_command_says_who_may_not(people: People, vended: Vended) -> None:
    denied = people.requester.landfall("get", "tenants")
    assert denied.returncode == 3
    assert denied.stderr.startswith("error: ")
    assert vended.person.landfall("get", "tenants").returncode == 0


def wish(view: dict[str, Any]) -> dict[str, Any]:
    """The wish of an example, as its file says it."""
    project = view["name"].split(".")[1]
    return yaml.safe_load((ROOT / f"examples/tenants/{project}.yaml").read_text())

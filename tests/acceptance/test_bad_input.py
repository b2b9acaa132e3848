"""Whatever can't be used is refused with field, value, rule and remedy, and changes nothing."""

import copy
import json
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.acceptance.conftest import Vended
from tests.conventions import house
from tests.faults.wishes import LANDFALL, ROOT
from tests.faults.world import AUTOMATION, HOME, LEDGER, MACHINE, MANAGEMENT

CHECKOUT = "/workspaces/payments/projects/checkout-prod/tenants/aws"
OWN = ("dynamodb:", "lambda:", "states:", "logs:", "xray:", "execute-api:", "events:", "sts:")
Document = dict[str, Any]


def example(path: str) -> Document:
    """A document of examples/."""
    return yaml.safe_load((ROOT / "examples" / path).read_text())


def ledger(vended: Vended) -> dict[tuple[str, str], Any]:
    """The whole ledger, but what is only kept for a while."""
    table = vended.world.client("dynamodb", AUTOMATION)
    rows = [
        row
        for page in table.get_paginator("scan").paginate(TableName=LEDGER, ConsistentRead=True)
        for row in page["Items"]
    ]
    return {
        (row["pk"]["S"], row["sk"]["S"]): row
        for row in rows
        if not row["pk"]["S"].startswith(("EVENT#", "PLAN#"))
    }


@pytest.fixture
def unchanged(vended: Vended) -> Iterator[None]:
    """Afterwards the ledger and the organization are as before, and nobody wrote to AWS."""
    vended.settle()
    before, accounts = ledger(vended), vended.organization.accounts()
    vended.calls()
    yield
    vended.settle()
    after = ledger(vended)
    changed = {key for key in before | after if before.get(key) != after.get(key)}
    assert changed == set()
    assert vended.organization.accounts() == accounts
    assert [
        call["action"]
        for call in vended.calls()
        if call["write"] and call["status"] < 400 and not call["action"].startswith(OWN)
    ] == []


@dataclass(frozen=True)
class Case:
    """A document that is wrong in one place, and what has to be said about it."""

    file: str
    spoil: Callable[[Document], None]
    field: str
    value: str
    rule: str
    remedy: str
    # Only Landfall itself knows what there is.
    is_known_to_the_command: bool = True


def unknown_field(document: Document) -> None:
    document["spec"]["landingzone"] = document["spec"].pop("landingZone")


def wrong_type(document: Document) -> None:
    document["spec"]["tags"]["costCenter"] = 4711


def identifier_too_long(document: Document) -> None:
    document["metadata"]["project"] = "a-project-with-a-very-long-name-indeed"


def identifier_with_dots(document: Document) -> None:
    document["metadata"]["workspace"] = "pay.ments"


def overflowing_email_pattern(document: Document) -> None:
    pattern = "aws+#{workspaceIdentifier}.#{projectIdentifier}@accounts.cloud.example.com"
    document["spec"]["accountEmailPattern"] = pattern


def unknown_landing_zone(document: Document) -> None:
    document["spec"]["landingZone"] = "prodution"


def unknown_unit(document: Document) -> None:
    document["spec"]["organizationalUnit"] = "ou-land-nosuchou"


def unknown_platform(document: Document) -> None:
    document["metadata"]["platform"] = "aws-cn"


TENANT = "tenants/checkout-prod.yaml"
CASES = {
    "an unknown field": Case(
        TENANT, unknown_field, "spec.landingzone", "", "unknown", "Did you mean `landingZone`?"
    ),
    "a wrong type": Case(TENANT, wrong_type, "spec.tags.costCenter", "4711", "text", "quot"),
    "an identifier that is too long": Case(
        TENANT,
        identifier_too_long,
        "metadata.project",
        "a-project-with-a-very-long-name-indeed",
        "38 characters",
        "Shorten it",
    ),
    "an identifier with dots": Case(
        TENANT, identifier_with_dots, "metadata.workspace", "pay.ments", "identifier", "hyphens"
    ),
    "an e-mail pattern that can overflow": Case(
        "platform.yaml",
        overflowing_email_pattern,
        "spec.accountEmailPattern",
        "aws+#{workspaceIdentifier}.#{projectIdentifier}@accounts.cloud.example.com",
        "AWS allows 64",
        "Cut a placeholder",
    ),
    "an unknown landing zone": Case(
        TENANT,
        unknown_landing_zone,
        "spec.landingZone",
        "prodution",
        "known",
        "Did you mean `production`?",
        is_known_to_the_command=False,
    ),
    "an unknown platform": Case(
        TENANT,
        unknown_platform,
        "metadata.platform",
        "aws-cn",
        "known",
        "aws",
        is_known_to_the_command=False,
    ),
    "an unknown organizational unit": Case(
        "landing-zones/production.yaml",
        unknown_unit,
        "spec.organizationalUnit",
        "ou-land-nosuchou",
        "",
        "",
        is_known_to_the_command=False,
    ),
}
every_case = pytest.mark.parametrize("name", CASES)


def path_of(document: Document) -> str:
    """Where a document belongs."""
    metadata = document["metadata"]
    match document["kind"]:
        case "Tenant":
            place = "/workspaces/{workspace}/projects/{project}/tenants/{platform}"
            return place.format(**metadata)
        case "Platform":
            return f"/platforms/{metadata['name']}"
        case _:
            return f"/landing-zones/{metadata['name']}"


def spoiled(case: Case) -> Document:
    """The document of a case."""
    document = copy.deepcopy(example(case.file))
    case.spoil(document)
    return document


@every_case
@pytest.mark.usefixtures("unchanged")
def test_the_api_names_field_value_rule_and_remedy(vended: Vended, name: str) -> None:
    case = CASES[name]
    document = spoiled(case)
    answer = vended.person.ask("PUT", path_of(document), document)
    if name == "an identifier with dots":
        assert answer.status == 404
        return
    assert answer.status == 422, answer.body
    assert answer.headers["content-type"] == "application/problem+json"
    problem = next(one for one in answer.body["problems"] if one["field"] == case.field)
    assert case.value in problem["value"]
    assert case.rule in problem["rule"]
    assert case.remedy in problem["remedy"]
    assert all(problem[part] for part in ("rule", "remedy"))


@every_case
@pytest.mark.usefixtures("unchanged")
def test_our_command_names_them_too_and_ends_with_two(
    vended: Vended, tmp_path: Path, name: str
) -> None:
    case = CASES[name]
    file = tmp_path / "wish.yaml"
    file.write_text(yaml.safe_dump(spoiled(case)))
    for command in ("apply", "plan"):
        if command == "plan" and not case.file.startswith("tenants"):
            continue
        done = vended.person.landfall(command, "-f", str(file))
        assert done.returncode == 2, done.stdout + done.stderr
        for part in (case.field, case.value, case.rule, case.remedy):
            assert part in done.stderr
    lint = vended.person.landfall("lint", str(file))
    assert lint.returncode == (2 if case.is_known_to_the_command else 0)


@pytest.mark.usefixtures("unchanged")
def test_a_yaml_file_is_refused_with_line_and_column(vended: Vended, tmp_path: Path) -> None:
    file = tmp_path / "wish.yaml"
    text = (ROOT / "examples" / TENANT).read_text()
    file.write_text(text.replace("landingZone:", "landingzone:"))
    done = vended.person.landfall("apply", "-f", str(file))
    assert done.returncode == 2
    line = text.splitlines().index("  landingZone: production") + 1
    assert f"{file}:{line}:3" in done.stderr
    assert "nothing was sent" in done.stderr


@pytest.mark.usefixtures("unchanged")
def test_a_tenant_that_must_be_new_is_refused_when_it_is_there(vended: Vended) -> None:
    answer = vended.person.ask("PUT", CHECKOUT, example(TENANT), {"If-None-Match": "*"})
    assert answer.status == 412
    assert f"version is {answer.headers['etag'].strip(chr(34))}" in answer.body["detail"]


@pytest.mark.usefixtures("unchanged")
def test_a_wish_that_is_repeated_changes_nothing(vended: Vended) -> None:
    assert vended.person.ask("PUT", CHECKOUT, example(TENANT)).status == 200
    done = vended.person.landfall("apply", "-f", f"examples/{TENANT}", "--no-wait")
    assert done.returncode == 0
    assert "unchanged" in done.stdout + done.stderr


@pytest.mark.usefixtures("unchanged")
def test_two_wishes_for_one_tenant_in_one_file_are_refused(vended: Vended, tmp_path: Path) -> None:
    file = tmp_path / "twice.yaml"
    text = (ROOT / "examples" / TENANT).read_text()
    file.write_text(f"{text}---\n{text.replace('4711', '4712')}")
    done = vended.person.landfall("apply", "-f", str(file))
    assert done.returncode == 2
    assert "payments.checkout-prod.aws" in done.stderr


@pytest.mark.usefixtures("unchanged")
def test_a_stale_version_is_refused_with_the_present_one(vended: Vended, tmp_path: Path) -> None:
    present = vended.person.ask("GET", CHECKOUT).headers["etag"]
    changed = copy.deepcopy(example(TENANT))
    changed["spec"]["tags"]["costCenter"] = "4799"
    answer = vended.person.ask("PUT", CHECKOUT, changed, {"If-Match": '"999"'})
    assert (answer.status, answer.headers["etag"]) == (412, present)
    file = tmp_path / "wish.yaml"
    file.write_text(yaml.safe_dump(changed))
    done = vended.person.landfall("apply", "-f", str(file), "--if-generation", "999")
    assert done.returncode == 4, done.stderr


@pytest.mark.usefixtures("unchanged")
def test_an_oversized_body_is_refused_with_its_limit(vended: Vended) -> None:
    document = example(TENANT)
    document["spec"]["tags"] = {f"tag{number}": "x" * 250 for number in range(300)}
    answer = vended.person.ask("PUT", CHECKOUT, document)
    assert answer.status == 413
    assert "65536" in answer.body["detail"] or "64" in answer.body["detail"]
    assert vended.person.ask("PUT", CHECKOUT, "x" * (11 << 20)).status == 413


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize("body", ['{"kind":', "", "[]", "null", '"text"'])
def test_a_body_that_is_no_document_is_refused(vended: Vended, body: str) -> None:
    answer = vended.person.ask("PUT", CHECKOUT, body)
    assert answer.status in (400, 422)
    assert answer.body["detail"]


@pytest.mark.usefixtures("unchanged")
def test_a_document_on_anothers_path_is_refused(vended: Vended) -> None:
    answer = vended.person.ask("PUT", CHECKOUT.replace("checkout-prod", "another"), example(TENANT))
    assert answer.status == 422
    (problem,) = answer.body["problems"]
    assert problem["field"] == "metadata.project"


TENANT_ID = str(uuid.uuid5(LANDFALL, "payments.checkout-prod.aws#1"))
TICKETS = {
    "nothing": {},
    "no tenant": {"run": 1, "mode": "replicate"},
    "a tenant that is no id": {"tenant": "checkout-prod", "run": 1, "mode": "replicate"},
    "a run that is no number": {"tenant": TENANT_ID, "run": "first", "mode": "replicate"},
    "an unknown mode": {"tenant": TENANT_ID, "run": 1, "mode": "destroy"},
    "a tenant that is unknown": {"tenant": str(uuid.UUID(int=7)), "run": 1, "mode": "replicate"},
}
NAMES = {"Throttled", "Transient", "NotReady", "Rejected", "Blocked", "Defect"}


def executed(vended: Vended, ticket: Any) -> Any:
    """An execution with this input, when it has ended."""
    states = vended.person.client("stepfunctions")
    machine = f"arn:aws:states:{HOME}:{AUTOMATION}:stateMachine:{MACHINE}"
    started = states.start_execution(stateMachineArn=machine, input=json.dumps(ticket))

    def ended() -> Any:
        execution = states.describe_execution(executionArn=started["executionArn"])
        return None if execution["status"] == "RUNNING" else execution

    return vended.world.until(ended, hours=1)


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize("name", TICKETS)
def test_a_malformed_ticket_fails_its_execution_by_name(vended: Vended, name: str) -> None:
    execution = executed(vended, TICKETS[name])
    assert execution["status"] == "FAILED"
    # Where a field is missing the machine itself can't go on, and AWS has its own name for that.
    assert execution["error"] in NAMES | {"States.Runtime"}, execution
    assert execution["cause"]


@pytest.mark.usefixtures("unchanged")
def test_a_ticket_of_an_old_run_is_superseded(vended: Vended) -> None:
    ticket = {"tenant": TENANT_ID, "run": 99, "mode": "replicate"}
    assert executed(vended, ticket)["status"] == "SUCCEEDED"


def invoked(vended: Vended, function: str, payload: Any) -> tuple[str | None, Any]:
    """What a function answers: the kind of its error, and its answer."""
    client = vended.person.client("lambda")
    answer = client.invoke(FunctionName=f"landfall-{function}", Payload=json.dumps(payload))
    return answer.get("FunctionError"), json.loads(answer["Payload"].read())


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize("function", sorted(house.crates() - house.DOORS))
def test_a_malformed_ticket_is_refused_by_each_step(vended: Vended, function: str) -> None:
    for payload in ({}, [], "text", {"tenant": 7}):
        kind, answer = invoked(vended, function, payload)
        assert kind is not None
        assert answer["errorType"] == "Rejected", answer
        assert "ticket" in answer["errorMessage"]


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize(
    ("payload", "said"),
    [
        ({}, "source"),
        ([], "event"),
        ({"source": "aws.organizations", "detail": {}}, "eventName"),
        (
            {"source": "aws.organizations", "detail": {"eventName": "CreateAccountResult"}},
            "createAccountStatus/id",
        ),
        ({"source": "aws.states", "detail": {}}, "status"),
    ],
)
def test_a_malformed_event_is_refused_with_the_field(
    vended: Vended, payload: Any, said: str
) -> None:
    kind, answer = invoked(vended, "hear-events", payload)
    assert kind is not None
    assert answer["errorType"] == "Rejected"
    assert said in answer["errorMessage"]


def creation(account: str) -> Document:
    """The event that an account was made for a request that nobody made."""
    status = {
        "id": "car-00000000000000000000000000000000",
        "state": "SUCCEEDED",
        "accountName": "****",
        "accountId": account,
    }
    return {
        "eventSource": "organizations.amazonaws.com",
        "eventName": "CreateAccountResult",
        "recipientAccountId": MANAGEMENT,
        "serviceEventDetails": {"createAccountStatus": status},
    }


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize("account", ["222222222222", "999999999999", "payments.checkout-prod"])
def test_a_forged_event_changes_nothing(vended: Vended, account: str) -> None:
    ours = vended.organization.accounts().get(f"aws+{account}@example.com")
    event = {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": "AWS Service Event via CloudTrail",
        "source": "aws.organizations",
        "account": MANAGEMENT,
        "time": "2026-11-22T12:00:00Z",
        "region": "us-east-1",
        "resources": [],
        "detail": creation(ours or account),
    }
    kind, answer = invoked(vended, "hear-events", event)
    assert kind is None
    assert answer == {"heard": "nobody waits for it"}


@pytest.mark.usefixtures("unchanged")
def test_nobody_can_put_an_event_in_anothers_name(vended: Vended) -> None:
    detail = json.dumps(creation("999999999999"))
    entry = {
        "Source": "aws.organizations",
        "DetailType": "AWS Service Event via CloudTrail",
        "Detail": detail,
    }
    (result,) = vended.person.client("events").put_events(Entries=[entry])["Entries"]
    assert result["ErrorCode"] == "NotAuthorizedForSourceException"
    own = {**entry, "Source": "landfall"}
    (result,) = vended.person.client("events").put_events(Entries=[own])["Entries"]
    assert "ErrorCode" not in result

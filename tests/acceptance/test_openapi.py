"""The API keeps to its document: an independent client asks from it, and judges the answers."""

import json
from collections.abc import Iterator
from typing import Any

import hypothesis
import pytest
import schemathesis
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import HealthCheck, Phase, given, settings
from requests import PreparedRequest
from requests.auth import AuthBase
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.acceptance.user import User
from tests.faults.wishes import ROOT, Tenant
from tests.faults.world import AUTOMATION, HOME, World

DOCUMENT = json.loads((ROOT / "docs/openapi.json").read_text())
EXAMPLES = 6
CHECKS = (
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
)


class Signed(AuthBase):
    """Signs requests as AWS wants it."""

    def __init__(self, user: User) -> None:
        keys = user.keys
        self.credentials = Credentials(
            keys["accessKeyId"], keys["secretAccessKey"], keys["sessionToken"]
        )

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        unsigned = AWSRequest(request.method, request.url, data=request.body)
        SigV4Auth(self.credentials, "execute-api", HOME).add_auth(unsigned)
        request.headers.update(dict(unsigned.headers))
        return request


def closed(value: Any) -> Any:
    """The document as strict as it can be: an answer's field that it does not know is an error."""
    if isinstance(value, list):
        return [closed(one) for one in value]
    if not isinstance(value, dict):
        return value
    value = {name: inner if name == "example" else closed(inner) for name, inner in value.items()}
    if value.get("type") == "object" and isinstance(value.get("properties"), dict):
        value.setdefault("additionalProperties", False)
    return value


@pytest.fixture(scope="module")
def person() -> Iterator[User]:
    """An operator of a world that has a tenant."""
    with World(seed=9, quiet=True) as world:
        world.found()
        world.wish(Tenant("known", "sandbox"))
        yield User.administrator(world, AUTOMATION)


def test_the_api_serves_the_document_that_is_shipped(person: User) -> None:
    answer = person.ask("GET", "/openapi.json")
    assert (answer.status, answer.body) == (200, DOCUMENT)


SCHEMA = schemathesis.openapi.from_dict(closed(DOCUMENT))
OPERATIONS = {one.ok().label: one.ok() for one in SCHEMA.get_all_operations()}


@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.parametrize("mode", GenerationMode, ids=lambda mode: mode.value)
def test_whatever_is_asked_the_answer_is_in_the_document(
    person: User, name: str, mode: GenerationMode
) -> None:
    """Requests as the document wants them, and such as it does not."""
    signed = Signed(person)

    @hypothesis.seed(1)
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=OPERATIONS[name].as_strategy(mode))
    def ask(case: schemathesis.Case) -> None:
        # HTTP carries no control characters in headers: whoever sends them never gets to Landfall.
        hypothesis.assume(all(value.isprintable() for value in (case.headers or {}).values()))
        answer = case.call(base_url=person.world.endpoint, auth=signed)
        case.validate_response(answer, checks=CHECKS)

    ask()


KNOWN = {
    "workspace": "sweep",
    "project": "known",
    "platform": "aws",
    "kind": "Tenant",
    "account": "222222222222",
}
READ = [
    name
    for name in OPERATIONS
    if name.startswith("GET ") and "{id}" not in name and name != "GET /openapi.json"
]


@pytest.mark.parametrize("name", READ)
def test_what_is_there_is_answered_as_the_document_says(person: User, name: str) -> None:
    named = {"name": "aws" if "platforms" in name else "sandbox", **KNOWN}
    wanted = {part: value for part, value in named.items() if f"{{{part}}}" in name}
    case = OPERATIONS[name].Case(method="GET", path_parameters=wanted)
    answer = case.call(base_url=person.world.endpoint, auth=Signed(person))
    assert answer.status_code == 200
    case.validate_response(answer, checks=CHECKS)

"""What moto loads and repeats that nobody here needs: instance types, OpenAPI, models twice.

A sandbox is ready in seconds only if it does none of it.
"""

import base64
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from types import ModuleType
from typing import Any

# Megabytes about machines that nobody starts here.
UNREAD = ("ec2/resources/instance_types.json", "ec2/resources/instance_type_offerings/")
# Imported by moto's REST APIs, to check documents that nobody imports here.
UNUSED = (
    "openapi_spec_validator",
    "openapi_spec_validator.validation",
    "openapi_spec_validator.validation.exceptions",
)


def install() -> None:
    """Does once what moto does for every call."""
    from moto.core import responses, utils

    names = cache(utils.method_names_from_class)
    responses.method_names_from_class = lambda owner: names(owner)
    underscored = cache(utils.camelcase_to_underscores)
    responses.camelcase_to_underscores = lambda text: underscored(text)
    _items_as_they_are()
    _attributes_without_the_rest()
    _models_as_plain_dictionaries()
    _regions_asked_once()
    _headers_as_they_come()


def _models_as_plain_dictionaries() -> None:
    """Python's dictionaries are ordered by themselves, and read three times as fast."""
    from botocore.loaders import JSONFileLoader

    def _load_file(self: Any, full_path: str, open_method: Any) -> Any:
        if not os.path.isfile(full_path):
            return None
        with open_method(full_path, "rb") as file:
            return json.loads(file.read())

    JSONFileLoader._load_file = _load_file


def _regions_asked_once() -> None:
    """Each account's backends ask where a service is; one session knows."""
    import boto3.session

    regions = boto3.session.Session.get_available_regions
    shared = boto3.session.Session()

    @cache
    def known(service_name: str, partition_name: str, allow_non_regional: bool) -> list[str]:
        resolver = shared._session._get_internal_component("endpoint_resolver")
        found = resolver.get_available_endpoints(service_name, partition_name, allow_non_regional)
        return found or regions(shared, service_name, partition_name, allow_non_regional)

    def from_one_session(
        self: Any, service_name: str, partition_name: str = "aws", allow_non_regional: bool = False
    ) -> list[str]:
        return list(known(service_name, partition_name, allow_non_regional))

    boto3.session.Session.get_available_regions = from_one_session


def _headers_as_they_come() -> None:
    """Each request's headers are read as an e-mail's, which may be far more than HTTP's may."""
    import http.client

    def parse_headers(lines: Any, _class: Any = http.client.HTTPMessage) -> Any:
        headers = _class()
        while (line := lines.readline()) not in (b"\r\n", b"\n", b""):
            name, _, value = line.decode("iso-8859-1").partition(":")
            headers[name] = value.strip()
        return headers

    http.client.parse_headers = parse_headers


def _items_as_they_are() -> None:
    """DynamoDB's items are in their wire form already, but for binary values."""
    from moto.core.serialize import BaseJSONSerializer

    structure = BaseJSONSerializer._serialize_type_structure

    def directly(self: Any, serialized: Any, value: Any, shape: Any, key: str) -> None:
        if shape.name == "AttributeValue" and isinstance(value, dict) and len(value) == 1:
            serialized[key] = wire_form(value)
        else:
            structure(self, serialized, value, shape, key)

    BaseJSONSerializer._serialize_type_structure = directly


def wire_form(value: dict[str, Any]) -> dict[str, Any]:
    """One attribute value, its binary parts in base64."""
    kind, held = next(iter(value.items()))
    if kind == "M":
        return {"M": {name: wire_form(one) for name, one in held.items()}}
    if kind == "L":
        return {"L": [wire_form(one) for one in held]}
    if kind == "B" and isinstance(held, bytes):
        return {"B": base64.b64encode(held).decode()}
    if kind == "BS":
        return {"BS": [base64.b64encode(one).decode() for one in held]}
    return value


def _attributes_without_the_rest() -> None:
    """A projection of whole attributes takes them; moto reads the whole item for each."""
    from moto.dynamodb.models.dynamo_type import Item

    project = Item.project

    def projected(self: Any, projection_expressions: list[list[str]]) -> Any:
        if any(len(path) > 1 for path in projection_expressions):
            return project(self, projection_expressions)
        kept = Item(hash_key=self.hash_key, range_key=self.range_key, attrs={})
        names = [path[0] for path in projection_expressions if path[0] in self.attrs]
        kept.attrs.update({name: self.attrs[name] for name in names})
        return kept

    Item.project = projected


@contextmanager
def loading() -> Iterator[None]:
    """Inside, moto's modules load without what they do not need here."""
    from moto.utilities import utils

    load_resource = utils.load_resource

    def without_machines(name: str) -> Any:
        if name.startswith(UNREAD):
            return {} if name.endswith("types.json") else []
        return load_resource(name)

    fakes = [name for name in UNUSED if name not in sys.modules]
    for name in fakes:
        fake = ModuleType(name)
        fake.validate = lambda document: None  # type: ignore[attr-defined]
        fake.OpenAPIValidationError = ValueError  # type: ignore[attr-defined]
        sys.modules[name] = fake
    utils.load_resource = without_machines
    try:
        yield
    finally:
        utils.load_resource = load_resource
        for name in fakes:
            sys.modules.pop(name, None)

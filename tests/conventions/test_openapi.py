"""The API's document, as others than us read it."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from openapi_schema_validator import OAS31Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from . import house

DOCUMENT = json.loads((house.ROOT / "docs/openapi.json").read_text())


def shown() -> Iterator[tuple[str, Any, Any]]:
    """Every example with its place and its schema."""

    def walk(value: Any, place: str) -> Iterator[tuple[str, Any, Any]]:
        if isinstance(value, dict):
            if "example" in value and "schema" in value:
                yield place, value["schema"], value["example"]
            for name, inner in value.items():
                if name not in ("example", "schema"):
                    yield from walk(inner, f"{place}/{name}")
        elif isinstance(value, list):
            for number, inner in enumerate(value):
                yield from walk(inner, f"{place}/{number}")

    yield from walk(DOCUMENT, "#")


def test_the_document_is_openapi() -> None:
    assert list(OpenAPIV31SpecValidator(DOCUMENT).iter_errors()) == []


@pytest.mark.parametrize(
    ("place", "schema", "example"), list(shown()), ids=lambda one: str(one)[-60:]
)
def test_what_is_shown_fits_its_schema(place: str, schema: Any, example: Any) -> None:
    whole = {**schema, "components": DOCUMENT["components"]}
    assert [error.message for error in OAS31Validator(whole).iter_errors(example)] == []


def test_every_function_route_is_described_and_the_reverse() -> None:
    _, intake = house.functions()["intake"]
    events = [one["Properties"] for one in intake["Events"].values()]
    declared = {(one["Method"], one["Path"]) for one in events if "Path" in one}
    described = {
        (method.upper(), path)
        for path, methods in DOCUMENT["paths"].items()
        for method in methods
        if method != "parameters"
    }
    assert declared == described

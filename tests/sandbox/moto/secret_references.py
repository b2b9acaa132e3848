"""`{{resolve:secretsmanager:…}}`: what a template reads from a secret while it makes a resource.

As on AWS, the reference is all that the stack remembers: that the secret changed is no change of
the template, and reaches a resource only when something else of it changes.
"""

import json
import re
from types import SimpleNamespace
from typing import Any

import clock
from intrinsics import invalid
from kinds import Place

REFERENCE = re.compile(
    r"\{\{resolve:secretsmanager:(?P<secret>arn:[^:]+:secretsmanager:[^:]+:\d{12}:secret:[^:}]+|[^:}]+)"
    r"(?::SecretString(?::(?P<key>[^:}]*))?)?(?::[^:}]*){0,2}\}\}"
)


def filled(place: Place, value: Any) -> Any:
    """A copy of a resource's properties with every secret in its place."""
    if isinstance(value, list):
        return [filled(place, item) for item in value]
    if isinstance(value, dict):
        return {key: filled(place, entry) for key, entry in value.items()}
    if isinstance(value, str) and "{{resolve:" in value:
        return REFERENCE.sub(lambda found: _read(place, found["secret"], found["key"]), value)
    return value


def _read(place: Place, secret: str, key: str | None) -> str:
    found = place.client("secretsmanager").get_secret_value(SecretId=secret)["SecretString"]
    if not key:
        return str(found)
    try:
        return str(json.loads(found)[key])
    except (KeyError, ValueError):
        raise invalid(f"Could not find a value associated with JSONKey {key} in SecretString")


def install() -> None:
    """Lets secrets tell in virtual time when they were written."""
    from moto.secretsmanager import models

    models.time = SimpleNamespace(time=clock.now)

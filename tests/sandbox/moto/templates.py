"""Templates as CloudFormation takes them: short forms, SAM, parameters, capabilities."""

import copy
import hashlib
import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache, lru_cache
from typing import Any

import yaml

import intrinsics
import policies
from intrinsics import invalid
from patching import Refusal

SERVERLESS = "AWS::Serverless-2016-10-31"
BODY_LIMIT = 51_200
URL_LIMIT = 1_000_000
# The IAM types that need a capability, and the property that names them, which needs the larger.
IAM_NAMES = {
    "AWS::IAM::AccessKey": "",
    "AWS::IAM::Group": "GroupName",
    "AWS::IAM::InstanceProfile": "InstanceProfileName",
    "AWS::IAM::ManagedPolicy": "ManagedPolicyName",
    "AWS::IAM::Policy": "",
    "AWS::IAM::Role": "RoleName",
    "AWS::IAM::RolePolicy": "",
    "AWS::IAM::User": "UserName",
    "AWS::IAM::UserToGroupAddition": "",
}

_cache: dict[str, dict[str, Any]] = {}
_given = threading.local()


class Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """YAML with CloudFormation's short forms; dates stay text."""


def _short_form(loader: Any, suffix: str, node: Any) -> Any:
    if isinstance(node, yaml.ScalarNode):
        value: Any = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)
    if suffix == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    name = suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}"
    return {name: value}


Loader.add_multi_constructor("!", _short_form)
Loader.add_constructor("tag:yaml.org,2002:timestamp", lambda loader, node: node.value)


@contextmanager
def parameters(values: dict[str, Any]) -> Iterator[None]:
    """The parameter values that the transform sees inside."""
    before = getattr(_given, "values", {})
    _given.values = values
    try:
        yield
    finally:
        _given.values = before


def parse(text: Any) -> dict[str, Any]:
    """A template's processed form, transformed where it asks for it."""
    if isinstance(text, dict):
        return copy.deepcopy(text)
    given = getattr(_given, "values", {})
    key = hashlib.sha256(f"{text}\0{json.dumps(given, sort_keys=True)}".encode()).hexdigest()
    if key not in _cache:
        _cache[key] = _processed(read(text), given)
    return copy.deepcopy(_cache[key])


def read(text: str) -> dict[str, Any]:
    """The template as written, in its long form."""
    template = copy.deepcopy(_loaded(text))
    if not isinstance(template, dict):
        raise invalid("Template format error: unsupported structure.")
    if not isinstance(template.get("Resources"), dict) or not template["Resources"]:
        message = "Template format error: At least one Resources member must be defined."
        raise invalid(message)
    return template


@lru_cache(64)
def _loaded(text: str) -> Any:
    if text.lstrip().startswith("{"):
        with suppress(ValueError):
            return json.loads(text)
    try:
        return yaml.load(text, Loader=Loader)
    except yaml.YAMLError as error:
        raise invalid(f"Template format error: YAML not well-formed. {error}")


def transforms(template: dict[str, Any]) -> list[str]:
    """The macros that a template names."""
    named = template.get("Transform", [])
    return [named] if isinstance(named, str) else list(named)


def _processed(template: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    named = transforms(template)
    unknown = [name for name in named if name != SERVERLESS]
    if unknown:
        raise invalid(f"No transform named {unknown[0]} found.")
    if named:
        template = _serverless(template, given)
    _check_types(template)
    _check_references(template)
    intrinsics.in_order(template["Resources"])
    return template


@cache
def translator() -> Callable[..., dict[str, Any]]:
    """SAM's own; it takes long to load."""
    from samtranslator.open_api import open_api
    from samtranslator.translator.transform import transform

    # It copies an API's whole document five times for each route, and reads no former one again.
    open_api._deepcopy = lambda document: document
    return transform


def _serverless(template: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    from samtranslator.model.exceptions import InvalidDocumentException

    class Managed:
        def load(self) -> dict[str, str]:
            return {name: arn for arn, (name, _) in policies.catalogue().items()}

    try:
        return translator()(copy.deepcopy(template), dict(given), Managed())
    except InvalidDocumentException as error:
        causes = "; ".join(cause.message for cause in error.causes)
        raise invalid(f"Transform {SERVERLESS} failed with: Invalid Serverless: {causes}")


def _check_types(template: dict[str, Any]) -> None:
    import kinds

    unknown = sorted(
        {
            str(one.get("Type"))
            for one in template["Resources"].values()
            if not kinds.known(str(one.get("Type")))
        }
    )
    if unknown:
        types = ", ".join(unknown)
        raise invalid(f"Template format error: Unrecognized resource types: [{types}]")


def _check_references(template: dict[str, Any]) -> None:
    known = intrinsics.PSEUDO | set(template.get("Parameters") or {}) | set(template["Resources"])
    for part in ("Resources", "Outputs"):
        block = template.get(part) or {}
        for entry in block.values():
            for name in intrinsics.references(entry):
                if name not in known:
                    where = f"in the {part} block of the template"
                    what = f"Unresolved resource dependencies [{name}]"
                    raise invalid(f"Template format error: {what} {where}")


def check_parameters(template: dict[str, Any], values: dict[str, Any]) -> None:
    """Refuses values that the template's declarations do not allow."""
    declared = template.get("Parameters") or {}
    unknown = sorted(set(values) - set(declared))
    if unknown:
        raise invalid(f"Parameters: [{', '.join(unknown)}] do not exist in the template")
    missing = [
        name for name, one in declared.items() if name not in values and "Default" not in one
    ]
    if missing:
        raise invalid(f"Parameters: [{', '.join(missing)}] must have values")
    for name, declaration in declared.items():
        if name in values and not declaration.get("Type", "").startswith("AWS::SSM"):
            _check_value(name, declaration, values[name])


def _check_value(name: str, declaration: dict[str, Any], value: Any) -> None:
    texts = [str(value)]
    if "List" in declaration.get("Type", "String"):
        texts = str(value).split(",")
    reason = declaration.get("ConstraintDescription")
    for text in texts:
        allowed = [str(one) for one in declaration.get("AllowedValues", [])]
        if allowed and text not in allowed:
            default = f"Parameter '{name}' must be one of AllowedValues"
            raise invalid(f"Parameter '{name}' {reason}" if reason else default)
        pattern = declaration.get("AllowedPattern")
        if pattern and not re.fullmatch(pattern, text):
            default = f"Parameter {name} failed to satisfy constraint: must match {pattern}"
            raise invalid(f"Parameter '{name}' {reason}" if reason else default)
        if len(text) < int(declaration.get("MinLength", 0)):
            least = declaration["MinLength"]
            raise invalid(f"Parameter '{name}' must contain at least {least} characters")
        if len(text) > int(declaration.get("MaxLength", 4096)):
            most = declaration.get("MaxLength", 4096)
            raise invalid(f"Parameter '{name}' must contain at most {most} characters")
        if declaration.get("Type") == "Number" and not re.fullmatch(r"-?\d+(\.\d+)?", text):
            raise invalid(f"Parameter '{name}' must be a number")


def capabilities(template: dict[str, Any]) -> list[str]:
    """The capabilities that creating the template's resources needs."""
    needed = []
    for one in template["Resources"].values():
        named_by = IAM_NAMES.get(one.get("Type"))
        if named_by is None:
            continue
        named = bool(named_by) and named_by in one.get("Properties", {})
        needed.append("CAPABILITY_NAMED_IAM" if named else "CAPABILITY_IAM")
    return sorted(set(needed), reverse=True)[:1]


def check_capabilities(template: dict[str, Any], granted: list[str], expands: bool = False) -> None:
    """Refuses IAM resources, or a macro, that the caller did not say it wants."""
    needed = capabilities(template)
    if expands and "CAPABILITY_AUTO_EXPAND" not in granted:
        needed.append("CAPABILITY_AUTO_EXPAND")
    for one in needed:
        larger = one == "CAPABILITY_IAM" and "CAPABILITY_NAMED_IAM" in granted
        if one not in granted and not larger:
            message = f"Requires capabilities : [{one}]"
            raise Refusal("InsufficientCapabilitiesException", message)


def summary(text: str) -> dict[str, Any]:
    """As GetTemplateSummary shows a template."""
    template = read(text)
    shown = [
        {
            "ParameterKey": name,
            "Description": declared.get("Description"),
            "DefaultValue": None if "Default" not in declared else str(declared["Default"]),
            "NoEcho": str(declared.get("NoEcho", "")).lower() == "true",
            "ParameterType": declared.get("Type", "String"),
            "ParameterConstraints": {"AllowedValues": declared["AllowedValues"]}
            if "AllowedValues" in declared
            else {},
        }
        for name, declared in (template.get("Parameters") or {}).items()
    ]
    needed = [] if transforms(template) else capabilities(template)
    return {
        "Description": template.get("Description"),
        "Parameters": shown,
        "ResourceTypes": [one["Type"] for one in template["Resources"].values()],
        "Version": str(template.get("AWSTemplateFormatVersion", "2010-09-09")),
        "DeclaredTransforms": transforms(template),
        "Capabilities": needed,
        "Metadata": None,
    }

"""CloudFormation's functions, resolved against a stack's parameters and resources."""

import base64
import json
import re
from collections.abc import Iterator
from typing import Any

from patching import Refusal

VARIABLE = re.compile(r"\$\{([^!{}][^{}]*)\}")
LITERAL = re.compile(r"\$\{!([^{}]*)\}")
PSEUDO = {
    "AWS::AccountId",
    "AWS::NoValue",
    "AWS::NotificationARNs",
    "AWS::Partition",
    "AWS::Region",
    "AWS::StackId",
    "AWS::StackName",
    "AWS::URLSuffix",
}
# In a list or object: leave the entry out.
NOTHING = object()


def invalid(message: str) -> Refusal:
    """CloudFormation's refusal of a template or its parameters."""
    return Refusal("ValidationError", message)


def resolve(value: Any, resources: Any) -> Any:
    """The value with every function replaced by what it gives; None for AWS::NoValue."""
    answer = _resolve(value, resources)
    return None if answer is NOTHING else answer


def _resolve(value: Any, resources: Any) -> Any:
    if isinstance(value, list):
        items = (_resolve(item, resources) for item in value)
        return [item for item in items if item is not NOTHING]
    if not isinstance(value, dict):
        return value
    if len(value) == 1:
        name, argument = next(iter(value.items()))
        function = FUNCTIONS.get(name)
        if function is not None:
            return function(argument, resources)
    entries = ((key, _resolve(entry, resources)) for key, entry in value.items())
    return {key: entry for key, entry in entries if entry is not NOTHING}


def _ref(name: Any, resources: Any) -> Any:
    if name == "AWS::NoValue":
        return NOTHING
    try:
        found = resources[name]
    except KeyError:
        where = "in the Resources block of the template"
        raise invalid(f"Template format error: Unresolved resource dependencies [{name}] {where}")
    return getattr(found, "physical_resource_id", found)


def _get_att(argument: Any, resources: Any) -> Any:
    parts = argument.split(".", 1) if isinstance(argument, str) else list(argument)
    name, attribute = parts[0], _resolve(".".join(map(str, parts[1:])), resources)
    found = resources[name] if name in resources.resources else None
    if found is None:
        raise invalid(
            f"Template error: instance of Fn::GetAtt references undefined resource {name}"
        )
    try:
        return found.get_cfn_attribute(attribute)
    except Exception:
        for fallback in ("arn", "physical_resource_id"):
            if attribute == "Arn" and str(getattr(found, fallback, "")).startswith("arn:"):
                return getattr(found, fallback)
        kind = getattr(found, "cf_resource_type", "the resource")
        raise invalid(f"Requested attribute {attribute} does not exist in schema for {kind}")


def _sub(argument: Any, resources: Any) -> str:
    text, given = (argument, {}) if isinstance(argument, str) else argument

    def value_of(found: re.Match[str]) -> str:
        name = found.group(1).strip()
        if name in given:
            answer = _resolve(given[name], resources)
        elif "." in name:
            answer = _get_att(name, resources)
        else:
            answer = _ref(name, resources)
        return "true" if answer is True else "false" if answer is False else str(answer)

    return LITERAL.sub(r"${\1}", VARIABLE.sub(value_of, text))


def _if(argument: Any, resources: Any) -> Any:
    condition, positive, negative = argument
    return _resolve(positive if resources.lazy_condition_map[condition] else negative, resources)


def _join(argument: Any, resources: Any) -> str:
    return argument[0].join(str(item) for item in _resolve(argument[1], resources))


def _split(argument: Any, resources: Any) -> list[str]:
    return str(_resolve(argument[1], resources)).split(argument[0])


def _select(argument: Any, resources: Any) -> Any:
    items = _resolve(argument[1], resources)
    return items[int(_resolve(argument[0], resources))]


def _find_in_map(argument: Any, resources: Any) -> Any:
    found: Any = resources[_resolve(argument[0], resources)]
    for key in argument[1:3]:
        found = found[_resolve(key, resources)]
    return found


def _import_value(argument: Any, resources: Any) -> Any:
    name = _resolve(argument, resources)
    for export in resources.cross_stack_resources.values():
        if export.name == name:
            return export.value
    raise invalid(f"No export named {name} found.")


def _zones(argument: Any, resources: Any) -> list[str]:
    region = _resolve(argument, resources) or resources["AWS::Region"]
    return [f"{region}{zone}" for zone in "abc"]


def _base64(argument: Any, resources: Any) -> str:
    return base64.b64encode(str(_resolve(argument, resources)).encode()).decode()


def _to_json(argument: Any, resources: Any) -> str:
    return json.dumps(_resolve(argument, resources))


def _length(argument: Any, resources: Any) -> int:
    return len(_resolve(argument, resources))


def _equals(argument: Any, resources: Any) -> bool:
    left, right = (_resolve(side, resources) for side in argument)
    return _text(left) == _text(right)


def _text(value: Any) -> Any:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _condition(argument: Any, resources: Any) -> Any:
    # Outside of conditions `Condition` is an ordinary key, of policies above all.
    if isinstance(argument, str) and argument in resources.lazy_condition_map:
        return resources.lazy_condition_map[argument]
    return {"Condition": _resolve(argument, resources)}


FUNCTIONS = {
    "Ref": _ref,
    "Condition": _condition,
    "Fn::GetAtt": _get_att,
    "Fn::Sub": _sub,
    "Fn::If": _if,
    "Fn::Join": _join,
    "Fn::Split": _split,
    "Fn::Select": _select,
    "Fn::FindInMap": _find_in_map,
    "Fn::ImportValue": _import_value,
    "Fn::GetAZs": _zones,
    "Fn::Base64": _base64,
    "Fn::ToJsonString": _to_json,
    "Fn::Length": _length,
    "Fn::Equals": _equals,
    "Fn::Not": lambda argument, resources: not _resolve(argument[0], resources),
    "Fn::And": lambda argument, resources: all(_resolve(one, resources) for one in argument),
    "Fn::Or": lambda argument, resources: any(_resolve(one, resources) for one in argument),
}


def references(value: Any) -> Iterator[str]:
    """The names of parameters and resources that a piece of template refers to."""
    if isinstance(value, list):
        for item in value:
            yield from references(item)
    elif isinstance(value, dict):
        for key, entry in value.items():
            if key == "Ref" and isinstance(entry, str):
                yield entry
            elif key == "Fn::GetAtt":
                yield entry.split(".")[0] if isinstance(entry, str) else entry[0]
            elif key == "Fn::Sub":
                text, given = (entry, {}) if isinstance(entry, str) else entry
                names = (found.strip() for found in VARIABLE.findall(text))
                yield from (name.split(".")[0] for name in names if name not in given)
                yield from references(given)
            else:
                yield from references(entry)


def in_order(resources: dict[str, Any]) -> list[str]:
    """The logical ids, each after those that it depends on."""
    ordered: dict[str, None] = {}

    def visit(name: str, path: tuple[str, ...]) -> None:
        if name in ordered:
            return
        if name in path:
            circle = ", ".join(path[path.index(name) :])
            raise invalid(f"Circular dependency between resources: [{circle}]")
        resource = resources[name]
        explicit = resource.get("DependsOn", [])
        explicit = [explicit] if isinstance(explicit, str) else explicit
        for needed in [*explicit, *references(resource.get("Properties", {}))]:
            if needed in resources:
                visit(needed, (*path, name))
        ordered[name] = None

    for name in resources:
        visit(name, ())
    return list(ordered)

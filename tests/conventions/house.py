"""Reads the house as it is: templates, machine, functions, runbook."""

import re
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
DOORS = {"announce", "intake", "hear-events", "start-due", "survey"}
FAILURES = ("Throttled", "Transient", "NotReady", "Rejected", "Blocked", "Defect")
AWS_FAILURES = (
    "Lambda.TooManyRequestsException",
    "Lambda.ServiceException",
    "Lambda.AWSLambdaException",
    "Lambda.SdkClientException",
    "Lambda.ClientExecutionTimeoutException",
    "Lambda.Unknown",
    "Sandbox.Timedout",
    "Runtime.ExitError",
    "States.Timeout",
)
# What only a state that waits for a token can meet.
WAIT_FAILURES = ("States.Timeout", "DynamoDb.ConditionalCheckFailedException")


class Template(yaml.SafeLoader):
    """YAML with CloudFormation's short functions kept as `{"!Name": argument}`."""


def _short_function(loader: Template, suffix: str, node: yaml.Node) -> dict[str, Any]:
    if isinstance(node, yaml.ScalarNode):
        return {f"!{suffix}": loader.construct_scalar(node)}
    if isinstance(node, yaml.SequenceNode):
        return {f"!{suffix}": loader.construct_sequence(node, deep=True)}
    return {f"!{suffix}": loader.construct_mapping(node, deep=True)}


Template.add_multi_constructor("!", _short_function)


@cache
def template() -> dict[str, Any]:
    return yaml.load((ROOT / "infra/template.yaml").read_text(), Loader=Template)


@cache
def machine() -> dict[str, Any]:
    return yaml.safe_load((ROOT / "infra/statemachines/replicate-tenant.asl.yaml").read_text())


@cache
def states() -> dict[str, dict[str, Any]]:
    """All states, those inside maps and branches included."""
    found: dict[str, dict[str, Any]] = {}

    def walk(block: dict[str, Any]) -> None:
        for name, state in block["States"].items():
            assert name not in found, f"{name} is there twice"
            found[name] = state
            for inner in [*state.get("Branches", []), *filter(None, [state.get("ItemProcessor")])]:
                walk(inner)

    walk(machine())
    return found


def branches() -> dict[str, dict[str, Any]]:
    """The branches that run side by side, by the state that each begins with."""
    return {
        branch["StartAt"]: branch
        for state in states().values()
        for branch in state.get("Branches", [])
    }


def tasks() -> dict[str, dict[str, Any]]:
    """The states that run a function of ours."""
    return {
        name: state
        for name, state in states().items()
        if str(state.get("Resource", "")).endswith("lambda:invoke")
        and "FunctionName" in state["Parameters"]
    }


def hooks() -> dict[str, dict[str, Any]]:
    """The states that call what the landing zone names."""
    return {
        name: state
        for name, state in states().items()
        if any(str(value).startswith("$.hook.target") for value in _leaves(state.get("Parameters")))
    }


def _leaves(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [leaf for one in value.values() for leaf in _leaves(one)]
    if isinstance(value, list):
        return [leaf for one in value for leaf in _leaves(one)]
    return [value]


def waits() -> dict[str, dict[str, Any]]:
    """The states that wait for a token."""
    return {
        name: state
        for name, state in states().items()
        if str(state.get("Resource", "")).endswith(".waitForTaskToken")
    }


@cache
def crates() -> set[str]:
    """The crates under functions/."""
    manifests = (ROOT / "functions").glob("*/Cargo.toml")
    return {tomllib.loads(path.read_text())["package"]["name"] for path in manifests}


@cache
def functions() -> dict[str, tuple[str, dict[str, Any]]]:
    """The template's functions by crate: logical id and properties."""
    return {
        resource["Metadata"]["BuildProperties"]["Binary"]: (key, resource["Properties"])
        for key, resource in template()["Resources"].items()
        if resource["Type"] == "AWS::Serverless::Function"
    }


def resources(kind: str) -> dict[str, dict[str, Any]]:
    """The template's resources of a type, by logical id."""
    found = template()["Resources"].items()
    return {key: one["Properties"] for key, one in found if one["Type"] == kind}


@cache
def headings() -> set[str]:
    """The runbook's headings."""
    text = (ROOT / "docs/RUNBOOK.md").read_text()
    return set(re.findall(r"^#+ (.+)$", text, re.MULTILINE))


def camel(crate: str) -> str:
    """`place-account` as `PlaceAccount`."""
    return "".join(part.capitalize() for part in crate.split("-"))


def kebab(state: str) -> str:
    """`PlaceAccount` as `place-account`."""
    return re.sub(r"(?<!^)(?=[A-Z])", "-", state).lower()

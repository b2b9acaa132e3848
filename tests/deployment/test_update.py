"""A new version is deployed while runs are under way: none is lost, and each ends as it began."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from botocore.exceptions import ClientError

from tests.faults.verdict import judge
from tests.faults.wishes import ROOT, Tenant
from tests.faults.world import AUTOMATION, HOME, MACHINE, QUIET, World

DEPLOY = ROOT / "tests/sandbox/moto/deploy.py"
ARN = f"arn:aws:states:{HOME}:{AUTOMATION}:stateMachine:{MACHINE}"
FUNCTIONS = sorted(path.parent.name for path in (ROOT / "functions").glob("*/Cargo.toml"))
# Virtual seconds for which AWS makes an account.
HELD = 3 * 3600
# What a function says of an act, after its build and its colour.
ACT = re.compile(r"^(\w+) (\w+) (\{.*)$")


def build(programs: Path, name: str) -> None:
    """Builds every function anew: each says which build it is, and its colour, before each line."""
    programs.mkdir(exist_ok=True)
    for function in FUNCTIONS:
        program = programs / function
        # A build puts a new file in the place of the old one.
        program.unlink(missing_ok=True)
        said = f'exec sed --unbuffered "s/^/{name} ${{COLOUR:-grey}} /"'
        program.write_text(f'#!/bin/bash\nexec "{ROOT}/target/debug/{function}" > >({said})\n')
        program.chmod(0o755)


def next_version(folder: Path, number: int, colour: str) -> Path:
    """Our templates, with a state more in front, and a colour for the functions."""
    infra = folder / f"version-{number}"
    shutil.copytree(ROOT / "infra", infra)
    machine = infra / "statemachines/replicate-tenant.asl.yaml"
    definition = yaml.safe_load(machine.read_text())
    first = f"Version{number}"
    definition["States"][first] = {"Type": "Pass", "Next": definition["StartAt"]}
    definition["StartAt"] = first
    machine.write_text(yaml.safe_dump(definition))
    template = infra / "template.yaml"
    told = "Environment: {Variables: {LANDFALL_TABLE: !Ref Ledger"
    text = template.read_text()
    assert told in text
    template.write_text(text.replace(told, f"{told}, COLOUR: {colour}"))
    return infra


def deploy(world: World, infra: Path) -> None:
    """Deploys templates as they were deployed the first time."""
    command = [sys.executable, str(DEPLOY), "--endpoint", world.endpoint, "--templates", str(infra)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def histories(world: World, tenant: Tenant) -> dict[int, list[dict[str, Any]]]:
    """What happened in each of a tenant's runs."""
    machines = world.client("stepfunctions", AUTOMATION)
    found = {}
    for one in machines.list_executions(stateMachineArn=ARN)["executions"]:
        name, _, run = one["name"].rpartition("-")
        if name == tenant.id:
            pages = machines.get_paginator("get_execution_history")
            told = pages.paginate(executionArn=one["executionArn"])
            found[int(run)] = [event for page in told for event in page["events"]]
    return found


def first_state(history: list[dict[str, Any]]) -> str:
    """The state that a run began with."""
    entered = (e["stateEnteredEventDetails"] for e in history if "stateEnteredEventDetails" in e)
    return str(next(entered)["name"])


def versions(history: list[dict[str, Any]]) -> set[str]:
    """The versions of functions that a run invoked; its last step is among them."""
    scheduled = (
        e["taskScheduledEventDetails"] for e in history if "taskScheduledEventDetails" in e
    )
    asked = [json.loads(one["parameters"]) for one in scheduled if one["resourceType"] == "lambda"]
    invoked = [one["FunctionName"].split(":function:")[1] for one in asked]
    assert invoked[-1].startswith("landfall-complete:"), invoked
    return {name.partition(":")[2] for name in invoked}


def acts(world: World, tenant: Tenant, run: int) -> list[tuple[str, str, str]]:
    """Each act of a run: the step, its build, and its colour."""
    found = []
    for function in FUNCTIONS:
        told = world._ask("GET", f"_landfall/output?function=landfall-{function}").decode()
        for line in told.splitlines():
            if not (act := ACT.match(line)):
                continue
            span = json.loads(act[3]).get("span", {})
            if (span.get("tenant.id"), span.get("run")) == (tenant.id, run):
                found.append((function, act[1], act[2]))
    return found


def test_a_version_that_is_deployed_in_the_midst_of_runs_changes_and_loses_none(
    tmp_path: Path,
) -> None:
    old = [Tenant(f"old-{number}", "sandbox") for number in range(3)]
    new = [Tenant(f"new-{number}", "sandbox") for number in range(2)]
    programs = tmp_path / "programs"
    build(programs, "first")
    with World(seed=31, quiet=True, speed=30, arguments=["--binaries", str(programs)]) as world:
        # Deploying takes the machine's time and not the sandbox's: the runs wait for it meanwhile.
        world.configure(creationLatencySeconds=HELD)
        world.found()
        for tenant in old:
            world.wish(tenant)

        def under_way() -> bool:
            rows = world.rows(old).values()
            return len(rows) == len(old) and all("running" in row for row in rows)

        assert world.until(under_way)
        # Other code, and then another configuration.
        build(programs, "second")
        deploy(world, next_version(tmp_path, 2, "grey"))
        before = {tenant.id: len(acts(world, tenant, 1)) for tenant in old}
        world.configure(**QUIET)
        for tenant in new:
            world.wish(tenant)
        deploy(world, next_version(tmp_path, 3, "green"))
        assert under_way(), "the version came too late to be in the midst"
        world.leap(HELD)
        everybody = [*old, *new]

        def ready() -> bool:
            rows = world.rows(everybody).values()
            return all(row["phase"] == "Ready" and "running" not in row for row in rows)

        assert world.until(ready, hours=3), world.rows(everybody)
        world.change(old[0])
        again = world.until(lambda: world.rows(old)[old[0].id]["run"] == 2, hours=1)
        assert again
        assert world.until(ready, hours=1)
        seen = judge(world, everybody)
        assert (seen.whole, list(filter(None, seen.tenants.values()))) == ([], [])
        for tenant in old:
            run = histories(world, tenant)[1]
            assert (first_state(run), versions(run)) == ("Begin", {"1"}), "it ended as it began"
            done = acts(world, tenant, 1)
            assert len(done) > before[tenant.id], "it acted after the deployment"
            assert {act[1:] for act in done} == {("first", "grey")}
        last = histories(world, old[0])[2]
        assert (first_state(last), versions(last)) == ("Version3", {"3"})
        assert {act[1:] for act in acts(world, old[0], 2)} == {("second", "green")}
        for tenant in new:
            run = histories(world, tenant)[1]
            (version,) = versions(run)
            assert (first_state(run), version) in {("Version2", "2"), ("Version3", "3")}
            colour = {"2": "grey", "3": "green"}[version]
            assert {act[1:] for act in acts(world, tenant, 1)} == {("second", colour)}
        still_there(world)


def still_there(world: World) -> None:
    """Lambda has every version of a step, its alias at the newest, and nothing else."""
    functions, name = world.client("lambda", AUTOMATION), "landfall-complete"
    found = functions.list_versions_by_function(FunctionName=name)["Versions"]
    assert [one["Version"] for one in found] == ["$LATEST", "1", "2", "3"]
    assert len({one["CodeSha256"] for one in found[1:]}) == 2
    live = functions.get_function(FunctionName=name, Qualifier="live")["Configuration"]
    assert live["Environment"]["Variables"]["COLOUR"] == "green"
    for ask in (functions.get_function, functions.invoke):
        with pytest.raises(ClientError) as refused:
            ask(FunctionName=name, Qualifier="4")
        assert refused.value.response["Error"]["Code"] == "ResourceNotFoundException"


def test_deploying_the_same_again_publishes_nothing(tmp_path: Path) -> None:
    with World(seed=32, quiet=True) as world:
        deploy(world, ROOT / "infra")
        functions = world.client("lambda", AUTOMATION)
        for function in ("admit", "intake"):
            found = functions.list_versions_by_function(FunctionName=f"landfall-{function}")
            numbers = [one["Version"] for one in found["Versions"]]
            assert numbers == ["$LATEST", *(["1"] if function == "admit" else [])]

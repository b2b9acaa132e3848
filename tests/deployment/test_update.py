"""A new version is deployed while runs are under way: none is lost, and each ends as it began."""

import shutil
import subprocess
import sys
from pathlib import Path

import yaml

from tests.faults.verdict import judge
from tests.faults.wishes import ROOT, Tenant
from tests.faults.world import AUTOMATION, HOME, MACHINE, World

DEPLOY = ROOT / "tests/sandbox/moto/deploy.py"
ARN = f"arn:aws:states:{HOME}:{AUTOMATION}:stateMachine:{MACHINE}"


def next_version(folder: Path, number: int) -> Path:
    """Our templates, whose state machine has a state more in front, and whose logs stay longer."""
    infra = folder / f"version-{number}"
    shutil.copytree(ROOT / "infra", infra)
    machine = infra / "statemachines/replicate-tenant.asl.yaml"
    definition = yaml.safe_load(machine.read_text())
    first = f"Version{number}"
    definition["States"][first] = {"Type": "Pass", "Next": definition["StartAt"]}
    definition["StartAt"] = first
    machine.write_text(yaml.safe_dump(definition))
    return infra


def deploy(world: World, infra: Path) -> None:
    """Deploys templates as they were deployed the first time."""
    command = [sys.executable, str(DEPLOY), "--endpoint", world.endpoint, "--templates", str(infra)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def first_states(world: World, tenant: Tenant) -> dict[int, str]:
    """The first state of each of a tenant's runs."""
    machines = world.client("stepfunctions", AUTOMATION)
    found = {}
    for one in machines.list_executions(stateMachineArn=ARN)["executions"]:
        name, _, run = one["name"].rpartition("-")
        if name == tenant.id:
            history = machines.get_execution_history(executionArn=one["executionArn"])["events"]
            entered = (
                e["stateEnteredEventDetails"] for e in history if "stateEnteredEventDetails" in e
            )
            found[int(run)] = next(entered)["name"]
    return found


def test_a_version_that_is_deployed_in_the_midst_of_runs_loses_none(tmp_path: Path) -> None:
    old = [Tenant(f"old-{number}", "sandbox") for number in range(3)]
    new = [Tenant(f"new-{number}", "sandbox") for number in range(2)]
    with World(seed=31, quiet=True) as world:
        world.found()
        for tenant in old:
            world.wish(tenant)

        def under_way() -> bool:
            rows = world.rows(old).values()
            return len(rows) == len(old) and all("running" in row for row in rows)

        assert world.until(under_way, hours=1, pause=0.05)
        deploy(world, next_version(tmp_path, 2))
        assert under_way(), "the version came too late to be in the midst"
        for tenant in new:
            world.wish(tenant)
        deploy(world, next_version(tmp_path, 3))
        everybody = [*old, *new]

        def ready() -> bool:
            rows = world.rows(everybody).values()
            return all(row["phase"] == "Ready" and "running" not in row for row in rows)

        assert world.until(ready, hours=3), world.rows(everybody)
        world.replicate(old[0])
        again = world.until(lambda: world.rows(old)[old[0].id]["run"] == 2, hours=1)
        assert again
        assert world.until(ready, hours=1)
        seen = judge(world, everybody)
        assert (seen.whole, list(filter(None, seen.tenants.values()))) == ([], [])
        for tenant in old:
            assert first_states(world, tenant)[1] == "Begin", "it ended as it began"
        assert first_states(world, old[0])[2] == "Version3"
        assert {first_states(world, tenant)[1] for tenant in new} <= {"Version2", "Version3"}

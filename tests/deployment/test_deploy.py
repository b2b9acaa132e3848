"""docs/DEPLOY.md, word for word: from nothing of Landfall to the first account, and back."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.deployment.package import lay_out
from tests.faults.wishes import ROOT
from tests.faults.world import AUTOMATION, HOME, MANAGEMENT, World

LINKED = ("infra", "examples", "docs", "samconfig.toml", "target", ".venv")


def commands() -> list[str]:
    """The page's blocks of commands, in their order."""
    text = (ROOT / "docs/DEPLOY.md").read_text()
    return re.findall(r"^```sh\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


def profiles(world: World, folder: Path) -> dict[str, str]:
    """The two profiles that the page asks for, as an AWS configuration."""
    config, credentials = "", ""
    for name, account in (("management", MANAGEMENT), ("automation", AUTOMATION)):
        keys = world.keys(account)
        config += f"[profile {name}]\nregion = {HOME}\nendpoint_url = {world.endpoint}\n"
        credentials += (
            f"[{name}]\n"
            f"aws_access_key_id = {keys['accessKeyId']}\n"
            f"aws_secret_access_key = {keys['secretAccessKey']}\n"
            f"aws_session_token = {keys['sessionToken']}\n"
        )
    (folder / "config").write_text(config)
    (folder / "credentials").write_text(credentials)
    return {
        "AWS_CONFIG_FILE": str(folder / "config"),
        "AWS_SHARED_CREDENTIALS_FILE": str(folder / "credentials"),
    }


def shop(folder: Path) -> Path:
    """A copy of the project's folder in which `make package` compiles nothing.

    The sandbox runs the programs of target/debug whatever is uploaded, and a person's own build in
    .aws-sam must stay as it is.
    """
    place = folder / "landfall"
    place.mkdir()
    for name in LINKED:
        (place / name).symlink_to(ROOT / name)
    tools = folder / "tools"
    tools.mkdir()
    make = tools / "make"
    package = f'"{sys.executable}" -m tests.deployment.package "$PWD"'
    make.write_text(
        "#!/usr/bin/env bash\n"
        f'if [ "$1" = package ]; then exec {package}; fi\n'
        # With the environment of `make test`: cargo builds all anew in any other.
        f'PATH="${{PATH#*:}}" exec make --directory "{ROOT}" "$@"\n'
    )
    make.chmod(0o755)
    return place


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> "subprocess.CompletedProcess[str]":
    folder = tmp_path_factory.mktemp("deploy")
    place = shop(folder)
    with World(seed=3, arguments=["--no-deploy"]) as world:
        script = "set -euo pipefail\n"
        for block in commands():
            script += block
            if "export LANDFALL_API" in block:
                # The sandbox is every address of AWS at one of its own.
                script += f"export LANDFALL_API={world.endpoint}\n"
        kept = {
            key: value
            for key, value in os.environ.items()
            if not key.startswith(("AWS_", "LANDFALL_", "MAKE"))
        }
        environment = {
            **kept,
            **profiles(world, folder),
            "AWS_PAGER": "",
            "SAM_CLI_TELEMETRY": "0",
            "PYTHONPATH": str(ROOT),
            "PATH": f"{folder / 'tools'}:{kept['PATH']}",
        }
        finished = subprocess.run(
            ["bash", "-c", script],
            cwd=place,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=900,
            check=False,
        )
        finished.stdout += left(world)
    return finished


def left(world: World) -> str:
    """What is there in the end."""
    organizations = world.client("organizations", MANAGEMENT, "us-east-1")
    unit = organizations.list_accounts_for_parent(ParentId="ou-land-sandbox1")["Accounts"]
    said = f"\nin the unit: {[one['Name'] for one in unit]}\n"
    for account in unit:
        stacks = world.client("cloudformation", account["Id"]).describe_stacks()["Stacks"]
        ours = {one["StackName"].split("-", 1)[1][: len("landfall-access")] for one in stacks}
        said += f"in its account: {sorted(ours)}\n"
    policies = organizations.list_policies(Filter="SERVICE_CONTROL_POLICY")["Policies"]
    ours = [one["Name"] for one in policies if one["Name"].startswith("landfall")]
    for account in (AUTOMATION, MANAGEMENT):
        for region in (HOME, "us-east-1"):
            stacks = world.client("cloudformation", account, region)
            names = [one["StackName"] for one in stacks.describe_stacks()["Stacks"]]
            ours += [name for name in names if name.startswith("landfall")]
            ours += [
                one["StackSetName"]
                for one in stacks.list_stack_sets(Status="ACTIVE")["Summaries"]
                if one["StackSetName"].startswith("landfall")
            ]
    tables = world.client("dynamodb", AUTOMATION).list_tables()["TableNames"]
    return said + f"still there: {sorted(ours + tables)}\n"


def test_the_commands_end_well(done: "subprocess.CompletedProcess[str]") -> None:
    assert done.returncode == 0, done.stdout[-6000:]


def test_the_doctor_finds_nothing_missing(done: "subprocess.CompletedProcess[str]") -> None:
    assert "failing" not in done.stdout
    assert re.search(r"^ready$", done.stdout, re.MULTILINE), done.stdout[-6000:]


def test_the_first_account_is_in_its_unit(done: "subprocess.CompletedProcess[str]") -> None:
    assert "in the unit: ['research.playground']" in done.stdout


def test_removing_leaves_accounts_as_they_are_and_nothing_of_landfall_elsewhere(
    done: "subprocess.CompletedProcess[str]",
) -> None:
    assert "in its account: ['landfall-access']" in done.stdout, done.stdout[-3000:]
    assert "still there: []" in done.stdout, done.stdout[-3000:]


def test_every_function_is_packaged(tmp_path: Path) -> None:
    lay_out(tmp_path)
    packaged = {path.parent.name for path in tmp_path.glob(".aws-sam/build/*/bootstrap")}
    assert len(packaged) == len(list((ROOT / "functions").glob("*/Cargo.toml")))

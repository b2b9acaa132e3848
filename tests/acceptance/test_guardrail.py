"""The guardrail: nobody inside a tenant's account takes away what Landfall needs there.

Every vend of these tests happens under it, so that it spares Landfall is shown by all of them.
"""

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.conftest import Vended
from tests.acceptance.organization import ACCESS_ROLE, document
from tests.acceptance.test_decisions import SIMULATOR
from tests.acceptance.user import User, refusal
from tests.faults.wishes import ROOT
from tests.faults.world import HOME, MANAGEMENT

EXECUTION_ROLE = "AWSCloudFormationStackSetExecutionRole"
LIFE = "landfall-life"
ANYBODY = document({"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"})
EVERYTHING = document({"Effect": "Allow", "Action": "*", "Resource": "*"})

Deed = Callable[[User, str], Any]
DEEDS: dict[str, Deed] = {
    "gives the access role a policy": lambda user, account: user.client("iam").attach_role_policy(
        RoleName=ACCESS_ROLE, PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess"
    ),
    "takes the access role's boundary": lambda user, account: user.client(
        "iam"
    ).delete_role_permissions_boundary(RoleName=ACCESS_ROLE),
    "lets itself take the access role": lambda user, account: user.client(
        "iam"
    ).update_assume_role_policy(RoleName=ACCESS_ROLE, PolicyDocument=ANYBODY),
    "lets itself take the execution role": lambda user, account: user.client(
        "iam"
    ).update_assume_role_policy(RoleName=EXECUTION_ROLE, PolicyDocument=ANYBODY),
    "removes the execution role": lambda user, account: user.client("iam").delete_role(
        RoleName=EXECUTION_ROLE
    ),
    "makes a role that the guardrail would spare": lambda user, account: user.client(
        "iam"
    ).create_role(RoleName="stacksets-exec-mine", AssumeRolePolicyDocument=ANYBODY),
    "rewrites the life policy": lambda user, account: user.client("iam").create_policy_version(
        PolicyArn=f"arn:aws:iam::{account}:policy/{LIFE}",
        PolicyDocument=EVERYTHING,
        SetAsDefault=True,
    ),
    "deletes a stack of Landfall's": lambda user, account: user.client(
        "cloudformation"
    ).delete_stack(StackName=stack(user)),
    "stops the organization's trail": lambda user, account: user.client("cloudtrail").stop_logging(
        Name=f"arn:aws:cloudtrail:{HOME}:{MANAGEMENT}:trail/organization"
    ),
    "leaves the organization": lambda user, account: user.client(
        "organizations", "us-east-1"
    ).leave_organization(),
}


def stack(user: User) -> str:
    """A stack that one of Landfall's StackSets put into the account."""
    found = user.client("cloudformation").list_stacks()["StackSummaries"]
    ours = [one["StackId"] for one in found if one["StackName"].startswith("StackSet-landfall-")]
    return str(ours[0])


@pytest.fixture(scope="module", params=["production", "sandbox"])
def tenant(vended: Vended, request: pytest.FixtureRequest) -> tuple[User, str]:
    """An administrator of a vended account, by a role that is not Landfall's."""
    name = {"production": ("payments", "checkout-prod"), "sandbox": ("research", "playground")}
    account = vended.organization.account(*name[request.param])
    iam = vended.world.client("iam", account)
    trust = {"Effect": "Allow", "Principal": {"AWS": account}, "Action": "sts:AssumeRole"}
    iam.create_role(RoleName="Administrator", AssumeRolePolicyDocument=document(trust))
    iam.attach_role_policy(
        RoleName="Administrator", PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess"
    )
    # A policy takes effect within a minute.
    vended.world.sleep(60)
    return User.role(vended.world, account, "Administrator"), account


@pytest.mark.parametrize("deed", DEEDS)
def test_an_administrator_inside_a_tenant_is_refused(
    vended: Vended, tenant: tuple[User, str], deed: str
) -> None:
    user, account = tenant
    vended.calls()
    assert refusal(lambda: DEEDS[deed](user, account)) in ("AccessDenied", "AccessDeniedException")
    decisions = [call["decision"] for call in vended.calls() if call.get("account") == account]
    assert "denied:scp" in decisions, decisions


def test_an_administrator_inside_a_tenant_does_everything_else(
    vended: Vended, tenant: tuple[User, str]
) -> None:
    user, _ = tenant
    iam = user.client("iam")
    iam.create_role(RoleName="Ours", AssumeRolePolicyDocument=ANYBODY)
    iam.put_role_policy(RoleName="Ours", PolicyName="all", PolicyDocument=EVERYTHING)
    iam.delete_role_policy(RoleName="Ours", PolicyName="all")
    iam.delete_role(RoleName="Ours")
    assert iam.get_role(RoleName=ACCESS_ROLE)["Role"]["RoleName"] == ACCESS_ROLE
    assert user.client("cloudformation").describe_stacks()["Stacks"]


def test_landfall_itself_is_spared(vended: Vended) -> None:
    sessions = [f"/{role}/" for role in (ACCESS_ROLE, EXECUTION_ROLE)]
    ours = [
        call
        for call in vended.world.log()
        if any(session in str(call.get("principal")) for session in sessions)
    ]
    assert ours
    assert not [call for call in ours if call["decision"] == "denied:scp"]


@pytest.mark.skipif(
    not (SIMULATOR.exists() and shutil.which("node")), reason="`make setup` installs the simulator"
)
def test_another_simulator_is_of_the_same_mind_about_the_guardrail(
    vended: Vended, tmp_path: Path
) -> None:
    """Those it bites and those it spares: every decision in an account that it is over."""
    made = [json.loads(line) for line in vended.decisions.read_text().splitlines()]
    guarded = [one for one in made if "OurRoles" in json.dumps(one["scps"])]
    bitten = [one for one in guarded if one["decision"] == "denied:scp"]
    spared = [one for one in guarded if one["decision"] == "allowed"]
    assert len(bitten) >= len(DEEDS)
    assert ACCESS_ROLE in {one["principal"].split("/")[1] for one in spared}
    # StackSets work inside of AWS, where no decision is noted: the same deeds by their role.
    for one in bitten:
        if one["action"].startswith(("iam:", "cloudformation:")):
            other = json.dumps(one).replace("/Administrator", f"/{EXECUTION_ROLE}")
            everything = {"identity": [json.loads(EVERYTHING)], "decision": "allowed"}
            guarded.append(json.loads(other) | everything)
    batch = tmp_path / "guardrail.jsonl"
    batch.write_text("".join(f"{json.dumps(one)}\n" for one in guarded))
    compared = subprocess.run(
        ["node", "tests/check/decisions.mjs", str(batch)], cwd=ROOT, capture_output=True, text=True
    )
    assert compared.returncode == 0, compared.stdout + compared.stderr

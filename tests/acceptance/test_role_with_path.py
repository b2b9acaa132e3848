"""An access role that has a path: Organizations makes none, everything else works as ever."""

import json
from threading import Thread
from typing import Any

import pytest
import yaml

from tests.acceptance.organization import ADMINISTRATOR, Organization
from tests.acceptance.user import User, refusal
from tests.faults.wishes import ROOT
from tests.faults.world import AUTOMATION, MANAGEMENT, World

NAME, PATH = "LandfallAccess", "platform/"
NAMED = ["CAPABILITY_NAMED_IAM"]
KEPT = ("AutomationAccountId", "AutomationRegion", "AutomationStackName", "ExternalId")


def parameters(**values: str) -> list[dict[str, Any]]:
    return [{"ParameterKey": key, "ParameterValue": value} for key, value in values.items()]


def as_deployed_for_the_path(world: World) -> None:
    """What docs/DEPLOY.md says to do: the parameter, and the names in the guardrail."""
    stacks = world.client("cloudformation", MANAGEMENT)
    kept = [
        {"ParameterKey": key, "UsePreviousValue": True} for key in (*KEPT, "MeteringExternalId")
    ]
    stacks.update_stack(
        StackName="landfall-management",
        UsePreviousTemplate=True,
        Parameters=[*kept, *parameters(AccessRoleName=PATH + NAME)],
        Capabilities=NAMED,
    )
    organizations = world.client("organizations", MANAGEMENT, "us-east-1")
    known = organizations.list_policies(Filter="SERVICE_CONTROL_POLICY")["Policies"]
    (guardrail,) = [one["Id"] for one in known if one["Name"] == "landfall-guardrail"]
    text = (ROOT / "infra/accounts/guardrail-scp.json").read_text()
    text = text.replace("role/OrganizationAccountAccessRole", f"role/{PATH}{NAME}")
    organizations.update_policy(PolicyId=guardrail, Content=text)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("path")
    platform = yaml.safe_load((ROOT / "examples/platform.yaml").read_text())
    platform["spec"]["accessRole"] = f"/{PATH}{NAME}"
    (folder / "platform.yaml").write_text(yaml.safe_dump(platform))
    with World(seed=11) as world:
        as_deployed_for_the_path(world)
        person = User.administrator(world, AUTOMATION)
        zones, tenant = "examples/landing-zones", "examples/tenants/checkout-prod.yaml"
        applied = person.landfall("apply", "-f", str(folder / "platform.yaml"), zones)
        assert applied.returncode == 0, applied.stdout + applied.stderr
        done: list[Any] = []
        vend = Thread(target=lambda: done.append(person.landfall("apply", "-f", tenant)))
        vend.start()
        organization = Organization(world)
        address = "aws+payments.checkout-prod@example.com"
        assert world.until(lambda: address in organization.accounts(), hours=2)
        stacks = world.client("cloudformation", organization.accounts()[address])

        def access_role_is_made() -> bool:
            """A StackSet of the foundation would do it, as soon as the account can be used."""
            code = refusal(
                lambda: stacks.create_stack(
                    StackName="access-role",
                    TemplateBody=(ROOT / "infra/accounts/member.yaml").read_text(),
                    Parameters=parameters(
                        ManagementAccountId=MANAGEMENT, AccessRoleName=NAME, AccessRolePath=PATH
                    ),
                    Capabilities=NAMED,
                )
            )
            assert code in (None, "SubscriptionRequiredException")
            return code is None

        assert world.until(access_role_is_made, hours=2)
        vend.join()
        assert done[0].returncode == 0, done[0].stdout + done[0].stderr + world.said()
        yield world


def test_a_tenant_is_vended_through_a_role_with_a_path(world: World) -> None:
    account = Organization(world).accounts()["aws+payments.checkout-prod@example.com"]
    iam = world.client("iam", account)
    role = iam.get_role(RoleName=NAME)["Role"]
    assert role["Path"] == f"/{PATH}"
    life = f"arn:aws:iam::{account}:policy/landfall-life"
    assert role["PermissionsBoundary"]["PermissionsBoundaryArn"] == life
    attached = iam.list_attached_role_policies(RoleName=NAME)["AttachedPolicies"]
    assert [one["PolicyName"] for one in attached] == ["landfall-life"]
    assert ADMINISTRATOR not in json.dumps(attached)
    policy = iam.get_policy_version(PolicyArn=life, VersionId="v1")["PolicyVersion"]["Document"]
    assert f"arn:aws:iam::{account}:role/{PATH}{NAME}" in json.dumps(policy)


def test_its_sessions_are_named_for_the_tenant(world: World) -> None:
    """What CloudTrail shows: every hop carries the tenant's id."""
    sessions = {
        str(call.get("principal"))
        for call in world.log()
        if f"assumed-role/{NAME}/" in str(call.get("principal"))
    }
    assert len(sessions) == 1
    assert "/landfall-" in sessions.pop()


def test_a_run_repeated_changes_nothing(world: World) -> None:
    person = User.administrator(world, AUTOMATION)
    plan = person.landfall("plan", "-f", "examples/tenants/checkout-prod.yaml")
    assert plan.returncode == 0, plan.stdout + plan.stderr
    assert "no changes" in plan.stdout

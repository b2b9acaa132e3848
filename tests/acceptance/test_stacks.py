"""Stacks that a landing zone brings: told of the account, replaced if they failed, by units."""

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.acceptance.organization import document
from tests.acceptance.test_hooks import settled, step, vend, zone
from tests.acceptance.user import User
from tests.faults.wishes import Tenant
from tests.faults.world import AUTOMATION, HOME, MANAGEMENT, World

BUCKET = "foundation-templates"
STACK = "landfall-access-stack"
SERVICE = "member.org.stacksets.cloudformation.amazonaws.com"
CALL = {"CallAs": "DELEGATED_ADMIN"}


def reader(description: str) -> dict[str, Any]:
    """A template with a role and a parameter."""
    trust = {"Effect": "Allow", "Principal": {"AWS": AUTOMATION}, "Action": "sts:AssumeRole"}
    role = {
        "RoleName": "foundation-reader",
        "Description": {"Ref": "Owner"},
        "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [trust]},
    }
    return {
        "Description": description,
        "Parameters": {"Owner": {"Type": "String", "Default": "nobody"}},
        "Resources": {"Reader": {"Type": "AWS::IAM::Role", "Properties": role}},
    }


def topic() -> dict[str, Any]:
    """A template with a topic that a parameter names."""
    name = {"Fn::Sub": "foundation-${Owner}"}
    return {
        "Parameters": {"Owner": {"Type": "String", "Default": "nobody"}},
        "Resources": {"Topic": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": name}}},
    }


@pytest.fixture(scope="module")
def foundation() -> Iterator[World]:
    """A world of its own, with a bucket of templates and a delegated administrator."""
    with World(seed=12, quiet=True) as world:
        location = {"LocationConstraint": HOME}
        s3 = world.client("s3", AUTOMATION)
        s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration=location)
        everybody = {
            "Effect": "Allow",
            "Principal": "*",
            "Action": "s3:GetObject",
            "Resource": f"arn:aws:s3:::{BUCKET}/*",
        }
        s3.put_bucket_policy(Bucket=BUCKET, Policy=document(everybody))
        organizations = world.client("organizations", MANAGEMENT, "us-east-1")
        organizations.register_delegated_administrator(
            AccountId=AUTOMATION, ServicePrincipal=SERVICE
        )
        world.found()
        yield world


def template(world: World, name: str, written: dict[str, Any]) -> str:
    """Puts a template where CloudFormation reads it; its address."""
    s3 = world.client("s3", AUTOMATION)
    s3.put_object(Bucket=BUCKET, Key=name, Body=json.dumps(written).encode())
    return f"https://{BUCKET}.s3.{HOME}.amazonaws.com/{name}"


def stack_of(world: World, account: str) -> dict[str, Any]:
    """The access stack of an account."""
    stacks = world.client("cloudformation", account)
    return dict(stacks.describe_stacks(StackName=STACK)["Stacks"][0])


def test_an_access_stack_is_made_by_the_access_role_and_kept(foundation: World) -> None:
    url = template(foundation, "reader-1", reader("one"))
    access = {
        "templateUrl": url,
        "region": HOME,
        "parameters": {"Owner": "${ProductName}-${Stage}"},
    }
    zone(foundation, "accessed", accessStack=access)
    tenant = Tenant("accessed", "accessed")
    view = vend(foundation, tenant, "Ready", "Failed")
    assert view["phase"] == "Ready", view.get("failed")
    account = view["account"]
    assert step(view, "deploy-access-stack")["changes"] == [f"make the stack {STACK}"]
    made = stack_of(foundation, account)
    assert made["StackStatus"] == "CREATE_COMPLETE"
    role = foundation.client("iam", account).get_role(RoleName="foundation-reader")["Role"]
    assert role["Description"] == "sweep-accessed"
    foundation.replicate(tenant)
    again = settled(foundation, tenant, "Ready")
    assert foundation.until(lambda: settled(foundation, tenant, "Ready")["run"] == 2), again
    assert step(settled(foundation, tenant, "Ready"), "deploy-access-stack")["changes"] == []
    assert stack_of(foundation, account)["StackId"] == made["StackId"]

    # After the downgrade nobody of Landfall's changes it any more, and that is said.
    newer = template(foundation, "reader-2", reader("two"))
    zone(foundation, "accessed", accessStack={**access, "templateUrl": newer})
    failed = settled(foundation, tenant, "Failed")["failed"]
    assert (failed["step"], failed["name"]) == ("deploy-access-stack", "Blocked")
    assert "needs widening by a person" in failed["remark"]
    assert stack_of(foundation, account)["StackId"] == made["StackId"]


def test_a_failed_access_stack_is_replaced(foundation: World) -> None:
    broken = copy.deepcopy(reader("broken"))
    role = broken["Resources"]["Reader"]["Properties"]
    role["ManagedPolicyArns"] = ["arn:aws:iam::aws:policy/NoSuchPolicy"]
    access = {"templateUrl": template(foundation, "broken-1", broken), "region": HOME}
    zone(foundation, "mended", accessStack=access)
    tenant = Tenant("mended", "mended")
    view = vend(foundation, tenant, "Ready", "Failed")
    failed = view["failed"]
    assert (failed["step"], failed["name"]) == ("deploy-access-stack", "Blocked")
    assert "Reader: " in failed["systemRemark"]
    before = stack_of(foundation, view["account"])
    assert before["StackStatus"] == "ROLLBACK_COMPLETE"

    url = template(foundation, "mended-1", reader("mended"))
    zone(foundation, "mended", accessStack={**access, "templateUrl": url})
    view = settled(foundation, tenant, "Ready")
    changes = step(view, "deploy-access-stack")["changes"]
    assert changes[0].startswith(f"delete the stack {STACK}, which failed: Reader: ")
    assert changes[1:] == [f"make the stack {STACK}"]
    after = stack_of(foundation, view["account"])
    assert (after["StackStatus"], after["StackId"] != before["StackId"]) == (
        "CREATE_COMPLETE",
        True,
    )


def new_set(world: World, name: str, **more: Any) -> Any:
    """A StackSet with a topic; its client."""
    stacks = world.client("cloudformation", AUTOMATION)
    managed = {"Active": True}
    stacks.create_stack_set(
        StackSetName=name, TemplateBody=json.dumps(topic()), ManagedExecution=managed, **more
    )
    return stacks


def topics(world: World, account: str) -> set[str]:
    """The names of an account's topics."""
    found = world.client("sns", account).list_topics()["Topics"]
    return {one["TopicArn"].rsplit(":", 1)[-1] for one in found}


@pytest.mark.parametrize("automatic", [False, True])
def test_a_service_managed_set_reaches_the_account_with_its_parameters(
    foundation: World, automatic: bool
) -> None:
    name = f"guard-{automatic}".lower()
    deployment = {"Enabled": automatic}
    if automatic:
        deployment["RetainStacksOnAccountRemoval"] = False
    stacks = new_set(
        foundation, name, PermissionModel="SERVICE_MANAGED", AutoDeployment=deployment, **CALL
    )
    wanted = {
        "name": name,
        "regions": [HOME],
        "permissionModel": "serviceManaged",
        "parameters": {"Owner": "${Stage}"},
    }
    zone(foundation, name, stackSets=[wanted])
    for number in range(2 if automatic else 1):
        # The second account gets its stack by itself, with the default, and then the zone's own.
        tenant = Tenant(f"{name}-{number}", name)
        view = vend(foundation, tenant, "Ready", "Failed")
        assert view["phase"] == "Ready", view.get("failed")
        assert f"foundation-{name}-{number}" in topics(foundation, view["account"])
        instance = stacks.describe_stack_instance(
            StackSetName=name,
            StackInstanceAccount=view["account"],
            StackInstanceRegion=HOME,
            **CALL,
        )["StackInstance"]
        assert instance["Status"] == "CURRENT"
        (override,) = instance["ParameterOverrides"]
        assert override["ParameterValue"] == f"{name}-{number}"


def test_a_changed_template_and_changed_parameters_reach_the_account(foundation: World) -> None:
    stacks = new_set(foundation, "owned")
    wanted = {"name": "owned", "regions": [HOME], "parameters": {"Owner": "${ProductName}"}}
    zone(foundation, "owned", stackSets=[wanted])
    tenant = Tenant("owned", "owned")
    account = vend(foundation, tenant, "Ready")["account"]
    assert "foundation-sweep" in topics(foundation, account)

    zone(foundation, "owned", stackSets=[{**wanted, "parameters": {"Owner": "${Stage}"}}])
    assert foundation.until(lambda: "foundation-owned" in topics(foundation, account), hours=1)

    newer = topic()
    newer["Resources"]["Topic"]["Properties"]["TopicName"] = {"Fn::Sub": "newer-${Owner}"}
    settled(foundation, tenant, "Ready")
    # Rolled out nowhere by the update itself: every instance is outdated then.
    stacks.update_stack_set(
        StackSetName="owned", TemplateBody=json.dumps(newer), Accounts=[AUTOMATION], Regions=[]
    )
    foundation.replicate(tenant)
    assert foundation.until(lambda: "newer-owned" in topics(foundation, account), hours=1)


def test_a_parameter_that_the_template_has_not_is_refused_with_the_ones_it_has(
    foundation: World,
) -> None:
    (like,) = (foundation.insist("GET", f"/landing-zones/{name}") for name in ("sandbox",))
    like["metadata"]["name"] = "wrong"
    new_set(foundation, "wrong")
    wanted = {"name": "wrong", "regions": [HOME], "parameters": {"Ownr": "x"}}
    like["spec"]["stackSets"] = [wanted]
    person = User.administrator(foundation, AUTOMATION)
    answer = person.insist("PUT", "/landing-zones/wrong", like)
    assert answer.status == 422
    (problem,) = answer.body["problems"]
    assert problem["field"] == "spec.stackSets[0].parameters.Ownr"
    assert problem["remedy"] == "Known are Owner."
    wanted["parameters"] = {"Owner": "${Nobody}"}
    answer = person.insist("PUT", "/landing-zones/wrong", like)
    assert answer.status == 422
    assert answer.body["problems"][0]["field"] == "spec.stackSets[0].parameters.Owner"

"""What a foundation's own systems hear of an account, and who comes in before they have."""

import copy
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.acceptance.conftest import Vended
from tests.acceptance.organization import document
from tests.acceptance.test_access import ADMINISTRATOR, Center
from tests.acceptance.user import User
from tests.faults import wishes
from tests.faults.wishes import Tenant
from tests.faults.world import AUTOMATION, HOME, MANAGEMENT, World

ORGANIZATION = "o-landfall01"
REGISTER = f"arn:aws:lambda:{HOME}:{AUTOMATION}:function:register-account"
ABSENT = f"arn:aws:lambda:{HOME}:{AUTOMATION}:function:absent"
MACHINE = f"arn:aws:states:{HOME}:{AUTOMATION}:stateMachine:foundation"
BUS = f"arn:aws:events:{HOME}:{AUTOMATION}:event-bus/foundation"
MACHINE_ROLE = "landfall-ReplicateTenantRole"


def registered(world: World) -> dict[str, dict[str, str]]:
    """What the example hook wrote down, by project."""
    table = world.client("dynamodb", AUTOMATION)
    items = table.scan(TableName="register-account-accounts", ConsistentRead=True)["Items"]
    plain = [{name: one["S"] for name, one in item.items()} for item in items]
    return {item["Stage"]: item for item in plain}


def test_a_hook_hears_of_the_account_field_by_field(vended: Vended) -> None:
    """The keys, types and values that lifecycle contracts of meshStack name."""
    account = vended.organization.account("payments", "checkout-prod")
    told = registered(vended.world)["checkout-prod"]
    number = told.pop("TenantPlatformNumber")
    assert told == {
        "AccountName": "payments.checkout-prod",
        "AccountEmail": "aws+payments.checkout-prod@example.com",
        "AccountId": account,
        "AccountArn": f"arn:aws:organizations::{MANAGEMENT}:account/{ORGANIZATION}/{account}",
        "ProductName": "payments",
        "Stage": "checkout-prod",
        "ContactEmail": "ada@example.com",
        "CostCenter": "4711",
        "tagCostCenter": "4711",
        "tagBusinessUnit": "retail",
        "tagEnvironment": "production",
    }
    assert number.isdigit()
    organizations = vended.world.client("organizations", MANAGEMENT, "us-east-1")
    assert organizations.describe_account(AccountId=account)["Account"]["Arn"] == told["AccountArn"]


def test_every_tenant_has_a_number_of_its_own(vended: Vended) -> None:
    numbers = [one["TenantPlatformNumber"] for one in registered(vended.world).values()]
    assert len(set(numbers)) == len(numbers) >= 2


def test_a_landing_zone_without_hooks_calls_none(vended: Vended) -> None:
    assert not {"playground", "notebooks"} & set(registered(vended.world))


def test_a_plan_calls_no_hook_and_counts_none_as_a_change(vended: Vended) -> None:
    vended.calls()
    planned = vended.person.landfall("plan", "-f", "examples/tenants/checkout-prod.yaml")
    assert "no changes" in planned.stdout
    assert not [call for call in vended.calls() if call["resource"] == REGISTER]


@pytest.fixture(scope="module")
def foundation() -> Iterator[World]:
    """A world of its own, with a state machine and an event bus that hear."""
    with World(seed=11, quiet=True) as world:
        make_listeners(world)
        world.found()
        yield world


def make_listeners(world: World) -> None:
    """What the foundation has besides: a state machine, and a bus that the register listens to."""
    iam = world.client("iam", AUTOMATION)
    trust = {"Effect": "Allow", "Principal": {"Service": "states.amazonaws.com"}}
    trust["Action"] = "sts:AssumeRole"
    role = iam.create_role(RoleName="foundation", AssumeRolePolicyDocument=document(trust))
    definition = {"StartAt": "Heard", "States": {"Heard": {"Type": "Pass", "End": True}}}
    world.client("stepfunctions", AUTOMATION).create_state_machine(
        name="foundation", definition=json.dumps(definition), roleArn=role["Role"]["Arn"]
    )
    events = world.client("events", AUTOMATION)
    events.create_event_bus(Name="foundation")
    pattern = json.dumps(
        {"source": ["landfall.hooks"], "detail-type": ["Landfall Account Replicated"]}
    )
    rule = events.put_rule(Name="heard", EventBusName="foundation", EventPattern=pattern)
    world.client("lambda", AUTOMATION).add_permission(
        FunctionName="register-account",
        StatementId="heard",
        Action="lambda:InvokeFunction",
        Principal="events.amazonaws.com",
        SourceArn=rule["RuleArn"],
    )
    target = {"Id": "register", "Arn": REGISTER, "InputPath": "$.detail"}
    events.put_targets(Rule="heard", EventBusName="foundation", Targets=[target])


def zone(world: World, name: str, **more: Any) -> None:
    """Applies a landing zone like the sandbox one, with something more."""
    (like,) = (one for one in wishes.landing_zones() if one["metadata"]["name"] == "sandbox")
    written = copy.deepcopy(like)
    written["metadata"]["name"] = name
    written["spec"] |= more
    world.insist("PUT", f"/landing-zones/{name}", written)


def vend(world: World, tenant: Tenant, *phases: str, **spec: Any) -> dict[str, Any]:
    """Wishes for a tenant and waits until its first run has ended in one of the phases."""
    wish = tenant.document
    wish["spec"] |= spec
    world.insist("PUT", tenant.path, wish)
    return settled(world, tenant, *phases)


def settled(world: World, tenant: Tenant, *phases: str) -> dict[str, Any]:
    """The operator's view of a tenant once it has reached one of the phases."""

    def reached() -> Any:
        found = world.insist("GET", f"/operator{tenant.path}")
        return found if found["phase"] in phases and not found["running"] else None

    found = world.until(reached, hours=2)
    assert found, world.insist("GET", f"/operator{tenant.path}")
    return found


def step(view: dict[str, Any], name: str) -> dict[str, Any]:
    """One step of a view."""
    (found,) = (one for one in view["steps"] if one["step"] == name)
    return found


def allow(world: World, action: str, resource: str) -> Callable[[], None]:
    """Lets the state machine call a hook, as the template's parameters do; how to take it back."""
    iam = world.client("iam", AUTOMATION)
    roles = iam.list_roles(MaxItems=1000)["Roles"]
    (role,) = (one["RoleName"] for one in roles if one["RoleName"].startswith(MACHINE_ROLE))
    may = document({"Effect": "Allow", "Action": action, "Resource": resource})
    iam.put_role_policy(RoleName=role, PolicyName=action[:6], PolicyDocument=may)
    return lambda: iam.delete_role_policy(RoleName=role, PolicyName=action[:6])


def test_a_hooks_own_error_is_a_warning_and_the_tenant_is_ready(foundation: World) -> None:
    zone(foundation, "registered", hooks=[{"name": "register", "lambda": REGISTER}])
    tenant = Tenant("nobody-pays", "registered")
    view = vend(foundation, tenant, "Ready", "Failed", tags={})
    assert view["phase"] == "Ready"
    warning = (
        "The hook register answered with the error NoCostCenter. "
        "Ask whoever looks after it: its log says why."
    )
    assert step(view, "call-hooks")["warnings"] == [warning]
    told = registered(foundation)["nobody-pays"]
    assert (told["CostCenter"], "tagCostCenter" in told) == ("", False)
    # Who wished for it reads the warning, and not what else the hook said.
    assert step(foundation.insist("GET", tenant.path), "call-hooks")["warnings"] == [warning]
    person = User.administrator(foundation, AUTOMATION)
    assert f"! {warning}" in person.landfall("describe", tenant.name).stdout


def test_a_hook_that_landfall_may_not_call_blocks_with_the_remedy(foundation: World) -> None:
    zone(foundation, "denied", hooks=[{"name": "network", "stateMachine": MACHINE}])
    tenant = Tenant("denied", "denied")
    view = vend(foundation, tenant, "Ready", "Failed")
    failed = view["failed"]
    assert (failed["step"], failed["name"]) == ("call-hooks", "Blocked")
    assert "HookStateMachineArns" in failed["remark"], failed
    assert "StepFunctions.AccessDenied" in failed["systemRemark"]
    # Nobody came in: the baseline was not verified.
    assert step(view, "verify-baseline")["state"] == "pending"
    assert step(view, "grant-access")["warnings"] == [
        "Nobody is newly let in before call-hooks is done."
    ]
    assert Center(foundation).assigned(view["account"]) == set()


def test_whoever_is_wished_for_no_more_leaves_though_a_hook_fails(foundation: World) -> None:
    zone(foundation, "leaving")
    tenant, center = Tenant("leaving", "leaving"), Center(foundation)
    view = vend(foundation, tenant, "Ready", "Failed")
    admins = "landfall-sweep.leaving.admin"
    assert center.members(admins) == {"ada@example.com"}
    zone(foundation, "leaving", hooks=[{"name": "network", "stateMachine": MACHINE}])
    settled(foundation, tenant, "Failed")
    # Readings of Identity Center are stale for a minute.
    foundation.sleep(60)
    wish = tenant.document
    wish["spec"]["access"] = [{"role": "admin", "users": ["grace@example.com"]}]
    foundation.insist("PUT", tenant.path, wish)
    assert foundation.until(lambda: center.members(admins) == set(), hours=0.5)
    failed = settled(foundation, tenant, "Failed")["failed"]
    assert failed["step"] == "call-hooks"
    assert center.members(admins) == set(), "nobody is let in meanwhile"
    assert foundation.until(
        lambda: center.assigned(view["account"]) == {(admins, ADMINISTRATOR)}, hours=0.5
    )


def test_a_hook_that_does_not_exist_blocks_and_the_others_have_heard(foundation: World) -> None:
    forbid = allow(foundation, "lambda:InvokeFunction", ABSENT)
    hooks = [{"name": "absent", "lambda": ABSENT}, {"name": "register", "lambda": REGISTER}]
    zone(foundation, "absent", hooks=hooks)
    view = vend(foundation, Tenant("absent", "absent"), "Ready", "Failed")
    forbid()
    failed = view["failed"]
    assert (failed["step"], failed["name"]) == ("call-hooks", "Blocked")
    assert "The hook absent can't be called: it does not exist." in failed["remark"]
    assert "absent" in registered(foundation)


def test_a_state_machine_and_a_bus_hear_the_same_facts(foundation: World) -> None:
    forbid = [
        allow(foundation, "states:StartExecution", MACHINE),
        allow(foundation, "events:PutEvents", BUS),
    ]
    hooks = [
        {"name": "network", "stateMachine": MACHINE},
        {"name": "tell", "eventBus": "foundation"},
    ]
    zone(foundation, "told", hooks=hooks)
    tenant = Tenant("told", "told")
    view = vend(foundation, tenant, "Ready", "Failed")
    assert view["phase"] == "Ready", view.get("failed")
    facts = foundation.until(lambda: registered(foundation).get("told"), hours=0.2)
    assert facts["AccountId"] == view["account"]
    machine = foundation.client("stepfunctions", AUTOMATION)
    (execution,) = machine.list_executions(stateMachineArn=MACHINE)["executions"]
    assert execution["name"] == f"{tenant.id}-1-network"
    described = machine.describe_execution(executionArn=execution["executionArn"])
    assert json.loads(described["input"]) == facts
    for take_back in forbid:
        take_back()


def test_nobody_enters_before_somebody_has_tagged_the_account(foundation: World) -> None:
    zone(foundation, "external", waitForExternal=True)
    tenant = Tenant("external", "external")
    view = vend(foundation, tenant, "Waiting", "Ready", "Failed")
    assert view["phase"] == "Waiting"
    missing = "somebody to tag the account ProductName=sweep, Stage=external"
    assert (view["waiting"]["step"], view["waiting"]["for"]) == ("verify-baseline", missing)
    center = Center(foundation)
    assert center.assigned(view["account"]) == set()
    organizations = foundation.client("organizations", MANAGEMENT, "us-east-1")
    tags = [{"Key": "ProductName", "Value": "sweep"}, {"Key": "Stage", "Value": "external"}]
    organizations.tag_resource(ResourceId=view["account"], Tags=tags)
    # It is looked at again and again, less and less often.
    foundation.leap(3_600)
    assert settled(foundation, tenant, "Ready")["phase"] == "Ready"
    assert ("landfall-sweep.external.admin", ADMINISTRATOR) in center.assigned(view["account"])
    kept = organizations.list_tags_for_resource(ResourceId=view["account"])["Tags"]
    assert {"Key": "Stage", "Value": "external"} in kept

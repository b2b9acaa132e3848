"""StackSets as AWS runs them: operations that take time, queue, fail in part, and tell the bus.

Self-managed instances need the execution role in the target account, trusting the administration
role, and an administration role that may take it. Replaces moto's stack sets, which are instant,
need no roles, ignore the operation's id and change nothing on an update.
"""

import math
import threading
import uuid
from dataclasses import dataclass, field
from typing import Any

import accounts
import clock
import iam_facts
import outbox
import readiness
import rights
import templates
from patching import Refusal
from settings import SETTINGS, lognormal, take

Target = tuple[str, str]
lock = threading.RLock()
sets: dict[Target, dict[str, "StackSet"]] = {}
ACTIVE = ("QUEUED", "RUNNING", "STOPPING")


@dataclass
class Instance:
    """A set's stack in one account and Region."""

    account: str
    region: str
    overrides: dict[str, str] = field(default_factory=dict)
    stack_id: str | None = None
    status: str = "OUTDATED"
    detailed: str = "PENDING"
    reason: str | None = None
    last_operation: str = ""

    def describe(self, stack_set: "StackSet") -> dict[str, Any]:
        """As DescribeStackInstance shows it."""
        return {
            "StackSetId": stack_set.id,
            "Region": self.region,
            "Account": self.account,
            "StackId": self.stack_id,
            "ParameterOverrides": pairs(self.overrides),
            "Status": self.status,
            "StackInstanceStatus": {"DetailedStatus": self.detailed},
            "StatusReason": self.reason,
            "DriftStatus": "NOT_CHECKED",
            "LastOperationId": self.last_operation,
        }


@dataclass
class Operation:
    """One change of a set's instances."""

    id: str
    action: str
    targets: list[Target]
    preferences: dict[str, Any]
    retain: bool = False
    overrides: dict[str, str] | None = None
    whole: bool = False
    status: str = "RUNNING"
    reason: str | None = None
    created: Any = field(default_factory=clock.utcnow)
    ended: Any = None
    results: dict[Target, tuple[str, str | None]] = field(default_factory=dict)

    def failed(self) -> int:
        """How many instances failed."""
        return sum(1 for status, _ in self.results.values() if status == "FAILED")

    def describe(self, stack_set: "StackSet") -> dict[str, Any]:
        """As DescribeStackSetOperation shows it."""
        return {
            "OperationId": self.id,
            "StackSetId": stack_set.id,
            "Action": self.action,
            "Status": self.status,
            "StatusReason": self.reason,
            "OperationPreferences": self.preferences,
            "RetainStacks": self.retain if self.action == "DELETE" else None,
            "AdministrationRoleARN": stack_set.administration_role,
            "ExecutionRoleName": stack_set.execution_role,
            "CreationTimestamp": self.created,
            "EndTimestamp": self.ended,
            "StatusDetails": {"FailedStackInstancesCount": self.failed()},
        }


@dataclass
class StackSet:
    """A template with its parameters, and the stacks it has where."""

    account: str
    region: str
    name: str
    template: str
    parameters: dict[str, str]
    description: str | None
    tags: dict[str, str]
    capabilities: list[str]
    permission_model: str
    administration_role: str
    execution_role: str
    managed: bool
    token: str | None
    # Whether accounts that come into a unit get stacks by themselves, and keep them after it.
    automatic: bool = False
    retains: bool = False
    # The Regions of each organizational unit that was ever a target.
    units: dict[str, list[str]] = field(default_factory=dict)
    id: str = ""
    instances: dict[Target, Instance] = field(default_factory=dict)
    operations: dict[str, Operation] = field(default_factory=dict)

    @property
    def arn(self) -> str:
        """The set's ARN."""
        return f"arn:aws:cloudformation:{self.region}:{self.account}:stackset/{self.id}"

    def describe(self) -> dict[str, Any]:
        """As DescribeStackSet shows it."""
        declared = templates.read(self.template).get("Parameters") or {}
        shown = {
            name: "****" if str(one.get("NoEcho", "")).lower() == "true" else self.value(name, one)
            for name, one in declared.items()
        }
        return {
            "StackSetName": self.name,
            "StackSetId": self.id,
            "StackSetARN": self.arn,
            "Description": self.description,
            "Status": "ACTIVE",
            "TemplateBody": self.template,
            "Parameters": pairs(shown),
            "Capabilities": self.capabilities,
            "Tags": [{"Key": key, "Value": value} for key, value in self.tags.items()],
            "AdministrationRoleARN": self.administration_role,
            "ExecutionRoleName": self.execution_role,
            "PermissionModel": self.permission_model,
            "ManagedExecution": {"Active": self.managed},
            "AutoDeployment": {
                "Enabled": self.automatic,
                "RetainStacksOnAccountRemoval": self.retains,
            }
            if self.permission_model == "SERVICE_MANAGED"
            else None,
            "OrganizationalUnitIds": sorted(self.units),
            "Regions": sorted({region for _, region in self.instances}),
            "DriftStatus": "NOT_CHECKED",
        }

    def value(self, name: str, declared: dict[str, Any]) -> str:
        """The set's value of a parameter."""
        return str(self.parameters.get(name, declared.get("Default", "")))

    def active(self) -> list[Operation]:
        """What runs or waits."""
        return [one for one in self.operations.values() if one.status in ACTIVE]


def pairs(values: dict[str, str]) -> list[dict[str, str]]:
    """Parameters as the API shows them."""
    return [{"ParameterKey": name, "ParameterValue": value} for name, value in values.items()]


def begin(stack_set: StackSet, operation: Operation) -> Operation:
    """Accepts an operation: it runs, it waits in the set's queue, or it is refused."""
    with lock:
        if operation.id in stack_set.operations:
            message = f"An operation with ID {operation.id} already exists"
            raise Refusal("OperationIdAlreadyExistsException", message)
        active = stack_set.active()
        if active and not stack_set.managed:
            message = "Another Operation on StackSet is in progress"
            raise Refusal("OperationInProgressException", f"{message}: {stack_set.id}")
        queued = any(one.status == "QUEUED" for one in active)
        if queued or any(conflicting(operation, one) for one in active):
            operation.status = "QUEUED"
        stack_set.operations[operation.id] = operation
        for target in operation.targets:
            operation.results[target] = ("PENDING", None)
            _announced(stack_set, operation, target)
    tell_operation(stack_set, operation)
    if operation.status == "RUNNING":
        start(stack_set, operation)
    return operation


def conflicting(one: Operation, other: Operation) -> bool:
    """Whether two operations may not run side by side."""
    return one.whole or other.whole or bool(set(one.targets) & set(other.targets))


def _announced(stack_set: StackSet, operation: Operation, target: Target) -> None:
    instance = stack_set.instances.get(target)
    if instance is None:
        if operation.action != "CREATE":
            return
        instance = stack_set.instances[target] = Instance(*target)
    instance.status, instance.detailed, instance.reason = "OUTDATED", "PENDING", "User Initiated"
    instance.last_operation = operation.id
    tell_instance(stack_set, operation, instance)


def start(stack_set: StackSet, operation: Operation) -> None:
    """Lets an operation run for as long as it takes."""
    if not operation.targets:
        clock.later(2, lambda: execute(stack_set, operation))
        return
    seconds = SETTINGS.stack_set_seconds
    if seconds is None:
        drawn = lognormal(60, 0.95, 150, "stack-set", stack_set.name, operation.id)
        seconds = min(180.0, max(45.0, drawn))
    clock.later(min(5.0, seconds / 2), lambda: _running(stack_set, operation))
    clock.later(seconds * waves(operation), lambda: execute(stack_set, operation))


def waves(operation: Operation) -> int:
    """How often the operation works its way through accounts and Regions one after the other."""
    regions = len({region for _, region in operation.targets})
    members = len({account for account, _ in operation.targets})
    together = int(operation.preferences.get("MaxConcurrentCount") or 1)
    if percentage := operation.preferences.get("MaxConcurrentPercentage"):
        together = max(1, members * int(percentage) // 100)
    parallel = operation.preferences.get("RegionConcurrencyType") == "PARALLEL"
    return math.ceil(members / together) * (1 if parallel else regions)


def _running(stack_set: StackSet, operation: Operation) -> None:
    for target in operation.targets:
        instance = stack_set.instances.get(target)
        if instance is not None and instance.detailed == "PENDING":
            instance.detailed = "RUNNING"
            operation.results[target] = ("RUNNING", None)
            tell_instance(stack_set, operation, instance)


def execute(stack_set: StackSet, operation: Operation) -> None:
    """Does the work of an operation at its end, Region by Region, until too many failed."""
    tolerated = int(operation.preferences.get("FailureToleranceCount") or 0)
    order = operation.preferences.get("RegionOrder") or []
    regions = sorted(
        {region for _, region in operation.targets},
        key=lambda region: (order.index(region) if region in order else len(order), region),
    )
    stopped = False
    for region in regions:
        members = [account for account, where in operation.targets if where == region]
        if percentage := operation.preferences.get("FailureTolerancePercentage"):
            tolerated = len(members) * int(percentage) // 100
        failures = 0
        for account in members:
            if stopped or operation.status == "STOPPING":
                _cancelled(stack_set, operation, (account, region))
                continue
            if not _one(stack_set, operation, (account, region)):
                failures += 1
                stopped = failures > tolerated
    with lock:
        operation.ended = clock.utcnow()
        if operation.status == "STOPPING":
            operation.status = "STOPPED"
        else:
            operation.status = "FAILED" if stopped else "SUCCEEDED"
        following = _following(stack_set)
    tell_operation(stack_set, operation)
    for one in following:
        tell_operation(stack_set, one)
        start(stack_set, one)


def _following(stack_set: StackSet) -> list[Operation]:
    begun = []
    for one in stack_set.active():
        if one.status != "QUEUED":
            continue
        earlier = [other for other in stack_set.active() if other is not one]
        earlier = earlier[: [o.id for o in stack_set.active()].index(one.id)]
        if any(conflicting(one, other) for other in earlier):
            continue
        one.status = "RUNNING"
        begun.append(one)
    return begun


def _cancelled(stack_set: StackSet, operation: Operation, target: Target) -> None:
    reason = "Cancelled since failure tolerance has exceeded"
    operation.results[target] = ("CANCELLED", reason)
    instance = stack_set.instances.get(target)
    if instance is not None:
        instance.detailed, instance.reason = "CANCELLED", reason
        tell_instance(stack_set, operation, instance)


def _one(stack_set: StackSet, operation: Operation, target: Target) -> bool:
    instance = stack_set.instances.get(target)
    if instance is None:
        operation.results[target] = ("SUCCEEDED", None)
        return True
    account = accounts.register.by_id.get(instance.account)
    if account is not None and account.state == "CLOSED":
        reason = "The account is suspended"
        operation.results[target] = ("CANCELLED", reason)
        instance.detailed, instance.reason = "SKIPPED_SUSPENDED_ACCOUNT", reason
        tell_instance(stack_set, operation, instance)
        return True
    facts = {"account": instance.account, "region": instance.region, "stackSet": stack_set.name}
    knob = take(SETTINGS.fail_instances, **facts)
    reason = str(knob.get("reason", "Failed as configured")) if knob else None
    reason = reason or work(stack_set, operation, instance)
    if reason:
        operation.results[target] = ("FAILED", reason)
        instance.status, instance.detailed, instance.reason = "OUTDATED", "FAILED", reason
    else:
        operation.results[target] = ("SUCCEEDED", None)
        instance.status, instance.detailed, instance.reason = "CURRENT", "SUCCEEDED", None
    tell_instance(stack_set, operation, instance)
    if operation.action == "DELETE" and not reason:
        with lock:
            stack_set.instances.pop(target, None)
    return reason is None


def work(stack_set: StackSet, operation: Operation, instance: Instance) -> str | None:
    """Makes, changes or removes one stack; answers why it could not."""
    from moto.cloudformation.models import cloudformation_backends

    removing = operation.action == "DELETE"
    if removing and (operation.retain or instance.stack_id is None):
        return None
    if stack_set.permission_model == "SELF_MANAGED":
        reason = roles_missing(stack_set, instance.account)
        if reason is None and not removing and SETTINGS.check_execution_role:
            reason = not_allowed(stack_set, instance.account)
        if reason:
            return reason
    if refusal := readiness.refusal_of(instance.account, "cloudformation"):
        return refusal.message
    backend = cloudformation_backends[instance.account][instance.region]
    stack = backend.stacks.get(instance.stack_id or "")
    try:
        if removing:
            backend.delete_stack(instance.stack_id)
            left = backend.stacks.get(instance.stack_id or "")
            return left.status_reason if left is not None else None
        if operation.overrides is not None:
            instance.overrides = operation.overrides
        values = {**stack_set.parameters, **instance.overrides}
        if stack is not None and stack.status in ("ROLLBACK_COMPLETE", "CREATE_FAILED"):
            backend.delete_stack(stack.stack_id)
            stack = None
        if stack is None:
            name = f"StackSet-{stack_set.name}-{uuid.uuid4()}"
            stack = backend.create_stack(name, stack_set.template, values, tags=stack_set.tags)
            instance.stack_id = stack.stack_id
        else:
            given = pairs(values)
            backend.update_stack(stack.name, stack_set.template, None, given, stack_set.tags)
    except Refusal as refusal:
        return None if "No updates" in refusal.message else refusal.message
    if stack.status in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
        return None
    failure = next(
        one
        for one in reversed(stack.events)
        if one.resource_status in ("CREATE_FAILED", "UPDATE_FAILED", "DELETE_FAILED")
    )
    return (
        f"ResourceLogicalId:{failure.logical_resource_id}, ResourceType:{failure.resource_type}, "
        f"ResourceStatusReason:{failure.resource_status_reason}."
    )


def roles_missing(stack_set: StackSet, account: str) -> str | None:
    """Why StackSets cannot become the execution role of the account."""
    administrator = stack_set.administration_role
    execution = f"arn:aws:iam::{account}:role/{stack_set.execution_role}"
    wanted = (
        f"Account {account} should have '{stack_set.execution_role}' role with trust "
        f"relationship to Role '{administrator.split('/')[-1]}'."
    )
    facts = iam_facts.role(administrator)
    service = {"Service": "cloudformation.amazonaws.com"}
    if not facts["exists"] or not rights.trusts(facts["trust"], service, stack_set.account):
        return (
            f"CloudFormation is unable to assume the administration role {administrator}. {wanted}"
        )
    if not rights.allows(facts, "sts:AssumeRole", execution):
        return f"Role {administrator} may not perform sts:AssumeRole on {execution}. {wanted}"
    target = iam_facts.role(execution)
    if not target["exists"] or not rights.trusts(target["trust"], {"AWS": administrator}):
        return wanted
    return wanted if readiness.refusal_of(account, "sts") else None


def not_allowed(stack_set: StackSet, account: str) -> str | None:
    """The first resource of the template that the execution role may not make."""
    execution = f"arn:aws:iam::{account}:role/{stack_set.execution_role}"
    facts = iam_facts.role(execution)
    if not rights.allows(facts, "cloudformation:CreateStack"):
        return f"User: {execution} is not authorized to perform: cloudformation:CreateStack"
    for logical_id, one in templates.parse(stack_set.template)["Resources"].items():
        kind = one["Type"]
        action = rights.making(kind)
        if not rights.allows(facts, action):
            denied = f"User: {execution} is not authorized to perform: {action}"
            return (
                f"ResourceLogicalId:{logical_id}, ResourceType:{kind}, "
                f"ResourceStatusReason:{denied}."
            )
    return None


def tell_operation(stack_set: StackSet, operation: Operation) -> None:
    """The operation's status goes to the administrator's bus, in the set's Region."""
    detail = {
        "stack-set-arn": stack_set.arn,
        "stack-set-operation-id": operation.id,
        "status-details": {"status": operation.status},
    }
    _tell(stack_set, "CloudFormation StackSet Operation Status Change", detail)


def tell_instance(stack_set: StackSet, operation: Operation, instance: Instance) -> None:
    """The instance's status goes there too; without a stack the event names none."""
    details = {"status": instance.status, "detailed-status": instance.detailed}
    if instance.reason:
        details["status-reason"] = instance.reason
    detail = {
        "stack-set-arn": stack_set.arn,
        "action": operation.action,
        "status-details": details,
    }
    if instance.stack_id:
        detail["stack-id"] = instance.stack_id
    _tell(stack_set, "CloudFormation StackSet StackInstance Status Change", detail)


def _tell(stack_set: StackSet, kind: str, detail: dict[str, Any]) -> None:
    account, region = stack_set.account, stack_set.region
    outbox.emit(account, region, "aws.cloudformation", kind, detail, [stack_set.arn])


def moved(member: accounts.Account, source: str, destination: str) -> None:
    """An account came into another unit: automatic sets take their stacks away and bring others."""
    account = member.id
    organizations = accounts.backend()
    left = set(accounts.parents(organizations, source))
    entered = set(accounts.parents(organizations, destination))
    for stack_set in [one for place in sets.values() for one in place.values()]:
        if not (stack_set.permission_model == "SERVICE_MANAGED" and stack_set.automatic):
            continue
        before = {r for unit, regions in stack_set.units.items() if unit in left for r in regions}
        after = {r for unit, regions in stack_set.units.items() if unit in entered for r in regions}
        for action, regions in (("DELETE", before - after), ("CREATE", after - before)):
            known = [(account, region) for region in sorted(regions)]
            if action == "DELETE":
                known = [target for target in known if target in stack_set.instances]
            if known:
                operation = Operation(str(uuid.uuid4()), action, known, {}, stack_set.retains)
                clock.later(30, lambda s=stack_set, o=operation: begin(s, o))

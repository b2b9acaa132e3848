"""StackSets as AWS runs them: operations that take time, queue, fail in part, and tell the bus.

Self-managed instances need the execution role in the target account, trusting the administration
role, and an administration role that may take it. Replaces moto's stack sets, which are instant,
need no roles, ignore the operation's id and change nothing on an update.
"""

import math
import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

import accounts
import clock
import iam_facts
import outbox
import templates
from intrinsics import invalid
from patching import Refusal, method_of
from readiness import unready
from settings import SETTINGS, lognormal, take

Target = tuple[str, str]
lock = threading.RLock()
sets: dict[Target, dict[str, "StackSet"]] = {}
ACTIVE = ("QUEUED", "RUNNING", "STOPPING")

# What the execution role must be allowed to make a resource of the type; others need `service:*`.
CREATING = {
    "AWS::CloudWatch::Alarm": "cloudwatch:PutMetricAlarm",
    "AWS::Config::ConfigurationRecorder": "config:PutConfigurationRecorder",
    "AWS::Config::DeliveryChannel": "config:PutDeliveryChannel",
    "AWS::Events::EventBusPolicy": "events:PutPermission",
    "AWS::Events::Rule": "events:PutRule",
    "AWS::IAM::ManagedPolicy": "iam:CreatePolicy",
    "AWS::IAM::Policy": "iam:PutRolePolicy",
    "AWS::IAM::Role": "iam:CreateRole",
    "AWS::IAM::RolePolicy": "iam:PutRolePolicy",
    "AWS::Logs::LogGroup": "logs:CreateLogGroup",
    "AWS::S3::Bucket": "s3:CreateBucket",
    "AWS::S3::BucketPolicy": "s3:PutBucketPolicy",
    "AWS::SNS::Subscription": "sns:Subscribe",
    "AWS::SNS::Topic": "sns:CreateTopic",
    "AWS::SNS::TopicPolicy": "sns:SetTopicAttributes",
    "AWS::SQS::Queue": "sqs:CreateQueue",
    "AWS::SSM::Parameter": "ssm:PutParameter",
}


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
    if refusal := young(instance.account, "cloudformation"):
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


def young(account_id: str, service: str) -> Refusal | None:
    """The refusal of a service in an account that is too young for it."""
    account = accounts.young.get(account_id)
    return unready(account, service) if account is not None else None


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
    if not facts["exists"] or not trusts(facts["trust"], service, stack_set.account):
        return (
            f"CloudFormation is unable to assume the administration role {administrator}. {wanted}"
        )
    if not allows(facts, "sts:AssumeRole", execution):
        return f"Role {administrator} may not perform sts:AssumeRole on {execution}. {wanted}"
    target = iam_facts.role(execution)
    if not target["exists"] or not trusts(target["trust"], {"AWS": administrator}):
        return wanted
    return wanted if young(account, "sts") else None


def not_allowed(stack_set: StackSet, account: str) -> str | None:
    """The first resource of the template that the execution role may not make."""
    execution = f"arn:aws:iam::{account}:role/{stack_set.execution_role}"
    facts = iam_facts.role(execution)
    if not allows(facts, "cloudformation:CreateStack"):
        return f"User: {execution} is not authorized to perform: cloudformation:CreateStack"
    for logical_id, one in templates.parse(stack_set.template)["Resources"].items():
        kind = one["Type"]
        service = {"stepfunctions": "states"}.get(kind.split("::")[1].lower())
        action = CREATING.get(kind) or f"{service or kind.split('::')[1].lower()}:*"
        if not allows(facts, action):
            denied = f"User: {execution} is not authorized to perform: {action}"
            return (
                f"ResourceLogicalId:{logical_id}, ResourceType:{kind}, "
                f"ResourceStatusReason:{denied}."
            )
    return None


def allows(facts: dict[str, Any], action: str, on: str | None = None) -> bool:
    """Whether a role's policies and boundary allow an action (its resource only where asked)."""
    layers = [facts["identity"]] + ([facts["boundary"]] if facts["boundary"] else [])
    return all(_allowed(documents, action, on) for documents in layers)


def _allowed(documents: list[Any], action: str, on: str | None) -> bool:
    allowed = False
    for document in documents:
        for statement in listed(document.get("Statement")):
            if not _covers(statement, action):
                continue
            resources = listed(statement.get("Resource", []))
            if on is not None and not any(fnmatchcase(on, one) for one in resources):
                continue
            if statement["Effect"] == "Deny":
                if "*" in resources and "Condition" not in statement:
                    return False
                continue
            allowed = True
    return allowed


def _covers(statement: dict[str, Any], action: str) -> bool:
    def matches(patterns: list[str]) -> bool:
        return any(fnmatchcase(action.lower(), one.lower()) for one in patterns)

    if "NotAction" in statement:
        return not matches(listed(statement["NotAction"]))
    return matches(listed(statement.get("Action", [])))


def trusts(trust: Any, principal: dict[str, str], source: str = "") -> bool:
    """Whether a trust policy lets the principal (a service: for its `source`) take the role."""
    word, name = next(iter(principal.items()))
    account = name.split(":")[4] if name.startswith("arn:") else ""
    known = {
        "aws:principalarn": name,
        "aws:principalaccount": account,
        "aws:sourceaccount": source,
        "aws:principalorgid": iam_facts.organization_of(account)["org_id"] or "",
    }
    accepted = {name, account, f"arn:aws:iam::{account}:root", "*"} - {""}
    for statement in listed((trust or {}).get("Statement")):
        principals = statement.get("Principal", {})
        named = ["*"] if principals == "*" else listed(principals.get(word, []))
        if (
            statement["Effect"] == "Allow"
            and _covers(statement, "sts:AssumeRole")
            and accepted & set(named)
            and _holds(statement.get("Condition", {}), known)
        ):
            return True
    return False


def _holds(conditions: dict[str, Any], known: dict[str, str]) -> bool:
    for operator, tests in conditions.items():
        exact = operator in ("StringEquals", "Bool")
        if not exact and operator not in ("ArnLike", "ArnEquals", "StringLike"):
            return False
        for key, values in tests.items():
            value = known.get(key.lower(), "")
            patterns = [str(one) for one in listed(values)]
            met = value in patterns if exact else any(fnmatchcase(value, one) for one in patterns)
            if not value or not met:
                return False
    return True


def listed(value: Any) -> list[Any]:
    """One or several, as a list."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


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


class Api:
    """What one request asks of the stack sets of its account and Region."""

    def __init__(self, response: Any) -> None:
        self.get: Callable[..., Any] = response._get_param
        self.response = response
        account = response.current_account
        if self.get("CallAs") == "DELEGATED_ADMIN":
            account = delegator(account)
        self.place = (account, response.region)

    def flag(self, name: str) -> bool:
        """A boolean parameter."""
        return str(self.get(name, False)).lower() == "true"

    def found(self) -> StackSet:
        """The set that the request names."""
        name = str(self.get("StackSetName", ""))
        delegated = self.get("CallAs") == "DELEGATED_ADMIN"
        for one in sets.get(self.place, {}).values():
            if name in (one.name, one.id, one.arn):
                if delegated and one.permission_model != "SERVICE_MANAGED":
                    break
                return one
        raise Refusal("StackSetNotFoundException", f"StackSet {name} not found")

    def text(self) -> str | None:
        """The template that the request brings."""
        url = self.get("TemplateURL")
        body = self.get("TemplateBody")
        return body or (self.response._get_stack_from_s3_url(url) if url else None)

    def parameters(self, name: str, before: dict[str, str]) -> dict[str, str] | None:
        """Parameter values, previous ones where asked for; None if the request has none."""
        incoming = self.get(name)
        if incoming is None:
            return None
        values = {}
        for one in incoming:
            key = one["ParameterKey"]
            previous = str(one.get("UsePreviousValue", "")).lower() == "true"
            if previous and key in before:
                values[key] = before[key]
            elif not previous:
                values[key] = str(one.get("ParameterValue", ""))
        return values

    def operation(self, action: str, targets: list[Target], **more: Any) -> Operation:
        """The operation that the request asks for."""
        identifier = self.get("OperationId") or str(uuid.uuid4())
        preferences = self.get("OperationPreferences") or {}
        return Operation(identifier, action, targets, dict(preferences), **more)

    def targets(self, stack_set: StackSet) -> list[Target]:
        """The accounts and Regions that the request names."""
        members, regions = list(self.get("Accounts") or []), list(self.get("Regions") or [])
        deployment = self.get("DeploymentTargets") or {}
        if stack_set.permission_model == "SERVICE_MANAGED" and not deployment.get(
            "OrganizationalUnitIds"
        ):
            message = (
                "StackSets with SERVICE_MANAGED permission model can only have "
                "OrganizationalUnit as target"
            )
            raise invalid(message)
        if stack_set.permission_model == "SELF_MANAGED" and deployment.get("OrganizationalUnitIds"):
            message = (
                "StackSets with SELF_MANAGED permission model can only have accounts as target"
            )
            raise invalid(message)
        if deployment:
            members += targeted(deployment)
        if any(not (len(one) == 12 and one.isdigit()) for one in members):
            raise invalid("Accounts must be twelve-digit account ids")
        return [(account, region) for account in members for region in regions]


SERVICE = "member.org.stacksets.cloudformation.amazonaws.com"


def delegator(account: str) -> str:
    """The management account, for whom a delegated administrator of StackSets calls."""
    organizations = accounts.backend()
    admins = organizations.admins if organizations else []
    if not any(one.account.id == account and SERVICE in one.services for one in admins):
        message = "You must be the management account or delegated admin account of an organization"
        raise invalid(f"{message} before operating a SERVICE_MANAGED stack set")
    return str(organizations.account_id)


def trusted() -> None:
    """Refuses if the organization does not let StackSets in."""
    organizations = accounts.backend()
    if not any(one["ServicePrincipal"] == SERVICE for one in organizations.services):
        message = "You must enable organizations access to operate a service managed stack set"
        raise invalid(message)


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


def targeted(deployment: dict[str, Any]) -> list[str]:
    """The member accounts below the named OUs, filtered as asked."""
    organizations = accounts.backend()
    units = set(deployment.get("OrganizationalUnitIds") or [])
    below = [
        member.id
        for member in organizations.accounts
        if units & set(accounts.parents(organizations, member.parent_id))
        and member.id != organizations.account_id
    ]
    named = list(deployment.get("Accounts") or [])
    filtered = deployment.get("AccountFilterType", "NONE")
    if filtered == "INTERSECTION":
        return [one for one in below if one in named]
    if filtered == "DIFFERENCE":
        return [one for one in below if one not in named]
    return list(dict.fromkeys([*below, *named]))


def page(items: list[Any], api: Api, key: str = "Summaries") -> dict[str, Any]:
    """One page of a list."""
    start, size = int(api.get("NextToken") or 0), int(api.get("MaxResults") or 100)
    following = str(start + size) if len(items) > start + size else None
    return {key: items[start : start + size], "NextToken": following}


def filters(api: Api) -> dict[str, str]:
    """The request's filters by name."""
    return {one["Name"]: one["Values"] for one in api.get("Filters") or []}


def create_set(api: Api) -> dict[str, Any]:
    """CreateStackSet."""
    name, account, region = api.get("StackSetName"), *api.place
    with lock:
        known = sets.setdefault(api.place, {})
        token = api.get("ClientRequestToken")
        if api.get("PermissionModel") == "SERVICE_MANAGED":
            if account != accounts.backend().account_id:
                message = "Only a management account or a delegated administrator (CallAs) may"
                raise invalid(f"{message} create a SERVICE_MANAGED stack set")
            trusted()
        automatic = api.get("AutoDeployment") or {}
        if name in known:
            if token and known[name].token == token:
                return {"StackSetId": known[name].id}
            message = f"Stack set {name} already exists"
            raise Refusal("NameAlreadyExistsException", message)
        text = api.text()
        if not text:
            raise invalid("Either Template URL or Template Body must be specified.")
        values = api.parameters("Parameters", {}) or {}
        with templates.parameters(values):
            templates.check_parameters(templates.parse(text), values)
        administration = f"arn:aws:iam::{account}:role/AWSCloudFormationStackSetAdministrationRole"
        known[name] = StackSet(
            account=account,
            region=region,
            name=name,
            template=text,
            parameters=values,
            description=api.get("Description"),
            tags={one["Key"]: one["Value"] for one in api.get("Tags") or []},
            capabilities=list(api.get("Capabilities") or []),
            permission_model=api.get("PermissionModel") or "SELF_MANAGED",
            administration_role=api.get("AdministrationRoleARN") or administration,
            execution_role=api.get("ExecutionRoleName") or "AWSCloudFormationStackSetExecutionRole",
            managed=_managed(api, False),
            token=token,
            automatic=truth(automatic.get("Enabled")),
            retains=truth(automatic.get("RetainStacksOnAccountRemoval")),
            id=f"{name}:{uuid.uuid4()}",
        )
        return {"StackSetId": known[name].id}


def truth(value: Any) -> bool:
    """A boolean as requests write it."""
    return str(value).lower() == "true"


def _managed(api: Api, before: bool) -> bool:
    asked = api.get("ManagedExecution")
    return before if asked is None else str(asked.get("Active", "")).lower() == "true"


def update_set(api: Api) -> dict[str, Any]:
    """UpdateStackSet: the set changes at once, its instances with the operation."""
    stack_set = api.found()
    with lock:
        named = bool(api.get("Accounts") or api.get("Regions") or api.get("DeploymentTargets"))
        targets = api.targets(stack_set) if named else list(stack_set.instances)
        missing = [target for target in targets if target not in stack_set.instances]
        if missing:
            message = f"Stack instance for account {missing[0][0]} in {missing[0][1]} not found"
            raise Refusal("StackInstanceNotFoundException", message)
        text = api.text() or stack_set.template
        values = api.parameters("Parameters", stack_set.parameters)
        values = stack_set.parameters if values is None else values
        with templates.parameters(values):
            templates.check_parameters(templates.parse(text), values)
        managed = _managed(api, stack_set.managed)
        if managed != stack_set.managed and stack_set.active():
            message = "The execution configuration can't change while operations run or wait"
            raise Refusal("InvalidOperationException", message)
        operation = begin(stack_set, api.operation("UPDATE", targets, whole=True))
        stack_set.managed = managed
        stack_set.template, stack_set.parameters = text, values
        stack_set.description = api.get("Description") or stack_set.description
        stack_set.execution_role = api.get("ExecutionRoleName") or stack_set.execution_role
        stack_set.administration_role = (
            api.get("AdministrationRoleARN") or stack_set.administration_role
        )
        if api.get("Tags") is not None:
            stack_set.tags = {one["Key"]: one["Value"] for one in api.get("Tags")}
        for target, instance in stack_set.instances.items():
            if target not in targets:
                instance.status = "OUTDATED"
    return {"OperationId": operation.id}


def create_instances(api: Api) -> dict[str, Any]:
    """CreateStackInstances."""
    stack_set = api.found()
    targets = api.targets(stack_set)
    if not targets:
        raise invalid("Accounts (or DeploymentTargets) and Regions must be specified")
    overrides = api.parameters("ParameterOverrides", {})
    _check_overrides(stack_set, overrides or {})
    operation = begin(stack_set, api.operation("CREATE", targets, overrides=overrides))
    # A unit that was a target stays one: automatic deployment knows no filters of accounts.
    for unit in (api.get("DeploymentTargets") or {}).get("OrganizationalUnitIds") or []:
        known = stack_set.units.setdefault(unit, [])
        known += [region for region in api.get("Regions") or [] if region not in known]
    return {"OperationId": operation.id}


def update_instances(api: Api) -> dict[str, Any]:
    """UpdateStackInstances."""
    stack_set = api.found()
    targets = api.targets(stack_set)
    missing = [target for target in targets if target not in stack_set.instances]
    if missing:
        message = f"Stack instance for account {missing[0][0]} in {missing[0][1]} not found"
        raise Refusal("StackInstanceNotFoundException", message)
    before = stack_set.instances[targets[0]].overrides if targets else {}
    overrides = api.parameters("ParameterOverrides", before)
    _check_overrides(stack_set, overrides or {})
    operation = api.operation("UPDATE", targets, overrides=overrides)
    return {"OperationId": begin(stack_set, operation).id}


def _check_overrides(stack_set: StackSet, overrides: dict[str, str]) -> None:
    values = {**stack_set.parameters, **overrides}
    with templates.parameters(values):
        templates.check_parameters(templates.parse(stack_set.template), values)


def delete_instances(api: Api) -> dict[str, Any]:
    """DeleteStackInstances."""
    stack_set = api.found()
    retain = api.flag("RetainStacks")
    operation = api.operation("DELETE", api.targets(stack_set), retain=retain)
    return {"OperationId": begin(stack_set, operation).id}


def delete_set(api: Api) -> dict[str, Any]:
    """DeleteStackSet."""
    stack_set = api.found()
    if stack_set.instances:
        raise Refusal("StackSetNotEmptyException", "StackSet is not empty")
    if stack_set.active():
        raise Refusal("OperationInProgressException", "Another operation is in progress")
    del sets[api.place][stack_set.name]
    return {}


def list_sets(api: Api) -> dict[str, Any]:
    """ListStackSets."""
    if api.get("Status") == "DELETED":
        return page([], api)
    shown = ("StackSetName", "StackSetId", "Description", "Status", "PermissionModel")
    described = [one.describe() for one in sets.get(api.place, {}).values()]
    names = (*shown, "DriftStatus", "ManagedExecution")
    return page([{name: one[name] for name in names} for one in described], api)


def describe_instance(api: Api) -> dict[str, Any]:
    """DescribeStackInstance."""
    stack_set = api.found()
    target = (api.get("StackInstanceAccount"), api.get("StackInstanceRegion"))
    if target not in stack_set.instances:
        message = f"Stack instance for account {target[0]} in {target[1]} not found"
        raise Refusal("StackInstanceNotFoundException", message)
    return {"StackInstance": stack_set.instances[target].describe(stack_set)}


def list_instances(api: Api) -> dict[str, Any]:
    """ListStackInstances."""
    stack_set, asked = api.found(), filters(api)
    account, region = api.get("StackInstanceAccount"), api.get("StackInstanceRegion")
    shown = [
        one.describe(stack_set)
        for one in stack_set.instances.values()
        if account in (None, one.account)
        and region in (None, one.region)
        and asked.get("DETAILED_STATUS", one.detailed) == one.detailed
        and asked.get("LAST_OPERATION_ID", one.last_operation) == one.last_operation
    ]
    for one in shown:
        del one["ParameterOverrides"]
    return page(shown, api)


def _operation(api: Api, stack_set: StackSet) -> Operation:
    identifier = api.get("OperationId")
    if identifier not in stack_set.operations:
        message = f"Operation {identifier} not found"
        raise Refusal("OperationNotFoundException", message)
    return stack_set.operations[identifier]


def describe_operation(api: Api) -> dict[str, Any]:
    """DescribeStackSetOperation."""
    stack_set = api.found()
    return {"StackSetOperation": _operation(api, stack_set).describe(stack_set)}


def list_operations(api: Api) -> dict[str, Any]:
    """ListStackSetOperations, the newest first."""
    stack_set = api.found()
    names = ("OperationId", "Action", "Status", "StatusReason", "CreationTimestamp")
    shown = [one.describe(stack_set) for one in reversed(stack_set.operations.values())]
    names = (*names, "EndTimestamp", "StatusDetails", "OperationPreferences")
    return page([{name: one[name] for name in names} for one in shown], api)


def list_results(api: Api) -> dict[str, Any]:
    """ListStackSetOperationResults."""
    stack_set, asked = api.found(), filters(api)
    gate = {
        "Status": "SKIPPED",
        "StatusReason": "Function not found: AWSCloudFormationStackSetAccountGate",
    }
    shown = [
        {
            "Account": account,
            "Region": region,
            "Status": status,
            "StatusReason": reason,
            "AccountGateResult": gate,
        }
        for (account, region), (status, reason) in _operation(api, stack_set).results.items()
        if asked.get("OPERATION_RESULT_STATUS", status) == status
    ]
    return page(shown, api)


def stop_operation(api: Api) -> dict[str, Any]:
    """StopStackSetOperation."""
    stack_set = api.found()
    operation = _operation(api, stack_set)
    with lock:
        if operation.status not in ACTIVE:
            message = f"Operation {operation.id} is in status {operation.status}"
            raise Refusal("InvalidOperationException", message)
        waiting = operation.status == "QUEUED"
        operation.status = "STOPPED" if waiting else "STOPPING"
        operation.ended = clock.utcnow() if waiting else None
    tell_operation(stack_set, operation)
    return {}


OPERATIONS = {
    "create_stack_set": create_set,
    "update_stack_set": update_set,
    "delete_stack_set": delete_set,
    "describe_stack_set": lambda api: {"StackSet": api.found().describe()},
    "list_stack_sets": list_sets,
    "create_stack_instances": create_instances,
    "update_stack_instances": update_instances,
    "delete_stack_instances": delete_instances,
    "describe_stack_instance": describe_instance,
    "list_stack_instances": list_instances,
    "describe_stack_set_operation": describe_operation,
    "list_stack_set_operations": list_operations,
    "list_stack_set_operation_results": list_results,
    "stop_stack_set_operation": stop_operation,
}


def install() -> None:
    """Puts the changes in place; `stacks` afterwards guards the templates of sets."""
    from moto.cloudformation.responses import CloudFormationResponse
    from moto.core.responses import ActionResult

    accounts.movers.append(moved)
    # These were moto's own models' shapes.
    for path in (
        "DescribeStackSetOutput.StackSet.Parameters",
        "DescribeStackSetOutput.StackSet.Tags",
    ):
        CloudFormationResponse.RESPONSE_KEY_PATH_TO_TRANSFORMER.pop(path, None)
    for name, function in OPERATIONS.items():

        def answered(self: Any, function: Any = function) -> ActionResult:
            return ActionResult(function(Api(self)))

        answered.__name__ = name
        method_of(CloudFormationResponse)(answered)

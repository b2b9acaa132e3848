"""The calls of StackSets' API: what each request asks, checked and answered as AWS does it."""

import uuid
from collections.abc import Callable
from typing import Any

import accounts
import clock
import stacksets
import templates
from intrinsics import invalid
from patching import Refusal, method_of
from stacksets import Operation, StackSet, Target

SERVICE = "member.org.stacksets.cloudformation.amazonaws.com"


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
        for one in stacksets.sets.get(self.place, {}).values():
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
    with stacksets.lock:
        known = stacksets.sets.setdefault(api.place, {})
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
    with stacksets.lock:
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
        operation = stacksets.begin(stack_set, api.operation("UPDATE", targets, whole=True))
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
    operation = stacksets.begin(stack_set, api.operation("CREATE", targets, overrides=overrides))
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
    return {"OperationId": stacksets.begin(stack_set, operation).id}


def _check_overrides(stack_set: StackSet, overrides: dict[str, str]) -> None:
    values = {**stack_set.parameters, **overrides}
    with templates.parameters(values):
        templates.check_parameters(templates.parse(stack_set.template), values)


def delete_instances(api: Api) -> dict[str, Any]:
    """DeleteStackInstances."""
    stack_set = api.found()
    retain = api.flag("RetainStacks")
    operation = api.operation("DELETE", api.targets(stack_set), retain=retain)
    return {"OperationId": stacksets.begin(stack_set, operation).id}


def delete_set(api: Api) -> dict[str, Any]:
    """DeleteStackSet."""
    stack_set = api.found()
    if stack_set.instances:
        raise Refusal("StackSetNotEmptyException", "StackSet is not empty")
    if stack_set.active():
        raise Refusal("OperationInProgressException", "Another operation is in progress")
    del stacksets.sets[api.place][stack_set.name]
    return {}


def list_sets(api: Api) -> dict[str, Any]:
    """ListStackSets."""
    if api.get("Status") == "DELETED":
        return page([], api)
    shown = ("StackSetName", "StackSetId", "Description", "Status", "PermissionModel")
    described = [one.describe() for one in stacksets.sets.get(api.place, {}).values()]
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
    with stacksets.lock:
        if operation.status not in stacksets.ACTIVE:
            message = f"Operation {operation.id} is in status {operation.status}"
            raise Refusal("InvalidOperationException", message)
        waiting = operation.status == "QUEUED"
        operation.status = "STOPPED" if waiting else "STOPPING"
        operation.ended = clock.utcnow() if waiting else None
    stacksets.tell_operation(stack_set, operation)
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

    accounts.movers.append(stacksets.moved)
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

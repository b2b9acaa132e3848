"""Stacks that do what their template says, or fail and say why.

Replaces moto's way with a stack's resources: types that it does not know are refused, not dropped;
updates change the resources; a failure rolls back; outputs and events tell what happened.
"""

import copy
import json
import threading
from collections import defaultdict
from typing import Any

import clock
import iam_facts
import intrinsics
import kinds
import principals
import rights
import secret_references as secrets
import templates
from intrinsics import invalid
from patching import Refusal, method_of, replace_everywhere

# Who asked for the stack that this thread works on: policies, each of which must allow.
_asking = threading.local()
# Stacks of one account and Region are changed one after the other.
_locks: dict[tuple[str, str], Any] = defaultdict(threading.RLock)


def _busy(backend: Any) -> Any:
    return _locks[backend.account_id, backend.region_name]


class Failed(Exception):
    """A resource could not be made, changed or removed."""

    def __init__(self, logical_id: str, kind: str, reason: str) -> None:
        super().__init__(reason)
        self.logical_id = logical_id
        self.kind = kind
        self.reason = reason


def reason_of(error: Exception) -> str:
    """A failure in CloudFormation's words."""
    from botocore.exceptions import ClientError

    if isinstance(error, ClientError):
        found, metadata = error.response["Error"], error.response["ResponseMetadata"]
        status = metadata.get("HTTPStatusCode")
        message = f"{found.get('Message', '')} (Service: {error.operation_name}, "
        message += f"Error Code: {found.get('Code')}, Status Code: {status})"
        return f'Resource handler returned message: "{message}"'
    return getattr(error, "message", None) or f"{type(error).__name__}: {error}"


def create(resources: Any, logical_id: str, declared: dict[str, Any]) -> Any:
    """Makes one resource; None if its condition does not hold."""
    condition = declared.get("Condition")
    if condition and not resources.lazy_condition_map[condition]:
        return None
    kind = declared["Type"]
    place = _place(resources, logical_id)
    if reason := denied(kind):
        raise Failed(logical_id, kind, reason)
    try:
        properties = intrinsics.resolve(declared.get("Properties", {}), resources)
        if kind in kinds.NOTHING_TO_MAKE:
            made: Any = kinds.Made(place.name())
        elif kind in kinds.KINDS:
            given = secrets.filled(place, properties)
            identifier, attributes = kinds.KINDS[kind].create(place, given)
            made = kinds.Made(identifier, attributes)
        else:
            made = _by_moto(resources, place, declared, properties)
    except Failed:
        raise
    except Exception as error:
        raise Failed(logical_id, kind, reason_of(error))
    made.properties = properties
    made.logical_resource_id = logical_id
    made.cf_resource_type = kind
    return made


VIA = "aws:calledvia"
SERVICE = "cloudformation.amazonaws.com"


def denied(kind: str) -> str | None:
    """Why whoever asked for the stack may not make a resource of the type through it."""
    asking = getattr(_asking, "principal", None)
    if asking is None:
        return None
    action = rights.making(kind)
    facts = iam_facts.role(asking.role_arn)
    layers = [facts["identity"]]
    layers += [facts["boundary"]] if facts["boundary"] else []
    layers += [[asking.session_policy]] if asking.session_policy else []
    for documents in layers:
        if not rights.allows({"identity": via(documents), "boundary": None}, action):
            return f"User: {asking.arn} is not authorized to perform: {action}"
    return None


def via(documents: list[Any]) -> list[Any]:
    """The documents without the statements that a call through CloudFormation does not meet."""

    def met(statement: dict[str, Any]) -> bool:
        for tests in statement.get("Condition", {}).values():
            for key, values in tests.items():
                if key.lower() == VIA and SERVICE not in rights.listed(values):
                    return False
        return True

    kept = []
    for document in documents:
        statements = [one for one in rights.listed(document.get("Statement")) if met(one)]
        kept.append({**document, "Statement": statements})
    return kept


def _by_moto(resources: Any, place: kinds.Place, declared: Any, properties: Any) -> Any:
    from moto.cloudformation import parsing

    kind = declared["Type"]
    owner = parsing.resource_class_from_type(kind)
    named_by = owner.cloudformation_name_type()
    name = properties.get(named_by) if named_by else None
    return owner.create_from_cloudformation_json(
        name or place.name(),
        {**declared, "Properties": copy.deepcopy(properties)},
        place.account,
        place.region,
        LogicalId=place.logical_id,
        StackId=resources.stack_id,
        ResourceType=kind,
    )


def update(resources: Any, logical_id: str, declared: dict[str, Any]) -> Any:
    """Brings one existing resource to what the template says now; answers it and what to remove."""
    made = resources._parsed_resources[logical_id]
    try:
        properties = intrinsics.resolve(declared.get("Properties", {}), resources)
    except Exception as error:
        raise Failed(logical_id, declared["Type"], reason_of(error))
    if declared["Type"] == made.cf_resource_type:
        if properties == made.properties:
            return made, None
        kind = kinds.KINDS.get(declared["Type"])
        if kind is not None:
            place = _place(resources, logical_id)
            try:
                given = secrets.filled(place, properties)
                identifier, attributes = kind.update(place, made, given)
            except kinds.Replaced:
                pass
            except Exception as error:
                raise Failed(logical_id, declared["Type"], reason_of(error))
            else:
                fresh = kinds.Made(identifier, attributes, properties, logical_id)
                fresh.cf_resource_type = declared["Type"]
                return fresh, None
    return create(resources, logical_id, declared), made


def delete(resources: Any, made: Any, declared: dict[str, Any]) -> None:
    """Removes one resource."""
    kind = made.cf_resource_type
    if kind in kinds.NOTHING_TO_MAKE:
        return
    try:
        if kind in kinds.KINDS:
            kinds.KINDS[kind].delete(_place(resources, made.logical_resource_id), made)
        else:
            resources._delete_resource(made, declared)
    except Exception as error:
        raise Failed(made.logical_resource_id, kind, reason_of(error))


def _place(resources: Any, logical_id: str) -> kinds.Place:
    return kinds.Place(
        resources._account_id,
        resources._region_name,
        resources.stack_id,
        resources["AWS::StackName"],
        logical_id,
    )


def _create_all(resources: Any, template: dict[str, Any]) -> None:
    declared = template["Resources"]
    resources._template, resources._resource_json_map = template, declared
    for logical_id in intrinsics.in_order(declared):
        if logical_id not in resources._parsed_resources:
            made = create(resources, logical_id, declared[logical_id])
            if made is not None:
                resources._parsed_resources[logical_id] = made


def _update_all(resources: Any, template: dict[str, Any], values: dict[str, Any]) -> None:
    before = resources._resource_json_map
    declared = template["Resources"]
    resources._template = template
    resources._resource_json_map = {**before, **declared}
    resources.input_parameters = values
    resources.resolved_parameters = {}
    resources.load_mapping()
    resources.load_parameters()
    resources.load_conditions()
    leaving = []
    for logical_id in intrinsics.in_order(declared):
        one = declared[logical_id]
        condition = one.get("Condition")
        wanted = not condition or resources.lazy_condition_map[condition]
        if not wanted:
            continue
        if logical_id in resources._parsed_resources:
            made, old = update(resources, logical_id, one)
            if old is not None:
                leaving.append((old, before.get(logical_id, one)))
        else:
            made = create(resources, logical_id, one)
        resources._parsed_resources[logical_id] = made
    for logical_id in reversed(intrinsics.in_order(before)):
        one = declared.get(logical_id)
        condition = one.get("Condition") if one else None
        kept = one is not None and (not condition or resources.lazy_condition_map[condition])
        if not kept and logical_id in resources._parsed_resources:
            leaving.append((resources._parsed_resources.pop(logical_id), before[logical_id]))
    for made, one in leaving:
        if one.get("DeletionPolicy") not in ("Retain", "RetainExceptOnCreate"):
            delete(resources, made, one)
    resources._resource_json_map = declared


def _delete_all(resources: Any, rolled_back: bool = False) -> None:
    declared = resources._resource_json_map
    for logical_id in reversed(intrinsics.in_order(declared)):
        made = resources._parsed_resources.get(logical_id)
        if made is None or isinstance(made, str):
            continue
        if declared[logical_id].get("DeletionPolicy") == "Retain" and not rolled_back:
            continue
        delete(resources, made, declared[logical_id])
        del resources._parsed_resources[logical_id]


def tell(stack: Any, failure: Failed, status: str) -> None:
    """Puts a resource's failure among the stack's events."""
    from moto.cloudformation.models import Event

    made = stack.resource_map._parsed_resources.get(failure.logical_id)
    stack.events.append(
        Event(
            stack_id=stack.stack_id,
            stack_name=stack.name,
            logical_resource_id=failure.logical_id,
            physical_resource_id=getattr(made, "physical_resource_id", ""),
            resource_type=failure.kind,
            resource_status=status,
            resource_status_reason=failure.reason,
            resource_properties=None,
        )
    )


def tell_all(stack: Any, status: str) -> None:
    """Puts every resource's new status among the stack's events."""
    for made in stack.resource_map._parsed_resources.values():
        if getattr(made, "logical_resource_id", ""):
            told = Failed(made.logical_resource_id, made.cf_resource_type, "")
            tell(stack, told, status)


def make(stack: Any) -> None:
    """Creates a stack's resources; on failure takes them away again and says why."""
    stack.status = "CREATE_IN_PROGRESS"
    stack._add_stack_event("CREATE_IN_PROGRESS", resource_status_reason="User Initiated")
    try:
        _create_all(stack.resource_map, stack.template_dict)
        _keep_outputs(stack)
    except (Failed, Refusal) as error:
        failure = error if isinstance(error, Failed) else Failed("Outputs", "", error.message)
        tell(stack, failure, "CREATE_FAILED")
        named = f"The following resource(s) failed to create: [{failure.logical_id}]."
        stack.status_reason = f"{named} {failure.reason}"
        if stack.disable_rollback:
            _status(stack, "CREATE_FAILED", stack.status_reason)
            return
        _status(stack, "ROLLBACK_IN_PROGRESS", f"{named} Rollback requested by user.")
        try:
            _delete_all(stack.resource_map, rolled_back=True)
        except Failed as left:
            tell(stack, left, "DELETE_FAILED")
            _status(stack, "ROLLBACK_FAILED", left.reason)
            return
        _status(stack, "ROLLBACK_COMPLETE")
        return
    tell_all(stack, "CREATE_COMPLETE")
    _status(stack, "CREATE_COMPLETE")


def change(stack: Any, text: str, values: dict[str, Any], tags: dict[str, str] | None) -> None:
    """Updates a stack's resources; on failure goes back to what was."""
    before, before_values = stack.template, dict(stack.parameters)
    _status(stack, "UPDATE_IN_PROGRESS", "User Initiated")
    try:
        _apply(stack, text, values)
    except (Failed, Refusal) as error:
        failure = error if isinstance(error, Failed) else Failed("Outputs", "", error.message)
        tell(stack, failure, "UPDATE_FAILED")
        named = f"The following resource(s) failed to update: [{failure.logical_id}]."
        stack.status_reason = f"{named} {failure.reason}"
        _status(stack, "UPDATE_ROLLBACK_IN_PROGRESS", stack.status_reason)
        try:
            _apply(stack, before, before_values)
        except (Failed, Refusal) as left:
            _status(stack, "UPDATE_ROLLBACK_FAILED", str(left))
            return
        _status(stack, "UPDATE_ROLLBACK_COMPLETE")
        return
    if tags is not None:
        stack.tags = tags
    tell_all(stack, "UPDATE_COMPLETE")
    stack.status_reason = None
    _status(stack, "UPDATE_COMPLETE")


def _apply(stack: Any, text: str, values: dict[str, Any]) -> None:
    with templates.parameters(values):
        stack.template = text
        stack._parse_template()
    _update_all(stack.resource_map, stack.template_dict, values)
    stack.parameters = values
    stack.output_map = stack._create_output_map()
    stack.description = stack.template_dict.get("Description")
    _keep_outputs(stack)


def _keep_outputs(stack: Any) -> None:
    """Outputs are what they were when the last operation ended."""
    exports = {export.value: export.name for export in stack.exports}
    stack.kept_outputs = [
        {
            "OutputKey": one.key,
            "OutputValue": str(one.value),
            "Description": one.description,
            "ExportName": exports.get(one.value),
        }
        for one in stack.output_map.values()
        if one
    ]


def _status(stack: Any, status: str, reason: str | None = None) -> None:
    stack.status = status
    stack.last_updated_time = clock.utcnow()
    stack._add_stack_event(status, resource_status_reason=reason)


def install() -> None:
    """Puts the changes in place."""
    from moto.cloudformation import models, parsing, responses

    replace_everywhere(parsing.clean_json, intrinsics.resolve, "clean_json")
    models.Stack.parse_template = staticmethod(templates.parse)
    responses.get_template_summary_response_from_template = templates.summary

    @method_of(parsing.ResourceMap)
    def validate_outputs(self: Any) -> None:
        """Outputs are resolved, and refused, when the resources are there."""

    @method_of(parsing.ResourceMap)
    def load_conditions(self: Any) -> None:
        self.lazy_condition_map = parsing.LazyDict()
        for name, condition in (self._template.get("Conditions") or {}).items():
            self.lazy_condition_map[name] = lambda condition=condition: bool(
                intrinsics.resolve(condition, self)
            )

    @method_of(parsing.ResourceMap)
    def __getitem__(self: Any, key: str) -> Any:  # noqa: N807
        if key in self._parsed_resources:
            return self._parsed_resources[key]
        declared = self._resource_json_map[key]
        condition = declared.get("Condition")
        if condition and not self.lazy_condition_map[condition]:
            return None
        raise KeyError(key)

    @method_of(parsing.ResourceMap)
    def values(self: Any) -> list[Any]:
        return [self._parsed_resources[k] for k in self.resources if k in self._parsed_resources]

    @method_of(models.ChangeSet)
    def _parse_template(self: Any) -> None:
        with templates.parameters(self.parameters):
            self.template_dict = templates.parse(self.template)

    def parameter_list(self: Any) -> list[dict[str, Any]]:
        declared = self.template_dict.get("Parameters") or {}
        return [
            {
                "ParameterKey": name,
                "ParameterValue": "****"
                if str(declared[name].get("NoEcho", "")).lower() == "true"
                else ",".join(map(str, value))
                if isinstance(value, list)
                else str(value),
            }
            for name, value in self.resource_map.resolved_parameters.items()
            if name in declared
        ]

    from moto.events.models import EventBus, EventBusPolicyStatement

    @method_of(EventBus)
    def add_policy(self: Any, policy: dict[str, Any]) -> None:
        statements = policy["Statement"]
        self._statements = {
            one["Sid"]: EventBusPolicyStatement.from_dict({"Effect": "Allow", **one})
            for one in (statements if isinstance(statements, list) else [statements])
        }

    models.Stack.parameter_list = property(parameter_list)
    models.Stack.kept_outputs = None
    models.Stack.outputs = property(lambda self: self.kept_outputs)
    models.Stack.status_reason = None
    models.Stack.last_updated_time = None
    _backend(models)
    _answers(models, responses)


def _backend(models: Any) -> None:
    owner = models.CloudFormationBackend

    @method_of(owner)
    def create_stack(
        self: Any, name: str, template: str, parameters: dict[str, Any], **more: Any
    ) -> Any:
        living = {stack.name for stack in self.stacks.values()}
        if name in living:
            raise Refusal("AlreadyExistsException", f"Stack [{name}] already exists")
        with _busy(self), templates.parameters(parameters):
            templates.check_parameters(templates.parse(template), parameters)
            stack = models.Stack(
                stack_id=models.generate_stack_id(name, self.region_name, self.account_id),
                name=name,
                template=template,
                parameters=parameters,
                account_id=self.account_id,
                region_name=self.region_name,
                cross_stack_resources=self.exports,
                **more,
            )
            self.stacks[stack.stack_id] = stack
            make(stack)
            _export(self, stack)
        return stack

    @method_of(owner)
    def update_stack(
        self: Any, name: str, template: str, role_arn: Any, parameters: Any, tags: Any
    ) -> Any:
        stack = self.get_stack(name)
        values = given(stack, parameters)
        with _busy(self), templates.parameters(values):
            processed = templates.parse(template)
            templates.check_parameters(processed, values)
            same = processed == stack.template_dict and values == stack.parameters
            if same and (tags is None or tags == stack.tags):
                raise invalid("No updates are to be performed.")
            change(stack, template, values, tags)
            _export(self, stack)
        return stack

    @method_of(owner)
    def execute_change_set(self: Any, change_set_name: str, stack_name: str | None = None) -> None:
        change_set = next(
            (
                one
                for one in self.change_sets.values()
                if change_set_name in (one.change_set_id, one.change_set_name)
                and stack_name in (None, one.stack_name, one.stack_id)
            ),
            None,
        )
        if change_set is None:
            message = f"ChangeSet [{change_set_name}] does not exist"
            raise Refusal("ChangeSetNotFound", message, 404)
        if change_set.execution_status != "AVAILABLE":
            message = f"ChangeSet [{change_set.change_set_id}] cannot be executed in its status"
            raise Refusal("InvalidChangeSetStatus", message)
        stack = self.stacks[change_set.stack_id]
        change_set.execution_status = "EXECUTE_IN_PROGRESS"
        with _busy(self):
            if change_set.change_set_type == "CREATE":
                stack.template = change_set.template
                stack.parameters = change_set.parameters
                stack.cross_stack_resources = self.exports
                stack.tags = change_set.tags or {}
                with templates.parameters(stack.parameters):
                    stack._parse_template()
                stack.resource_map = stack._create_resource_map()
                stack.output_map = stack._create_output_map()
                stack.description = stack.template_dict.get("Description")
                make(stack)
            else:
                change(stack, change_set.template, change_set.parameters, change_set.tags)
            _export(self, stack)
        change_set.execution_status = "EXECUTE_COMPLETE"

    @method_of(owner)
    def delete_stack(self: Any, name_or_stack_id: str) -> None:
        stack = next(
            (one for one in self.stacks.values() if name_or_stack_id in (one.name, one.stack_id)),
            None,
        )
        if stack is None:
            return
        if stack.enable_termination_protection:
            message = (
                f"Stack [{stack.name}] cannot be deleted while TerminationProtection is enabled"
            )
            raise invalid(message)
        with _busy(self):
            _status(stack, "DELETE_IN_PROGRESS", "User Initiated")
            try:
                _delete_all(stack.resource_map)
            except Failed as failure:
                tell(stack, failure, "DELETE_FAILED")
                stack.status_reason = failure.reason
                _status(stack, "DELETE_FAILED", failure.reason)
                return
            _status(stack, "DELETE_COMPLETE")
            self.stacks.pop(stack.stack_id)
            self.deleted_stacks[stack.stack_id] = stack
            for name, export in list(self.exports.items()):
                if export.exporting_stack_id == stack.stack_id:
                    del self.exports[name]

    def _export(self: Any, stack: Any) -> None:
        if "ROLLBACK" in stack.status or "FAILED" in stack.status:
            return
        for export in stack.exports:
            self.exports[export.name] = export


def given(stack: Any, incoming: list[dict[str, Any]]) -> dict[str, Any]:
    """The parameter values of an update, previous ones where asked for."""
    values = {}
    for one in incoming:
        name = one["ParameterKey"]
        if one.get("UsePreviousValue"):
            if name in stack.parameters:
                values[name] = stack.parameters[name]
        else:
            values[name] = one.get("ParameterValue", "")
    return values


def _answers(models: Any, responses: Any) -> None:
    owner = responses.CloudFormationResponse
    from moto.core.responses import ActionResult

    def body_of(self: Any) -> str | None:
        text, url = self._get_param("TemplateBody"), self._get_param("TemplateURL")
        if text and len(text.encode()) > templates.BODY_LIMIT:
            message = "Member must have length less than or equal to 51200"
            raise invalid(f"1 validation error detected: Value at 'templateBody': {message}")
        return text or (self._get_stack_from_s3_url(url) if url else None)

    def checked(self: Any, text: str | None, change_set: bool = False) -> None:
        if not text:
            return
        values = {
            one["ParameterKey"]: one.get("ParameterValue", "")
            for one in self._get_param("Parameters", [])
            if not one.get("UsePreviousValue")
        }
        with templates.parameters(values):
            processed = templates.parse(text)
        expands = bool(templates.transforms(templates.read(text))) and not change_set
        granted = self._get_param("Capabilities", [])
        templates.check_capabilities(processed, granted, expands)

    def guarded(name: str, change_set: bool = False) -> None:
        original = getattr(owner, name)

        def guarded_call(self: Any) -> Any:
            text = body_of(self)
            stack = self._get_param("StackName")
            if text is None and stack and self._get_bool_param("UsePreviousTemplate", False):
                text = self.cloudformation_backend.get_stack(stack).template
            checked(self, text, change_set)
            # A stack is made with what the asking session may, unless it passes a role.
            holder = principals.find(self.access_key)
            judged = holder is not None and holder.role_arn and not self._get_param("RoleARN")
            operator = judged and holder.role_arn.endswith("sandbox-operator")
            _asking.principal = holder if judged and not operator else None
            try:
                return original(self)
            finally:
                _asking.principal = None

        setattr(owner, name, guarded_call)

    for name in ("create_stack", "update_stack", "create_stack_set", "update_stack_set"):
        guarded(name)
    _change_sets(models, owner)
    guarded("create_change_set", change_set=True)

    @method_of(owner)
    def get_template(self: Any) -> ActionResult:
        change_set = self._get_param("ChangeSetName")
        backend = self.cloudformation_backend
        if change_set:
            found = backend.describe_change_set(change_set)
            text, processed = found.template, found.template_dict
        else:
            stack = backend.get_stack(self._get_param("StackName"))
            text, processed = stack.template, stack.template_dict
        if self._get_param("TemplateStage") == "Processed":
            text = json.dumps(processed)
        return ActionResult({"TemplateBody": text, "StagesAvailable": ["Original", "Processed"]})

    @method_of(owner)
    def validate_template(self: Any) -> ActionResult:
        return ActionResult(templates.summary(body_of(self) or ""))

    original = owner._get_stack_from_s3_url

    def from_url(self: Any, url: str) -> str:
        return original(self, url.replace("//127.0.0.1", "//localhost"))

    owner._get_stack_from_s3_url = from_url

    @method_of(owner)
    def _validate_different_update(self: Any, *_: Any) -> None:
        """Compared in update_stack, after the transform."""


def _change_sets(models: Any, owner: Any) -> None:
    from moto.core.responses import ActionResult

    @method_of(owner)
    def create_change_set(self: Any) -> ActionResult:
        backend = self.cloudformation_backend
        stack_name = self._get_param("StackName")
        kind = self._get_param("ChangeSetType", "UPDATE")
        living = next(
            (one for one in backend.stacks.values() if stack_name in (one.name, one.stack_id)),
            None,
        )
        if kind == "UPDATE" and (living is None or living.status == "REVIEW_IN_PROGRESS"):
            raise invalid(f"Stack [{stack_name}] does not exist")
        if kind == "UPDATE" and living.status == "ROLLBACK_COMPLETE":
            message = (
                f"Stack:{living.stack_id} is in ROLLBACK_COMPLETE state and can not be updated."
            )
            raise invalid(message)
        if kind == "CREATE" and living is not None:
            if living.status != "REVIEW_IN_PROGRESS":
                message = (
                    f"Stack [{stack_name}] already exists and cannot be created again with the "
                )
                raise invalid(f"{message}changeSet [{self._get_param('ChangeSetName')}].")
            backend.stacks.pop(living.stack_id)
        text, url = self._get_param("TemplateBody"), self._get_param("TemplateURL")
        if url:
            text = self._get_stack_from_s3_url(url)
        if not text and living is not None:
            text = living.template
        incoming = self._get_param("Parameters", [])
        values = (
            given(living, incoming)
            if living is not None and kind == "UPDATE"
            else {one["ParameterKey"]: one.get("ParameterValue", "") for one in incoming}
        )
        with templates.parameters(values):
            templates.check_parameters(templates.parse(text), values)
            change_set_id, stack_id = backend.create_change_set(
                stack_name=living.name if living is not None else stack_name,
                change_set_name=self._get_param("ChangeSetName"),
                template=text,
                parameters=values,
                description=self._get_param("Description"),
                notification_arns=self._get_param("NotificationARNs", []),
                tags={one["Key"]: one["Value"] for one in self._get_param("Tags", [])},
                role_arn=self._get_param("RoleARN"),
                change_set_type=kind,
            )
        return ActionResult({"Id": change_set_id, "StackId": stack_id})

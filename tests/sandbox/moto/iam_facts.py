"""What the gateway must know to decide and to run: principals, roles, and everything deployed."""

import json
import threading
from typing import Any
from urllib.parse import unquote

import accounts
import policies
import principals

_last: dict[str, Any] = {"deployment": {}, "version": 0}
# The services whose writes change what the gateway runs, and the calls that are none.
RUNNING = {"apigatewayv2", "awslambda", "events", "sqs", "stepfunctions"}
NO_CHANGE = (
    "ChangeMessage",
    "DeleteMessage",
    "Describe",
    "Get",
    "List",
    "PutEvents",
    "Receive",
    "Send",
    "Start",
    "Stop",
    "Test",
)
_changed = threading.Event()
_changed.set()


def note(service: str | None, action: str | None) -> None:
    """Remembers that a call may have changed what is deployed."""
    if service in RUNNING and not str(action).startswith(NO_CHANGE):
        _changed.set()


def principal(key: str) -> dict[str, Any] | None:
    """The holder of an access key; None for a key never given out here."""
    found = principals.find(key)
    if found is None:
        return None
    return {
        "account": found.account,
        "arn": found.arn,
        "kind": found.kind,
        "role_arn": found.role_arn,
        "session_policy": found.session_policy,
    }


def role(arn: str) -> dict[str, Any]:
    """A role's (or user's) trust, policies, boundary and place in the organization.

    IAM's calls say a role's name and never its path, so an ARN without path finds the role of that
    name; `arn` tells which one it is.
    """
    account = arn.split(":")[4] if arn.count(":") >= 5 else ""
    found = principals.role_of(arn) or principals.role_named(arn) or _user_of(arn)
    facts: dict[str, Any] = {
        "exists": found is not None,
        "arn": getattr(found, "arn", None),
        "account": account,
        "trust": None,
        "identity": [],
        "boundary": None,
        "boundary_arn": None,
        "id": None,
        "tags": {},
        **organization_of(account),
    }
    if found is None:
        return facts
    trust = getattr(found, "assume_role_policy_document", None)
    facts["trust"] = document(trust) if trust else None
    facts["identity"] = [document(text) for text in _inline(found)]
    facts["identity"] += [policies.document_of(policy) for policy in _attached(found)]
    boundary = getattr(found, "permissions_boundary_arn", None)
    if boundary:
        text = principals.managed_document(account, boundary)
        facts["boundary"] = [text] if text else []
        facts["boundary_arn"] = boundary
    facts["id"] = getattr(found, "id", None)
    facts["tags"] = _tags(found)
    return facts


def organization_of(account: str) -> dict[str, Any]:
    """The SCPs level by level (none for the management account) and the organization's paths."""
    member = accounts.register.by_id.get(account)
    organizations = accounts.backend()
    if member is None or organizations is None or organizations.org is None:
        return {"scps": [], "org_id": None, "org_paths": []}
    chain = accounts.parents(organizations, member.parent_id)
    units = {unit.id: unit for unit in organizations.ou}
    levels = [units[identifier] for identifier in chain] + [member]
    scps = [
        [
            json.loads(p.content)
            for p in list(level.attached_policies)
            if p.type.startswith("SERVICE_")
        ]
        for level in levels
    ]
    management = account == organizations.account_id
    path = "/".join([organizations.org.id, *chain, ""])
    return {
        "scps": [] if management else scps,
        "org_id": organizations.org.id,
        "org_paths": [path],
    }


def document(value: Any) -> Any:
    """A policy as a document, however moto keeps it."""
    if isinstance(value, str):
        return json.loads(value if value.lstrip().startswith("{") else unquote(value))
    return value


def deployment(known: int) -> dict[str, Any]:
    """Everything deployed that the gateway must run; `version` grows with each change.

    Nothing where the version is known: it is asked for all the time, and takes long to write.
    """
    if _changed.is_set():
        _changed.clear()
        _look_again()
    if known == _last["version"]:
        return {}
    return _last["deployment"] | {"version": _last["version"]}


def _look_again() -> None:
    found = {
        "functions": _functions(),
        "rules": _rules(),
        "buses": _buses(),
        "queues": _queues(),
        "apis": _apis(),
        "state_machines": _state_machines(),
    }
    if found != _last["deployment"]:
        _last["deployment"] = found
        _last["version"] += 1


def _everywhere(backends: Any) -> list[tuple[str, str, Any]]:
    return [
        (account, region, backend)
        for account, regions in list(backends.items())
        for region, backend in list(regions.items())
    ]


def _functions() -> list[dict[str, Any]]:
    """Every function as it is, and its versions, the oldest first."""
    from moto.awslambda.models import lambda_backends

    found = []
    for account, region, backend in _everywhere(lambda_backends):
        for group in list(backend._lambdas._functions.values()):
            latest = group["latest"]
            arn = latest.function_arn.split(":$")[0]
            statements = [dict(one) for one in latest.policy.statements]
            policy = {"Version": "2012-10-17", "Statement": statements} if statements else None
            # What is the function's, whatever the version.
            own = {
                "name": latest.function_name,
                "arn": arn,
                "account": account,
                "region": region,
                "reserved_concurrency": _number(latest.reserved_concurrency),
                "policy": policy,
                "event_invoke": _event_invoke(latest),
            }
            found.append({**own, **_version(latest), "version": None, "aliases": []})
            aliases = list(backend._lambdas._aliases[arn].values())
            for version in list(group["versions"]):
                number = str(version.version)
                named = [one.name for one in aliases if one.function_version == number]
                found.append({**own, **_version(version), "version": number, "aliases": named})
    return found


def _version(function: Any) -> dict[str, Any]:
    """What may differ from version to version."""
    return {
        "role_arn": function.role,
        "environment": {k: str(v) for k, v in (function.environment_vars or {}).items()},
        "timeout": int(function.timeout or 3),
        "memory": int(function.memory_size or 128),
        "code": function.code_sha_256,
    }


def _number(value: Any) -> int | None:
    return None if value is None else int(value)


def _event_invoke(function: Any) -> dict[str, Any] | None:
    config = getattr(function, "event_invoke_config", None) or []
    return dict(config[-1].config) if config else None


def _rules() -> list[dict[str, Any]]:
    from moto.events.models import events_backends

    found = []
    for account, region, backend in _everywhere(events_backends):
        for bus_name, bus in list(backend.event_buses.items()):
            for rule in list(bus.rules.values()):
                pattern = rule.event_pattern.get_pattern() if rule.event_pattern else None
                found.append(
                    {
                        "account": account,
                        "region": region,
                        "bus": bus_name,
                        "name": rule.name,
                        "arn": rule.arn,
                        "pattern": pattern or None,
                        "schedule": rule.scheduled_expression or None,
                        "state": rule.state,
                        "targets": [_target(target) for target in rule.targets],
                    }
                )
    return found


def _target(target: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": target.get("Id"),
        "arn": target.get("Arn"),
        "role_arn": target.get("RoleArn"),
        "retry": target.get("RetryPolicy"),
        "dead_letter": (target.get("DeadLetterConfig") or {}).get("Arn"),
        "input": target.get("Input"),
        "input_path": target.get("InputPath"),
        "input_transformer": target.get("InputTransformer"),
    }


def _buses() -> list[dict[str, Any]]:
    from moto.events.models import events_backends

    found = []
    for account, region, backend in _everywhere(events_backends):
        for name, bus in list(backend.event_buses.items()):
            policy = bus.policy
            arn = f"arn:aws:events:{region}:{account}:event-bus/{name}"
            if name != "default" or policy:
                found.append({"arn": arn, "policy": document(policy) if policy else None})
    return found


def _queues() -> list[dict[str, Any]]:
    from moto.sqs.models import sqs_backends

    return [
        {"arn": queue.queue_arn, "policy": document(queue.policy) if queue.policy else None}
        for _, _, backend in _everywhere(sqs_backends)
        for queue in list(backend.queues.values())
    ]


def _apis() -> list[dict[str, Any]]:
    from moto.apigatewayv2.models import apigatewayv2_backends

    found = []
    for account, region, backend in _everywhere(apigatewayv2_backends):
        for api in list(backend.apis.values()):
            routes = []
            for route in list(api.routes.values()):
                method, _, path = route.route_key.partition(" ")
                integration = api.integrations.get((route.target or "").split("/")[-1])
                uri = (integration.integration_uri if integration else "") or ""
                routes.append(
                    {
                        "method": method,
                        "path": path,
                        "function_arn": _function_of(uri),
                        "auth": "AWS_IAM" if route.authorization_type == "AWS_IAM" else "NONE",
                    }
                )
            found.append(
                {
                    "id": api.api_id,
                    "name": api.name,
                    "account": account,
                    "region": region,
                    "routes": routes,
                }
            )
    return found


def _function_of(uri: str) -> str:
    if "/functions/" in uri:
        return uri.split("/functions/", 1)[1].removesuffix("/invocations")
    return uri


def _state_machines() -> list[dict[str, Any]]:
    from moto.stepfunctions.parser.models import stepfunctions_parser_backends

    return [
        {
            "arn": machine.arn,
            "name": machine.name,
            "role_arn": machine.roleArn,
            "account": account,
            "region": region,
            "definition": machine.definition,
        }
        for account, region, backend in _everywhere(stepfunctions_parser_backends)
        for machine in list(backend.state_machines)
    ]


def _user_of(arn: str) -> Any:
    from moto.iam.models import iam_backends

    parts = arn.split(":")
    if len(parts) != 6 or not parts[5].startswith("user/"):
        return None
    return iam_backends[parts[4]]["aws"].users.get(parts[5].split("/")[-1])


def _inline(holder: Any) -> list[Any]:
    return [text for one in _with_groups(holder) for text in list(one.policies.values())]


def _attached(holder: Any) -> list[Any]:
    return [
        policy for one in _with_groups(holder) for policy in list(one.managed_policies.values())
    ]


def _with_groups(holder: Any) -> list[Any]:
    """A role alone; a user with the groups that it is in."""
    from moto.iam.models import User, iam_backends

    if not isinstance(holder, User):
        return [holder]
    groups = list(iam_backends[holder.account_id]["aws"].groups.values())
    return [holder, *(group for group in groups if holder in group.users)]


def _tags(holder: Any) -> dict[str, str]:
    tags = getattr(holder, "tags", None) or []
    tags = list(tags.values()) if isinstance(tags, dict) else tags
    return {tag["Key"]: tag["Value"] for tag in tags if isinstance(tag, dict)}

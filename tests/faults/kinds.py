"""What can happen to a call, and at which points it makes sense."""

from typing import Any

from tests.faults.points import Point

# Each kind as rules for the sandbox's gateway. A function's client asks twice before it gives up,
# so a refusal that is to be felt lasts for two calls.
RULES: dict[str, dict[str, Any]] = {
    "error": {"kind": "error", "times": 2},
    "lost-response": {"kind": "lost-response"},
    "throttle": {"kind": "throttle", "times": 3},
    "kill": {"kind": "kill"},
    "timeout": {"kind": "timeout"},
    "stale": {"kind": "stale"},
    "lambda-429": {"kind": "lambda-429"},
    "abort": {"kind": "abort"},
    "denied": {"kind": "error", "times": 1_000_000},
}
# How the services spell a refusal by IAM.
DENIED = {
    "iam": {"code": "AccessDenied", "status": 403},
    "cloudformation": {"code": "AccessDenied", "status": 403},
    "sts": {"code": "AccessDenied", "status": 403},
    "s3": {"code": "AccessDenied", "status": 403},
}
INVOCATION = ("error", "lost-response", "throttle", "lambda-429", "abort")
MACHINE = ("error", "lost-response", "throttle")
FUNCTION = ("error", "lost-response", "throttle", "kill", "timeout")


def fitting(point: Point) -> tuple[str, ...]:
    """The kinds of passing faults that can happen at a point."""
    if point.action == "lambda:InvokeFunction":
        return INVOCATION
    if point.by_machine:
        return MACHINE
    if point.write or point.service in ("sts", "dynamodb"):
        return FUNCTION
    return (*FUNCTION, "stale")


def lasting(point: Point) -> bool:
    """Whether a permanent refusal of the call is something that a person repairs.

    The first call of each write is refused until the refusal is taken away. What the machine and
    the doors write for themselves is left out: without it nothing could be recorded at all. An
    account that can't be entered any more keeps its alias and is closed all the same.
    """
    if point.action == "iam:DeleteAccountAlias":
        return False
    ours = point.service in ("dynamodb", "lambda", "states")
    return point.write and point.occurrence == 1 and not ours and not point.at_door


def rule(point: Point, kind: str, tenant: str | None) -> dict[str, Any]:
    """The gateway's rule for a fault."""
    chosen: dict[str, Any] = {
        "step": point.step,
        "action": point.action,
        "occurrence": point.occurrence,
        **RULES[kind],
    }
    if kind == "denied":
        refusal = DENIED.get(point.service, {"code": "AccessDeniedException", "status": 400})
        message = "An injected refusal."
        chosen["error"] = {**refusal, "message": message}
    if tenant is not None and not point.at_door:
        chosen["tenant"] = tenant
    return chosen

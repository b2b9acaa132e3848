"""Events as they may come: lost, doubled, early, late, reordered; and forged ones."""

import uuid
from typing import Any

from tests.faults.trial import Trial
from tests.faults.world import AUTOMATION, HOME, LEDGER, MANAGEMENT, World, plain

# How the gateway delivers; the least and the greatest delay are virtual seconds.
DELIVERIES: dict[str, dict[str, Any]] = {
    "lost": {"lose": 1.0},
    "doubled": {"duplicate": 1.0},
    "early": {"delaySeconds": [0, 0]},
    "late": {"delaySeconds": [400, 900]},
    "reordered": {"reorder": True, "duplicate": 0.5, "lose": 0.2},
    "forged": {},
}


def forge(world: World, running: list[Trial]) -> None:
    """Tells lies about everything that somebody waits for, and about nothing at all."""
    table = world.client("dynamodb", AUTOMATION)
    for trial in running:
        tenant = trial.tenant.id
        answer = table.query(
            TableName=LEDGER,
            KeyConditionExpression="pk = :pk AND begins_with(sk, :steps)",
            ExpressionAttributeValues={":pk": {"S": f"TENANT#{tenant}"}, ":steps": {"S": "STEP#"}},
        )
        for item in answer["Items"]:
            awaited = plain(item["awaited"]) if "awaited" in item else {}
            if awaited.get("kind") == "create-account":
                _tell(world, creation(awaited["id"]))
            if awaited.get("kind") == "stack-set":
                _tell(world, operation(awaited["id"]))
            if awaited.get("kind") == "control-tower":
                _tell(world, enrolment(awaited["id"]))
        _tell(world, ended(f"{tenant}-1"))
    for lie in (creation("car-0000"), operation(str(uuid.uuid4())), ended("nobody-1"), {}):
        _tell(world, lie)


def _tell(world: World, event: dict[str, Any]) -> None:
    body = {"account": AUTOMATION, "region": HOME, "event": {"account": MANAGEMENT, **event}}
    world.control("POST", "events", body)


def creation(request: str) -> dict[str, Any]:
    """A request for an account is said to have brought somebody else's."""
    status = {"id": request, "state": "SUCCEEDED", "accountId": "222222222222"}
    return {
        "source": "aws.organizations",
        "detail-type": "AWS Service Event via CloudTrail",
        "detail": {
            "eventName": "CreateAccountResult",
            "serviceEventDetails": {"createAccountStatus": status},
        },
    }


def enrolment(account: str) -> dict[str, Any]:
    """Control Tower is said to have enrolled an account."""
    told = {"account": {"accountId": account, "accountName": "forged"}, "state": "SUCCEEDED"}
    return {
        "source": "aws.controltower",
        "detail-type": "AWS Service Event via CloudTrail",
        "detail": {
            "eventName": "CreateManagedAccount",
            "serviceEventDetails": {"createManagedAccountStatus": told},
        },
    }


def operation(identifier: str) -> dict[str, Any]:
    """An operation on a StackSet is said to have succeeded."""
    return {
        "source": "aws.cloudformation",
        "detail-type": "CloudFormation StackSet Operation Status Change",
        "detail": {
            "stack-set-operation-id": identifier,
            "status-details": {"status": "SUCCEEDED"},
        },
    }


def ended(execution: str) -> dict[str, Any]:
    """An execution is said to have been aborted."""
    return {
        "source": "aws.states",
        "detail-type": "Step Functions Execution Status Change",
        "detail": {"name": execution, "status": "ABORTED"},
    }

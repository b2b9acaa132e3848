"""Step Functions decides, waits, names errors and stops as AWS does."""

import json
import time
import uuid
from itertools import pairwise
from typing import Any

import pytest
from botocore.exceptions import ClientError

from trial import AUTOMATION, Sandbox

ROLE = f"arn:aws:iam::{AUTOMATION}:role/machine"


def run(shared: Sandbox, definition: dict[str, Any], given: Any = None, wait: bool = True) -> Any:
    """Creates a machine, runs it once and describes the execution."""
    states = shared.client("stepfunctions")
    arn = states.create_state_machine(
        name=f"m-{uuid.uuid4().hex[:8]}", definition=json.dumps(definition), roleArn=ROLE
    )["stateMachineArn"]
    execution = states.start_execution(stateMachineArn=arn, input=json.dumps(given or {}))
    if not wait:
        return execution["executionArn"]
    return ended(shared, execution["executionArn"])


def ended(shared: Sandbox, arn: str) -> Any:
    states = shared.client("stepfunctions")

    def done() -> Any:
        answer = states.describe_execution(executionArn=arn)
        return answer if answer["status"] != "RUNNING" else None

    return shared.until(done)


def task(function: str, **more: Any) -> dict[str, Any]:
    """A state that invokes a function and ends."""
    return {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke",
        "Parameters": {"FunctionName": function, "Payload.$": "$"},
        "ResultSelector": {"turn.$": "$.Payload"},
        "ResultPath": "$.answer",
        "End": True,
        **more,
    }


def machine(**states: Any) -> dict[str, Any]:
    """A machine that starts at its first state."""
    return {"StartAt": next(iter(states)), "States": states}


def error_of(name: str, message: str = "no") -> Any:
    """A function that answers with a function error of this type."""
    headers = {"X-Amz-Function-Error": "Unhandled"}
    return lambda _: (200, headers, {"errorType": name, "errorMessage": message})


def test_a_wait_of_a_minute_takes_a_minute_of_virtual_time(shared: Sandbox) -> None:
    begun = time.time()
    waiting = {"Type": "Wait", "Seconds": 60, "End": True}
    answer = run(shared, machine(Wait=waiting))
    assert answer["status"] == "SUCCEEDED"
    assert 0.5 < time.time() - begun < 20
    assert (answer["stopDate"] - answer["startDate"]).total_seconds() >= 60


def test_calls_carry_the_state_machines_name(shared: Sandbox) -> None:
    shared.functions["hello"] = lambda event: (200, {}, {"turn": "done", "saw": event})
    answer = run(shared, machine(Hello=task("hello")), {"tenant": "t"})
    assert json.loads(answer["output"])["answer"]["turn"]["saw"] == {"tenant": "t"}
    key = shared.calls[-1][0]
    assert key == "SFN." + answer["stateMachineArn"].split(":")[-1]


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (error_of("Throttled"), "Throttled"),
        (error_of("Runtime.ExitError"), "Runtime.ExitError"),
        (error_of("Sandbox.Timedout"), "Sandbox.Timedout"),
        (
            lambda _: (429, {"X-Amzn-ErrorType": "TooManyRequestsException"}, {"Reason": "x"}),
            "Lambda.TooManyRequestsException",
        ),
        (
            lambda _: (500, {"X-Amzn-ErrorType": "ServiceException"}, {"message": "x"}),
            "Lambda.ServiceException",
        ),
        (lambda _: (502, {}, {}), "Lambda.AWSLambdaException"),
        (
            lambda _: (200, {"X-Amz-Function-Error": "Unhandled"}, {"errorMessage": "x"}),
            "Lambda.Unknown",
        ),
    ],
)
def test_lambda_errors_are_named_as_aws_names_them(
    shared: Sandbox, function: Any, expected: str
) -> None:
    shared.functions["failing"] = function
    answer = run(shared, machine(Fail=task("failing")))
    assert (answer["status"], answer["error"]) == ("FAILED", expected)


def test_a_function_arn_as_resource_names_errors_too(shared: Sandbox) -> None:
    shared.functions["throttled"] = lambda _: (
        429,
        {"X-Amzn-ErrorType": "TooManyRequestsException"},
        {},
    )
    arn = f"arn:aws:lambda:eu-central-1:{AUTOMATION}:function:throttled"
    answer = run(shared, machine(Plain={"Type": "Task", "Resource": arn, "End": True}))
    assert answer["error"] == "Lambda.TooManyRequestsException"


def test_retries_wait_in_virtual_time_and_count(shared: Sandbox) -> None:
    seen = []

    def function(_: Any) -> Any:
        seen.append(shared.get("clock")["epoch"])
        return error_of("Transient")(_) if len(seen) < 3 else (200, {}, {})

    shared.functions["twice"] = function
    retry = [{"ErrorEquals": ["Transient"], "IntervalSeconds": 30, "BackoffRate": 1}]
    begun = time.time()
    answer = run(shared, machine(Try=task("twice", Retry=retry)))
    assert answer["status"] == "SUCCEEDED"
    assert len(seen) == 3
    assert all(later - earlier >= 30 for earlier, later in pairwise(seen))
    assert time.time() - begun < 20


def test_a_task_that_takes_too_long_is_a_states_timeout(shared: Sandbox) -> None:
    def slow(_: Any) -> Any:
        time.sleep(0.6)
        return 200, {}, {}

    shared.functions["slow"] = slow
    answer = run(shared, machine(Slow=task("slow", TimeoutSeconds=20)))
    assert answer["error"] == "States.Timeout"


def test_a_machine_that_takes_too_long_is_timed_out(shared: Sandbox) -> None:
    waiting = {"Type": "Wait", "Seconds": 600, "End": True}
    answer = run(shared, machine(Wait=waiting) | {"TimeoutSeconds": 30})
    assert answer["status"] == "TIMED_OUT"
    assert "stopDate" in answer


def await_state(table: str, **more: Any) -> dict[str, Any]:
    """The waiting idiom: the token goes to a row, unless a hint came first."""
    return {
        "Type": "Task",
        "Resource": "arn:aws:states:::aws-sdk:dynamodb:updateItem.waitForTaskToken",
        "Parameters": {
            "TableName": table,
            "Key": {"pk": {"S.$": "$.tenant"}},
            "UpdateExpression": "SET #token = :token",
            "ConditionExpression": "attribute_exists(pk) AND attribute_not_exists(hinted)",
            "ExpressionAttributeNames": {"#token": "token"},
            "ExpressionAttributeValues": {":token": {"S.$": "$$.Task.Token"}},
        },
        "TimeoutSecondsPath": "$.seconds",
        "ResultPath": None,
        "Catch": [
            {
                "ErrorEquals": ["States.Timeout", "DynamoDb.ConditionalCheckFailedException"],
                "ResultPath": "$.error",
                "Next": "Again",
            }
        ],
        "Next": "Woken",
    }


def waiting_machine(table: str) -> dict[str, Any]:
    return machine(
        Await=await_state(table),
        Woken={"Type": "Pass", "Result": "woken", "End": True},
        Again={"Type": "Pass", "Parameters": {"error.$": "$.error.Error"}, "End": True},
    )


@pytest.fixture(scope="module")
def table(shared: Sandbox) -> str:
    dynamodb = shared.client("dynamodb")
    dynamodb.create_table(
        TableName="rows",
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    dynamodb.put_item(TableName="rows", Item={"pk": {"S": "a"}})
    dynamodb.put_item(TableName="rows", Item={"pk": {"S": "hinted"}, "hinted": {"BOOL": True}})
    return "rows"


def token_of(shared: Sandbox, table: str, tenant: str) -> str:
    dynamodb = shared.client("dynamodb")

    def found() -> Any:
        row = dynamodb.get_item(TableName=table, Key={"pk": {"S": tenant}})["Item"]
        return row.get("token", {}).get("S")

    return str(shared.until(found))


def test_a_waiting_machine_is_woken_by_its_token_once(shared: Sandbox, table: str) -> None:
    arn = run(shared, waiting_machine(table), {"tenant": "a", "seconds": 3000}, wait=False)
    token = token_of(shared, table, "a")
    states = shared.client("stepfunctions")
    states.send_task_success(taskToken=token, output="{}")
    assert json.loads(ended(shared, arn)["output"]) == "woken"
    with pytest.raises(ClientError) as over:
        states.send_task_success(taskToken=token, output="{}")
    assert over.value.response["Error"]["Code"] == "TaskTimedOut"
    with pytest.raises(ClientError) as invalid:
        states.send_task_success(taskToken="made-up", output="{}")
    assert invalid.value.response["Error"]["Code"] == "InvalidToken"


def test_a_wait_ends_by_itself_and_a_hint_sends_back_at_once(shared: Sandbox, table: str) -> None:
    late = run(shared, waiting_machine(table), {"tenant": "a", "seconds": 30})
    assert json.loads(late["output"]) == {"error": "States.Timeout"}
    hinted = run(shared, waiting_machine(table), {"tenant": "hinted", "seconds": 3000})
    assert json.loads(hinted["output"]) == {"error": "DynamoDb.ConditionalCheckFailedException"}


def test_an_execution_stops_at_once_even_while_it_waits(shared: Sandbox, table: str) -> None:
    arn = run(shared, waiting_machine(table), {"tenant": "a", "seconds": 90000}, wait=False)
    token = token_of(shared, table, "a")
    states = shared.client("stepfunctions")
    states.stop_execution(executionArn=arn, error="Stopped", cause="by a test")
    answer = states.describe_execution(executionArn=arn)
    assert (answer["status"], answer["error"]) == ("ABORTED", "Stopped")
    with pytest.raises(ClientError) as over:
        states.send_task_success(taskToken=token, output="{}")
    assert over.value.response["Error"]["Code"] == "TaskTimedOut"
    statuses = [
        event["detail"]["status"]
        for event in shared.events("Step Functions Execution Status Change")
        if event["detail"]["executionArn"] == arn
    ]
    assert statuses == ["RUNNING", "ABORTED"]


def test_the_same_name_and_input_is_the_same_execution_while_it_runs(shared: Sandbox) -> None:
    states = shared.client("stepfunctions")
    definition = machine(Wait={"Type": "Wait", "SecondsPath": "$.seconds", "End": True})
    arn = states.create_state_machine(name="same", definition=json.dumps(definition), roleArn=ROLE)[
        "stateMachineArn"
    ]
    request = {"stateMachineArn": arn, "name": "one", "input": '{"seconds": 40}'}
    first = states.start_execution(**request)
    assert states.start_execution(**request)["executionArn"] == first["executionArn"]
    with pytest.raises(ClientError) as other:
        states.start_execution(**request | {"input": '{"seconds": 41}'})
    assert other.value.response["Error"]["Code"] == "ExecutionAlreadyExists"
    ended(shared, first["executionArn"])
    with pytest.raises(ClientError) as closed:
        states.start_execution(**request)
    assert closed.value.response["Error"]["Code"] == "ExecutionAlreadyExists"
    listed = states.list_executions(stateMachineArn=arn, statusFilter="SUCCEEDED")
    assert [one["name"] for one in listed["executions"]] == ["one"]


def test_branches_and_items_catch_their_own_errors(shared: Sandbox) -> None:
    def part(event: Any) -> Any:
        return error_of("Blocked")(event) if event["part"] == "b" else (200, {}, {"turn": "done"})

    shared.functions["part"] = part
    caught = {"ErrorEquals": ["States.ALL"], "ResultPath": "$.failure", "Next": "Failed"}
    each = machine(
        Part=task("part", Catch=[caught]),
        Failed={"Type": "Pass", "End": True},
    )
    definition = machine(
        Parts={
            "Type": "Map",
            "ItemsPath": "$.parts",
            "ItemSelector": {"part.$": "$$.Map.Item.Value", "tenant.$": "$.tenant"},
            "ItemProcessor": {"ProcessorConfig": {"Mode": "INLINE"}, **each},
            "MaxConcurrency": 10,
            "ResultPath": "$.parts",
            "Next": "Both",
        },
        Both={
            "Type": "Parallel",
            "Branches": [
                machine(Left={"Type": "Pass", "Result": {"left": 1}, "End": True}),
                machine(
                    Right=task("part", Catch=[caught]),
                    Failed={"Type": "Pass", "End": True},
                )
                | {"Comment": "has its own catch"},
            ],
            "Parameters": {"part": "b"},
            "ResultSelector": {"left.$": "$[0].left", "right.$": "$[1].failure.Error"},
            "ResultPath": "$.both",
            "Next": "Count",
        },
        Count={
            "Type": "Pass",
            "Parameters": {
                "failures.$": "$.parts[?(@.failure)]",
                "count.$": "States.ArrayLength($.parts[?(@.failure)])",
                "text.$": "States.Format('{} of {}', $.tenant, 'two')",
                "both.$": "$.both",
                "none.$": "$.parts[?(@.nothing)]",
            },
            "Next": "Judge",
        },
        Judge={
            "Type": "Choice",
            "Choices": [
                {"Variable": "$.failures[0]", "IsPresent": True, "Next": "Bad"},
            ],
            "Default": "Good",
        },
        Good={"Type": "Succeed"},
        Bad={"Type": "Pass", "End": True},
    )
    answer = run(shared, definition, {"tenant": "t", "parts": ["a", "b", "c"]})
    output = json.loads(answer["output"])
    assert output["count"] == 1
    assert output["none"] == []
    assert output["failures"][0]["failure"]["Error"] == "Blocked"
    assert output["text"] == "t of two"
    assert output["both"] == {"left": 1, "right": "Blocked"}


def test_a_history_has_pages_and_two_directions(shared: Sandbox) -> None:
    states = shared.client("stepfunctions")
    passes = {f"P{number}": {"Type": "Pass", "Next": f"P{number + 1}"} for number in range(3)}
    answer = run(shared, machine(**passes, P3={"Type": "Succeed"}))
    request = {"executionArn": answer["executionArn"]}
    pages = states.get_paginator("get_execution_history").paginate(
        **request, PaginationConfig={"PageSize": 3}
    )
    kinds = [event["type"] for page in pages for event in page["events"]]
    assert (kinds[0], kinds[-1]) == ("ExecutionStarted", "ExecutionSucceeded")
    assert len(kinds) == 10
    last = states.get_execution_history(**request, reverseOrder=True, maxResults=1)["events"]
    assert last[0]["type"] == "ExecutionSucceeded"


def test_many_executions_run_side_by_side(shared: Sandbox) -> None:
    shared.functions["quick"] = lambda event: (200, {}, {"n": event["n"]})
    states = shared.client("stepfunctions")
    definition = machine(Quick=task("quick"))
    arn = states.create_state_machine(name="many", definition=json.dumps(definition), roleArn=ROLE)[
        "stateMachineArn"
    ]
    started = [
        states.start_execution(stateMachineArn=arn, input=json.dumps({"n": number}))
        for number in range(30)
    ]
    for number, execution in enumerate(started):
        answer = ended(shared, execution["executionArn"])
        assert json.loads(answer["output"])["answer"]["turn"] == {"n": number}


def test_an_execution_is_started_by_another_once_for_a_name(shared: Sandbox) -> None:
    inner = run(shared, machine(Pass={"Type": "Pass", "End": True}))["stateMachineArn"]
    start = {
        "Type": "Task",
        "Resource": "arn:aws:states:::states:startExecution",
        "Parameters": {"StateMachineArn": inner, "Name": "run-1", "Input.$": "$"},
        "End": True,
    }
    answer = run(shared, machine(Start=start), {"told": "this"})
    arn = json.loads(answer["output"])["ExecutionArn"]
    assert json.loads(ended(shared, arn)["input"]) == {"told": "this"}
    again = run(shared, machine(Start=start), {"told": "that"})
    assert again["error"] == "StepFunctions.ExecutionAlreadyExistsException"

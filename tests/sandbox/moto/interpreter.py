"""Step Functions as AWS runs it, on moto's interpreter.

Added here: the virtual clock, calls that carry the state machine's identity, machines deployed by
CloudFormation that run, error names exactly as AWS gives them, StopExecution that stops, tokens
that tell a closed task from a made-up one, and status-change events.
"""

import json
import re
import threading
import uuid
from functools import cache
from types import SimpleNamespace
from typing import Any

import clients
import clock
import outbox
from patching import Refusal, method_of, replace_everywhere

_executions: dict[str, Any] = {}
_tokens: dict[str, Any] = {}
_clients: dict[tuple[str, str, str], Any] = {}
_programs: dict[str, Any] = {}
_lock = threading.RLock()
_current = threading.local()


def begin() -> None:
    """Forgets the clients of the process that this one is a copy of."""
    _clients.clear()


# The service part of an error's name, where it is not simply capitalised.
SERVICE_NAMES = {"dynamodb": "DynamoDb", "sfn": "Sfn", "eventbridge": "EventBridge"}
# What makes a path select any number of values: wildcard, filter, descent, slice, union.
SELECTING = re.compile(r"\*|\?\(|\.\.|\[[^\]]*[:,]")
MAXIMUM_INPUT = 262_144


def client_for(region: str, service: str, state_credentials: Any = None) -> Any:
    """A client whose access key names the state machine that calls."""
    from moto.settings import moto_server_port

    machine = getattr(_current, "machine", "unknown")
    key = (region, service, machine)
    with _lock:
        if key not in _clients:
            _clients[key] = clients.make(
                service,
                region,
                f"http://127.0.0.1:{moto_server_port()}",
                f"SFN.{machine}",
                max_pool_connections=100,
                connect_timeout=10,
                read_timeout=3600,
            )
        return _clients[key]


def status_event(execution: Any) -> None:
    """Tells the account's bus that an execution has a new status (best effort on AWS)."""

    def milliseconds(moment: Any) -> int | None:
        return int(moment.timestamp() * 1000) if moment else None

    output = None
    if execution.exec_status == "SUCCEEDED":
        output = json.dumps(execution.output, separators=(",", ":"))
    redrivable = execution.exec_status in ("FAILED", "ABORTED", "TIMED_OUT")
    outbox.emit(
        execution.account_id,
        execution.region_name,
        "aws.states",
        "Step Functions Execution Status Change",
        {
            "executionArn": execution.exec_arn,
            "stateMachineArn": execution.state_machine.arn,
            "name": execution.name,
            "status": str(execution.status),
            "startDate": milliseconds(execution.start_date),
            "stopDate": milliseconds(execution.stop_date),
            "input": execution.execution_input,
            "inputDetails": {"included": True},
            "output": output,
            "outputDetails": {"included": True} if output is not None else None,
            "stateMachineVersionArn": None,
            "stateMachineAliasArn": None,
            "redriveCount": 0,
            "redriveDate": None,
            "redriveStatus": "REDRIVABLE" if redrivable else "NOT_REDRIVABLE",
            "redriveStatusReason": None,
            "error": execution.error,
            "cause": execution.cause,
        },
        [execution.exec_arn],
    )


def install() -> None:
    """Puts the changes in place."""
    from moto.core.config import default_user_config

    default_user_config["stepfunctions"] = {"execute_state_machine": True}
    _one_backend()
    _virtual_time()
    _programs_parsed_once()
    _paths()
    _calls()
    _nested_executions()
    _error_names()
    _executions_api()
    _history()
    _stopping()
    _callbacks()


def _one_backend() -> None:
    """CloudFormation creates machines where executions are run."""
    from moto.stepfunctions import models, responses
    from moto.stepfunctions.parser.models import stepfunctions_parser_backends

    models.stepfunctions_backends = stepfunctions_parser_backends
    responses.stepfunctions_backends = stepfunctions_parser_backends
    responses.get_backend = lambda account, region: stepfunctions_parser_backends[account][region]


def _virtual_time() -> None:
    from moto.stepfunctions.parser import models
    from moto.stepfunctions.parser.asl.component.common.retry import retrier_decl
    from moto.stepfunctions.parser.asl.component.program import program
    from moto.stepfunctions.parser.asl.component.state import state
    from moto.stepfunctions.parser.asl.component.state.exec import execute_state
    from moto.stepfunctions.parser.asl.component.state.exec.state_task.service import (
        state_task_service_callback,
    )
    from moto.stepfunctions.parser.asl.component.state.wait.wait_function import (
        timestamp,
        wait_function,
    )
    from moto.stepfunctions.parser.asl.eval import environment
    from moto.stepfunctions.parser.asl.eval.callback import callback
    from moto.stepfunctions.parser.asl.eval.event import event_manager
    from moto.stepfunctions.parser.backend import execution

    for module in (models, state, event_manager, execution, timestamp):
        module.datetime = clock.DATETIME
    for module in (retrier_decl, state_task_service_callback):
        module.time = clock.TIME
    callback.Event = clock.Event
    execute_state.threading = SimpleNamespace(Event=clock.Event)
    environment.threading = SimpleNamespace(Event=clock.Event, RLock=threading.RLock)

    @method_of(wait_function.WaitFunction)
    def _wait_interval(self: Any, env: Any, wait_seconds: float) -> None:
        until = clock.now() + wait_seconds
        while env.is_running() and (left := until - clock.now()) > 0:
            env.program_state_event.wait(left)

    @method_of(program.Program)
    def eval(self: Any, env: Any) -> None:
        limit = self.timeout_seconds.timeout_seconds if self.timeout_seconds else None
        env.next_state_name = self.start_at.start_at_name
        run = super(program.Program, self).eval
        ended = clock.Event()

        def work() -> None:
            try:
                run(env)
            finally:
                ended.set()

        threading.Thread(target=work, daemon=True).start()
        if not ended.wait(limit):
            env.set_timed_out()


def _programs_parsed_once() -> None:
    from moto.stepfunctions.parser.asl.parse import asl_parser

    parser = asl_parser.AmazonStateLanguageParser
    parse = parser.parse

    def cached(definition: str) -> Any:
        with _lock:
            if definition not in _programs:
                _programs[definition] = parse(definition)
            return _programs[definition]

    parser.parse = staticmethod(cached)


def _paths() -> None:
    """A path of names and indices is one value; one that filters or selects is always a list."""
    from jsonpath_ng.ext import parse
    from moto.stepfunctions.parser.asl.component.common.path import result_path
    from moto.stepfunctions.parser.asl.utils import json_path

    parsed = cache(parse)
    result_path.parse = cache(result_path.parse)

    def extract_json(path: str, data: Any) -> Any:
        values = [match.value for match in parsed(path).find(data)]
        if SELECTING.search(re.sub(r"'[^']*'", "", path)):
            return values
        if not values:
            raise json_path.NoSuchJsonPathError(json_path=path, data=data)
        return values[0]

    replace_everywhere(json_path.extract_json, extract_json, "extract_json")


def _calls() -> None:
    """Each task's calls are made under the name of its state machine."""
    from moto.stepfunctions.parser.asl.component.state.exec.state_task import state_task_lambda
    from moto.stepfunctions.parser.asl.component.state.exec.state_task.service import (
        state_task_service,
    )
    from moto.stepfunctions.parser.asl.utils import boto_client
    from moto.stepfunctions.parser.utils import TMP_THREADS

    replace_everywhere(boto_client.boto_client_for, client_for, "boto_client_for")
    owners = (state_task_lambda.StateTaskLambda, state_task_service.StateTaskService)
    for owner in owners:
        original = owner._eval_execution

        def named(self: Any, env: Any, original: Any = original) -> None:
            context = env.states.context_object.context_object_data
            _current.machine = context["StateMachine"]["Name"]
            TMP_THREADS.clear()
            original(self, env)

        owner._eval_execution = named


def _nested_executions() -> None:
    """`states:startExecution` is written in Step Functions' spelling and called in the API's."""
    from moto.stepfunctions.parser.asl.component.state.exec.state_task.service import (
        state_task_service_sfn,
    )

    owner = state_task_service_sfn.StateTaskServiceSfn
    normalise = owner._normalise_parameters

    def as_the_api(self: Any, parameters: dict[str, Any], *more: Any, **named: Any) -> None:
        normalise(self, parameters, *more, **named)
        for name in [name for name in parameters if name[:1].isupper()]:
            parameters[name[0].lower() + name[1:]] = parameters.pop(name)

    owner._normalise_parameters = as_the_api

    @method_of(owner)
    def _normalise_response(self: Any, response: Any, *_: Any, **__: Any) -> None:
        for name in list(response):
            value = response.pop(name)
            at = int(value.timestamp() * 1000) if hasattr(value, "timestamp") else value
            response[name[0].upper() + name[1:]] = at

    from_error = owner._from_error

    def named_once(self: Any, env: Any, ex: Exception) -> Any:
        # An error that is called an exception already is not called so twice.
        code = getattr(ex, "response", {}).get("Error", {}).get("Code", "")
        if code.endswith("Exception"):
            ex.response["Error"]["Code"] = code.removesuffix("Exception")
        return from_error(self, env, ex)

    owner._from_error = named_once


def lambda_failure(error: Exception) -> tuple[str, str] | None:
    """The error and cause AWS reports for a failed Lambda task; None for other failures."""
    from botocore.exceptions import BotoCoreError, ClientError
    from moto.stepfunctions.parser.asl.component.state.exec.state_task import lambda_eval_utils

    if isinstance(error, lambda_eval_utils.LambdaFunctionErrorException):
        try:
            name = json.loads(error.payload)["errorType"]
        except (ValueError, KeyError, TypeError):
            name = "Lambda.Unknown"
        return name, error.payload
    if isinstance(error, ClientError):
        code = error.response["Error"].get("Code", "")
        metadata = error.response["ResponseMetadata"]
        status = metadata["HTTPStatusCode"]
        if not code.isidentifier():
            code = "TooManyRequestsException" if status == 429 else "AWSLambdaException"
        if status >= 500 and not code.endswith("Exception"):
            code = "ServiceException"
        details = (
            f"Service: AWSLambda; Status Code: {status}; Error Code: {code}; "
            f"Request ID: {metadata.get('RequestId')}; Proxy: null"
        )
        return f"Lambda.{code}", f"{error.response['Error'].get('Message', '')} ({details})"
    if isinstance(error, BotoCoreError):
        return "Lambda.SdkClientException", str(error)
    return None


def _error_names() -> None:
    from moto.stepfunctions.parser.api import (
        HistoryEventType,
        LambdaFunctionFailedEventDetails,
        TaskFailedEventDetails,
    )
    from moto.stepfunctions.parser.asl.component.common.error_name.custom_error_name import (
        CustomErrorName,
    )
    from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import FailureEvent
    from moto.stepfunctions.parser.asl.component.state.exec.state_task import state_task_lambda
    from moto.stepfunctions.parser.asl.component.state.exec.state_task.service import (
        state_task_service_aws_sdk,
        state_task_service_lambda,
    )
    from moto.stepfunctions.parser.asl.eval.event.event_detail import EventDetails

    def failed(env: Any, error: str, kind: Any, details: Any) -> Any:
        return FailureEvent(
            env=env,
            error_name=CustomErrorName(error),
            event_type=kind,
            event_details=EventDetails(**details),
        )

    service_task = state_task_service_lambda.StateTaskServiceLambda
    service_otherwise = service_task._from_error

    def of_service_task(self: Any, env: Any, ex: Exception) -> Any:
        known = lambda_failure(ex)
        if known is None:
            return service_otherwise(self, env, ex)
        details = TaskFailedEventDetails(
            error=known[0],
            cause=known[1],
            resource=self._get_sfn_resource(),
            resourceType=self._get_sfn_resource_type(),
        )
        kind = HistoryEventType.TaskFailed
        return failed(env, known[0], kind, {"taskFailedEventDetails": details})

    service_task._from_error = of_service_task

    plain_task = state_task_lambda.StateTaskLambda
    plain_otherwise = plain_task._from_error

    def of_plain_task(self: Any, env: Any, ex: Exception) -> Any:
        known = lambda_failure(ex)
        if known is None:
            return plain_otherwise(self, env, ex)
        details = LambdaFunctionFailedEventDetails(error=known[0], cause=known[1])
        kind = HistoryEventType.LambdaFunctionFailed
        return failed(env, known[0], kind, {"lambdaFunctionFailedEventDetails": details})

    plain_task._from_error = of_plain_task

    def service_name(name: str) -> str:
        return SERVICE_NAMES.get(name.lower(), name.capitalize())

    sdk_task = state_task_service_aws_sdk.StateTaskServiceAwsSdk
    sdk_task._normalise_service_error_name = staticmethod(service_name)


def _executions_api() -> None:
    from moto.core.responses import ActionResult
    from moto.stepfunctions.models import StateMachineInstance
    from moto.stepfunctions.parser.backend.execution import (
        BaseExecutionWorkerCommunication,
        Execution,
    )
    from moto.stepfunctions.parser.backend.execution_worker import ExecutionWorker
    from moto.stepfunctions.parser.models import StepFunctionsParserBackend
    from moto.stepfunctions.responses import StepFunctionResponse

    @method_of(StepFunctionsParserBackend)
    def start_execution(
        self: Any,
        state_machine_arn: str,
        name: str | None = None,
        execution_input: str | None = None,
        trace_header: Any = None,
    ) -> Any:
        machine = self.describe_state_machine(state_machine_arn)
        name = name or str(uuid.uuid4())
        self._validate_name(name)
        text = execution_input or "{}"
        try:
            json.loads(text)
        except ValueError as error:
            raise Refusal(
                "InvalidExecutionInput", f"Invalid State Machine Execution Input: {error}"
            )
        if len(text.encode()) > MAXIMUM_INPUT:
            raise Refusal("InvalidExecutionInput", "Input exceeds the maximum size of 262144 bytes")
        arn = f"{machine.arn.replace(':stateMachine:', ':execution:')}:{name}"
        with _lock:
            existing = _executions.get(arn)
            if existing is not None:
                if existing.status == "RUNNING" and existing.execution_input == text:
                    return existing
                raise Refusal("ExecutionAlreadyExists", f"Execution Already Exists: '{arn}'")
            snapshot = StateMachineInstance(
                machine.arn, machine.name, machine.definition, machine.roleArn, sm_type=machine.type
            )
            execution = Execution(
                name=name,
                sm_type=machine.sm_type,
                role_arn=machine.roleArn,
                exec_arn=arn,
                account_id=self.account_id,
                region_name=self.region_name,
                state_machine=snapshot,
                start_date=clock.VirtualDatetime.now(clock.datetime.UTC),
                cloud_watch_logging_session=None,
                input_data=text,
                trace_header=trace_header,
                activity_store={},
            )
            _executions[arn] = execution
            machine.executions.append(execution)
            execution.start()
        status_event(execution)
        return execution

    @method_of(ExecutionWorker)
    def start(self: Any) -> None:
        self.env = self._get_evaluation_environment()
        threading.Thread(target=self._execution_logic, daemon=True).start()

    first_environment = ExecutionWorker._get_evaluation_environment

    @method_of(ExecutionWorker)
    def _get_evaluation_environment(self: Any) -> Any:
        return self.env or first_environment(self)

    @method_of(BaseExecutionWorkerCommunication)
    def terminated(self: Any) -> None:
        with _lock:
            if self.execution.exec_status != "RUNNING":
                return
            self._reflect_execution_status()
        status_event(self.execution)

    @method_of(StepFunctionsParserBackend)
    def describe_execution(self: Any, execution_arn: str) -> Any:
        self._validate_execution_arn(execution_arn)
        execution = _executions.get(execution_arn)
        if execution is None or execution.account_id != self.account_id:
            message = f"Execution Does Not Exist: '{execution_arn}'"
            raise Refusal("ExecutionDoesNotExist", message)
        return execution

    def described(execution: Any) -> dict[str, Any]:
        answer = {
            "executionArn": execution.exec_arn,
            "stateMachineArn": execution.state_machine.arn,
            "name": execution.name,
            "status": str(execution.status),
            "startDate": execution.start_date,
        }
        if execution.stop_date:
            answer["stopDate"] = execution.stop_date
        return answer

    def of_response(self: Any) -> ActionResult:
        execution = self.stepfunction_backend.describe_execution(self._get_param("executionArn"))
        answer = described(execution) | {
            "input": execution.execution_input,
            "inputDetails": {"included": True},
        }
        if execution.status == "SUCCEEDED":
            answer["output"] = json.dumps(execution.output, separators=(",", ":"))
            answer["outputDetails"] = {"included": True}
        if execution.error is not None:
            answer["error"] = execution.error
        if execution.cause is not None:
            answer["cause"] = execution.cause
        return ActionResult(answer)

    StepFunctionResponse.describe_execution = of_response

    @method_of(StepFunctionResponse)
    def list_executions(self: Any) -> ActionResult:
        machine = self.stepfunction_backend.describe_state_machine(
            self._get_param("stateMachineArn")
        )
        status = self._get_param("statusFilter")
        start = int(self._get_param("nextToken") or 0)
        count = self._get_int_param("maxResults") or 100
        found = [one for one in reversed(machine.executions) if status in (None, one.status)]
        answer: dict[str, Any] = {
            "executions": [described(one) for one in found[start : start + count]]
        }
        if len(found) > start + count:
            answer["nextToken"] = str(start + count)
        return ActionResult(answer)


def _history() -> None:
    """A history has pages and two directions."""
    from moto.core.responses import ActionResult
    from moto.stepfunctions.responses import StepFunctionResponse

    @method_of(StepFunctionResponse)
    def get_execution_history(self: Any) -> ActionResult:
        execution = self.stepfunction_backend.describe_execution(self._get_param("executionArn"))
        events = list(execution.to_history_output()["events"])
        if self._get_bool_param("reverseOrder", False):
            events.reverse()
        start = int(self._get_param("nextToken") or 0)
        count = self._get_int_param("maxResults") or 100
        answer: dict[str, Any] = {"events": events[start : start + count]}
        if len(events) > start + count:
            answer["nextToken"] = str(start + count)
        return ActionResult(answer)


def _stopping() -> None:
    from moto.core.responses import ActionResult
    from moto.stepfunctions.parser.api import ExecutionStatus
    from moto.stepfunctions.parser.asl.eval.environment import Environment
    from moto.stepfunctions.parser.asl.eval.program_state import ProgramStopped, ProgramTimedOut
    from moto.stepfunctions.responses import StepFunctionResponse

    @method_of(StepFunctionResponse)
    def stop_execution(self: Any) -> ActionResult:
        execution = self.stepfunction_backend.describe_execution(self._get_param("executionArn"))
        stop(execution, self._get_param("error"), self._get_param("cause"))
        return ActionResult({"stopDate": execution.stop_date})

    def stop(execution: Any, error: str | None, cause: str | None) -> None:
        with _lock:
            if execution.exec_status != ExecutionStatus.RUNNING:
                return
            execution.exec_status = ExecutionStatus.ABORTED
            execution.stop_date = clock.VirtualDatetime.now(clock.datetime.UTC)
            execution.error, execution.cause = error, cause
            env = execution.exec_worker.env
            env.set_stop(stop_date=execution.stop_date, cause=cause, error=error)
        for endpoint in list(env.callback_pool_manager._pool.values()):
            endpoint.interrupt_all()
        status_event(execution)

    set_error = Environment.set_error

    def unless_over(self: Any, error: Any) -> None:
        if not isinstance(self._program_state, ProgramStopped | ProgramTimedOut):
            set_error(self, error)

    Environment.set_error = unless_over


def _callbacks() -> None:
    """A token is live, over, or was never given out; the sender is told which."""
    from moto.core.responses import EmptyResult
    from moto.stepfunctions.parser.asl.eval.callback import callback
    from moto.stepfunctions.responses import StepFunctionResponse

    add = callback.CallbackPoolManager.add

    def remembered(self: Any, callback_id: str) -> Any:
        endpoint = add(self, callback_id)
        _tokens[callback_id] = endpoint
        return endpoint

    callback.CallbackPoolManager.add = remembered

    interrupt_all = callback.CallbackEndpoint.interrupt_all

    def closed(self: Any) -> None:
        self.over = True
        interrupt_all(self)

    callback.CallbackEndpoint.interrupt_all = closed

    def live(token: str | None) -> Any:
        endpoint = _tokens.get(token or "")
        if endpoint is None:
            raise Refusal("InvalidToken", "Invalid Token: 'Invalid token'")
        if getattr(endpoint, "over", False) or endpoint.get_outcome() is not None:
            message = "Task Timed Out: 'Provided task does not exist anymore'"
            raise Refusal("TaskTimedOut", message)
        return endpoint

    @method_of(StepFunctionResponse)
    def send_task_success(self: Any) -> EmptyResult:
        token, output = self._get_param("taskToken"), self._get_param("output")
        try:
            json.loads(output)
        except (TypeError, ValueError):
            raise Refusal("InvalidOutput", "Invalid Output: 'The task output is no valid JSON'")
        with _lock:
            endpoint = live(token)
            endpoint.notify(callback.CallbackOutcomeSuccess(callback_id=token, output=output))
        return EmptyResult()

    @method_of(StepFunctionResponse)
    def send_task_failure(self: Any) -> EmptyResult:
        token = self._get_param("taskToken")
        error, cause = self._get_param("error"), self._get_param("cause")
        outcome = callback.CallbackOutcomeFailure(callback_id=token, error=error, cause=cause)
        with _lock:
            live(token).notify(outcome)
        return EmptyResult()

    @method_of(StepFunctionResponse)
    def send_task_heartbeat(self: Any) -> EmptyResult:
        live(self._get_param("taskToken")).notify_heartbeat()
        return EmptyResult()

"""Puts every part of the plug-in in place, once, before the first request."""

import threading
from functools import cache
from typing import Any

import accounts
import interpreter
import kinds_compute  # noqa: F401  (each module of kinds registers its types)
import kinds_identity  # noqa: F401
import kinds_messaging  # noqa: F401
import kinds_storage  # noqa: F401
import policies
import principals
import readiness
import stacks
import stacksets
from patching import Refusal

# Services whose modules load fast and that need nothing of the heavy parts.
LIGHT = {"sts", "organizations", "iam", "moto_api"}
_loading = threading.Lock()
_heavy = False


def install() -> None:
    """Changes moto; afterwards it behaves as AWS does."""
    _lean()
    principals.install()
    policies.install()
    accounts.install()
    _every_call()


def install_heavy() -> None:
    """The parts whose modules take long to load; any service but the light ones waits for them."""
    global _heavy
    with _loading:
        if not _heavy:
            interpreter.install()
            stacksets.install()
            stacks.install()
            _one_at_a_time()
            _heavy = True


def warm() -> None:
    """Loads in the background what the first calls would otherwise wait for."""
    install_heavy()
    import boto3
    import samtranslator.translator.transform  # noqa: F401

    for service in ("lambda", "dynamodb"):
        boto3.client(
            service,
            region_name="eu-central-1",
            aws_access_key_id="warm",
            aws_secret_access_key="warm",
        )
    policies.catalogue()


def _lean() -> None:
    """Work that moto repeats for every call, done once."""
    from moto.core import responses, utils

    names = cache(utils.method_names_from_class)
    responses.method_names_from_class = lambda owner: names(owner)
    underscored = cache(utils.camelcase_to_underscores)
    responses.camelcase_to_underscores = lambda text: underscored(text)


def _every_call() -> None:
    """Asks each call whether the account can take it, and gives refusals their HTTP status."""
    from moto.core.responses import ActionResult, BaseResponse
    from moto.core.serialize import ResponseSerializer

    call_action = BaseResponse.call_action

    def checked(self: Any) -> Any:
        try:
            readiness.check(self)
        except Refusal as refusal:
            status, headers, body = self.serialized(ActionResult(refusal))
            headers["status"] = str(status)
            return status, headers, body
        return call_action(self)

    BaseResponse.call_action = checked

    serialize_error = ResponseSerializer._serialize_error

    def with_status(self: Any, response: Any, error: Exception) -> Any:
        answer = serialize_error(self, response, error)
        if getattr(error, "status", 0) and isinstance(error, Refusal):
            answer["status_code"] = error.status
        return answer

    ResponseSerializer._serialize_error = with_status


def _one_at_a_time() -> None:
    """DynamoDB's writes are atomic on AWS; moto's threads would interleave condition and write."""
    from moto.dynamodb.responses import DynamoHandler

    call_action = DynamoHandler.call_action
    lock = threading.RLock()

    def alone(self: Any) -> Any:
        with lock:
            return call_action(self)

    DynamoHandler.call_action = alone

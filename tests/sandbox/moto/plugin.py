"""Puts every part of the plug-in in place, once, before the first request."""

import threading
from collections import defaultdict
from typing import Any

import accounts
import buses
import clients
import control_policies
import expressions
import factory
import iam_facts
import identity_center
import interpreter
import kinds_compute  # noqa: F401  (each module of kinds registers its types)
import kinds_identity  # noqa: F401
import kinds_messaging  # noqa: F401
import kinds_storage  # noqa: F401
import lean
import particulars
import policies
import principals
import quotas
import readiness
import regions
import secret_references
import stacks
import stackset_calls
import tables
import templates
import tower
import versions
from patching import Refusal

# Services whose modules load fast and that need nothing of the heavy parts.
LIGHT = {"controltower", "sts", "organizations", "iam", "moto_api"}
# moto's backends walk through dictionaries that another thread may change; AWS's do not mind.
ONE_AT_A_TIME = {"awslambda", "cloudwatch", "config", "events", "iam", "logs", "sns", "ssm"}
_alone: dict[tuple[str, str], Any] = defaultdict(threading.RLock)
# Models that the interpreter and the templates need first.
MOST_CALLED = ("lambda", "dynamodb", "iam")
_loading = threading.Lock()
_heavy = False


def install() -> None:
    """Changes moto; afterwards it behaves as AWS does."""
    lean.install()
    principals.install()
    policies.install()
    accounts.install()
    control_policies.install()
    tower.install()
    particulars.install()
    _every_call()


def install_heavy() -> None:
    """The parts whose modules take long to load; any service but the light ones waits for them."""
    global _heavy
    with _loading:
        if not _heavy:
            with lean.loading():
                interpreter.install()
                buses.install()
                stackset_calls.install()
                stacks.install()
                secret_references.install()
                quotas.install()
                factory.install()
                regions.install()
                identity_center.install()
                tables.install()
                expressions.install()
                versions.install()
            _heavy = True


def warm() -> None:
    """Loads in the background what the first calls would otherwise wait for."""
    install_heavy()
    templates.translator()
    for service in MOST_CALLED:
        clients.make(service, "eu-central-1", "http://127.0.0.1:1", "warm")
    policies.catalogue()


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
        try:
            if self.service_name not in ONE_AT_A_TIME:
                return call_action(self)
            with _alone[self.current_account, self.service_name]:
                return call_action(self)
        finally:
            iam_facts.note(self.service_name, self._get_action())

    BaseResponse.call_action = checked

    serialize_error = ResponseSerializer._serialize_error

    def with_status(self: Any, response: Any, error: Exception) -> Any:
        answer = serialize_error(self, response, error)
        if getattr(error, "status", 0) and isinstance(error, Refusal):
            answer["status_code"] = error.status
        return answer

    ResponseSerializer._serialize_error = with_status

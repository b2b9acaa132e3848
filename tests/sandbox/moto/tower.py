"""Control Tower as AWS runs it: a landing zone, registered units, accounts that are enrolled.

An account that is moved into a registered unit is enrolled if auto-enrollment is on, some minutes
later and one for each unit at a time: what is moved meanwhile counts as conflicting, and stays
unenrolled. moto knows nothing of this service.
"""

import json
import sys
import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType, SimpleNamespace
from typing import Any

import accounts
import clock
import outbox
from patching import Refusal
from settings import SETTINGS, draw, lognormal, take

# Where Control Tower was set up: its home Region.
HOME = "eu-central-1"
LANDING_ZONE = "1A2B3C4D5E6F7G8H"
# By AWS: account operations at once, and how many of them are moves into one unit.
OPERATIONS = 5
BASELINES = {
    "AWSControlTowerBaseline": "17BSJV3IGJ2QSGA2",
    "AuditBaseline": "4T4HA1KMO10S6311",
    "LogArchiveBaseline": "J8HX46AHS5MIKQPD",
    "IdentityCenterBaseline": "LN25R72TTG6IGPTQ",
}
# The units that a foundation has registered, from the top.
REGISTERED = (
    "ou-land-security",
    "ou-land-infrastr",
    "ou-land-workload",
    "ou-land-workprod",
    "ou-land-worknonp",
)
ROLES = (
    "AWSControlTowerExecution",
    "aws-controltower-AdministratorExecutionRole",
    "aws-controltower-ConfigRecorderRole",
    "aws-controltower-ForwardSnsNotificationRole",
    "aws-controltower-ReadOnlyExecutionRole",
)

lock = threading.RLock()


@dataclass
class Enabled:
    """A baseline that is enabled on a unit or an account."""

    arn: str
    target: str
    parent: str | None = None
    status: str = "SUCCEEDED"
    operation: str = ""

    def summary(self) -> dict[str, Any]:
        """As ListEnabledBaselines shows it."""
        shown = {
            "arn": self.arn,
            "baselineIdentifier": baseline("AWSControlTowerBaseline"),
            "baselineVersion": "4.0",
            "targetIdentifier": self.target,
            "statusSummary": {
                "status": self.status,
                "lastOperationIdentifier": self.operation,
            },
        }
        if self.parent is None:
            drift = {"types": {"inheritance": {"status": "IN_SYNC"}}}
            return {**shown, "driftStatusSummary": drift}
        return {**shown, "parentIdentifier": self.parent}


class Register:
    """What Control Tower knows."""

    def __init__(self) -> None:
        self.units: dict[str, Enabled] = {}
        self.accounts: dict[str, Enabled] = {}
        self.operations: dict[str, dict[str, Any]] = {}
        # Accounts that something is under way for, by the unit that they go into.
        self.under_way: dict[str, str] = {}


register = Register()


def owner() -> str:
    """The management account."""
    return str(accounts.backend().account_id)


def baseline(name: str) -> str:
    """The ARN of one of AWS's baselines."""
    return f"arn:aws:controltower:{HOME}::baseline/{BASELINES[name]}"


def enabled_arn() -> str:
    """A new enabled baseline's."""
    return f"arn:aws:controltower:{HOME}:{owner()}:enabledbaseline/{uuid.uuid4().hex[:16].upper()}"


def unit_arn(unit: str) -> str:
    """The ARN of a unit."""
    return f"arn:aws:organizations::{owner()}:ou/{accounts.backend().org.id}/{unit}"


def seed() -> None:
    """Registers the foundation's units and enrols who stands in them."""
    for unit in REGISTERED:
        register.units[unit] = Enabled(enabled_arn(), unit_arn(unit), operation=str(uuid.uuid4()))
    for account in list(accounts.register.by_id.values()):
        unit = register.units.get(account.parent_id)
        if unit is not None:
            found = Enabled(enabled_arn(), account.arn, unit.arn, operation=str(uuid.uuid4()))
            register.accounts[account.id] = found


def supports_moves() -> bool:
    """Whether moving an account enrols it: a setting of landing zones from version 3.1."""
    version = tuple(int(part) for part in SETTINGS.landing_zone_version.split("."))
    return SETTINGS.control_tower and SETTINGS.auto_enrolment and version >= (3, 1)


def moved(account: accounts.Account, source: str, destination: str) -> None:
    """Control Tower hears of a move."""
    if not supports_moves():
        return
    with lock:
        known = register.accounts.get(account.id)
        if destination not in register.units:
            if known is not None:
                seconds = SETTINGS.release_seconds
                if seconds is None:
                    seconds = lognormal(60, 0.99, 600, "release", account.email)
                clock.later(seconds, lambda: leave(account))
            return
        busy = destination in register.under_way.values() or len(register.under_way) >= OPERATIONS
        if busy or take(SETTINGS.unnoticed_moves, email=account.email):
            return
        register.under_way[account.id] = destination
    notice = 10 + draw("notice", account.email).random() * 50
    clock.later(notice, lambda: begin(account, destination, lambda reason: finish(account, reason)))


def begin(
    account: accounts.Account,
    unit: str,
    after: Callable[[str | None], None],
    seconds: float | None = None,
) -> None:
    """Starts to enrol an account; `after` is told in the end why it failed, or nothing."""
    if seconds is None:
        seconds = SETTINGS.enrolment_seconds
    if seconds is None:
        seconds = lognormal(120, 0.99, 900, "enrolment", account.email)
    operation = str(uuid.uuid4())
    with lock:
        known = register.accounts.get(account.id)
        found = Enabled(known.arn if known else enabled_arn(), account.arn)
        found.parent, found.status = register.units[unit].arn, "UNDER_CHANGE"
        found.operation = operation
        register.accounts[account.id] = found
        register.operations[operation] = {
            "operationIdentifier": operation,
            "operationType": "ENABLE_BASELINE",
            "status": "IN_PROGRESS",
            "startTime": clock.iso(),
        }
    clock.later(seconds, lambda: after(work(account)))


def work(account: accounts.Account) -> str | None:
    """What Control Tower makes in an account; why it could not."""
    knob = take(SETTINGS.fail_enrolments, email=account.email, account=account.id)
    if knob:
        return str(knob["reason"])
    if account.state != "ACTIVE":
        return f"The account {account.id} is not active."
    for name in ROLES:
        make_role(account, name)
    return None


def make_role(account: accounts.Account, name: str) -> None:
    """One of Control Tower's roles, unless it is there."""
    from moto.iam.models import iam_backends

    if any(role.name == name for role in list(iam_backends[account.id]["aws"].roles.values())):
        return
    iam = accounts.make_role(account, name)
    if name == "AWSControlTowerExecution":
        iam.attach_role_policy(accounts.ADMINISTRATOR, name)


def settle(account: accounts.Account, reason: str | None) -> Enabled:
    """The end of an operation on an account's baseline."""
    with lock:
        register.under_way.pop(account.id, None)
        found = register.accounts[account.id]
        found.status = "FAILED" if reason else "SUCCEEDED"
        register.operations[found.operation] |= {
            "status": found.status,
            "endTime": clock.iso(),
            "statusMessage": reason or "",
        }
    return found


def finish(account: accounts.Account, reason: str | None) -> None:
    """An enrolment by a move ends, and the home Region's bus is told."""
    found = settle(account, reason)
    tell_baseline("EnableBaseline", "enableBaselineStatus", found)


def leave(account: accounts.Account) -> None:
    """An account that was moved out of Control Tower's units is governed no more."""
    with lock:
        found = register.accounts.pop(account.id, None)
    if found is not None:
        found.operation = str(uuid.uuid4())
        tell_baseline("DisableBaseline", "disableBaselineStatus", found)


def tell_baseline(name: str, status: str, found: Enabled) -> None:
    """What CloudTrail reports of an enabled baseline."""
    shown = found.summary() | {"parameters": []}
    shown.pop("driftStatusSummary", None)
    details = {"enabledBaselineDetails": shown, **times()}
    outbox.service_event(owner(), HOME, "controltower", name, {status: details})


def times() -> dict[str, str]:
    """The timestamps of Control Tower's events, in a form of their own."""
    stamp = clock.iso().replace("Z", "+0000")
    return {"requestedTimestamp": stamp, "completedTimestamp": stamp}


def install() -> None:
    """Puts the service in its place."""
    from moto.core.base_backend import BackendDict, BaseBackend
    from moto.core.responses import ActionResult, BaseResponse
    from moto.moto_server import werkzeug_app

    class ControlTowerResponse(BaseResponse):
        """Answers Control Tower's calls."""

        def __init__(self) -> None:
            super().__init__(service_name="controltower")

        def asked(self) -> dict[str, Any]:
            """The request; refused outside the management account."""
            if accounts.backend() is None or self.current_account != owner():
                message = "AWS Control Tower could not find a landing zone in this account."
                raise Refusal("AccessDeniedException", message, 403)
            return dict(json.loads(self.body or "{}"))

        def is_here(self) -> bool:
            """Whether Control Tower lives in this Region."""
            return SETTINGS.control_tower and self.region == HOME

        def list_landing_zones(self) -> Any:
            self.asked()
            found = [{"arn": zone_arn()}] if self.is_here() else []
            return ActionResult({"landingZones": found})

        def get_landing_zone(self) -> Any:
            if self.asked().get("landingZoneIdentifier") != zone_arn() or not self.is_here():
                raise Refusal("ResourceNotFoundException", "The landing zone was not found.", 404)
            return ActionResult({"landingZone": landing_zone()})

        def list_baselines(self) -> Any:
            self.asked()
            shown = [{"arn": baseline(name), "name": name} for name in BASELINES]
            return ActionResult({"baselines": shown})

        def list_enabled_baselines(self) -> Any:
            request = self.asked()
            wanted = request.get("filter") or {}
            with lock:
                found = list(register.units.values()) if self.is_here() else []
                if request.get("includeChildren") and self.is_here():
                    found += register.accounts.values()
            by = {
                "targetIdentifiers": lambda one: one.target,
                "parentIdentifiers": lambda one: one.parent,
                "baselineIdentifiers": lambda _: baseline("AWSControlTowerBaseline"),
                "statuses": lambda one: one.status,
            }
            for name, values in wanted.items():
                if name not in by or not 1 <= len(values) <= 5:
                    raise Refusal("ValidationException", f"The filter {name} is not valid.", 400)
                found = [one for one in found if by[name](one) in values]
            size = int(request.get("maxResults") or 100)
            start = int(request.get("nextToken") or 0)
            following = str(start + size) if len(found) > start + size else None
            page = [one.summary() for one in found[start : start + size]]
            return ActionResult({"enabledBaselines": page, "nextToken": following})

        def get_baseline_operation(self) -> Any:
            found = register.operations.get(self.asked().get("operationIdentifier", ""))
            if found is None:
                raise Refusal("ResourceNotFoundException", "The operation was not found.", 404)
            return ActionResult({"baselineOperation": found})

    class ControlTowerBackend(BaseBackend):
        """Only there because moto finds a service by its backend."""

        @property
        def _url_module(self) -> Any:  # type: ignore[override, misc]
            paths = {r"{0}/(?P<operation>[^/]+)$": ControlTowerResponse.dispatch}
            return SimpleNamespace(url_bases=[pattern], url_paths=paths)

    import re

    pattern = r"https?://controltower\.(.+)\.amazonaws\.com"
    module = ModuleType("moto.controltower")
    module.controltower_backends = BackendDict(  # type: ignore[attr-defined]
        ControlTowerBackend, "controltower"
    )
    sys.modules["moto.controltower"] = module
    patterns = werkzeug_app.backend_index.backend_url_patterns
    patterns.append(("controltower", re.compile(pattern)))
    accounts.movers.append(moved)


def zone_arn() -> str:
    """The landing zone's ARN."""
    return f"arn:aws:controltower:{HOME}:{owner()}:landingzone/{LANDING_ZONE}"


def landing_zone() -> dict[str, Any]:
    """The landing zone as GetLandingZone shows it."""
    manifest = {
        "governedRegions": [HOME, "us-east-1"],
        "organizationStructure": {"security": {"name": "Security"}},
        "centralizedLogging": {"accountId": "222222222222", "enabled": True},
        "securityRoles": {"accountId": "333333333333"},
        "accessManagement": {"enabled": True},
    }
    return {
        "arn": zone_arn(),
        "version": SETTINGS.landing_zone_version,
        "latestAvailableVersion": "4.0",
        "status": SETTINGS.landing_zone_status,
        "driftStatus": {"status": "IN_SYNC"},
        "remediationTypes": ["INHERITANCE_DRIFT"] if SETTINGS.auto_enrolment else [],
        "manifest": manifest,
    }

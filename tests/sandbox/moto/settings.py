"""How the sandbox's AWS behaves: every knob, its default, and the seeded randomness behind it."""

import math
import os
import random
import re
from dataclasses import dataclass, field, fields
from typing import Any


@dataclass
class Settings:
    """What `POST /landfall/config` may change, in camelCase; durations are virtual seconds."""

    # The access role of a new account holds AdministratorAccess as `managed`, `inline` or `both`.
    administrator_access: str = "managed"
    # Fixed latency of CreateAccount; null draws it (p50 5 s, p99 120 s, 0.5 % five minutes and up).
    creation_latency_seconds: float | None = None
    # Fixed time until a new account is usable: a number, or numbers by service; null draws it.
    readiness_seconds: Any = None
    # Fixed latency of CloseAccount; null draws it (p50 60 s, p99 10 min).
    closure_latency_seconds: float | None = None
    # Fixed duration of a StackSet operation; null draws it (45 to 180 s, p50 60 s).
    stack_set_seconds: float | None = None
    # Fixed time until an opt-in Region is enabled; null draws it (p50 6 min, p99 4 h).
    region_seconds: float | None = None
    # [{"account"?, "region"?, "times"?}]: EC2 in a Region that verifies the account first.
    pending_verification: list[dict[str, Any]] = field(default_factory=list)
    # Fixed time until a request for a quota is decided; null draws it (5 minutes or 24 hours).
    quota_seconds: float | None = None
    # [{"account"?, "region"?, "service"?, "code"?, "status"?, "times"?}]: requests that end without
    # being granted, DENIED or by another status.
    deny_quotas: list[dict[str, Any]] = field(default_factory=list)
    account_quota: int = 10_000
    # Functions that run at once in an account and Region.
    function_quota: int = 1_000
    concurrent_creations: int = 5
    concurrent_closures: int = 3
    # Closures in a rolling 30 days; null is AWS's own max(250, 20 % of members), at most 1,000.
    closure_quota: int | None = None
    # E-mail addresses that accounts outside this organization use.
    foreign_emails: list[str] = field(default_factory=list)
    # [{"email"?, "name"?, "reason", "times"?}]: creations that end FAILED with the reason.
    fail_creations: list[dict[str, Any]] = field(default_factory=list)
    # [{"stackSet"?, "account"?, "region"?, "reason"?, "times"?}]: stack instances that fail.
    fail_instances: list[dict[str, Any]] = field(default_factory=list)
    # Whether Control Tower is set up, its landing zone's version and status, and whether it enrols
    # what is moved into a registered unit.
    control_tower: bool = True
    landing_zone_version: str = "3.3"
    landing_zone_status: str = "ACTIVE"
    auto_enrolment: bool = True
    # Fixed duration of an enrolment; null draws it (by a move p50 2 min, p99 15 min; by Account
    # Factory p50 18 min, p95 35 min).
    enrolment_seconds: float | None = None
    # [{"email"?, "account"?, "reason", "times"?}]: enrolments that fail.
    fail_enrolments: list[dict[str, Any]] = field(default_factory=list)
    # Fixed time that Control Tower takes to let go of an account; null draws it (after a move out
    # p50 1 min, p99 10 min; by Account Factory p50 6 min, p95 15 min).
    release_seconds: float | None = None
    # [{"email"?, "account"?, "reason", "times"?}]: ends of provisioned products that fail.
    fail_releases: list[dict[str, Any]] = field(default_factory=list)
    # [{"email"?, "times"?}]: moves that Control Tower does not notice.
    unnoticed_moves: list[dict[str, Any]] = field(default_factory=list)
    # Whether Account Factory is in Service Catalog, with an active version, and for whom.
    account_factory: bool = True
    active_artifact: bool = True
    account_factory_principals: list[str] = field(
        default_factory=lambda: ["arn:aws:iam::111111111111:role/LandfallVend"]
    )
    # Fixed duration of an assignment or its removal; null draws it (p50 6 s, p95 30 s).
    assignment_seconds: float | None = None
    # Assignments that AWS makes at once.
    concurrent_assignments: int = 15
    # [{"account"?, "group"?, "permissionSet"?, "reason"?, "times"?}]: assignments that end FAILED.
    fail_assignments: list[dict[str, Any]] = field(default_factory=list)
    # Whether the execution role's policies must allow a stack set's resources.
    check_execution_role: bool = True

    def update(self, changes: dict[str, Any]) -> None:
        """Takes camelCase names; an unknown one is refused by name."""
        known = {camel(item.name): item.name for item in fields(self)}
        unknown = sorted(set(changes) - set(known))
        if unknown:
            raise ValueError(f"unknown setting {unknown[0]}; known are {', '.join(sorted(known))}")
        for name, value in changes.items():
            setattr(self, known[name], value)

    def document(self) -> dict[str, Any]:
        """All settings as `POST /landfall/config` would take them."""
        return {camel(item.name): getattr(self, item.name) for item in fields(self)}


def camel(name: str) -> str:
    """`stack_set_seconds` as `stackSetSeconds`."""
    return re.sub(r"_(.)", lambda found: found.group(1).upper(), name)


def take(knobs: list[dict[str, Any]], **facts: str) -> dict[str, Any] | None:
    """The first knob whose conditions hold, used up by one of its `times`."""
    for knob in knobs:
        if any(name in knob and knob[name] != value for name, value in facts.items()):
            continue
        if knob.get("times", 1) <= 0:
            continue
        if "times" in knob:
            knob["times"] -= 1
        return knob
    return None


SEED = ""
SETTINGS = Settings()


def begin() -> None:
    """Draws from now on as the environment's seed says."""
    global SEED
    SEED = os.environ.get("LANDFALL_SEED") or "0"


begin()


def draw(*key: str) -> random.Random:
    """The randomness of one question: the same seed and the same question give the same answer."""
    return random.Random(":".join((SEED, *key)))


def lognormal(median: float, quantile: float, value: float, *key: str) -> float:
    """A latency whose median and one upper quantile are known."""
    z = {0.95: 1.645, 0.99: 2.326}[quantile]
    return draw(*key).lognormvariate(math.log(median), math.log(value / median) / z)

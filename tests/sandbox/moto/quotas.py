"""Service quotas: what applies in an account's Regions, and requests for more.

A request takes its time, is granted or not, and only so many are open at once.
"""

import itertools
import json
from typing import Any

import clock
from patching import Refusal, method_of
from settings import SETTINGS, draw, take

ACCOUNTS = ("organizations", "L-29A0C5DF")
FUNCTIONS = ("lambda", "L-B99A9384")
VIRTUAL_CPUS = ("ec2", "L-1216C47A")
NAMES = {
    ACCOUNTS: "Default maximum number of accounts",
    FUNCTIONS: "Concurrent executions",
    VIRTUAL_CPUS: "Running On-Demand Standard (A, C, D, H, I, M, R, T, Z) instances",
    ("ebs", "L-7A658B76"): "Storage for General Purpose SSD (gp3) volumes, in TiB",
    ("ebs", "L-59C8FC87"): "Storage for modifications of General Purpose SSD (gp3) volumes, in TiB",
}
DEFAULTS = {VIRTUAL_CPUS: 5.0, ("ebs", "L-7A658B76"): 50.0, ("ebs", "L-59C8FC87"): 100.0}
OPEN = ("PENDING", "CASE_OPENED")
OPEN_IN_REGION, OPEN_IN_ACCOUNT = 2, 20
# How long a request takes that a machine decides, or people do.
SOON, DAYS = 300.0, 86_400.0
# Account, Region and quota to what was granted.
_granted: dict[tuple[str, str, str, str], float] = {}
_requests: list[dict[str, Any]] = []
_numbers = itertools.count(1)


def value(quota: tuple[str, str], account: str = "", region: str = "") -> float:
    """What the quota is now."""
    if quota == ACCOUNTS:
        return float(SETTINGS.account_quota)
    if quota == FUNCTIONS:
        return float(SETTINGS.function_quota)
    return _granted.get((account, region, *quota), DEFAULTS[quota])


def install() -> None:
    """Puts the changes in place."""
    from moto.awslambda import urls
    from moto.awslambda.models import lambda_backends
    from moto.awslambda.responses import LambdaResponse
    from moto.servicequotas.models import ServiceQuotasBackend

    get_service_quota = ServiceQuotasBackend.get_service_quota

    def known(self: Any, service_code: str, quota_code: str) -> dict[str, Any]:
        quota = (service_code, quota_code)
        if quota not in NAMES:
            return get_service_quota(self, service_code, quota_code)
        # Organizations' quotas are known in its own Region only.
        if quota == ACCOUNTS and self.region_name != "us-east-1":
            message = "The request failed because the specified service does not exist."
            raise Refusal("NoSuchResourceException", message)
        return {
            "ServiceCode": service_code,
            "QuotaCode": quota_code,
            "QuotaArn": f"arn:aws:servicequotas:{self.region_name}:{self.account_id}:"
            f"{service_code}/{quota_code}",
            "QuotaName": NAMES[quota],
            "Value": value(quota, self.account_id, self.region_name),
            "Unit": "None",
            "Adjustable": True,
            "GlobalQuota": quota == ACCOUNTS,
        }

    ServiceQuotasBackend.get_service_quota = known
    _asking()

    @method_of(LambdaResponse)
    def get_account_settings(self: Any) -> tuple[int, dict[str, Any], str]:
        functions = lambda_backends[self.current_account][self.region]._lambdas.latest()
        reserved = sum(int(one.reserved_concurrency or 0) for one in functions)
        most = int(value(FUNCTIONS))
        limit = {
            "TotalCodeSize": 80_530_636_800,
            "CodeSizeUnzipped": 262_144_000,
            "CodeSizeZipped": 52_428_800,
            "ConcurrentExecutions": most,
            "UnreservedConcurrentExecutions": most - reserved,
        }
        usage = {"TotalCodeSize": 0, "FunctionCount": len(functions)}
        return 200, {}, json.dumps({"AccountLimit": limit, "AccountUsage": usage})

    path = r"{0}/(?P<api_version>[^/]+)/account-settings/?$"
    urls.url_paths[path] = LambdaResponse.dispatch


def _asking() -> None:
    from moto.servicequotas.responses import ServiceQuotasResponse

    def quota_of(self: Any) -> dict[str, Any]:
        asked = json.loads(self.body)
        return dict(self.backend.get_service_quota(asked["ServiceCode"], asked["QuotaCode"]))

    def own(self: Any) -> list[dict[str, Any]]:
        return [one for one in _requests if one["account"] == self.current_account]

    def shown(request: dict[str, Any]) -> dict[str, Any]:
        hidden = ("account", "region")
        return {name: one for name, one in request.items() if name not in hidden and one != ""}

    @method_of(ServiceQuotasResponse)
    def get_aws_default_service_quota(self: Any) -> str:
        quota = quota_of(self)
        key = (quota["ServiceCode"], quota["QuotaCode"])
        return json.dumps({"Quota": quota | {"Value": DEFAULTS.get(key, quota["Value"])}})

    @method_of(ServiceQuotasResponse)
    def request_service_quota_increase(self: Any) -> str:
        quota, desired = quota_of(self), float(json.loads(self.body)["DesiredValue"])
        service, code = quota["ServiceCode"], quota["QuotaCode"]
        if desired <= quota["Value"]:
            message = "The desired value must be greater than the current value of the quota."
            raise Refusal("IllegalArgumentException", message)
        pending = [one for one in own(self) if one["Status"] in OPEN]
        here = [one for one in pending if one["region"] == self.region]
        if any((one["ServiceCode"], one["QuotaCode"]) == (service, code) for one in here):
            message = "Only one open service quota increase request is allowed per quota."
            raise Refusal("ResourceAlreadyExistsException", message)
        if len(here) >= OPEN_IN_REGION or len(pending) >= OPEN_IN_ACCOUNT:
            message = "You have exceeded the number of active service quota increase requests."
            raise Refusal("QuotaExceededException", message)
        number = next(_numbers)
        request = {
            "account": self.current_account,
            "region": self.region,
            "Id": f"{number:032x}",
            "CaseId": "",
            "ServiceCode": service,
            "QuotaCode": code,
            "QuotaName": quota["QuotaName"],
            "QuotaArn": quota["QuotaArn"],
            "DesiredValue": desired,
            "Status": "PENDING",
            "Created": clock.now(),
            "LastUpdated": clock.now(),
            "GlobalQuota": quota["GlobalQuota"],
            "Unit": "None",
        }
        _requests.append(request)
        seconds = SETTINGS.quota_seconds
        if seconds is None:
            chance = draw("quota", self.current_account, self.region, service, code, str(desired))
            seconds = SOON if chance.random() < 0.5 else DAYS
        clock.later(min(60.0, seconds / 2), lambda: _opened(request, number))
        clock.later(seconds, lambda: _decided(request))
        return json.dumps({"RequestedQuota": shown(request)})

    @method_of(ServiceQuotasResponse)
    def list_requested_service_quota_change_history_by_quota(self: Any) -> str:
        asked = json.loads(self.body)
        found = [
            shown(one)
            for one in reversed(own(self))
            if one["region"] == self.region
            and (one["ServiceCode"], one["QuotaCode"]) == (asked["ServiceCode"], asked["QuotaCode"])
            and asked.get("Status") in (None, one["Status"])
        ]
        return json.dumps({"RequestedQuotas": found})

    @method_of(ServiceQuotasResponse)
    def get_requested_service_quota_change(self: Any) -> str:
        number = json.loads(self.body)["RequestId"]
        for one in own(self):
            if one["Id"] == number and one["region"] == self.region:
                return json.dumps({"RequestedQuota": shown(one)})
        raise Refusal("NoSuchResourceException", "The request does not exist.")


def _opened(request: dict[str, Any], number: int) -> None:
    """People look into it."""
    if request["Status"] == "PENDING":
        request |= {"Status": "CASE_OPENED", "CaseId": str(170_000_000_000 + number)}
        request["LastUpdated"] = clock.now()


def _decided(request: dict[str, Any]) -> None:
    """AWS grants the request, or does not."""
    facts = {
        "account": request["account"],
        "region": request["region"],
        "service": request["ServiceCode"],
        "code": request["QuotaCode"],
    }
    denial = take(SETTINGS.deny_quotas, **facts)
    request["LastUpdated"] = clock.now()
    if denial:
        request["Status"] = denial.get("status", "DENIED")
        return
    request["Status"] = "APPROVED"
    _granted[tuple(facts.values())] = request["DesiredValue"]  # type: ignore[index]

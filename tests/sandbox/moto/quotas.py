"""The quotas that Landfall asks for: accounts in the organization, functions that run at once."""

import json
from typing import Any

from patching import Refusal, method_of
from settings import SETTINGS

ACCOUNTS = ("organizations", "L-29A0C5DF")
FUNCTIONS = ("lambda", "L-B99A9384")
NAMES = {ACCOUNTS: "Default maximum number of accounts", FUNCTIONS: "Concurrent executions"}


def value(quota: tuple[str, str]) -> float:
    """What the quota is now."""
    return float(SETTINGS.account_quota if quota == ACCOUNTS else SETTINGS.function_quota)


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
            "Value": value(quota),
            "Unit": "None",
            "Adjustable": True,
            "GlobalQuota": quota == ACCOUNTS,
        }

    ServiceQuotasBackend.get_service_quota = known

    @method_of(LambdaResponse)
    def get_account_settings(self: Any) -> tuple[int, dict[str, Any], str]:
        functions = lambda_backends[self.current_account][self.region]._lambdas.all()
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

"""Published versions of functions: a number is given once, and a version stays what it was.

moto counts the versions that are left, shares a version's code with the function's, and takes any
update for a change.
"""

import copy
from collections import Counter
from typing import Any
from urllib.parse import unquote

from patching import Refusal, method_of

# What is configured that moto does not keep, and Lambda does.
UNKNOWN = ("DeadLetterConfig", "LoggingConfig", "TracingConfig")
OWN = ("FunctionArn", "LastModified", "Version")

# By account, Region and function, of deleted functions too.
_numbers: Counter[tuple[str, str, str]] = Counter()
_last: dict[tuple[str, str, str], Any] = {}


def published(account: str, region: str, name: str) -> set[str]:
    """The numbers of a function's versions."""
    from moto.awslambda.models import lambda_backends

    group = lambda_backends[account][region]._lambdas._functions[name]
    return {str(one.version) for one in group["versions"]}


def _content(function: Any) -> Any:
    """What a version is beside its number."""
    known = {k: v for k, v in function.get_configuration().items() if k not in OWN}
    return copy.deepcopy({**known, **function.unknown})


def install() -> None:
    """Puts the changes in place."""
    from moto.awslambda.models import LambdaFunction, LambdaStorage

    made, updated = LambdaFunction.__init__, LambdaFunction.update_configuration
    listed, deleted = LambdaStorage.list_versions_by_function, LambdaStorage.del_function

    def make(self: Any, account_id: str, spec: dict[str, Any], *rest: Any, **more: Any) -> None:
        made(self, account_id, spec, *rest, **more)
        self.unknown = {name: spec[name] for name in UNKNOWN if name in spec}

    LambdaFunction.__init__ = make

    @method_of(LambdaFunction)
    def update_configuration(self: Any, config_updates: dict[str, Any]) -> dict[str, Any]:
        told = {name: config_updates[name] for name in UNKNOWN if name in config_updates}
        self.unknown = {**self.unknown, **told}
        return updated(self, config_updates)

    @method_of(LambdaStorage)
    def publish_version(self: Any, name_or_arn: str, description: str = "") -> Any:
        function = self.get_function_by_name_or_arn_forbid_qualifier(name_or_arn)
        name = function.function_name
        key, versions = (self.account_id, self.region_name, name), self._functions[name]["versions"]
        content = _content(function)
        if versions and _last[key] == content:
            return versions[-1]
        _numbers[key] += 1
        _last[key] = content
        version = copy.copy(function)
        version.code = dict(function.code)
        version.set_version(_numbers[key])
        version.description = description or function.description
        versions.append(version)
        self._arns[version.function_arn] = version
        return version

    @method_of(LambdaStorage)
    def list_versions_by_function(self: Any, name: str) -> Any:
        function = self.get_function_by_name_or_arn_forbid_qualifier(unquote(name))
        return listed(self, function.function_name)

    @method_of(LambdaStorage)
    def del_function(self: Any, name_or_arn: str, qualifier: str | None = None) -> None:
        whole, _, in_arn = self.split_function_arn(name_or_arn)
        number = qualifier or in_arn
        arn = self.get_function_by_name_or_arn_with_qualifier(whole).function_arn
        naming = [
            name for name, one in self._aliases[arn].items() if one.function_version == number
        ]
        if naming:
            message = f"The version is in use by the aliases {naming}."
            raise Refusal("ResourceConflictException", message, 409)
        deleted(self, name_or_arn, qualifier)

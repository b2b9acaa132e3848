"""A fresh account is not usable at once, and a closed one no more.

AssumeRole into it is denied first; then each service answers that the account is not subscribed
to it, until that service knows the account too.
"""

import re
from typing import Any

import accounts
import clock
import principals
import regions
from patching import Refusal
from settings import draw

# What Organizations' own machinery and the caller's side answer regardless of the target's age.
ALWAYS = {"organizations", "sts"}


def check(response: Any) -> None:
    """Refuses a call that AWS would refuse for the account's age or state."""
    if response.service_name == "sts":
        _check_assume_role(response)
        return
    account = accounts.register.by_id.get(response.current_account)
    if account is None or response.service_name in ALWAYS:
        return
    if account.state == "CLOSED" and response.service_name != "organizations":
        raise Refusal("AccessDeniedException", "The account is closed.", 403)
    if account.id in accounts.young:
        refusal = unready(account, response.service_name, response.region)
        if refusal:
            raise refusal
    refusal = regions.refusal(account, response.service_name, response.region)
    if refusal:
        raise refusal


def unready(account: accounts.Account, service: str, region: str = "") -> Refusal | None:
    """The refusal of a service that does not know the account yet; each Region's EC2 is its own."""
    if clock.now() >= account.ready_at(service, region if service == "ec2" else ""):
        if clock.now() > account.joined + 7200:
            accounts.young.pop(account.id, None)
        return None
    if service == "ec2" or draw("refusal", account.id, service).random() < 0.3:
        message = "You are not subscribed to this service. Please go to https://aws.amazon.com"
        return Refusal("OptInRequired", message, 403)
    message = "The AWS Access Key Id needs a subscription for the service"
    return Refusal("SubscriptionRequiredException", message, 403)


def refusal_of(account_id: str, service: str) -> Refusal | None:
    """The refusal of a service in an account that is too young for it."""
    account = accounts.young.get(account_id)
    return unready(account, service) if account is not None else None


def _check_assume_role(response: Any) -> None:
    if "AssumeRole" not in (response.querystring.get("Action") or []):
        return
    caller = principals.find(response.access_key)
    if caller is None:
        return  # the gateway itself, minting keys for people and functions
    role = (response.querystring.get("RoleArn") or [""])[0]
    matched = re.match(r"arn:[\w-]+:iam::(\d{12}):role/", role)
    account = accounts.register.by_id.get(matched.group(1)) if matched else None
    denied = f"User: {caller.arn} is not authorized to perform: sts:AssumeRole on resource: {role}"
    if account is not None:
        too_young = account.id in accounts.young and clock.now() < account.ready_at("sts")
        if too_young or account.state == "CLOSED":
            raise Refusal("AccessDenied", denied, 403)
    if principals.role_of(role) is None:
        raise Refusal("AccessDenied", denied, 403)

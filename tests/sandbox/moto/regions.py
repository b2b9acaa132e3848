"""Regions as an account has them: which are on, how opt-in ones come, what EC2 keeps in each.

A new account has a default VPC with an internet gateway in every Region, and each Region's EC2
takes a while of its own until it knows the account.
"""

import os
import re
from typing import Any

import accounts
import clock
import outbox
from patching import Refusal, method_of
from settings import SETTINGS, lognormal, take

BY_DEFAULT = (
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "ap-south-1",
    "ap-southeast-1",
    "ap-southeast-2",
    "ca-central-1",
    "eu-central-1",
    "eu-north-1",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "sa-east-1",
    "us-east-1",
    "us-east-2",
    "us-west-1",
    "us-west-2",
)
OPT_IN = (
    "af-south-1",
    "ap-east-1",
    "ap-south-2",
    "ap-southeast-3",
    "ap-southeast-4",
    "ca-west-1",
    "eu-central-2",
    "eu-south-1",
    "eu-south-2",
    "il-central-1",
    "me-central-1",
    "me-south-1",
)
AT_ONCE_IN_ACCOUNT = 6
AT_ONCE_IN_ORGANIZATION = 50
# Account and Region to ENABLING, ENABLED, DISABLING; what is missing is DISABLED.
_opted: dict[tuple[str, str], str] = {}
# Account and Region to the setting of EC2's two blocks.
_snapshots: dict[tuple[str, str], str] = {}
_images: dict[tuple[str, str], str] = {}


def status(account: str, region: str) -> str:
    """Whether the account can use a Region, in Account Management's words."""
    if region in OPT_IN:
        return _opted.get((account, region), "DISABLED")
    return "ENABLED_BY_DEFAULT"


def refusal(account: Any, service: str, region: str) -> Refusal | None:
    """What a Region answers that is off, or whose EC2 does not know the young account yet."""
    number = getattr(account, "id", account)
    if region in OPT_IN and status(number, region) not in ("ENABLED", "DISABLING"):
        if service == "ec2":
            message = "AWS was not able to validate the provided access credentials"
            return Refusal("AuthFailure", message, 401)
        message = "The security token included in the request is invalid"
        return Refusal("UnrecognizedClientException", message, 403)
    if service != "ec2" or not isinstance(account, accounts.Account):
        return None
    knob = take(SETTINGS.pending_verification, account=account.id, region=region)
    if knob:
        message = (
            "Your request for accessing resources in this region is being validated, and you will "
            "not be able to launch additional resources in this region until it is complete."
        )
        return Refusal("PendingVerification", message, 400)
    return None


def install() -> None:
    """Puts the changes in place."""
    # Images that nobody here starts machines from.
    os.environ.setdefault("MOTO_EC2_LOAD_DEFAULT_AMIS", "false")
    _opting_in()
    _default_vpcs()
    _blocks()


def _opting_in() -> None:
    from moto.account import urls
    from moto.account.responses import AccountResponse
    from moto.core.responses import ActionResult, EmptyResult

    def asked_about(self: Any) -> str:
        """The caller's own account, or a member if the organization's management asks."""
        named = self._get_param("AccountId")
        if not named:
            return str(self.current_account)
        if self.current_account != accounts.backend().org.master_account_id:
            message = "You don't have permission to access this account."
            raise Refusal("AccessDeniedException", message, 403)
        if named not in accounts.register.by_id:
            raise Refusal("ResourceNotFoundException", "The account does not exist.", 404)
        return str(named)

    def region_of(self: Any) -> str:
        region = str(self._get_param("RegionName") or "")
        if region not in BY_DEFAULT + OPT_IN:
            raise Refusal("ValidationException", f"The region {region} is not valid.", 400)
        return region

    @method_of(AccountResponse)
    def list_regions(self: Any) -> ActionResult:
        account = asked_about(self)
        wanted = self._get_param("RegionOptStatusContains")
        found = [
            {"RegionName": region, "RegionOptStatus": status(account, region)}
            for region in sorted(BY_DEFAULT + OPT_IN)
        ]
        found = [one for one in found if not wanted or one["RegionOptStatus"] in wanted]
        start, size = int(self._get_param("NextToken") or 0), int(self._get_param("MaxResults", 20))
        answer: dict[str, Any] = {"Regions": found[start : start + size]}
        if len(found) > start + size:
            answer["NextToken"] = str(start + size)
        return ActionResult(answer)

    @method_of(AccountResponse)
    def get_region_opt_status(self: Any) -> ActionResult:
        region = region_of(self)
        answer = {"RegionName": region, "RegionOptStatus": status(asked_about(self), region)}
        return ActionResult(answer)

    @method_of(AccountResponse)
    def enable_region(self: Any) -> EmptyResult:
        account, region = asked_about(self), region_of(self)
        if region in BY_DEFAULT:
            raise Refusal("ValidationException", f"{region} is enabled by default.", 400)
        if status(account, region) in ("ENABLED", "ENABLING"):
            return EmptyResult()
        under_way = [one for one, state in _opted.items() if state in ("ENABLING", "DISABLING")]
        own = [one for one in under_way if one[0] == account]
        if status(account, region) == "DISABLING" or len(own) >= AT_ONCE_IN_ACCOUNT:
            raise Refusal("ConflictException", "The account has other region changes.", 409)
        if len(under_way) >= AT_ONCE_IN_ORGANIZATION:
            raise Refusal("ConflictException", "The organization has too many changes.", 409)
        _change(self.current_account, account, region, "ENABLING")
        seconds = SETTINGS.region_seconds
        if seconds is None:
            seconds = lognormal(360, 0.99, 14_400, "region", account, region)
        clock.later(seconds, lambda: _change(self.current_account, account, region, "ENABLED"))
        return EmptyResult()

    @method_of(AccountResponse)
    def disable_region(self: Any) -> EmptyResult:
        account, region = asked_about(self), region_of(self)
        if region in BY_DEFAULT:
            raise Refusal("ValidationException", f"{region} can't be disabled.", 400)
        if status(account, region) == "ENABLED":
            _change(self.current_account, account, region, "DISABLING")
            clock.later(60, lambda: _change(self.current_account, account, region, "DISABLED"))
        return EmptyResult()

    for path in ("listRegions", "getRegionOptStatus", "enableRegion", "disableRegion"):
        urls.url_paths[f"{{0}}/{path}$"] = AccountResponse.dispatch


def _change(caller: str, account: str, region: str, state: str) -> None:
    """A Region's new state, told on the bus of whoever asked for it."""
    if state == "DISABLED":
        _opted.pop((account, region), None)
    else:
        _opted[account, region] = state
    outbox.emit(
        caller,
        "us-east-1",
        "aws.account",
        "Region Opt-In Status Change",
        {"accountId": account, "regionName": region, "status": state},
        [f"arn:aws:account::{account}:account"],
    )


def _default_vpcs() -> None:
    from moto.ec2.exceptions import DependencyViolationError
    from moto.ec2.models import EC2Backend
    from moto.ec2.models.subnets import SubnetBackend
    from moto.ec2.models.vpcs import VPCBackend

    make = EC2Backend.__init__

    def connected(self: Any, region_name: str, account_id: str) -> None:
        make(self, region_name, account_id)
        connect(self, self.default_vpc.id)

    def connect(backend: Any, vpc: str) -> None:
        gateway = backend.create_internet_gateway()
        backend.attach_internet_gateway(gateway.id, vpc)
        (table,) = backend.describe_route_tables(filters={"vpc-id": vpc})
        backend.create_route(table.id, "0.0.0.0/0", gateway_id=gateway.id)

    EC2Backend.__init__ = connected  # type: ignore[method-assign]
    create_default_vpc = VPCBackend.create_default_vpc
    delete_vpc, delete_subnet = VPCBackend.delete_vpc, SubnetBackend.delete_subnet

    def delete_vpc_of_nobody(self: Any, vpc_id: str) -> Any:
        self.get_vpc(vpc_id)
        attached = self.describe_internet_gateways(filters={"attachment.vpc-id": [vpc_id]})
        groups = self.describe_security_groups(filters={"vpc-id": [vpc_id]})
        interfaces = self.get_all_network_interfaces(filters={"vpc-id": [vpc_id]})
        if attached or interfaces or any(group.name != "default" for group in groups):
            message = f"The vpc '{vpc_id}' has dependencies and cannot be deleted."
            raise DependencyViolationError(message)
        return delete_vpc(self, vpc_id)

    VPCBackend.delete_vpc = delete_vpc_of_nobody

    def delete_empty_subnet(self: Any, subnet_id: str) -> Any:
        if self.get_all_network_interfaces(filters={"subnet-id": [subnet_id]}):
            message = f"The subnet '{subnet_id}' has dependencies and cannot be deleted."
            raise DependencyViolationError(message)
        return delete_subnet(self, subnet_id)

    SubnetBackend.delete_subnet = delete_empty_subnet

    def asked_for(self: Any) -> Any:
        made = create_default_vpc(self)
        if hasattr(self, "default_vpc"):
            connect(self, made.id)
        return made

    VPCBackend.create_default_vpc = asked_for


def _blocks() -> None:
    from moto.core.responses import ActionResult
    from moto.ec2.responses import EC2Response

    def here(self: Any) -> tuple[str, str]:
        return self.current_account, self.region

    @method_of(EC2Response)
    def get_snapshot_block_public_access_state(self: Any) -> ActionResult:
        state = _snapshots.get(here(self), "unblocked")
        return ActionResult({"State": state, "ManagedBy": "account"})

    @method_of(EC2Response)
    def enable_snapshot_block_public_access(self: Any) -> ActionResult:
        state = self._get_param("State")
        if state not in ("block-all-sharing", "block-new-sharing"):
            message = f"Value ({state}) for parameter State is invalid."
            raise Refusal("InvalidParameterValue", message, 400)
        _snapshots[here(self)] = state
        return ActionResult({"State": state})

    @method_of(EC2Response)
    def disable_snapshot_block_public_access(self: Any) -> ActionResult:
        _snapshots.pop(here(self), None)
        return ActionResult({"State": "unblocked"})

    @method_of(EC2Response)
    def get_image_block_public_access_state(self: Any) -> ActionResult:
        state = _images.get(here(self), "unblocked")
        return ActionResult({"ImageBlockPublicAccessState": state, "ManagedBy": "account"})

    @method_of(EC2Response)
    def enable_image_block_public_access(self: Any) -> ActionResult:
        state = self._get_param("ImageBlockPublicAccessState")
        if state != "block-new-sharing":
            message = f"Value ({state}) for parameter ImageBlockPublicAccessState is invalid."
            raise Refusal("InvalidParameterValue", message, 400)
        _images[here(self)] = state
        return ActionResult({"ImageBlockPublicAccessState": state})

    @method_of(EC2Response)
    def disable_image_block_public_access(self: Any) -> ActionResult:
        _images.pop(here(self), None)
        return ActionResult({"ImageBlockPublicAccessState": "unblocked"})

    @method_of(EC2Response)
    def get_ebs_default_kms_key_id(self: Any) -> ActionResult:
        key = self.ec2_backend.default_kms_key_id
        return ActionResult({"KmsKeyId": key or "alias/aws/ebs"})

    @method_of(EC2Response)
    def modify_ebs_default_kms_key_id(self: Any) -> ActionResult:
        key = str(self._get_param("KmsKeyId"))
        arn = re.fullmatch(r"arn:aws[\w-]*:kms:([\w-]+):\d{12}:key/[\w-]+", key)
        if not arn or arn.group(1) != self.region:
            raise Refusal("InvalidKmsKeyId.Malformed", f"{key} is not a key of this region.", 400)
        self.ec2_backend.default_kms_key_id = key
        return ActionResult({"KmsKeyId": key})

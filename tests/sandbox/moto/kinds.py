"""How each resource type of a template is made, changed and removed: by AWS's own API.

A type is registered with `kind`; types that moto's CloudFormation makes well enough are listed in
`OF_MOTO`, types that need no making in `NOTHING_TO_MAKE`, each with its reason. Any other type is
refused, so that no template deploys here by leaving out what it declares.
"""

import hashlib
import json
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import clients

# Types whose moto model is complete enough for what templates here say about them.
OF_MOTO = {
    "AWS::CloudFormation::Stack",
    "AWS::EC2::InternetGateway",
    "AWS::EC2::Route",
    "AWS::EC2::RouteTable",
    "AWS::EC2::SecurityGroup",
    "AWS::EC2::Subnet",
    "AWS::EC2::SubnetRouteTableAssociation",
    "AWS::EC2::VPC",
    "AWS::EC2::VPCEndpoint",
    "AWS::EC2::VPCGatewayAttachment",
    "AWS::IAM::AccessKey",
    "AWS::IAM::InstanceProfile",
    "AWS::IAM::User",
    "AWS::KMS::Alias",
    "AWS::KMS::Key",
    "AWS::Lambda::LayerVersion",
    "AWS::SSM::Document",
}
NOTHING_TO_MAKE = {
    "AWS::ApplicationInsights::Application": "only looks at other resources",
    "AWS::CDK::Metadata": "tells AWS which tool wrote the template",
    "AWS::CloudFormation::WaitConditionHandle": "nothing here waits for a signal",
    "AWS::Logs::MetricFilter": "no logs are written to moto",
    "AWS::Logs::QueryDefinition": "a saved query for the console",
    "AWS::ResourceGroups::Group": "a view for the console",
    "AWS::XRay::Group": "no traces are kept",
    "AWS::XRay::SamplingRule": "no traces are kept",
}


class Replaced(Exception):
    """The change needs a new resource in place of the old one."""


@dataclass
class Place:
    """Where a resource is made and for which stack."""

    account: str
    region: str
    stack_id: str
    stack_name: str
    logical_id: str

    def client(self, service: str) -> Any:
        """The API of a service in this account and Region."""
        return Client(self.account, service, self.region)

    def name(self, longest: int = 64) -> str:
        """A name made for a resource that has none of its own."""
        digest = hashlib.sha256(f"{self.stack_id}/{self.logical_id}".encode()).hexdigest()
        suffix = digest[:12].upper()
        room = longest - len(suffix) - 2
        logical = self.logical_id[: max(8, room - len(self.stack_name))]
        return f"{self.stack_name[: room - len(logical)]}-{logical}-{suffix}"

    def tags(self, properties: dict[str, Any], key: str = "Key", value: str = "Value") -> Any:
        """The resource's own tags in the API's spelling."""
        tags = properties.get("Tags") or []
        if isinstance(tags, dict):
            tags = [{"Key": name, "Value": text} for name, text in tags.items()]
        return [{key: tag["Key"], value: str(tag["Value"])} for tag in tags]


@dataclass
class Made:
    """A resource of a stack, as moto's CloudFormation wants to see it."""

    physical_resource_id: str
    attributes: dict[str, Any] = field(default_factory=dict)
    properties: dict[str, Any] = field(default_factory=dict)
    logical_resource_id: str = ""
    cf_resource_type: str = ""

    def get_cfn_attribute(self, name: str) -> Any:
        """What Fn::GetAtt gives."""
        return self.attributes[name]

    def is_created(self) -> bool:
        """Whether it is there: always, since making it waits."""
        return True


class Kind:
    """One resource type. Physical id and attributes are what `create` and `update` answer."""

    def create(self, place: Place, properties: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        """Makes the resource."""
        raise NotImplementedError

    def update(
        self, place: Place, made: Made, properties: dict[str, Any]
    ) -> tuple[str, dict[str, Any]]:
        """Changes the resource, or asks for a new one."""
        raise Replaced

    def delete(self, place: Place, made: Made) -> None:
        """Removes the resource; that it is gone already is no error."""


KINDS: dict[str, Kind] = {}


def kind(name: str) -> Callable[[type[Kind]], type[Kind]]:
    """Registers a resource type."""

    def put(owner: type[Kind]) -> type[Kind]:
        KINDS[name] = owner()
        return owner

    return put


def known(name: str) -> bool:
    """Whether a template may say this type."""
    return name in KINDS or name in OF_MOTO or name in NOTHING_TO_MAKE


_clients: dict[tuple[str, str], Any] = {}
_calling = threading.local()


def begin() -> None:
    """Forgets the clients of the process that this one is a copy of."""
    _clients.clear()


class Client:
    """A boto3 client for this very server whose calls work in one account."""

    def __init__(self, account: str, service: str, region: str) -> None:
        self._account = account
        self._client = _client(service, region)

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        call = getattr(self._client, operation)

        def of_account(**request: Any) -> Any:
            _calling.account = self._account
            return call(**request)

        return of_account


def _client(service: str, region: str) -> Any:
    if (service, region) not in _clients:
        made = clients.make(
            service,
            region,
            f"http://127.0.0.1:{os.environ['LANDFALL_MOTO_PORT']}",
            "sandbox",
            max_pool_connections=32,
            s3={"addressing_style": "path"},
        )
        made.meta.events.register("before-sign", _in_account)
        _clients[service, region] = made
    return _clients[service, region]


def _in_account(request: Any, **_: Any) -> None:
    request.headers["x-moto-account-id"] = _calling.account


def gone(call: Callable[[], Any], *codes: str) -> None:
    """Makes a removing call; that the thing is not there is as good."""
    from botocore.exceptions import ClientError

    try:
        call()
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code not in codes and "NotFound" not in code and "NoSuch" not in code:
            raise


def document(value: Any) -> str:
    """A policy document as text."""
    return value if isinstance(value, str) else json.dumps(value)


def picked(properties: dict[str, Any], *names: str) -> dict[str, Any]:
    """Those of the properties that are there."""
    return {name: properties[name] for name in names if name in properties}


def camel(value: Any) -> Any:
    """Keys with a small first letter, as the newer APIs spell what templates spell large."""
    if isinstance(value, list):
        return [camel(item) for item in value]
    if isinstance(value, dict):
        return {key[:1].lower() + key[1:]: camel(entry) for key, entry in value.items()}
    return value

"""Account Factory as Service Catalog offers it: a product that enrols an account that is there.

It needs the role AWSControlTowerExecution in the account, takes five requests at once, knows a
token again, and leaves a provisioned product behind that can be repaired by an update. The
product's end lets go of the account, one at a time; whoever closes the account first taints it.
"""

import json
import re
import threading
import uuid
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

import accounts
import clock
import iam_facts
import outbox
import principals
import readiness
import rights
import tower
from patching import Refusal, method_of
from settings import SETTINGS, lognormal, take

PORTFOLIO = "port-controltower01"
PRODUCT = "prod-accountfactory"
NAME = "AWS Control Tower Account Factory"
PATH = "lpv3-accountfactory"
KIND = "CONTROL_TOWER_ACCOUNT"
PARAMETERS = (
    "AccountEmail",
    "AccountName",
    "ManagedOrganizationalUnit",
    "SSOUserEmail",
    "SSOUserFirstName",
    "SSOUserLastName",
)
UNIT = re.compile(r"^(?P<name>.+) \((?P<id>ou-[a-z0-9]+-[a-z0-9]+)\)$")
BUSY = (
    "Account Factory cannot create this enrolled account right now, because another execution is "
    "in progress"
)
BUSY_ENDING = (
    "Account Factory cannot deregister this enrolled account right now, because another execution "
    "is in progress"
)
ENDING = "TERMINATE_PROVISIONED_PRODUCT"

lock = threading.RLock()


@dataclass
class Record:
    """One request and what became of it."""

    id: str
    kind: str
    provisioned: "Provisioned"
    values: dict[str, str]
    token: str
    status: str = "IN_PROGRESS"
    created: float = field(default_factory=clock.now)
    updated: float = field(default_factory=clock.now)
    error: str | None = None

    def detail(self) -> dict[str, Any]:
        """As DescribeRecord shows it."""
        shown = {
            "RecordId": self.id,
            "ProvisionedProductName": self.provisioned.name,
            "Status": self.status,
            "CreatedTime": self.created,
            "UpdatedTime": self.updated,
            "ProvisionedProductType": KIND,
            "RecordType": self.kind,
            "ProvisionedProductId": self.provisioned.id,
            "ProductId": PRODUCT,
            "ProvisioningArtifactId": artifacts()[-1]["Id"],
            "PathId": PATH,
            "RecordErrors": [],
        }
        if self.error:
            shown["RecordErrors"] = [{"Code": "InternalError", "Description": self.error}]
        return shown


@dataclass
class Provisioned:
    """An account as a provisioned product."""

    id: str
    name: str
    status: str = "UNDER_CHANGE"
    account: str | None = None
    records: list[Record] = field(default_factory=list)
    created: float = field(default_factory=clock.now)

    def detail(self) -> dict[str, Any]:
        """As DescribeProvisionedProduct shows it."""
        arn = f"arn:aws:servicecatalog:{tower.HOME}:{tower.owner()}:stack/{self.name}/{self.id}"
        good = [one.id for one in self.records if one.status == "SUCCEEDED"]
        return {
            "Name": self.name,
            "Arn": arn,
            "Type": KIND,
            "Id": self.id,
            "Status": self.status,
            "CreatedTime": self.created,
            "IdempotencyToken": self.records[0].token,
            "LastRecordId": self.records[-1].id,
            "LastProvisioningRecordId": self.records[-1].id,
            **({"LastSuccessfulProvisioningRecordId": good[-1]} if good else {}),
            "ProductId": PRODUCT,
            "ProvisioningArtifactId": artifacts()[-1]["Id"],
        }


products: dict[str, Provisioned] = {}
records: dict[str, Record] = {}


def artifacts() -> list[dict[str, Any]]:
    """The product's versions."""
    old = {"Id": "pa-accountfactor1", "Name": "1.0", "Active": False, "Guidance": "DEPRECATED"}
    new = {"Id": "pa-accountfactor2", "Name": "2.0", "Active": True, "Guidance": "DEFAULT"}
    return [{**one, "CreatedTime": clock.START - 86_400, "Type": KIND} for one in (old, new)]


def may_launch(key: str) -> bool:
    """Whether the caller is one of the portfolio's principals."""
    caller = principals.find(key)
    if caller is None:
        return True
    arn = caller.role_arn or caller.arn
    return any(fnmatchcase(arn, one) for one in SETTINGS.account_factory_principals)


def order(
    kind: str, provisioned: Provisioned | None, request: dict[str, Any], token: str
) -> Record:
    """Takes a request about one account."""
    before = provisioned.records[-1].values if provisioned else {}
    given = {one["Key"]: one for one in request.get("ProvisioningParameters") or []}
    values = {
        name: before.get(name, "") if one.get("UsePreviousValue") else str(one.get("Value") or "")
        for name, one in given.items()
    }
    values = {**before, **values}
    with lock:
        known = next((one for one in records.values() if one.token == token), None)
        if known is not None:
            if known.values != values:
                message = "The token was used with other parameters."
                raise Refusal("InvalidParametersException", message)
            return known
        for name in PARAMETERS:
            if not values.get(name):
                raise Refusal("InvalidParametersException", f"Missing required parameter {name}.")
        account = accounts.register.by_email.get(values["AccountEmail"].lower())
        unit = unit_of(values["ManagedOrganizationalUnit"])
        running = [one for one in records.values() if one.status == "IN_PROGRESS"]
        if len(running) + len(tower.register.under_way) >= tower.OPERATIONS:
            raise Refusal("ResourceInUseException", BUSY)
        if provisioned is None:
            name = request.get("ProvisionedProductName", "")
            if any(one.name == name for one in products.values()):
                message = f"A provisioned product with the name {name} exists already."
                raise Refusal("DuplicateResourceException", message)
            provisioned = Provisioned(f"pp-{uuid.uuid4().hex[:13]}", name)
            products[provisioned.id] = provisioned
        elif provisioned.status == "UNDER_CHANGE":
            raise Refusal("InvalidStateException", "The provisioned product is UNDER_CHANGE.")
        provisioned.status = "UNDER_CHANGE"
        record = Record(f"rec-{uuid.uuid4().hex[:13]}", kind, provisioned, values, token)
        provisioned.records.append(record)
        records[record.id] = record
    start(record, account, unit)
    return record


def terminate(provisioned: Provisioned, token: str) -> Record:
    """Takes the request that ends a provisioned product and lets go of its account."""
    with lock:
        known = next((one for one in records.values() if one.token == token), None)
        if known is not None:
            return known
        if provisioned.status == "UNDER_CHANGE":
            raise Refusal("InvalidStateException", "The provisioned product is UNDER_CHANGE.")
        running = [one for one in records.values() if one.status == "IN_PROGRESS"]
        alone = not any(one.kind == ENDING for one in running)
        if not alone or len(running) + len(tower.register.under_way) >= tower.OPERATIONS:
            raise Refusal("ResourceInUseException", BUSY_ENDING)
        provisioned.status = "UNDER_CHANGE"
        values = provisioned.records[-1].values
        record = Record(f"rec-{uuid.uuid4().hex[:13]}", ENDING, provisioned, values, token)
        provisioned.records.append(record)
        records[record.id] = record
    seconds = SETTINGS.release_seconds
    if seconds is None:
        seconds = lognormal(360, 0.95, 900, "release", values["AccountEmail"])
    clock.later(seconds, lambda: let_go(record))
    return record


def let_go(record: Record) -> None:
    """Ends a provisioned product: its account leaves Control Tower's units and stays open."""
    provisioned = record.provisioned
    account = accounts.register.by_id.get(provisioned.account or "")
    reason = None
    if account is not None:
        knob = take(SETTINGS.fail_releases, email=account.email, account=account.id)
        if knob:
            reason = str(knob["reason"])
        elif account.state != "ACTIVE":
            reason = f"The account {account.id} is not active."
    with lock:
        record.updated = clock.now()
        record.status, record.error = ("FAILED", reason) if reason else ("SUCCEEDED", None)
        if reason:
            provisioned.status = "TAINTED"
            return
        products.pop(provisioned.id)
        if account is None:
            return
        tower.register.accounts.pop(account.id, None)
        before, root = account.parent_id, accounts.backend().org.root_id
        account.parent_id = root
    for mover in accounts.movers:
        mover(account, before, root)
    identity = {
        "type": "AssumedRole",
        "accountId": tower.owner(),
        "arn": f"arn:aws:sts::{tower.owner()}:assumed-role/AWSControlTowerAdmin/AWSControlTower",
    }
    parameters = {
        "accountId": account.id,
        "destinationParentId": root,
        "sourceParentId": before,
    }
    where = (tower.owner(), accounts.HOME, "organizations")
    outbox.api_event(*where, "MoveAccount", identity, parameters)


def closed(account: accounts.Account) -> None:
    """An account that is closed while it is enrolled taints its provisioned product."""
    with lock:
        for one in products.values():
            if one.account == account.id:
                one.status = "TAINTED"


def unit_of(value: str) -> str:
    """The registered unit that a parameter names."""
    matched = UNIT.match(value)
    units = {unit.id: unit.name for unit in accounts.backend().ou}
    if not matched or units.get(matched["id"]) != matched["name"]:
        message = f"The organizational unit {value} does not exist."
        raise Refusal("InvalidParametersException", message)
    if matched["id"] not in tower.register.units:
        message = f"The organizational unit {value} is not registered with AWS Control Tower."
        raise Refusal("InvalidParametersException", message)
    return matched["id"]


def start(record: Record, account: accounts.Account | None, unit: str) -> None:
    """Begins to work on a request."""
    seconds = SETTINGS.enrolment_seconds
    if seconds is None:
        seconds = lognormal(1080, 0.95, 2100, "factory", record.values["AccountEmail"])
    if account is None:
        # Landfall has every account made by Organizations.
        reason = "A sandbox's Account Factory enrols accounts that are there, and makes none."
        clock.later(seconds, lambda: end(record, None, unit, reason))
        return
    if reason := role_missing(account):
        clock.later(min(seconds, 60), lambda: end(record, account, unit, reason))
        return
    tower.begin(account, unit, lambda reason: end(record, account, unit, reason), seconds)


def role_missing(account: accounts.Account) -> str | None:
    """Why Control Tower can't work in the account."""
    facts = iam_facts.role(f"arn:aws:iam::{account.id}:role/AWSControlTowerExecution")
    management = {"AWS": f"arn:aws:iam::{tower.owner()}:role/AWSControlTowerAdmin"}
    well = (
        facts["exists"]
        and rights.trusts(facts["trust"], management)
        and rights.allows(facts, "iam:CreateRole")
    )
    if well and not readiness.refusal_of(account.id, "sts"):
        return None
    return (
        f"AWS Control Tower cannot assume the AWSControlTowerExecution role in account "
        f"{account.id}. The role must exist, trust the management account and be an administrator."
    )


def end(record: Record, account: accounts.Account | None, unit: str, reason: str | None) -> None:
    """Ends a request, and tells the home Region's bus."""
    first = record.kind == "PROVISION_PRODUCT"
    with lock:
        record.updated = clock.now()
        record.status, record.error = ("FAILED", reason) if reason else ("SUCCEEDED", None)
        broken = "ERROR" if first else "TAINTED"
        record.provisioned.status = broken if reason else "AVAILABLE"
        if account is not None and account.id in tower.register.accounts:
            found = tower.register.accounts[account.id]
            if found.status == "UNDER_CHANGE":
                tower.settle(account, reason)
            if reason:
                tower.register.accounts.pop(account.id)
        if not reason and account is not None:
            record.provisioned.account = account.id
            account.parent_id = unit
    # A retry after a failed creation is told as an update.
    name, status = ("CreateManagedAccount", "createManagedAccountStatus")
    if not first:
        name, status = ("UpdateManagedAccount", "updateManagedAccountStatus")
    matched = UNIT.match(record.values["ManagedOrganizationalUnit"])
    told = {
        "organizationalUnit": {
            "organizationalUnitName": matched["name"] if matched else "",
            "organizationalUnitId": unit,
        },
        "account": {
            "accountName": record.values["AccountName"],
            "accountId": account.id if account else None,
        },
        "state": record.status,
        "message": reason or "AWS Control Tower successfully created a managed account.",
        **tower.times(),
    }
    outbox.service_event(tower.owner(), tower.HOME, "controltower", name, {status: told})


def install() -> None:
    """Puts the calls in place."""
    from moto.servicecatalog.responses import ServiceCatalogResponse as Responses

    original = {name: getattr(Responses, name) for name in ("list_portfolios", "describe_product")}

    accounts.closers.append(closed)

    def asked(self: Any) -> dict[str, Any]:
        return dict(json.loads(self.body or "{}"))

    def is_here(self: Any) -> bool:
        backend = accounts.backend()
        home = SETTINGS.account_factory and self.region == tower.HOME
        return bool(backend) and self.current_account == backend.account_id and home

    def product(self: Any, name: str = "ProductId") -> dict[str, Any]:
        """The request, refused if it is about a product that is not there."""
        request = asked(self)
        if request.get(name) != PRODUCT or not is_here(self):
            message = f"Product {request.get(name)} not found."
            raise Refusal("ResourceNotFoundException", message)
        return request

    def launchable(self: Any) -> dict[str, Any]:
        request = product(self)
        if not may_launch(self.access_key):
            message = f"No launch paths found for resource: {PRODUCT}."
            raise Refusal("ResourceNotFoundException", message)
        return request

    def version(request: dict[str, Any]) -> None:
        active = [one["Id"] for one in artifacts() if one["Active"] and SETTINGS.active_artifact]
        if request.get("ProvisioningArtifactId") not in active:
            message = f"Provisioning artifact {request.get('ProvisioningArtifactId')} not found."
            raise Refusal("ResourceNotFoundException", message)
        if request.get("PathId") not in (None, PATH):
            raise Refusal("ResourceNotFoundException", "No launch paths found for resource.")

    def answer(body: Any) -> str:
        return json.dumps(body)

    @method_of(Responses)
    def list_provisioning_artifacts(self: Any) -> str:
        product(self)
        active = SETTINGS.active_artifact
        found = [{**one, "Active": one["Active"] and active} for one in artifacts()]
        return answer({"ProvisioningArtifactDetails": found})

    @method_of(Responses)
    def list_launch_paths(self: Any) -> str:
        launchable(self)
        path = {"Id": PATH, "Name": "AWS Control Tower Account Factory Portfolio"}
        return answer({"LaunchPathSummaries": [path]})

    @method_of(Responses)
    def provision_product(self: Any) -> str:
        request = launchable(self)
        version(request)
        name = request.get("ProvisionedProductName") or ""
        if not re.fullmatch(r"[a-zA-Z0-9][a-zA-Z0-9._-]{0,127}", name):
            raise Refusal("InvalidParametersException", "ProvisionedProductName is not valid.")
        token = request.get("ProvisionToken") or str(uuid.uuid4())
        found = order("PROVISION_PRODUCT", None, request, token)
        return answer({"RecordDetail": found.detail()})

    @method_of(Responses)
    def update_provisioned_product(self: Any) -> str:
        request = launchable(self)
        version(request)
        found = products.get(request.get("ProvisionedProductId", ""))
        if found is None:
            raise Refusal("ResourceNotFoundException", "Provisioned product not found.")
        token = request.get("UpdateToken") or str(uuid.uuid4())
        made = order("UPDATE_PROVISIONED_PRODUCT", found, request, token)
        return answer({"RecordDetail": made.detail()})

    @method_of(Responses)
    def terminate_provisioned_product(self: Any) -> str:
        request = asked(self)
        found = products.get(request.get("ProvisionedProductId", "")) if is_here(self) else None
        if found is None:
            raise Refusal("ResourceNotFoundException", "Provisioned product not found.")
        made = terminate(found, request.get("TerminateToken") or str(uuid.uuid4()))
        return answer({"RecordDetail": made.detail()})

    @method_of(Responses)
    def describe_record(self: Any) -> str:
        found = records.get(asked(self).get("Id", ""))
        if found is None or not is_here(self):
            raise Refusal("ResourceNotFoundException", "Record not found.")
        return answer({"RecordDetail": found.detail(), "RecordOutputs": []})

    @method_of(Responses)
    def list_record_history(self: Any) -> str:
        wanted = asked(self).get("SearchFilter") or {}
        found = list(records.values()) if is_here(self) else []
        if wanted.get("Key") == "provisionedproduct":
            found = [one for one in found if one.provisioned.id == wanted.get("Value")]
        newest = sorted(found, key=lambda one: one.created, reverse=True)
        return answer({"RecordDetails": [one.detail() for one in newest[:20]]})

    @method_of(Responses)
    def describe_provisioned_product(self: Any) -> str:
        request = asked(self)
        for one in products.values() if is_here(self) else ():
            if request.get("Id") == one.id or request.get("Name") == one.name:
                return answer({"ProvisionedProductDetail": one.detail()})
        raise Refusal("ResourceNotFoundException", "Provisioned product not found.")

    @method_of(Responses)
    def search_provisioned_products(self: Any) -> str:
        request = asked(self)
        found = list(products.values()) if is_here(self) else []
        if (request.get("AccessLevelFilter") or {}).get("Key", "Account") != "Account":
            found = []
        fields = {
            "physicalId": lambda one: one.account,
            "name": lambda one: one.name,
            "status": lambda one: one.status,
            "type": lambda _: KIND,
            "productId": lambda _: PRODUCT,
        }
        for query in (request.get("Filters") or {}).get("SearchQuery") or []:
            name, _, value = query.partition(":")
            if name not in fields:
                raise Refusal("InvalidParametersException", f"Unknown field {name}.")
            found = [one for one in found if fields[name](one) == value]
        shown = [
            one.detail()
            | ({"PhysicalId": one.account} if one.account else {})
            | {"ProductName": NAME}
            for one in found
        ]
        return answer({"ProvisionedProducts": shown, "TotalResultsCount": len(shown)})

    @method_of(Responses)
    def describe_product(self: Any) -> Any:
        if asked(self).get("Id") != PRODUCT or not is_here(self):
            return original["describe_product"](self)
        view = {"Id": PRODUCT, "ProductId": PRODUCT, "Name": NAME, "Owner": "AWS Control Tower"}
        return answer({"ProductViewSummary": view, "ProvisioningArtifacts": artifacts()[1:]})

    @method_of(Responses)
    def describe_product_as_admin(self: Any) -> str:
        product(self, "Id")
        view = {"Id": PRODUCT, "ProductId": PRODUCT, "Name": NAME, "Owner": "AWS Control Tower"}
        return answer({"ProductViewDetail": {"ProductViewSummary": view, "Status": "AVAILABLE"}})

    @method_of(Responses)
    def search_products_as_admin(self: Any) -> str:
        portfolio = asked(self).get("PortfolioId")
        here = is_here(self) and portfolio in (None, PORTFOLIO)
        view = {"Id": PRODUCT, "ProductId": PRODUCT, "Name": NAME, "Owner": "AWS Control Tower"}
        found = [{"ProductViewSummary": view, "Status": "AVAILABLE"}] if here else []
        return answer({"ProductViewDetails": found})

    def portfolio() -> dict[str, Any]:
        return {
            "Id": PORTFOLIO,
            "ARN": f"arn:aws:catalog:{tower.HOME}:{tower.owner()}:portfolio/{PORTFOLIO}",
            "DisplayName": "AWS Control Tower Account Factory Portfolio",
            "ProviderName": "AWS Control Tower",
        }

    @method_of(Responses)
    def list_portfolios_for_product(self: Any) -> str:
        product(self)
        return answer({"PortfolioDetails": [portfolio()]})

    @method_of(Responses)
    def list_portfolios(self: Any) -> Any:
        if not is_here(self):
            return original["list_portfolios"](self)
        return answer({"PortfolioDetails": [portfolio()]})

    @method_of(Responses)
    def list_principals_for_portfolio(self: Any) -> str:
        if asked(self).get("PortfolioId") != PORTFOLIO or not is_here(self):
            raise Refusal("ResourceNotFoundException", "Portfolio not found.")
        found = [
            {"PrincipalARN": one, "PrincipalType": "IAM_PATTERN" if "*" in one else "IAM"}
            for one in SETTINGS.account_factory_principals
        ]
        return answer({"Principals": found})

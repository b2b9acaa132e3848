"""AWS Organizations as AWS runs it: accounts come late, land in the root, are not usable at once.

Replaces moto's accounts, which appear instantly, share e-mail addresses and carry no policy.
"""

import hashlib
import json
import re
import threading
import unicodedata
from collections.abc import Callable
from typing import Any

import clock
import outbox
import principals
from patching import Refusal, method_of
from settings import SETTINGS, draw, lognormal, take

# Organizations reports to the partition's Organizations Region.
HOME = "us-east-1"
ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"
FAILED_BRIEFLY = 1.5
# Seconds after which every account can be entered.
ENTERABLE = 840

UNFIT = r"\s\"'()<>\[\]:;,\\|%&@"
EMAIL = re.compile(rf"^[^.{UNFIT}][^{UNFIT}]*@[A-Za-z0-9.-]+\.[A-Za-z0-9-]+$")
NAME = re.compile(r"^[\x20-\x7e]{1,50}$")
ROLE_NAME = re.compile(r"^[\w+=,.@-]{1,64}$")

lock = threading.RLock()
# Who hears of a move: the account, its unit before and its unit now.
movers: list[Callable[["Account", str, str], None]] = []
# Who hears that an account was closed.
closers: list[Callable[["Account"], None]] = []
# Accounts that may still refuse calls, by id.
young: dict[str, "Account"] = {}


class Account:
    """A member of the organization (or its management account)."""

    type = "ACCOUNT"

    def __init__(
        self,
        organization: Any,
        name: str,
        email: str,
        account_id: str,
        tags: dict[str, str] | None = None,
        joined: float | None = None,
    ) -> None:
        self.organization = organization
        self.region = organization.region
        self.organization_id = organization.id
        self.master_account_id = organization.master_account_id
        self.id = account_id
        self.name = name
        self.email = email
        self.state = "ACTIVE"
        self.joined_method = "CREATED"
        self.joined = clock.now() if joined is None else joined
        self.parent_id = organization.root_id
        self.attached_policies: list[Any] = []
        self.tags = tags or {}
        self.closed_at: float | None = None
        self.ready: dict[str, float] = {}

    @property
    def status(self) -> str:
        """The older field: a closed account is SUSPENDED there."""
        return "SUSPENDED" if self.state == "CLOSED" else self.state

    @property
    def create_time(self) -> Any:
        """When it joined, as moto names it."""
        return clock.datetime.datetime.fromtimestamp(self.joined)

    @property
    def arn(self) -> str:
        """The account's ARN in its organization."""
        owner = f"arn:aws:organizations::{self.master_account_id}"
        return f"{owner}:account/{self.organization_id}/{self.id}"

    def describe(self) -> dict[str, Any]:
        """As DescribeAccount shows it."""
        chain = parents(backend(), self.parent_id)
        return {
            "Id": self.id,
            "Arn": self.arn,
            "Email": self.email,
            "Name": self.name,
            "Status": self.status,
            "State": self.state,
            "Paths": ["/".join([self.organization_id, *chain, self.id, ""])],
            "JoinedMethod": self.joined_method,
            "JoinedTimestamp": self.joined,
        }

    def ready_at(self, service: str, region: str = "") -> float:
        """When the service begins to work in this account, and in this Region if one is named."""
        known = f"{service}/{region}" if region else service
        if known not in self.ready:
            fixed = SETTINGS.readiness_seconds
            if isinstance(fixed, dict):
                fixed = fixed.get(service, fixed.get("default"))
            if fixed is None:
                fixed = lognormal(30, 0.95, 240, "readiness", self.email, known)
                # Nobody has seen an access role that could not be taken after a quarter of an hour.
                fixed = min(fixed, ENTERABLE) if service == "sts" else fixed
            self.ready[known] = self.joined + fixed
        return self.ready[known]


class Creation:
    """One CreateAccount request and what became of it."""

    def __init__(self, email: str, name: str, order: int) -> None:
        digest = hashlib.sha256(f"{email}:{name}:{order}:{clock.START}".encode()).hexdigest()
        self.id = f"car-{digest[:32]}"
        self.email = email
        self.name = name
        self.state = "IN_PROGRESS"
        self.requested = clock.now()
        self.completed: float | None = None
        self.account_id: str | None = None
        self.reason: str | None = None

    def describe(self) -> dict[str, Any]:
        """As DescribeCreateAccountStatus shows it."""
        answer: dict[str, Any] = {
            "Id": self.id,
            "AccountName": self.name,
            "State": self.state,
            "RequestedTimestamp": self.requested,
        }
        if self.completed is not None:
            answer["CompletedTimestamp"] = self.completed
        if self.account_id:
            answer["AccountId"] = self.account_id
        if self.reason:
            answer["FailureReason"] = self.reason
        return answer


class Register:
    """What the one organization of a sandbox knows beyond moto's backend."""

    def __init__(self) -> None:
        self.backend: Any = None
        self.by_id: dict[str, Account] = {}
        self.by_email: dict[str, Account] = {}
        self.creations: dict[str, Creation] = {}
        self.closures: list[float] = []


register = Register()


def backend() -> Any:
    """The management account's Organizations backend."""
    return register.backend


def parents(organizations: Any, parent: str) -> list[str]:
    """The ids from the root down to this parent."""
    units = {unit.id: unit for unit in organizations.ou}
    chain: list[str] = []
    while parent in units:
        chain.insert(0, parent)
        parent = getattr(units[parent], "parent_id", None) or ""
    return chain


def add(account: Account) -> None:
    """Takes an account into the organization."""
    from moto.organizations.models import organizations_backends
    from moto.organizations.utils import DEFAULT_RCP_POLICY_ID, DEFAULT_SCP_POLICY_ID

    organizations = backend()
    organizations.accounts.append(account)
    register.by_id[account.id] = account
    register.by_email[account.email.lower()] = account
    if account.id != account.master_account_id:
        owner = (organizations.account_id, organizations.partition)
        organizations_backends.master_accounts[account.id] = owner
    for policy in organizations.policies:
        if policy.id in (DEFAULT_SCP_POLICY_ID, DEFAULT_RCP_POLICY_ID):
            account.attached_policies.append(policy)
            policy.attachments.append(account)


def new_id(email: str) -> str:
    """A twelve-digit id that the seed and the e-mail decide."""
    for attempt in range(100):
        number = draw("account", email, str(attempt)).randrange(10**11, 10**12)
        if str(number) not in register.by_id:
            return str(number)
    raise RuntimeError("no free account id found")


def make_access_role(account: Account, role_name: str) -> None:
    """The role that Organizations makes: trusted by the management account, an administrator."""
    iam = make_role(account, role_name)
    if SETTINGS.administrator_access in ("managed", "both"):
        iam.attach_role_policy(ADMINISTRATOR, role_name)
    if SETTINGS.administrator_access in ("inline", "both"):
        allow = {"Effect": "Allow", "Action": "*", "Resource": "*"}
        document = {"Version": "2012-10-17", "Statement": [allow]}
        iam.put_role_policy(role_name, "AdministratorAccess", json.dumps(document))


def make_role(account: Account, name: str) -> Any:
    """A role that the management account may take; the IAM of the account that it is in."""
    from moto.iam.models import iam_backends

    iam = iam_backends[account.id]["aws"]
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"AWS": f"arn:aws:iam::{account.master_account_id}:root"},
                "Action": "sts:AssumeRole",
            }
        ],
    }
    iam.create_role(
        role_name=name,
        assume_role_policy_document=json.dumps(trust),
        path="/",
        permissions_boundary=None,
        description="",
        tags=[],
        max_session_duration="3600",
    )
    return iam


def creation_latency(email: str) -> float:
    """How long this CreateAccount takes."""
    if SETTINGS.creation_latency_seconds is not None:
        return SETTINGS.creation_latency_seconds
    if draw("slow", email).random() < 0.005:
        return 300 + draw("slower", email).random() * 300
    return lognormal(5, 0.99, 120, "creation", email)


def refusal_of(email: str, name: str) -> str | None:
    """Why a creation that was accepted will end FAILED; None if it will succeed."""
    running = [one for one in register.creations.values() if one.state == "IN_PROGRESS"]
    if any(one.email.lower() == email.lower() for one in running):
        return "CONCURRENT_ACCOUNT_MODIFICATION"
    foreign = {address.lower() for address in SETTINGS.foreign_emails}
    if email.lower() in register.by_email or email.lower() in foreign:
        return "EMAIL_ALREADY_EXISTS"
    knob = take(SETTINGS.fail_creations, email=email, name=name)
    if knob:
        return str(knob["reason"])
    if len(backend().accounts) + len(running) >= SETTINGS.account_quota:
        return "ACCOUNT_LIMIT_EXCEEDED"
    return None


def create(request: dict[str, Any]) -> Creation:
    """Accepts a CreateAccount; its end comes later, by status and by event."""
    email, name = request.get("Email", ""), request.get("AccountName", "")
    role_name = request.get("RoleName") or "OrganizationAccountAccessRole"
    if not 6 <= len(email) <= 64 or not EMAIL.match(email):
        message = "You provided an email address that is not valid."
        raise Refusal("InvalidInputException", message, Reason="INVALID_EMAIL_ADDRESS_TARGET")
    if not NAME.match(name):
        raise pattern_refused("accountName")
    if not ROLE_NAME.match(role_name):
        raise Refusal(
            "InvalidInputException",
            "You provided a role name that is not valid.",
            Reason="INVALID_ROLE_NAME",
        )
    tags = checked_tags(request.get("Tags") or [], {})
    with lock:
        running = [one for one in register.creations.values() if one.state == "IN_PROGRESS"]
        if len(running) >= SETTINGS.concurrent_creations:
            raise Refusal(
                "ConstraintViolationException",
                "You have exceeded the number of accounts that you can create at the same time.",
                Reason="ACCOUNT_CREATION_RATE_LIMIT_EXCEEDED",
            )
        reason = refusal_of(email, name)
        creation = Creation(email, name, len(register.creations))
        register.creations[creation.id] = creation
    latency = FAILED_BRIEFLY if reason else creation_latency(email)
    clock.later(latency, lambda: finish(creation, role_name, tags, reason))
    return creation


def finish(creation: Creation, role_name: str, tags: dict[str, str], reason: str | None) -> None:
    """Ends a creation as it was decided, and tells the management account's bus."""
    organizations = backend()
    with lock:
        creation.completed = clock.now()
        if reason:
            creation.state, creation.reason = "FAILED", reason
        else:
            account_id = new_id(creation.email)
            account = Account(organizations.org, creation.name, creation.email, account_id, tags)
            make_access_role(account, role_name)
            young[account.id] = account
            add(account)
            creation.account_id = account.id
            creation.state = "SUCCEEDED"
    details = {
        "id": creation.id,
        "state": creation.state,
        "accountName": "****",
        "requestedTimestamp": outbox.spoken_time(creation.requested),
        "completedTimestamp": outbox.spoken_time(creation.completed),
    }
    if creation.account_id:
        details["accountId"] = creation.account_id
    if creation.reason:
        details["failureReason"] = creation.reason
    management = organizations.account_id
    body = {"createAccountStatus": details}
    outbox.service_event(management, HOME, "organizations", "CreateAccountResult", body)
    if creation.account_id:
        joined = {
            "accountId": creation.account_id,
            "joinedMethod": "Created",
            "joinedTime": clock.iso(creation.completed),
        }
        name = "AccountJoinedOrganization"
        outbox.service_event(management, HOME, "organizations", name, joined)


def close(account: Account) -> None:
    """Accepts a CloseAccount; the account is PENDING_CLOSURE first and usable until CLOSED."""
    with lock:
        if account.id == account.master_account_id:
            raise Refusal(
                "ConstraintViolationException",
                "You can't close the management account.",
                Reason="CANNOT_CLOSE_MANAGEMENT_ACCOUNT",
            )
        if any(admin.account.id == account.id for admin in backend().admins):
            raise Refusal(
                "ConstraintViolationException",
                "You can't close an account that is registered as a delegated administrator.",
                Reason="CANNOT_REMOVE_DELEGATED_ADMINISTRATOR_FROM_ORG",
            )
        if account.state == "CLOSED":
            raise Refusal(
                "AccountAlreadyClosedException", "The provided account is already closed."
            )
        if account.state == "PENDING_CLOSURE":
            raise Refusal("ConflictException", "The account is already being closed.")
        pending = [one for one in backend().accounts if one.state == "PENDING_CLOSURE"]
        if len(pending) >= SETTINGS.concurrent_closures:
            raise Refusal(
                "ConstraintViolationException",
                "You have exceeded the number of close requests that can be in progress.",
                Reason="CLOSE_ACCOUNT_REQUESTS_LIMIT_EXCEEDED",
            )
        recent = [moment for moment in register.closures if moment > clock.now() - 30 * 86_400]
        members = len(backend().accounts) - 1
        quota = SETTINGS.closure_quota
        if quota is None:
            quota = min(1000, max(250, members // 5))
        if len(recent) >= quota:
            raise Refusal(
                "ConstraintViolationException",
                "You have exceeded the close account quota for the past 30 days.",
                Reason="CLOSE_ACCOUNT_QUOTA_EXCEEDED",
            )
        register.closures = [*recent, clock.now()]
        account.state = "PENDING_CLOSURE"
    requested = clock.now()
    latency = SETTINGS.closure_latency_seconds
    if latency is None:
        latency = lognormal(60, 0.99, 600, "closure", account.id)
    clock.later(latency, lambda: _closed(account, requested))


def _closed(account: Account, requested: float) -> None:
    account.state = "CLOSED"
    account.closed_at = clock.now()
    for closer in closers:
        closer(account)
    status = {
        "accountId": account.id,
        "state": "SUCCEEDED",
        "requestedTimestamp": outbox.spoken_time(requested),
        "completedTimestamp": outbox.spoken_time(account.closed_at),
    }
    management = account.master_account_id
    body = {"closeAccountStatus": status}
    outbox.service_event(management, HOME, "organizations", "CloseAccountResult", body)


def fits_tag(one: str) -> bool:
    r"""Whether `[\p{L}\p{Z}\p{N}_.:/=+\-@]` has this character."""
    return one in "_.:/=+-@" or unicodedata.category(one)[0] in "LZN"


def checked_tags(tags: list[dict[str, str]], present: dict[str, str]) -> dict[str, str]:
    """The tags as a dictionary, refused as TagResource and CreateAccount refuse them."""
    keys = [tag.get("Key", "") for tag in tags]
    if len(set(keys)) < len(keys):
        message = "Tag keys must be unique among the tags attached to the same entity."
        raise Refusal("InvalidInputException", message, Reason="DUPLICATE_TAG_KEY")
    for tag in tags:
        key, value = tag.get("Key", ""), tag.get("Value", "")
        if key.lower().startswith("aws:"):
            message = "You specified a tag key that is a system tag."
            reason = "INVALID_SYSTEM_TAGS_PARAMETER"
            raise Refusal("InvalidInputException", message, Reason=reason)
        if not 1 <= len(key) <= 128 or not all(map(fits_tag, key)):
            raise pattern_refused("tags.key")
        if len(value) > 256 or not all(map(fits_tag, value)):
            raise pattern_refused("tags.value")
    result = {tag["Key"]: tag.get("Value", "") for tag in tags}
    if len(present | result) > 50:
        message = "You have exceeded the number of tags allowed on this resource."
        reason = "MAX_TAG_LIMIT_EXCEEDED"
        raise Refusal("ConstraintViolationException", message, Reason=reason)
    return result


def pattern_refused(member: str) -> Refusal:
    """The refusal of a value that does not match its pattern."""
    message = f"You provided a value for {member} that does not match the required pattern."
    return Refusal("InvalidInputException", message, Reason="INVALID_PATTERN")


def paged(items: list[Any], request: dict[str, Any], largest: int = 20) -> tuple[list[Any], Any]:
    """One page and the token of the next."""
    size = int(request.get("MaxResults") or largest)
    if not 1 <= size <= largest:
        message = f"You provided a value for maxResults outside 1 to {largest}."
        raise Refusal("InvalidInputException", message, Reason="MAX_VALUE_EXCEEDED")
    try:
        start = int(request.get("NextToken") or 0)
    except ValueError:
        message = "The provided next token is not valid."
        raise Refusal("InvalidInputException", message, Reason="INVALID_NEXT_TOKEN")
    following = str(start + size) if len(items) > start + size else None
    return items[start : start + size], following


def install() -> None:
    """Puts the changes in place."""
    from moto.organizations.models import FakeDelegatedAdministrator

    # moto's list of services is shorter than AWS's.
    FakeDelegatedAdministrator.SUPPORTED_SERVICES.append(
        "member.org.stacksets.cloudformation.amazonaws.com"
    )
    from moto.organizations import models
    from moto.organizations.models import OrganizationsBackend
    from moto.organizations.responses import OrganizationsResponse

    class ManagementAccount(Account):
        """moto makes the management account when it creates the organization."""

        def __init__(self, organization: Any, **request: Any) -> None:
            email = request.get("Email") or organization.master_account_email
            management = organization.master_account_id
            super().__init__(organization, "management", email, management, joined=clock.START)
            self.joined_method = "INVITED"

    models.FakeAccount = ManagementAccount
    create_organization = OrganizationsBackend.create_organization

    def created(self: Any, region: str, **request: Any) -> dict[str, Any]:
        answer = create_organization(self, region, **request)
        register.backend = self
        management = self.accounts[0]
        register.by_id[management.id] = management
        register.by_email[management.email.lower()] = management
        return answer

    OrganizationsBackend.create_organization = created

    @method_of(OrganizationsBackend)
    def get_account_by_id(self: Any, account_id: str) -> Account:
        account = register.by_id.get(account_id)
        if account is None:
            message = "You specified an account that doesn't exist."
            raise Refusal("AccountNotFoundException", message)
        return account

    @method_of(OrganizationsBackend)
    def tag_resource(self: Any, **request: Any) -> None:
        resource = self._get_resource_for_tagging(request["ResourceId"])
        with lock:
            resource.tags.update(checked_tags(request["Tags"], resource.tags))

    make_unit = OrganizationsBackend.create_organizational_unit

    @method_of(OrganizationsBackend)
    def create_organizational_unit(self: Any, **request: Any) -> dict[str, Any]:
        named = (request["ParentId"], request["Name"])
        with lock:
            if any((unit.parent_id, unit.name) == named for unit in self.ou):
                message = "An OU with the same name already exists."
                raise Refusal("DuplicateOrganizationalUnitException", message)
            return make_unit(self, **request)

    _responses(OrganizationsResponse)


def _responses(owner: Any) -> None:
    from moto.organizations.models import organizations_backends

    original = owner.organizations_backend.fget

    def of_management(self: Any) -> Any:
        account = self.current_account
        open_to_members = ("CreateOrganization", "DescribeOrganization")
        if self._get_action() in open_to_members:
            return original(self)
        if account in organizations_backends.master_accounts:
            message = "You don't have permissions to access this resource."
            raise Refusal("AccessDeniedException", message)
        found = original(self)
        if found.org is None:
            message = "Your account is not a member of an organization."
            raise Refusal("AWSOrganizationsNotInUseException", message)
        return found

    owner.organizations_backend = property(of_management)

    def request_of(self: Any) -> dict[str, Any]:
        return json.loads(self.body or "{}")

    def tell(self: Any, name: str, parameters: Any, response: Any = None) -> None:
        identity = principals.user_identity(self.access_key, self.current_account)
        management = self.organizations_backend.account_id
        outbox.api_event(management, HOME, "organizations", name, identity, parameters, response)

    @method_of(owner)
    def create_account(self: Any) -> str:
        assert self.organizations_backend
        creation = create(request_of(self))
        status = creation.describe()
        shown = {
            "accountName": "****",
            "state": "IN_PROGRESS",
            "id": creation.id,
            "requestedTimestamp": outbox.spoken_time(creation.requested),
        }
        parameters = {"tags": [], "email": "****", "accountName": "****"}
        tell(self, "CreateAccount", parameters, {"createAccountStatus": shown})
        return json.dumps({"CreateAccountStatus": status})

    @method_of(owner)
    def describe_create_account_status(self: Any) -> str:
        assert self.organizations_backend
        found = register.creations.get(request_of(self).get("CreateAccountRequestId", ""))
        if found is None:
            message = "We can't find a create account request with the id that you specified."
            raise Refusal("CreateAccountStatusNotFoundException", message)
        return json.dumps({"CreateAccountStatus": found.describe()})

    @method_of(owner)
    def list_create_account_status(self: Any) -> str:
        assert self.organizations_backend
        request = request_of(self)
        states = request.get("States") or ["IN_PROGRESS", "SUCCEEDED", "FAILED"]
        with lock:
            found = [one.describe() for one in register.creations.values() if one.state in states]
        page, following = paged(found, request)
        return json.dumps({"CreateAccountStatuses": page, "NextToken": following})

    @method_of(owner)
    def list_accounts(self: Any) -> str:
        page, following = paged(self.organizations_backend.accounts, request_of(self))
        shown = [account.describe() for account in page]
        return json.dumps({"Accounts": shown, "NextToken": following})

    @method_of(owner)
    def list_accounts_for_parent(self: Any) -> str:
        request = request_of(self)
        organizations = self.organizations_backend
        parent = organizations.validate_parent_id(request["ParentId"])
        found = [account for account in organizations.accounts if account.parent_id == parent]
        page, following = paged(found, request)
        shown = [account.describe() for account in page]
        return json.dumps({"Accounts": shown, "NextToken": following})

    @method_of(owner)
    def move_account(self: Any) -> str:
        request = request_of(self)
        organizations = self.organizations_backend
        account = organizations.get_account_by_id(request["AccountId"])
        units = {unit.id for unit in organizations.ou}
        source, destination = request["SourceParentId"], request["DestinationParentId"]
        with lock:
            if destination not in units:
                message = "We can't find the destination container that you specified."
                raise Refusal("DestinationParentNotFoundException", message)
            if account.parent_id == destination:
                message = "That account is already present in the specified destination."
                raise Refusal("DuplicateAccountException", message)
            if account.parent_id != source:
                message = "We can't find a source root or OU with the ID that you specified."
                raise Refusal("SourceParentNotFoundException", message)
            account.parent_id = destination
        for mover in movers:
            mover(account, source, destination)
        parameters = {
            "accountId": account.id,
            "destinationParentId": destination,
            "sourceParentId": source,
        }
        tell(self, "MoveAccount", parameters)
        return "{}"

    @method_of(owner)
    def close_account(self: Any) -> str:
        request = request_of(self)
        close(self.organizations_backend.get_account_by_id(request["AccountId"]))
        tell(self, "CloseAccount", {"accountId": request["AccountId"]})
        return "{}"

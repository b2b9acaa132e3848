"""IAM Identity Center as AWS runs it: in one account and Region, and not at once.

Replaces moto's, which has an instance everywhere, assigns at once whatever it is told, and lets
users join a group twice.
"""

import itertools
import json
import re
import threading
import uuid
from collections.abc import Callable
from functools import cache
from typing import Any

import accounts
import clock
from patching import Refusal, method_of
from settings import SETTINGS, lognormal, take

# Where the seed puts the one instance.
HOME = "eu-central-1"
# What the examples' platform names; AWS draws them.
INSTANCE = "arn:aws:sso:::instance/ssoins-0123456789abcdef"
STORE = "d-0123456789"
GROUP_NAME = re.compile(r"^[^\x00-\x08\x0b\x0c\x0e-\x1f]{1,1024}$")

lock = threading.RLock()
# Permission sets are numbered; AWS draws the ends of their ARNs.
ordinals = itertools.count(1)


class Request:
    """One request for an assignment or for its removal, and how far AWS came with it."""

    def __init__(self, facts: dict[str, str], removal: bool) -> None:
        self.id = str(uuid.uuid4())
        self.facts = facts
        self.removal = removal
        self.status = "IN_PROGRESS"
        self.reason = ""
        self.created = clock.now()

    def describe(self) -> dict[str, Any]:
        """As the status of the request is shown."""
        answer: dict[str, Any] = {
            "RequestId": self.id,
            "Status": self.status,
            "CreatedDate": self.created,
            **{key: value for key, value in self.facts.items() if key != "InstanceArn"},
        }
        if self.reason:
            answer["FailureReason"] = self.reason
        return answer


requests: dict[str, Request] = {}


def missing(message: str, **members: Any) -> Refusal:
    """The refusal of what does not exist."""
    return Refusal("ResourceNotFoundException", message, 400, **members)


def at_home(response: Any) -> bool:
    """Whether the call comes to where Identity Center is: the organization's, or none."""
    organizations = accounts.backend()
    management = organizations.account_id if organizations else ""
    return bool(response.current_account == management and response.region == HOME)


def store_of(instance: str) -> Any:
    """The users and groups of the instance."""
    from moto.identitystore.models import identitystore_backends

    return identitystore_backends[accounts.backend().account_id][HOME].identity_stores[STORE]


def ask(response: Any, removal: bool) -> str:
    """Accepts a request; its end comes later, and nobody is told."""
    body = json.loads(response.body)
    names = ("TargetId", "TargetType", "PermissionSetArn", "PrincipalType", "PrincipalId")
    facts = {name: body.get(name, "") for name in ("InstanceArn", *names)}
    backend = response.ssoadmin_backend
    with lock:
        check(backend, facts)
        same = [one for one in requests.values() if one.status == "IN_PROGRESS"]
        if any(one.facts == facts for one in same):
            message = "There is a request for the same assignment that has not ended."
            raise Refusal("ConflictException", message, 400)
        if removal:
            found(backend, facts)
        elif sum(not one.removal for one in same) >= SETTINGS.concurrent_assignments:
            message = "You have exceeded the number of outstanding account assignments."
            raise Refusal("ServiceQuotaExceededException", message, 400)
        request = Request(facts, removal)
        requests[request.id] = request
    clock.later(latency(request), lambda: finish(backend, request))
    kind = "Deletion" if removal else "Creation"
    return json.dumps({f"AccountAssignment{kind}Status": request.describe()})


def check(backend: Any, facts: dict[str, str]) -> None:
    """Refuses what names something that is not there."""
    if facts["InstanceArn"] != INSTANCE:
        raise missing("Instance not found")
    backend._find_permission_set(facts["InstanceArn"], facts["PermissionSetArn"])
    store = store_of(facts["InstanceArn"])
    principal, kind = facts["PrincipalId"], facts["PrincipalType"]
    if principal not in (store.groups if kind == "GROUP" else store.users):
        assigned = [one.principal_id for one in backend.account_assignments]
        if principal not in assigned:
            raise missing(f"{kind.capitalize()} not found")
    account = accounts.register.by_id.get(facts["TargetId"])
    young = account is not None and account.id in accounts.young
    if account is None or (young and clock.now() < account.ready_at("sso")):
        raise missing("Account not found")


def found(backend: Any, facts: dict[str, str]) -> Any:
    """The assignment that is asked about."""
    try:
        return backend._find_account(*facts.values())
    except Exception as error:
        raise missing("Account assignment does not exist") from error


def latency(request: Request) -> float:
    """How long AWS works on the request."""
    if SETTINGS.assignment_seconds is not None:
        return SETTINGS.assignment_seconds
    return lognormal(6, 0.95, 30, "assignment", *request.facts.values(), str(len(requests)))


def finish(backend: Any, request: Request) -> None:
    """Ends a request as it was decided."""
    facts = request.facts
    store = store_of(facts["InstanceArn"])
    group = store.groups.get(facts["PrincipalId"])
    with lock:
        knob = take(
            SETTINGS.fail_assignments,
            account=facts["TargetId"],
            group=group.DisplayName if group else "",
            permissionSet=facts["PermissionSetArn"],
        )
        account = accounts.register.by_id.get(facts["TargetId"])
        if knob or account is None or account.state != "ACTIVE":
            reason = "An unexpected internal service exception was encountered"
            request.status = "FAILED"
            request.reason = str(knob.get("reason", reason)) if knob else reason
            return
        if request.removal:
            backend.account_assignments.remove(found(backend, facts))
        elif not any(facts_of(one) == facts for one in backend.account_assignments):
            backend.create_account_assignment(*facts.values())
        request.status = "SUCCEEDED"


def facts_of(assignment: Any) -> dict[str, str]:
    """An assignment as a request names it."""
    return {
        "InstanceArn": assignment.instance_arn,
        "TargetId": assignment.target_id,
        "TargetType": assignment.target_type,
        "PermissionSetArn": assignment.permission_set_arn,
        "PrincipalType": assignment.principal_type,
        "PrincipalId": assignment.principal_id,
    }


def status(response: Any, removal: bool) -> str:
    """How far AWS came with a request."""
    kind = "Deletion" if removal else "Creation"
    identifier = json.loads(response.body).get(f"AccountAssignment{kind}RequestId")
    request = requests.get(identifier)
    if request is None or request.removal != removal:
        raise missing(f"Account assignment {kind.lower()} status not found")
    return json.dumps({f"AccountAssignment{kind}Status": request.describe()})


def only_at_home(owner: type) -> None:
    """Every call of a service is refused where Identity Center is not."""
    call_action = owner.call_action  # type: ignore[attr-defined]

    def checked(self: Any) -> Any:
        if at_home(self) or self._get_action() == "ListInstances":
            return call_action(self)
        from moto.core.responses import ActionResult

        message = "User is not authorized: the instance belongs to another account or Region."
        refusal = Refusal("AccessDeniedException", message, 400)
        status, headers, body = self.serialized(ActionResult(refusal))
        headers["status"] = str(status)
        return status, headers, body

    owner.call_action = checked  # type: ignore[attr-defined]


@cache
def install() -> None:
    """Puts the changes in place, once: the seed may need them before anything else does."""
    from moto.identitystore.models import IdentityStoreBackend
    from moto.identitystore.responses import IdentityStoreResponse
    from moto.ssoadmin.models import Instance, PermissionSet
    from moto.ssoadmin.responses import SSOAdminResponse

    only_at_home(SSOAdminResponse)
    only_at_home(IdentityStoreResponse)
    _one_instance(Instance, PermissionSet, SSOAdminResponse)
    _assignments(SSOAdminResponse)
    _directory(IdentityStoreBackend)


def _one_instance(instance: type, permission_set: type, owner: type) -> None:
    initialise, list_instances = instance.__init__, owner.list_instances  # type: ignore[misc,attr-defined]

    def known(self: Any, account_id: str, region: str) -> None:
        initialise(self, account_id, region)
        self.instance_arn, self.identity_store_id = INSTANCE, STORE

    instance.__init__ = known  # type: ignore[misc]

    def numbered(instance_arn: str) -> str:
        identifier = instance_arn.rsplit("/", 1)[1]
        return f"arn:aws:sso:::permissionSet/{identifier}/ps-{next(ordinals):016x}"

    permission_set.generate_id = staticmethod(numbered)  # type: ignore[attr-defined]

    @method_of(owner)
    def list_instances(self: Any, original: Callable[[Any], str] = list_instances) -> str:
        return original(self) if at_home(self) else json.dumps({"Instances": []})


def _assignments(owner: type) -> None:
    @method_of(owner)
    def create_account_assignment(self: Any) -> str:
        return ask(self, removal=False)

    @method_of(owner)
    def delete_account_assignment(self: Any) -> str:
        return ask(self, removal=True)

    @method_of(owner)
    def describe_account_assignment_creation_status(self: Any) -> str:
        return status(self, removal=False)

    @method_of(owner)
    def describe_account_assignment_deletion_status(self: Any) -> str:
        return status(self, removal=True)


def _directory(owner: type) -> None:
    originals = {
        name: getattr(owner, name)
        for name in ("create_group", "create_group_membership", "list_group_memberships")
    }

    def known(self: Any, store_id: str) -> Any:
        if store_id != STORE:
            raise missing("IdentityStore not found.", ResourceType="IDENTITY_STORE")
        return self._IdentityStoreBackend__get_identity_store(store_id)

    def group_of(self: Any, store_id: str, group_id: str) -> Any:
        store = known(self, store_id)
        if group_id not in store.groups:
            raise missing("GROUP not found.", ResourceType="GROUP")
        return store

    @method_of(owner)
    def create_group(
        self: Any, identity_store_id: str, display_name: str, description: str
    ) -> tuple[str, str]:
        known(self, identity_store_id)
        if not GROUP_NAME.match(display_name or "") or len(description or "") > 1024:
            message = "1 validation error detected: Value at 'displayName' is not valid."
            raise Refusal("ValidationException", message, 400)
        with lock:
            return originals["create_group"](self, identity_store_id, display_name, description)

    @method_of(owner)
    def delete_group(self: Any, identity_store_id: str, group_id: str) -> None:
        with lock:
            store = group_of(self, identity_store_id, group_id)
            del store.groups[group_id]
            members = store.group_memberships
            for membership in [one for one in members if members[one]["GroupId"] == group_id]:
                del members[membership]

    @method_of(owner)
    def get_user_id(
        self: Any, identity_store_id: str, alternate_identifier: dict[str, Any]
    ) -> tuple[str, str]:
        store = known(self, identity_store_id)
        unique = alternate_identifier.get("UniqueAttribute") or {}
        path, value = unique.get("AttributePath", ""), unique.get("AttributeValue", "")
        if path.lower() not in ("username", "emails.value"):
            raise Refusal("ValidationException", f"The attribute {path} is not unique.", 400)
        for user in list(store.users.values()):
            emails = [one.get("Value", "") for one in user.Emails or []]
            # A userName is the same in capitals: RFC 7643, 4.1.1.
            names = [user.UserName] if path.lower() == "username" else emails
            if value.lower() in [name.lower() for name in names]:
                return user.UserId, identity_store_id
        raise missing("USER not found.", ResourceType="USER")

    @method_of(owner)
    def create_group_membership(
        self: Any, identity_store_id: str, group_id: str, member_id: dict[str, str]
    ) -> tuple[str, str]:
        with lock:
            store = group_of(self, identity_store_id, group_id)
            for one in store.group_memberships.values():
                if one["GroupId"] == group_id and one["MemberId"] == member_id:
                    reason = "UNIQUENESS_CONSTRAINT_VIOLATION"
                    message = "Member and Group relationship already exists."
                    raise Refusal("ConflictException", message, 400, Reason=reason)
            make = originals["create_group_membership"]
            return make(self, identity_store_id, group_id, member_id)

    @method_of(owner)
    def delete_group_membership(self: Any, identity_store_id: str, membership_id: str) -> None:
        with lock:
            members = known(self, identity_store_id).group_memberships
            if membership_id not in members:
                raise missing("MEMBERSHIP not found.", ResourceType="GROUP_MEMBERSHIP")
            del members[membership_id]

    @method_of(owner)
    def list_group_memberships(
        self: Any, identity_store_id: str, group_id: str, **page: Any
    ) -> Any:
        group_of(self, identity_store_id, group_id)
        listed = originals["list_group_memberships"]
        return listed(self, identity_store_id=identity_store_id, group_id=group_id, **page)

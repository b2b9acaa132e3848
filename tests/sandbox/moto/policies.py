"""IAM where moto is too generous or too poor: AWS-managed policies on demand, and limits."""

import json
from functools import cache
from typing import Any

from patching import Refusal, method_of

AWS_OWNED = ":iam::aws:policy/"
INLINE_LIMIT = 10_240
MANAGED_LIMIT = 6_144
ATTACHED_LIMIT = 20
TRUST_LIMIT = 2_048
TRUST_ACTIONS = (
    "AssumeRole",
    "AssumeRoleWithSAML",
    "AssumeRoleWithWebIdentity",
    "SetSourceIdentity",
    "TagSession",
)


@cache
def catalogue() -> dict[str, tuple[str, dict[str, Any]]]:
    from moto.iam.aws_managed_policies import aws_managed_policies_data

    found = json.loads(aws_managed_policies_data)
    return {
        f"arn:aws:iam::aws:policy{data['Path']}{name}": (name, data) for name, data in found.items()
    }


def provide(backend: Any, arn: str | None) -> None:
    """Lets the account see an AWS-managed policy, if AWS has one of that ARN."""
    if not arn or AWS_OWNED not in arn or arn in backend.managed_policies:
        return
    from moto.iam.models import AWSManagedPolicy

    if arn in catalogue():
        name, data = catalogue()[arn]
        policy = AWSManagedPolicy.from_data(name, backend.account_id, backend.region_name, data)
        backend.managed_policies[policy.arn] = policy


def document_of(policy: Any) -> Any:
    """The document of a managed policy's default version."""
    for version in policy.versions:
        if version.version_id == policy.default_version_id:
            return json.loads(version.document)
    return None


def size(document: str) -> int:
    """The characters that count: whitespace does not."""
    return len("".join(document.split()))


def check_trust(text: str) -> None:
    """Refuses a trust policy that is too long or names a role or user that is not there."""
    from moto.iam.models import iam_backends

    if size(text) > TRUST_LIMIT:
        raise Refusal(
            "LimitExceeded", f"Cannot exceed quota for ACLSizePerRole: {TRUST_LIMIT}", 409
        )
    try:
        statements = json.loads(text).get("Statement", [])
    except (ValueError, AttributeError):
        raise Refusal("MalformedPolicyDocument", "This policy contains invalid Json")
    for statement in statements if isinstance(statements, list) else [statements]:
        principal = statement.get("Principal", {})
        named = principal.get("AWS", []) if isinstance(principal, dict) else []
        for arn in named if isinstance(named, list) else [named]:
            parts = arn.split(":")
            if len(parts) != 6 or parts[5] == "root":
                continue
            backend = iam_backends[parts[4]]["aws"]
            holders = [*list(backend.roles.values()), *list(backend.users.values())]
            if not any(one.arn == arn for one in holders):
                message = f'Invalid principal in policy: "AWS":"{arn}"'
                raise Refusal("MalformedPolicyDocument", message)


def install() -> None:
    """Puts the changes in place."""
    from moto.iam.models import IAMBackend

    for name in ("get_policy", "attach_role_policy", "attach_user_policy", "attach_group_policy"):
        _providing(IAMBackend, name)
    attach_role_policy = IAMBackend.attach_role_policy

    def attach_once(self: Any, policy_arn: str, role_name: str) -> None:
        attached = self.get_role(role_name).managed_policies
        if policy_arn in attached:
            return
        if len(attached) >= ATTACHED_LIMIT:
            message = f"Cannot exceed quota for PoliciesPerRole: {ATTACHED_LIMIT}"
            raise Refusal("LimitExceeded", message, 409)
        attach_role_policy(self, policy_arn, role_name)

    IAMBackend.attach_role_policy = attach_once

    put_role_policy = IAMBackend.put_role_policy

    def put_within_limit(self: Any, role_name: str, policy_name: str, policy_json: str) -> None:
        others = self.get_role(role_name).policies
        total = size(policy_json) + sum(
            size(text) for key, text in others.items() if key != policy_name
        )
        if total > INLINE_LIMIT:
            message = f"Maximum policy size of {INLINE_LIMIT} bytes exceeded for role {role_name}"
            raise Refusal("LimitExceeded", message, 409)
        put_role_policy(self, role_name, policy_name, policy_json)

    IAMBackend.put_role_policy = put_within_limit

    create_policy = IAMBackend.create_policy

    def create_within_limit(self: Any, *positional: Any, **request: Any) -> Any:
        document = request.get("policy_document") or (positional[2] if len(positional) > 2 else "")
        if size(document) > MANAGED_LIMIT:
            message = f"Cannot exceed quota for PolicySize: {MANAGED_LIMIT}"
            raise Refusal("LimitExceeded", message, 409)
        return create_policy(self, *positional, **request)

    IAMBackend.create_policy = create_within_limit

    from moto.iam.policy_validation import BaseIAMPolicyValidator, IAMTrustPolicyDocumentValidator

    @method_of(BaseIAMPolicyValidator)
    def _validate_version(self: Any) -> None:
        """A missing version is an old one, and taken; SAM's policy templates have none."""

    def checked_action(action: str) -> None:
        assert action.removeprefix("sts:") in TRUST_ACTIONS

    IAMTrustPolicyDocumentValidator._validate_trust_policy_action = staticmethod(checked_action)

    create_role = IAMBackend.create_role

    def create_trusting(
        self: Any, role_name: str, assume_role_policy_document: str, *rest: Any, **more: Any
    ) -> Any:
        check_trust(assume_role_policy_document)
        boundary = more.get("permissions_boundary") or (rest[1] if len(rest) > 1 else None)
        provide(self, boundary)
        if boundary and boundary not in self.managed_policies:
            raise Refusal("NoSuchEntity", f"Policy {boundary} does not exist.", 404)
        return create_role(self, role_name, assume_role_policy_document, *rest, **more)

    IAMBackend.create_role = create_trusting
    update_trust = IAMBackend.update_assume_role_policy

    def update_trusting(self: Any, role_name: str, policy_document: str) -> None:
        check_trust(policy_document)
        update_trust(self, role_name, policy_document)

    IAMBackend.update_assume_role_policy = update_trusting

    put_boundary = IAMBackend.put_role_permissions_boundary

    @method_of(IAMBackend)
    def put_role_permissions_boundary(self: Any, role_name: str, permissions_boundary: str) -> None:
        provide(self, permissions_boundary)
        if permissions_boundary not in self.managed_policies:
            raise Refusal("NoSuchEntity", f"Policy {permissions_boundary} does not exist.", 404)
        put_boundary(self, role_name, permissions_boundary)


def _providing(owner: Any, name: str) -> None:
    original = getattr(owner, name)

    def provided(self: Any, policy_arn: str, *positional: Any, **request: Any) -> Any:
        provide(self, policy_arn)
        return original(self, policy_arn, *positional, **request)

    setattr(owner, name, provided)

"""Service control policies as Organizations takes them: of limited size, and attached once."""

import json
from typing import Any

from patching import Refusal

LONGEST = 10_240
MOST_ATTACHED = 10


def check(content: str) -> None:
    """Refuses what is no policy or is too long; whitespace counts for callers of the API."""
    try:
        parsed = json.loads(content)
    except ValueError:
        parsed = None
    if not isinstance(parsed, dict) or "Statement" not in parsed:
        message = "The provided policy document does not meet the requirements of its type."
        raise Refusal("MalformedPolicyDocumentException", message)
    if len(content) > LONGEST:
        message = f"You have exceeded the maximum policy size of {LONGEST} characters."
        raise Refusal("ConstraintViolationException", message)


def install() -> None:
    """Puts the changes in place."""
    from moto.organizations.models import OrganizationsBackend

    create_policy = OrganizationsBackend.create_policy

    def create_checked(self: Any, **request: Any) -> Any:
        check(request["Content"])
        if any(policy.name == request["Name"] for policy in self.policies):
            message = "A policy with the same name already exists."
            raise Refusal("DuplicatePolicyException", message)
        return create_policy(self, **request)

    OrganizationsBackend.create_policy = create_checked
    update_policy = OrganizationsBackend.update_policy

    def update_checked(self: Any, **request: Any) -> Any:
        if request.get("Content"):
            check(request["Content"])
        return update_policy(self, **request)

    OrganizationsBackend.update_policy = update_checked
    attach_policy = OrganizationsBackend.attach_policy

    def attach_once(self: Any, **request: Any) -> None:
        policy = self.get_policy_by_id(request["PolicyId"])
        target = request["TargetId"]
        if any(getattr(one, "id", None) == target for one in policy.attachments):
            message = "The selected policy is already attached to the specified target."
            raise Refusal("DuplicatePolicyAttachmentException", message)
        levels = [*self.ou, *self.accounts]
        for level in (one for one in levels if one.id == target):
            attached = [one for one in level.attached_policies if one.type == policy.type]
            if len(attached) >= MOST_ATTACHED:
                message = "You have reached the maximum number of policies for this entity."
                raise Refusal("ConstraintViolationException", message)
        attach_policy(self, **request)

    OrganizationsBackend.attach_policy = attach_once

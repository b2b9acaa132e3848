"""The organization as its administrators see it."""

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from tests.acceptance.user import User
from tests.faults.world import AUTOMATION, MANAGEMENT, World

ACCESS_ROLE = "OrganizationAccountAccessRole"
ADMINISTRATOR = "AdministratorAccess"


def pages(call: Callable[..., Any], key: str, **arguments: Any) -> list[Any]:
    """All items of a call that answers in pages."""
    found, token = [], None
    while True:
        answer = call(**arguments, **({"NextToken": token} if token else {}))
        found += answer[key]
        if not (token := answer.get("NextToken")):
            return found


def document(*statements: dict[str, Any]) -> str:
    """A policy."""
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


@dataclass(frozen=True)
class Organization:
    """The organization of a world."""

    world: World

    @property
    def client(self) -> Any:
        """Organizations, as the management account's administrator."""
        return self.world.client("organizations", MANAGEMENT, "us-east-1")

    def accounts(self) -> dict[str, str]:
        """Account ids by e-mail address."""
        found = pages(self.client.list_accounts, "Accounts")
        assert len({one["Email"] for one in found}) == len(found), "an address is used twice"
        return {one["Email"]: one["Id"] for one in found}

    def account(self, workspace: str, project: str) -> str:
        """The account of a tenant, by the address that the platform's pattern makes."""
        return self.accounts()[f"aws+{workspace}.{project}@example.com"]

    def made_by_hand(self, name: str) -> str:
        """An account that somebody has made without Landfall, once it can be entered."""
        asked = self.client.create_account(Email=f"{name}@example.com", AccountName=f"Old {name}")
        request = asked["CreateAccountStatus"]["Id"]

        def made() -> Any:
            answer = self.client.describe_create_account_status(CreateAccountRequestId=request)
            return answer["CreateAccountStatus"].get("AccountId")

        account = self.world.until(made, hours=1)
        assert account, self.world.said()
        # Every reading shows it, and policies take effect.
        self.world.sleep(300)
        return str(account)

    def parent(self, account: str) -> str:
        """The organizational unit that an account is in."""
        (parent,) = self.client.list_parents(ChildId=account)["Parents"]
        return str(parent["Id"])

    def tags(self, account: str) -> dict[str, str]:
        """All tags of an account."""
        tags = pages(self.client.list_tags_for_resource, "Tags", ResourceId=account)
        return {one["Key"]: one["Value"] for one in tags}

    def chain(self, account: str, role: str = "LandfallVend") -> User:
        """A session of an account's access role, reached as Landfall reaches it."""
        return self.management(role).assume(f"arn:aws:iam::{account}:role/{ACCESS_ROLE}")

    def management(self, role: str, **more: Any) -> User:
        """A session of one of Landfall's roles in the management account, from a function's."""
        return self.function("PlaceAccount").assume(
            f"arn:aws:iam::{MANAGEMENT}:role/{role}", ExternalId=self.external_id(), **more
        )

    def external_id(self) -> str:
        """What Landfall's roles ask for."""
        secrets = self.world.client("secretsmanager", AUTOMATION)
        found = secrets.get_secret_value(SecretId="landfall-external-id")["SecretString"]
        return str(json.loads(found)["current"])

    def member_of_staff(self, account: str, name: str) -> User:
        """A session of a role that may take any role that lets it."""
        iam = self.world.client("iam", account)
        everybody = {"Effect": "Allow", "Principal": {"AWS": account}, "Action": "sts:AssumeRole"}
        may = {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"}
        with suppress(iam.exceptions.EntityAlreadyExistsException):
            iam.create_role(RoleName=name, AssumeRolePolicyDocument=document(everybody))
        iam.put_role_policy(RoleName=name, PolicyName="may", PolicyDocument=document(may))
        return User.role(self.world, account, name)

    def function(self, name: str) -> User:
        """A session of a function's own role."""
        roles = self.world.client("iam", AUTOMATION).list_roles(MaxItems=1000)["Roles"]
        (role,) = (
            one["RoleName"]
            for one in roles
            if one["RoleName"].startswith(f"landfall-{name}FunctionRole")
        )
        return User.role(self.world, AUTOMATION, role)

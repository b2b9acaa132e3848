"""Looks at new accounts' access roles again and again, to see how long they are administrators."""

from dataclasses import dataclass, field
from threading import Event, Thread
from types import TracebackType

from botocore.exceptions import ClientError

from tests.acceptance.organization import ACCESS_ROLE, ADMINISTRATOR, Organization
from tests.faults.world import SEEDED, World


@dataclass
class Reign:
    """When, in virtual seconds, an account's access role was an administrator."""

    usable: float
    last_seen: float | None = None
    ways: set[str] = field(default_factory=set)

    @property
    def minutes(self) -> float:
        """From the account's being usable to the last sight of the administrator."""
        return 0.0 if self.last_seen is None else (self.last_seen - self.usable) / 60


class Watch:
    """Watches while it is entered."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.reigns: dict[str, Reign] = {}
        self._ends = Event()
        self._thread = Thread(target=self._watch, daemon=True)

    def __enter__(self) -> "Watch":
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ends.set()
        self._thread.join()

    def _watch(self) -> None:
        organization = Organization(self.world)
        while not self._ends.is_set():
            for account in set(organization.accounts().values()) - SEEDED:
                try:
                    self._look(account)
                except ClientError:
                    continue  # the account is not usable yet
            self.world.sleep(4)

    def _look(self, account: str) -> None:
        iam = self.world.client("iam", account)
        began = self.world.now()
        if account not in self.reigns:
            # An account whose CloudFormation does not know it yet takes no stack from anybody.
            self.world.client("cloudformation", account).describe_stacks()
        attached = iam.list_attached_role_policies(RoleName=ACCESS_ROLE)["AttachedPolicies"]
        inline = iam.list_role_policies(RoleName=ACCESS_ROLE)["PolicyNames"]
        reign = self.reigns.setdefault(account, Reign(began))
        ways = {"managed" for one in attached if one["PolicyName"] == ADMINISTRATOR}
        ways |= {"inline" for name in inline if name == ADMINISTRATOR}
        if ways:
            reign.ways |= ways
            reign.last_seen = self.world.now()

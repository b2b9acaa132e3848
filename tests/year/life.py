"""What should be: tenants as their people wish them, whatever anybody else does."""

import copy
import uuid
from dataclasses import dataclass, field
from typing import Any

from tests.faults import wishes
from tests.faults.wishes import LANDFALL

WORKSPACES = ("payments", "research", "web")
PEOPLE = ("ada@example.com", "bob@example.com", "grace@example.com")
# Landing zones, and the units that their accounts stand in. Whoever leaves a workshop is asked for
# approval, and what strangers move there is reported and not brought back before the next run.
UNITS = {
    "sandbox": "ou-land-sandbox1",
    "workshop": "ou-land-worknonp",
    "production": "ou-land-workprod",
}


@dataclass(eq=False)
class Life:
    """One tenant: what is wished of it, and whether it should be there."""

    workspace: str
    project: str
    # How often the name has been used, this tenant included.
    incarnation: int
    landing_zone: str
    users: list[str] = field(default_factory=lambda: [PEOPLE[0]])
    tags: dict[str, str] = field(default_factory=dict)
    # The account that it was adopted with.
    adopted: str | None = None
    marked: bool = False
    decided: bool = False
    # The id that Landfall computes from the first name; it stays when the tenant moves.
    id: str = field(init=False)

    def __post_init__(self) -> None:
        self.id = str(uuid.uuid5(LANDFALL, f"{self.name}#{self.incarnation}"))

    @property
    def name(self) -> str:
        """`<workspace>.<project>.<platform>`."""
        return f"{self.workspace}.{self.project}.aws"

    @property
    def path(self) -> str:
        """The tenant's path in the HTTP API."""
        return f"/workspaces/{self.workspace}/projects/{self.project}/tenants/aws"

    @property
    def document(self) -> dict[str, Any]:
        """The wish."""
        metadata = {"workspace": self.workspace, "project": self.project, "platform": "aws"}
        return {
            "apiVersion": "landfall/v1",
            "kind": "Tenant",
            "metadata": metadata,
            "spec": {
                "landingZone": self.landing_zone,
                "contacts": {"owner": "ada@example.com", "security": "soc@example.com"},
                "tags": dict(self.tags),
                "access": [
                    {"role": "admin", "users": list(self.users)},
                    {"role": "reader", "groups": ["auditors"]},
                ],
            },
        }

    @property
    def leaves(self) -> bool:
        """Whether it should be gone in the end."""
        return self.marked and self.decided


def landing_zones() -> list[dict[str, Any]]:
    """The examples' landing zones, and the workshop."""
    zones = {zone["metadata"]["name"]: zone for zone in wishes.landing_zones()}
    workshop = copy.deepcopy(zones["sandbox"])
    workshop["metadata"]["name"] = "workshop"
    workshop["spec"] |= {
        "organizationalUnit": UNITS["workshop"],
        "automateDeletionApproval": False,
        "drift": {"default": "report"},
    }
    return [*zones.values(), workshop]

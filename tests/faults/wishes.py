"""What the sweep wishes for: the examples' platform and landing zones, and tenants without end."""

import copy
import uuid
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
# As `tenant_id` in shared/tenant/src/name.rs.
LANDFALL = uuid.UUID(int=0x6C61_6E64_6661_6C6C_8000_7465_6E61_6E74)
WORKSPACE = "sweep"
TAG = "landfall:tenant"
# Units that Control Tower governs beside the production landing zone's own.
OTHER_UNITS = ("ou-land-worknonp", "ou-land-workload", "ou-land-infrastr")


@dataclass(frozen=True)
class Tenant:
    """A tenant that is wished for, known by its id before it is."""

    project: str
    landing_zone: str

    @property
    def id(self) -> str:
        """The id that Landfall computes from the name."""
        return str(uuid.uuid5(LANDFALL, f"{self.name}#1"))

    @property
    def name(self) -> str:
        """`<workspace>.<project>.<platform>`."""
        return f"{WORKSPACE}.{self.project}.aws"

    @property
    def path(self) -> str:
        """The tenant's path in the HTTP API."""
        return f"/workspaces/{WORKSPACE}/projects/{self.project}/tenants/aws"

    @property
    def document(self) -> dict[str, Any]:
        """The wish."""
        return {
            "apiVersion": "landfall/v1",
            "kind": "Tenant",
            "metadata": {"workspace": WORKSPACE, "project": self.project, "platform": "aws"},
            "spec": {
                "landingZone": self.landing_zone,
                "contacts": {"owner": "ada@example.com", "security": "soc@example.com"},
                "tags": {"costCenter": "4711"},
                "access": [
                    {"role": "admin", "users": ["ada@example.com"]},
                    {"role": "reader", "groups": ["auditors"]},
                ],
            },
        }

    @property
    def changed(self) -> dict[str, Any]:
        """The wish with another tag instead of its own."""
        document = self.document
        return {**document, "spec": {**document["spec"], "tags": {"team": "blue"}}}


@cache
def _read(path: str) -> Any:
    return yaml.safe_load((ROOT / "examples" / path).read_text())


def platform() -> dict[str, Any]:
    """The examples' platform, without what would hold a crowd of failing creations back."""
    document = copy.deepcopy(_read("platform.yaml"))
    document["spec"]["limits"] = {"dailyCreations": 100_000, "breaker": {"failures": 100_000}}
    return document


def elsewhere() -> list[dict[str, Any]]:
    """The production landing zone once more for each of other units.

    Control Tower enrols one account at a time in a unit, and the others wait.
    """
    (production,) = (one for one in landing_zones() if one["metadata"]["name"] == "production")
    return [
        {
            **production,
            "metadata": {"name": f"production-{number}"},
            "spec": {**production["spec"], "organizationalUnit": unit},
        }
        for number, unit in enumerate(OTHER_UNITS, 2)
    ]


def landing_zones() -> list[dict[str, Any]]:
    """The examples' landing zones, whose deletions nobody has to approve."""
    folder = ROOT / "examples/landing-zones"
    zones = [_read(f"landing-zones/{path.name}") for path in sorted(folder.glob("*.yaml"))]
    return [{**zone, "spec": {**zone["spec"], "automateDeletionApproval": True}} for zone in zones]

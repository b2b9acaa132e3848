"""A world with Control Tower in it."""

from dataclasses import dataclass
from typing import Any

from tests.acceptance.organization import Organization
from tests.acceptance.user import User
from tests.faults import wishes
from tests.faults.wishes import Tenant
from tests.faults.world import AUTOMATION, MANAGEMENT, World

UNIT = "ou-land-workprod"
PRODUCT = "prod-accountfactory"
FACTORY = {
    "accountFactory": {
        "productId": PRODUCT,
        "ssoUser": {"email": "cloud@example.com", "firstName": "Cloud", "lastName": "Foundation"},
    }
}


@dataclass(frozen=True)
class Tower:
    """A world with Control Tower in it."""

    world: World
    person: User
    organization: Organization

    @property
    def catalog(self) -> Any:
        """Service Catalog, as the management account's administrator."""
        return self.world.client("servicecatalog", MANAGEMENT)

    def vend(self, *names: str, hours: float = 3, phases: tuple[str, ...] = ("Ready",)) -> None:
        """Wishes for tenants and waits until each is in one of the phases."""
        for name in names:
            self.world.wish(Tenant(name, "production"))
        self.until_settled(*names, hours=hours, phases=phases)

    def until_settled(
        self, *names: str, hours: float = 3, phases: tuple[str, ...] = ("Ready",)
    ) -> None:
        """Waits until no run is under way and each tenant is in one of the phases."""
        tenants = [Tenant(name, "production") for name in names]

        def settled() -> bool:
            rows = self.world.rows(tenants).values()
            return all(row["phase"] in phases and not row.get("running") for row in rows)

        assert self.world.until(settled, hours=hours), self.world.rows(tenants)

    def row(self, name: str) -> dict[str, Any]:
        """What the ledger says of a tenant's runs."""
        tenant = Tenant(name, "production")
        return self.world.rows([tenant])[tenant.id]

    def account(self, name: str) -> str:
        """A tenant's account."""
        return self.organization.account(wishes.WORKSPACE, name)

    def enrolment(self, account: str) -> str | None:
        """How far Control Tower came with an account."""
        arn = f"arn:aws:organizations::{MANAGEMENT}:account/o-landfall01/{account}"
        found = self.world.client("controltower", MANAGEMENT).list_enabled_baselines(
            filter={"targetIdentifiers": [arn]}, includeChildren=True
        )["enabledBaselines"]
        return found[0]["statusSummary"]["status"] if found else None

    def calls(self, name: str, since: int = 0) -> list[dict[str, Any]]:
        """What enrol-account asked of AWS for a tenant."""
        tenant = Tenant(name, "production").id
        log = [one for one in self.world.log(since) if one["step"] == "enrol-account"]
        ours = ("dynamodb", "lambda", "sts")
        return [
            one
            for one in log
            if one["tenant"] == tenant and one["action"].split(":")[0] not in ours
        ]

    def products(self, account: str) -> list[dict[str, Any]]:
        """The provisioned products of an account."""
        return list(
            self.catalog.search_provisioned_products(
                AccessLevelFilter={"Key": "Account", "Value": "self"},
                Filters={"SearchQuery": [f"physicalId:{account}"]},
            )["ProvisionedProducts"]
        )


def make(world: World, enrolment: Any) -> Tower:
    """The examples' platform with this way of enrolment, and their landing zones."""
    platform = wishes.platform()
    platform["spec"]["controlTower"]["enrolment"] = enrolment
    world.insist("PUT", "/platforms/aws", platform)
    for zone in wishes.landing_zones():
        world.insist("PUT", f"/landing-zones/{zone['metadata']['name']}", zone)
    return Tower(world, User.administrator(world, AUTOMATION), Organization(world))

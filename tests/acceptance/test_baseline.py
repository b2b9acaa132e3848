"""The baseline holds in the account's Regions, quotas are asked for, and what is others' stays."""

import copy
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.acceptance.conftest import Vended
from tests.acceptance.user import User
from tests.faults import wishes
from tests.faults.wishes import ROOT, Tenant
from tests.faults.world import World

PAGE = ROOT / "docs/COMPARISON.md"
HEADING = "| what | calls | of these AssumeRole | a Region | seconds |\n"
HELD = ("eu-central-1", "us-east-1")
DEFAULT = [{"Name": "is-default", "Values": ["true"]}]
VCPUS = {"ServiceCode": "ec2", "QuotaCode": "L-1216C47A"}
EVERYTHING = {
    "regions": ["all"],
    "defaultVpc": "delete",
    "ebsEncryption": True,
    "snapshotPublicAccessBlock": True,
    "imagePublicAccessBlock": True,
    "s3PublicAccessBlock": True,
    "passwordPolicy": {"minimumLength": 14},
}


def default_vpcs(user: User, region: str) -> list[str]:
    """The default VPCs of a Region."""
    found = user.client("ec2", region).describe_vpcs(Filters=DEFAULT)["Vpcs"]
    return [one["VpcId"] for one in found]


def settings(user: User, region: str) -> tuple[Any, ...]:
    """A Region's settings: encryption of volumes, sharing of snapshots and images."""
    network = user.client("ec2", region)
    return (
        network.get_ebs_encryption_by_default()["EbsEncryptionByDefault"],
        network.get_snapshot_block_public_access_state()["State"],
        network.get_image_block_public_access_state()["ImageBlockPublicAccessState"],
    )


SET = (True, "block-all-sharing", "block-new-sharing")
UNSET = (False, "unblocked", "unblocked")


def blocked(user: User, account: str) -> dict[str, bool]:
    """S3's block of an account; boto3 would write the account's id before the host."""
    storage = user.client("s3control", HELD[0])

    def as_named(request: Any, **_: Any) -> None:
        request.url = request.url.replace(f"//{account}.", "//")

    storage.meta.events.register("before-sign.s3-control", as_named)
    answer = storage.get_public_access_block(AccountId=account)
    return dict(answer["PublicAccessBlockConfiguration"])


@pytest.fixture
def owner(vended: Vended) -> tuple[User, str]:
    """Whoever administrates a production account, and the account."""
    account = vended.organization.account("payments", "invoicing-prod")
    return User.administrator(vended.world, account), account


def again(vended: Vended, project: str) -> dict[str, Any]:
    """Another run of a tenant, and the tenant after it."""
    path = f"/workspaces/payments/projects/{project}/tenants/aws"
    before = vended.person.ask("GET", path).body["run"]
    assert vended.person.ask("POST", f"{path}/replications", {}).status < 300

    def ended() -> Any:
        tenant = vended.person.ask("GET", path).body
        return tenant if tenant["run"] > before and tenant["phase"] != "Replicating" else None

    return dict(vended.world.until(ended, hours=1))


def test_the_two_regions_of_the_example_are_as_it_says(
    vended: Vended, owner: tuple[User, str]
) -> None:
    user, account = owner
    assert {region: default_vpcs(user, region) for region in HELD} == {one: [] for one in HELD}
    assert {region: settings(user, region) for region in HELD} == dict.fromkeys(HELD, SET)
    assert set(blocked(user, account).values()) == {True}
    policy = user.client("iam").get_account_password_policy()["PasswordPolicy"]
    assert (policy["MinimumPasswordLength"], policy["PasswordReusePrevention"]) == (14, 24)
    assert policy["RequireSymbols"]
    history = vended.person.landfall("history", "payments.invoicing-prod.aws")
    assert "no default VPC is left in eu-central-1, us-east-1" in history.stdout


def test_a_region_that_nobody_named_is_left_as_aws_made_it(owner: tuple[User, str]) -> None:
    user, _ = owner
    assert len(default_vpcs(user, "eu-west-1")) == 1
    assert settings(user, "eu-west-1") == UNSET


def test_what_drifted_is_brought_back_and_a_persons_vpcs_stay(
    vended: Vended, owner: tuple[User, str]
) -> None:
    user, _ = owner
    network = user.client("ec2", "us-east-1")
    network.disable_ebs_encryption_by_default()
    network.disable_snapshot_block_public_access()
    own = network.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    default = network.create_default_vpc()["Vpc"]["VpcId"]
    tenant = again(vended, "invoicing-prod")
    assert tenant["phase"] == "Ready", tenant
    assert settings(user, "us-east-1") == SET
    (step,) = (one for one in tenant["steps"] if one["step"] == "baseline-regions")
    assert step["changes"] == [
        "encrypt EBS volumes by default in us-east-1",
        "block public snapshots in us-east-1",
    ]
    found = {one["VpcId"] for one in network.describe_vpcs()["Vpcs"]}
    assert found == {own, default}


def zone(name: str, **spec: Any) -> dict[str, Any]:
    """The examples' sandbox zone with a baseline or quotas of its own."""
    (document,) = (one for one in wishes.landing_zones() if one["metadata"]["name"] == "sandbox")
    document = copy.deepcopy(document)
    document["metadata"]["name"] = name
    document["spec"] |= spec
    return document


def tenant_of(world: World, tenant: Tenant) -> dict[str, Any]:
    """A tenant as the API shows it."""
    return dict(world.insist("GET", tenant.path))


def account_of(world: World, tenant: Tenant) -> str:
    """A tenant's account."""
    return str(tenant_of(world, tenant)["account"])


def settled(world: World, tenant: Tenant, run: int = 1) -> dict[str, Any]:
    """The tenant once this run has ended."""

    def ended() -> Any:
        found = tenant_of(world, tenant)
        over = found["run"] >= run and found["phase"] not in ("Requested", "Replicating")
        return found if over else None

    return dict(world.until(ended, hours=3) or {})


def step(tenant: dict[str, Any], name: str) -> dict[str, Any]:
    """One step of a tenant's last run."""
    (found,) = (one for one in tenant["steps"] if one["step"] == name)
    return dict(found)


@dataclass(frozen=True)
class Measured:
    """Two runs of a tenant whose baseline holds in all Regions."""

    first: list[dict[str, Any]]
    second: list[dict[str, Any]]
    user: User


@pytest.fixture(scope="module")
def everywhere() -> Iterator[Measured]:
    """A tenant with everything in all seventeen Regions, vended and then looked at again."""
    with World(seed=6, quiet=True) as world:
        world.found()
        world.insist("PUT", "/landing-zones/everywhere", zone("everywhere", baseline=EVERYTHING))
        tenant = Tenant("everywhere", "everywhere")
        world.wish(tenant)
        assert settled(world, tenant)["phase"] == "Ready", world.said()
        # What the first run changed shows everywhere by then: the second one has only to look.
        world.sleep(150)
        world.replicate(tenant)
        assert settled(world, tenant, run=2)["phase"] == "Ready", world.said()
        calls = [one for one in world.log() if one["tenant"] == tenant.id]
        yield Measured(
            [one for one in calls if one["run"] == 1],
            [one for one in calls if one["run"] == 2],
            User.administrator(world, account_of(world, tenant)),
        )


def regional(calls: list[dict[str, Any]]) -> Counter[str]:
    """Calls of the two steps that work on Regions, by Region."""
    return Counter(one["region"] for one in calls if one["service"] == "ec2")


def of(calls: list[dict[str, Any]], name: str) -> list[dict[str, Any]]:
    """What one step called at AWS, the ledger and its own start aside."""
    own = ("dynamodb", "lambda")
    return [one for one in calls if one["step"] == name and one["service"] not in own]


def test_a_baseline_over_seventeen_regions_is_one_invocation(everywhere: Measured) -> None:
    for calls in (everywhere.first, everywhere.second):
        invocations = {one["invocation"] for one in of(calls, "baseline-regions")}
        assert len(invocations) == 1
    assert len(regional(of(everywhere.first, "baseline-regions"))) == 17
    for region in regional(everywhere.first):
        assert settings(everywhere.user, region) == SET
        assert default_vpcs(everywhere.user, region) == []


def test_a_run_without_changes_costs_three_calls_a_region(everywhere: Measured) -> None:
    assert [one["action"] for one in everywhere.second if one["write"] and _changes(one)] == []
    assert set(regional(everywhere.second).values()) == {3}
    sessions = [one for one in of(everywhere.second, "baseline-regions") if _enters(one)]
    assert len(sessions) == 1


def _changes(call: dict[str, Any]) -> bool:
    return call["service"] not in ("dynamodb", "lambda", "states")


def _enters(call: dict[str, Any]) -> bool:
    access = call["resource"].endswith(":role/OrganizationAccountAccessRole")
    return call["action"] == "sts:AssumeRole" and access


def _seconds(calls: list[dict[str, Any]]) -> float:
    """Real seconds from the first call's arrival to the last one's answer."""
    arrivals = [datetime.fromisoformat(one["wall"]).timestamp() for one in calls]
    ends = [
        arrival + one["duration_ms"] / 1000 for arrival, one in zip(arrivals, calls, strict=True)
    ]
    return max(ends) - min(arrivals)


def table(everywhere: Measured) -> str:
    """What the two steps cost over seventeen Regions, as the page shows it."""
    vpcs = [one for one in of(everywhere.first, "prepare-account") if one["service"] == "ec2"]
    rows = {
        "default VPCs found and deleted": vpcs,
        "baseline brought about": of(everywhere.first, "baseline-regions"),
        "baseline found as it should be": of(everywhere.second, "baseline-regions"),
    }
    lines = [HEADING, "| --- | ---: | ---: | ---: | ---: |\n"]
    for what, calls in rows.items():
        sessions = sum(one["action"] == "sts:AssumeRole" for one in calls)
        each = max(regional(calls).values())
        lines.append(f"| {what} | {len(calls)} | {sessions} | {each} | {_seconds(calls):.1f} |\n")
    return "".join(lines)


def test_the_page_says_what_seventeen_regions_cost(
    everywhere: Measured, request: pytest.FixtureRequest
) -> None:
    text, measured = PAGE.read_text(), table(everywhere)
    begin = text.index(HEADING)
    end = text.index("\n\n", begin) + 1
    if request.config.getoption("--write-calls", False):
        PAGE.write_text(text[:begin] + measured + text[end:])
        return

    def counts(rows: str) -> list[list[str]]:
        # Seconds are this machine's and differ.
        return [row.split(" | ")[:-1] for row in rows.splitlines()[2:]]

    assert counts(text[begin:end]) == counts(measured), (
        "run this test with --write-calls and commit docs/COMPARISON.md"
    )


@pytest.fixture(scope="module")
def asking() -> Iterator[tuple[World, Tenant]]:
    """A tenant that asks for an opt-in Region and for quotas, one of which AWS refuses."""
    with World(seed=7) as world:
        world.configure(
            creationLatencySeconds=8,
            readinessSeconds=0,
            stackSetSeconds=20,
            regionSeconds=3600,
            quotaSeconds=4200,
            denyQuotas=[{"region": "eu-west-1"}],
        )
        world.found()
        baseline = EVERYTHING | {"optInRegions": ["ap-east-1"]}
        quota = {
            "service": "ec2",
            "code": "L-1216C47A",
            "regions": ["eu-central-1", "eu-west-1"],
            "value": 300,
        }
        asks = zone("asks", baseline=baseline, quotas=[quota])
        world.insist("PUT", "/landing-zones/asks", asks)
        tenant = Tenant("asks", "asks")
        world.wish(tenant)
        yield world, tenant


def test_what_aws_takes_long_for_is_asked_shown_and_never_waited_for(
    asking: tuple[World, Tenant],
) -> None:
    world, tenant = asking
    first = settled(world, tenant)
    assert first["phase"] == "Waiting", first
    region, quotas = step(first, "baseline-regions"), step(first, "raise-quotas")
    assert region["state"] == quotas["state"] == "waiting"
    assert region["remark"] == "AWS to enable Region ap-east-1"
    assert "ec2 L-1216C47A of 300 in eu-central-1 (request" in quotas["remark"]
    assert first["waiting"]["since"]
    user = User.administrator(world, account_of(world, tenant))
    assert settings(user, "eu-central-1") == SET

    def cased() -> Any:
        found = tenant_of(world, tenant)
        return found if "(case " in str(step(found, "raise-quotas").get("remark")) else None

    later = world.until(cased, hours=2)
    assert later, tenant_of(world, tenant)


def test_a_region_that_comes_is_heard_of_and_gets_its_baseline(
    asking: tuple[World, Tenant],
) -> None:
    world, tenant = asking
    user = User.administrator(world, account_of(world, tenant))

    def held() -> bool:
        try:
            return settings(user, "ap-east-1") == SET
        except ClientError:
            return False

    assert world.until(held, hours=4), tenant_of(world, tenant)
    # The access role can't delete its default VPC any more, and nobody tries for ever.
    needs = "the empty default VPC of ap-east-1 needs widening"
    said = world.until(
        lambda: needs in str(step(tenant_of(world, tenant), "baseline-regions").get("remark")), 4
    )
    assert said, tenant_of(world, tenant)
    denied = [
        one
        for one in world.log()
        if one["tenant"] == tenant.id
        and one["region"] == "ap-east-1"
        and one["write"]
        and one["decision"].startswith("denied")
    ]
    assert len(denied) == 1, denied


def test_what_aws_refused_is_said_to_an_operator_and_not_asked_again(
    asking: tuple[World, Tenant],
) -> None:
    world, tenant = asking
    refused = "an operator: AWS refused ec2 L-1216C47A of 300 in eu-west-1 (case "

    def said() -> bool:
        remark = str(step(tenant_of(world, tenant), "raise-quotas").get("remark"))
        return remark.startswith(refused)

    assert world.until(said, hours=30), tenant_of(world, tenant)
    account = account_of(world, tenant)
    granted = world.client("service-quotas", account, "eu-central-1")
    assert granted.get_service_quota(**VCPUS)["Quota"]["Value"] == 300
    before = tenant_of(world, tenant)["run"]
    world.replicate(tenant)
    settled(world, tenant, run=before + 1)
    asked = [
        one["region"]
        for one in world.log()
        if one["action"] == "servicequotas:RequestServiceQuotaIncrease"
    ]
    assert sorted(asked) == ["eu-central-1", "eu-west-1"]


def test_a_default_vpc_in_use_is_left_alone_and_said() -> None:
    with World(seed=8) as world:
        # Its owner comes in before Landfall can.
        ready = {"default": 0, "sts": 600}
        world.configure(creationLatencySeconds=8, stackSetSeconds=20, readinessSeconds=ready)
        world.found()
        tenant = Tenant("used", "production")
        world.wish(tenant)
        found = world.until(lambda: tenant_of(world, tenant).get("account"), hours=1)
        user = User.administrator(world, str(found))
        network = user.client("ec2", "eu-central-1")
        (vpc,) = default_vpcs(user, "eu-central-1")
        group = {"GroupName": "ours", "Description": "ours", "VpcId": vpc}
        network.create_security_group(**group)
        ended = settled(world, tenant)
        assert ended["phase"] == "Ready", ended
        (changed,) = (
            one for one in step(ended, "prepare-account")["changes"] if "default VPC" in one
        )
        assert changed == (
            "delete the empty default VPCs of us-east-1; leave the default VPC of eu-central-1, "
            "which is in use: 1 security groups"
        )
        assert default_vpcs(user, "eu-central-1") == [vpc]
        assert len(network.describe_subnets()["Subnets"]) >= 2
        assert default_vpcs(user, "us-east-1") == []

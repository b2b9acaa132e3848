"""Control Tower enrols what is moved into its units, and Account Factory what is ordered."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from trial import MANAGEMENT, Sandbox

PRODUCT = "prod-accountfactory"
PROD = "ou-land-workprod"


@pytest.fixture
def aws(shared: Sandbox) -> Iterator[Sandbox]:
    before = shared.get("config")
    shared.configure(creationLatencySeconds=1, readinessSeconds=0, enrolmentSeconds=60)
    yield shared
    shared.post("config", before)


def code_of(error: pytest.ExceptionInfo[ClientError]) -> str:
    return str(error.value.response["Error"]["Code"])


def account(aws: Sandbox, name: str) -> dict[str, Any]:
    """A new account in the root."""
    organizations = aws.client("organizations", MANAGEMENT, "us-east-1")
    request = {"Email": f"{name}@example.com", "AccountName": name}
    status = organizations.create_account(**request)["CreateAccountStatus"]

    def made() -> Any:
        one = organizations.describe_create_account_status(CreateAccountRequestId=status["Id"])
        return one["CreateAccountStatus"].get("AccountId")

    return dict(organizations.describe_account(AccountId=aws.until(made))["Account"])


def move(aws: Sandbox, one: dict[str, Any], source: str, destination: str) -> None:
    aws.client("organizations", MANAGEMENT, "us-east-1").move_account(
        AccountId=one["Id"], SourceParentId=source, DestinationParentId=destination
    )


def status(aws: Sandbox, target: str) -> str | None:
    """How far the baseline of a target came; none if there is none."""
    found = aws.client("controltower", MANAGEMENT).list_enabled_baselines(
        filter={"targetIdentifiers": [target]}, includeChildren=True
    )["enabledBaselines"]
    return found[0]["statusSummary"]["status"] if found else None


def factory(aws: Sandbox) -> Any:
    """Service Catalog as one of the portfolio's principals."""
    principal = f"arn:aws:iam::{MANAGEMENT}:role/sandbox-operator"
    aws.configure(accountFactoryPrincipals=[principal])
    return aws.client("servicecatalog", MANAGEMENT)


def order(one: dict[str, Any], token: str, **more: Any) -> dict[str, Any]:
    values = {
        "AccountEmail": one["Email"],
        "AccountName": one["Name"],
        "ManagedOrganizationalUnit": f"Prod ({PROD})",
        "SSOUserEmail": "cloud@example.com",
        "SSOUserFirstName": "Cloud",
        "SSOUserLastName": "Foundation",
    }
    return {
        "ProductId": PRODUCT,
        "ProvisioningArtifactId": "pa-accountfactor2",
        "ProvisioningParameters": [{"Key": key, "Value": values[key]} for key in values],
        **({"ProvisionToken": token} if token else {}),
        **more,
    }


def execution_role(aws: Sandbox, one: dict[str, Any]) -> None:
    """The role that Control Tower takes, as its guide says it."""
    iam = aws.client("iam", one["Id"])
    principal = {"AWS": f"arn:aws:iam::{MANAGEMENT}:root"}
    allow = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
    trust = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
    iam.create_role(RoleName="AWSControlTowerExecution", AssumeRolePolicyDocument=trust)
    iam.attach_role_policy(
        RoleName="AWSControlTowerExecution",
        PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess",
    )


def ended(aws: Sandbox, catalog: Any, record: str) -> dict[str, Any]:
    def done() -> Any:
        found = catalog.describe_record(Id=record)["RecordDetail"]
        return found if found["Status"] in ("SUCCEEDED", "FAILED") else None

    return dict(aws.until(done))


def test_there_is_one_landing_zone_in_the_home_region_alone(aws: Sandbox) -> None:
    tower = aws.client("controltower", MANAGEMENT)
    (zone,) = tower.list_landing_zones()["landingZones"]
    found = tower.get_landing_zone(landingZoneIdentifier=zone["arn"])["landingZone"]
    assert (found["status"], found["version"]) == ("ACTIVE", "3.3")
    assert found["remediationTypes"] == ["INHERITANCE_DRIFT"]
    elsewhere = aws.client("controltower", MANAGEMENT, "us-east-1")
    assert elsewhere.list_landing_zones()["landingZones"] == []
    with pytest.raises(ClientError) as error:
        aws.client("controltower").list_landing_zones()
    assert code_of(error) == "AccessDeniedException"


def test_accounts_are_children_of_registered_units_and_asked_for_by_their_arns(
    aws: Sandbox,
) -> None:
    tower = aws.client("controltower", MANAGEMENT)
    unit = f"arn:aws:organizations::{MANAGEMENT}:ou/o-landfall01/{PROD}"
    sandbox = unit.replace(PROD, "ou-land-sandbox1")
    security = f"arn:aws:organizations::{MANAGEMENT}:account/o-landfall01/333333333333"
    assert status(aws, unit) == "SUCCEEDED"
    assert status(aws, sandbox) is None
    assert status(aws, security) == "SUCCEEDED"
    wanted = {"targetIdentifiers": [security]}
    assert tower.list_enabled_baselines(filter=wanted)["enabledBaselines"] == []
    with pytest.raises(ClientError) as error:
        tower.list_enabled_baselines(filter={"targetIdentifiers": [unit] * 6})
    assert code_of(error) == "ValidationException"


def test_an_account_that_is_moved_in_is_enrolled_and_told_and_unenrolled_when_moved_out(
    aws: Sandbox,
) -> None:
    one = account(aws, "mover")
    move(aws, one, "r-land", PROD)
    aws.until(lambda: status(aws, one["Arn"]) == "UNDER_CHANGE")
    aws.until(lambda: status(aws, one["Arn"]) == "SUCCEEDED")
    event = aws.until(lambda: aws.events("EnableBaseline"))[-1]
    assert (event["source"], event["region"]) == ("aws.controltower", "eu-central-1")
    details = event["detail"]["serviceEventDetails"]["enableBaselineStatus"]
    assert details["enabledBaselineDetails"]["targetIdentifier"] == one["Arn"]
    assert details["completedTimestamp"].endswith("+0000")
    roles = aws.client("iam", one["Id"]).list_roles()["Roles"]
    assert "AWSControlTowerExecution" in {role["RoleName"] for role in roles}
    move(aws, one, PROD, "ou-land-sandbox1")
    aws.until(lambda: status(aws, one["Arn"]) is None)


def test_a_move_into_a_unit_that_control_tower_works_on_conflicts_and_enrols_nobody(
    aws: Sandbox,
) -> None:
    first, second = account(aws, "first"), account(aws, "second")
    move(aws, first, "r-land", "ou-land-worknonp")
    move(aws, second, "r-land", "ou-land-worknonp")
    aws.until(lambda: status(aws, first["Arn"]) == "SUCCEEDED")
    assert status(aws, second["Arn"]) is None


def test_without_auto_enrollment_or_before_version_3_1_a_move_enrols_nobody(aws: Sandbox) -> None:
    for name, settings in (
        ("manual", {"autoEnrolment": False}),
        ("old", {"autoEnrolment": True, "landingZoneVersion": "3.0"}),
    ):
        aws.configure(**settings)
        one = account(aws, name)
        move(aws, one, "r-land", PROD)
        aws.configure(autoEnrolment=True, landingZoneVersion="3.3")
        assert status(aws, one["Arn"]) is None


def test_account_factory_wants_its_role_and_is_repaired_by_an_update(aws: Sandbox) -> None:
    catalog, one = factory(aws), account(aws, "ordered")
    name = {"ProvisionedProductName": "ordered"}
    first = catalog.provision_product(**order(one, "token-1", **name))["RecordDetail"]
    failed = ended(aws, catalog, first["RecordId"])
    assert "AWSControlTowerExecution" in failed["RecordErrors"][0]["Description"]
    product = catalog.describe_provisioned_product(Name="ordered")["ProvisionedProductDetail"]
    assert (product["Status"], product["Type"]) == ("ERROR", "CONTROL_TOWER_ACCOUNT")
    with pytest.raises(ClientError) as error:
        catalog.provision_product(**order(one, "token-2", **name))
    assert code_of(error) == "DuplicateResourceException"
    execution_role(aws, one)
    again = order(one, "", ProvisionedProductId=product["Id"], UpdateToken="token-3")
    record = catalog.update_provisioned_product(**again)["RecordDetail"]
    assert ended(aws, catalog, record["RecordId"])["Status"] == "SUCCEEDED"
    assert status(aws, one["Arn"]) == "SUCCEEDED"
    event = aws.until(lambda: aws.events("UpdateManagedAccount"))[-1]
    told = event["detail"]["serviceEventDetails"]["updateManagedAccountStatus"]
    assert (told["account"]["accountId"], told["state"]) == (one["Id"], "SUCCEEDED")
    found = catalog.search_provisioned_products(
        AccessLevelFilter={"Key": "Account", "Value": "self"},
        Filters={"SearchQuery": [f"physicalId:{one['Id']}"]},
    )["ProvisionedProducts"]
    assert [(each["Id"], each["Status"]) for each in found] == [(product["Id"], "AVAILABLE")]
    history = catalog.list_record_history(
        AccessLevelFilter={"Key": "Account", "Value": "self"},
        SearchFilter={"Key": "provisionedproduct", "Value": product["Id"]},
    )["RecordDetails"]
    assert [each["Status"] for each in history] == ["SUCCEEDED", "FAILED"]


def test_a_token_makes_two_orders_one_request(aws: Sandbox) -> None:
    catalog, one = factory(aws), account(aws, "twice")
    execution_role(aws, one)
    asked = order(one, "same", ProvisionedProductName="twice")
    first = catalog.provision_product(**asked)["RecordDetail"]["RecordId"]
    assert catalog.provision_product(**asked)["RecordDetail"]["RecordId"] == first
    other = order({**one, "Name": "other"}, "same", ProvisionedProductName="twice")
    with pytest.raises(ClientError) as error:
        catalog.provision_product(**other)
    assert code_of(error) == "InvalidParametersException"
    ended(aws, catalog, first)


def provisioned(aws: Sandbox, catalog: Any, name: str) -> tuple[dict[str, Any], str]:
    """An account that Account Factory has enrolled, and its provisioned product."""
    one = account(aws, name)
    execution_role(aws, one)
    asked = order(one, name, ProvisionedProductName=name)
    record = catalog.provision_product(**asked)["RecordDetail"]
    assert ended(aws, catalog, record["RecordId"])["Status"] == "SUCCEEDED"
    return one, record["ProvisionedProductId"]


def test_the_end_of_a_product_lets_go_of_its_account_and_closes_nothing(aws: Sandbox) -> None:
    catalog = factory(aws)
    one, product = provisioned(aws, catalog, "leaver")
    other, second = provisioned(aws, catalog, "waiter")
    aws.configure(
        releaseSeconds=200,
        failReleases=[{"email": one["Email"], "reason": "An internal error.", "times": 1}],
    )
    asked = {"ProvisionedProductId": product, "TerminateToken": "end-1"}
    record = catalog.terminate_provisioned_product(**asked)["RecordDetail"]
    assert record["RecordType"] == "TERMINATE_PROVISIONED_PRODUCT"
    again = catalog.terminate_provisioned_product(**asked)["RecordDetail"]
    assert again["RecordId"] == record["RecordId"]
    with pytest.raises(ClientError) as busy:
        catalog.terminate_provisioned_product(ProvisionedProductId=second)
    assert code_of(busy) == "ResourceInUseException"
    assert ended(aws, catalog, record["RecordId"])["Status"] == "FAILED"
    assert status(aws, one["Arn"]) == "SUCCEEDED"
    record = catalog.terminate_provisioned_product(**asked | {"TerminateToken": "end-2"})
    assert ended(aws, catalog, record["RecordDetail"]["RecordId"])["Status"] == "SUCCEEDED"
    assert status(aws, one["Arn"]) is None
    organizations = aws.client("organizations", MANAGEMENT, "us-east-1")
    (parent,) = organizations.list_parents(ChildId=one["Id"])["Parents"]
    assert parent["Id"] == "r-land"
    found = organizations.describe_account(AccountId=one["Id"])["Account"]
    assert found["State"] == "ACTIVE"
    with pytest.raises(ClientError) as gone:
        catalog.describe_provisioned_product(Id=product)
    assert code_of(gone) == "ResourceNotFoundException"
    moved = [event["detail"] for event in aws.events("MoveAccount")][-1]
    assert "AWSControlTowerAdmin" in moved["userIdentity"]["arn"]
    # Whoever closes an account that is enrolled spoils its product, and Control Tower keeps it.
    organizations.close_account(AccountId=other["Id"])

    def tainted() -> bool:
        detail = catalog.describe_provisioned_product(Id=second)["ProvisionedProductDetail"]
        return bool(detail["Status"] == "TAINTED")

    aws.until(tainted)
    assert status(aws, other["Arn"]) == "SUCCEEDED"


def test_account_factory_takes_five_orders_at_once(aws: Sandbox) -> None:
    catalog = factory(aws)
    aws.configure(enrolmentSeconds=300)
    ones = [account(aws, f"crowd-{number}") for number in range(6)]
    orders = [order(one, one["Name"], ProvisionedProductName=one["Name"]) for one in ones]
    for one in ones:
        execution_role(aws, one)
    taken = [catalog.provision_product(**asked)["RecordDetail"] for asked in orders[:5]]
    with pytest.raises(ClientError) as error:
        catalog.provision_product(**orders[5])
    assert code_of(error) == "ResourceInUseException"
    for record in taken:
        ended(aws, catalog, record["RecordId"])


def test_only_the_portfolios_principals_may_launch_and_only_an_active_version(
    aws: Sandbox,
) -> None:
    catalog, one = factory(aws), account(aws, "stranger")
    asked = order(one, "stranger", ProvisionedProductName="stranger")
    with pytest.raises(ClientError) as error:
        catalog.provision_product(**asked | {"ProvisioningArtifactId": "pa-accountfactor1"})
    assert code_of(error) == "ResourceNotFoundException"
    aws.configure(accountFactoryPrincipals=[f"arn:aws:iam::{MANAGEMENT}:role/LandfallVend"])
    for call in (
        lambda: catalog.list_launch_paths(ProductId=PRODUCT),
        lambda: catalog.provision_product(**asked),
    ):
        with pytest.raises(ClientError) as error:
            call()
        assert code_of(error) == "ResourceNotFoundException"
    (portfolio,) = catalog.list_portfolios_for_product(ProductId=PRODUCT)["PortfolioDetails"]
    principals = catalog.list_principals_for_portfolio(PortfolioId=portfolio["Id"])["Principals"]
    assert [each["PrincipalARN"].split("/")[-1] for each in principals] == ["LandfallVend"]
    unit = {"Key": "ManagedOrganizationalUnit", "Value": "Sandbox (ou-land-sandbox1)"}
    aws.configure(accountFactoryPrincipals=["*"])
    asked["ProvisioningParameters"] = [
        each if each["Key"] != unit["Key"] else unit for each in asked["ProvisioningParameters"]
    ]
    with pytest.raises(ClientError) as error:
        catalog.provision_product(**asked)
    assert code_of(error) == "InvalidParametersException"

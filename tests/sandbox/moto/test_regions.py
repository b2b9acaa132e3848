"""Regions are on, come, and keep their default VPC and settings as AWS's do; quotas too."""

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from trial import MANAGEMENT, Sandbox

REGION = "eu-west-1"


def refused(call: Any, **request: Any) -> str:
    with pytest.raises(ClientError) as error:
        call(**request)
    return str(error.value.response["Error"]["Code"])


@pytest.fixture(scope="module")
def account(shared: Sandbox) -> str:
    shared.configure(creationLatencySeconds=1, readinessSeconds=0)
    return shared.new_account("regions@example.com")


@pytest.fixture
def management(shared: Sandbox) -> Iterator[Any]:
    before = shared.get("config")
    yield shared.client("account", MANAGEMENT, "us-east-1")
    shared.post("config", before)


def test_seventeen_regions_are_on_and_the_others_are_asked_for(
    shared: Sandbox, account: str
) -> None:
    pages = shared.client("account", account).get_paginator("list_regions").paginate()
    regions = {
        one["RegionName"]: one["RegionOptStatus"] for page in pages for one in page["Regions"]
    }
    assert list(regions.values()).count("ENABLED_BY_DEFAULT") == 17
    assert regions["ap-east-1"] == "DISABLED"
    network = shared.client("ec2", account, "ap-east-1")
    assert refused(network.describe_vpcs) == "AuthFailure"
    queues = shared.client("sqs", account, "ap-east-1")
    assert refused(queues.list_queues) == "UnrecognizedClientException"


def test_a_region_is_enabled_later_and_told_to_whoever_asked(
    shared: Sandbox, account: str, management: Any
) -> None:
    shared.configure(regionSeconds=120)
    asked = {"AccountId": account, "RegionName": "me-south-1"}
    management.enable_region(**asked)
    management.enable_region(**asked)
    assert management.get_region_opt_status(**asked)["RegionOptStatus"] == "ENABLING"
    shared.until(lambda: management.get_region_opt_status(**asked)["RegionOptStatus"] == "ENABLED")
    shared.client("ec2", account, "me-south-1").describe_vpcs()
    told = [
        one
        for one in shared.events("Region Opt-In Status Change")
        if one["detail"]["regionName"] == "me-south-1"
    ]
    assert [one["detail"]["status"] for one in told] == ["ENABLING", "ENABLED"]
    assert {(one["account"], one["region"]) for one in told} == {(MANAGEMENT, "us-east-1")}


def test_six_regions_of_an_account_come_at_once(
    shared: Sandbox, account: str, management: Any
) -> None:
    shared.configure(regionSeconds=3600)
    others = ["af-south-1", "ap-south-2", "ca-west-1", "eu-central-2", "eu-south-1", "eu-south-2"]
    for region in others:
        management.enable_region(AccountId=account, RegionName=region)
    more = {"AccountId": account, "RegionName": "il-central-1"}
    assert refused(management.enable_region, **more) == "ConflictException"
    stranger = shared.client("account", account, "us-east-1")
    assert refused(stranger.list_regions, AccountId=MANAGEMENT) == "AccessDeniedException"


def test_a_default_vpc_has_its_gateway_and_goes_in_the_right_order_only(
    shared: Sandbox, account: str
) -> None:
    network = shared.client("ec2", account, REGION)
    (vpc,) = network.describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])["Vpcs"]
    within = [{"Name": "vpc-id", "Values": [vpc["VpcId"]]}]
    attached = [{"Name": "attachment.vpc-id", "Values": [vpc["VpcId"]]}]
    (gateway,) = network.describe_internet_gateways(Filters=attached)["InternetGateways"]
    (table,) = network.describe_route_tables(Filters=within)["RouteTables"]
    assert {one["GatewayId"] for one in table["Routes"]} == {"local", gateway["InternetGatewayId"]}
    subnets = network.describe_subnets(Filters=within)["Subnets"]
    assert subnets
    assert all(one["DefaultForAz"] for one in subnets)

    def delete() -> None:
        network.delete_vpc(VpcId=vpc["VpcId"])

    assert refused(delete) == "DependencyViolation"
    used = network.create_network_interface(SubnetId=subnets[0]["SubnetId"])["NetworkInterface"]
    named = {"InternetGatewayId": gateway["InternetGatewayId"]}
    assert refused(network.delete_internet_gateway, **named) == "DependencyViolation"
    network.detach_internet_gateway(VpcId=vpc["VpcId"], **named)
    network.delete_internet_gateway(**named)
    first = {"SubnetId": subnets[0]["SubnetId"]}
    assert refused(network.delete_subnet, **first) == "DependencyViolation"
    network.delete_network_interface(NetworkInterfaceId=used["NetworkInterfaceId"])
    for subnet in subnets:
        network.delete_subnet(SubnetId=subnet["SubnetId"])
    group = network.create_security_group(GroupName="ours", Description="ours", VpcId=vpc["VpcId"])[
        "GroupId"
    ]
    assert refused(delete) == "DependencyViolation"
    network.delete_security_group(GroupId=group)
    delete()
    assert refused(delete) == "InvalidVpcID.NotFound"


def test_a_regions_settings_are_its_own(shared: Sandbox, account: str) -> None:
    here, there = (shared.client("ec2", account, region) for region in (REGION, "eu-west-2"))
    here.enable_ebs_encryption_by_default()
    here.enable_snapshot_block_public_access(State="block-all-sharing")
    here.enable_image_block_public_access(ImageBlockPublicAccessState="block-new-sharing")
    key = f"arn:aws:kms:{REGION}:{account}:key/mrk-1"
    here.modify_ebs_default_kms_key_id(KmsKeyId=key)
    assert refused(there.modify_ebs_default_kms_key_id, KmsKeyId=key) == "InvalidKmsKeyId.Malformed"

    def settings(network: Any) -> list[Any]:
        return [
            network.get_ebs_encryption_by_default()["EbsEncryptionByDefault"],
            network.get_snapshot_block_public_access_state()["State"],
            network.get_image_block_public_access_state()["ImageBlockPublicAccessState"],
            network.get_ebs_default_kms_key_id()["KmsKeyId"],
        ]

    assert settings(here) == [True, "block-all-sharing", "block-new-sharing", key]
    assert settings(there) == [False, "unblocked", "unblocked", "alias/aws/ebs"]


def test_each_regions_ec2_takes_its_time_with_a_young_account(shared: Sandbox) -> None:
    shared.configure(creationLatencySeconds=1, readinessSeconds={"default": 0, "ec2": 600})
    young = shared.new_account("young-regions@example.com")
    network = shared.client("ec2", young, REGION)
    assert refused(network.describe_vpcs) == "OptInRequired"
    shared.until(lambda: _answers(network))
    verifying = [{"account": young, "region": REGION, "times": 1}]
    shared.configure(pendingVerification=verifying)
    assert refused(network.describe_vpcs) == "PendingVerification"
    assert _answers(network)


def _answers(network: Any) -> bool:
    try:
        return bool(network.describe_vpcs()["Vpcs"])
    except ClientError:
        return False


VCPUS = {"ServiceCode": "ec2", "QuotaCode": "L-1216C47A"}


def test_a_request_for_a_quota_is_open_once_then_decided(shared: Sandbox, account: str) -> None:
    shared.configure(quotaSeconds=200)
    quotas = shared.client("service-quotas", account, REGION)
    assert quotas.get_service_quota(**VCPUS)["Quota"]["Value"] == 5
    assert quotas.get_aws_default_service_quota(**VCPUS)["Quota"]["Value"] == 5
    ask = quotas.request_service_quota_increase
    assert refused(ask, DesiredValue=5, **VCPUS) == "IllegalArgumentException"
    request = ask(DesiredValue=300, **VCPUS)["RequestedQuota"]
    assert request["Status"] == "PENDING"
    assert refused(ask, DesiredValue=400, **VCPUS) == "ResourceAlreadyExistsException"
    history = quotas.list_requested_service_quota_change_history_by_quota

    def last() -> Any:
        return history(**VCPUS)["RequestedQuotas"][0]

    shared.until(lambda: last()["Status"] == "CASE_OPENED")
    assert last()["CaseId"]
    shared.until(lambda: last()["Status"] == "APPROVED")
    assert quotas.get_service_quota(**VCPUS)["Quota"]["Value"] == 300
    elsewhere = shared.client("service-quotas", account, "eu-west-2")
    assert elsewhere.get_service_quota(**VCPUS)["Quota"]["Value"] == 5


def test_two_requests_are_open_in_a_region_and_one_can_be_refused(
    shared: Sandbox, account: str
) -> None:
    shared.configure(quotaSeconds=300, denyQuotas=[{"code": "L-1216C47A", "times": 1}])
    quotas = shared.client("service-quotas", account, "eu-west-3")
    ask = quotas.request_service_quota_increase
    ask(DesiredValue=300, **VCPUS)
    ask(ServiceCode="ebs", QuotaCode="L-7A658B76", DesiredValue=60)
    third = {"ServiceCode": "ebs", "QuotaCode": "L-59C8FC87", "DesiredValue": 200}
    assert refused(ask, **third) == "QuotaExceededException"
    history = quotas.list_requested_service_quota_change_history_by_quota
    shared.until(lambda: history(**VCPUS)["RequestedQuotas"][0]["Status"] == "DENIED")
    assert quotas.get_service_quota(**VCPUS)["Quota"]["Value"] == 5
    unknown = {"ServiceCode": "ec2", "QuotaCode": "L-00000000"}
    assert refused(quotas.get_service_quota, **unknown) == "NoSuchResourceException"

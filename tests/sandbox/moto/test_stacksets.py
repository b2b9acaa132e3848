"""StackSets need their roles, take their time, fail in part and are told, as on AWS."""

import json
import uuid
from typing import Any

import pytest
from botocore.exceptions import ClientError

from trial import AUTOMATION, HOME, MANAGEMENT, Sandbox

ADMINISTRATION = "AWSCloudFormationStackSetAdministrationRole"
EXECUTION = "AWSCloudFormationStackSetExecutionRole"
TEMPLATE = {
    "Parameters": {"Name": {"Type": "String", "Default": "plain"}},
    "Resources": {
        "Topic": {
            "Type": "AWS::SNS::Topic",
            "Properties": {"TopicName": {"Fn::Sub": "${Name}-topic"}},
        }
    },
}


def role(shared: Sandbox, account: str, name: str, trust: dict[str, Any], allow: Any) -> None:
    iam = shared.client("iam", account)
    statement = {"Effect": "Allow", "Principal": trust, "Action": "sts:AssumeRole"}
    document = {"Version": "2012-10-17", "Statement": [statement]}
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(document))
    statement = {"Effect": "Allow", "Action": allow, "Resource": "*"}
    policy = {"Version": "2012-10-17", "Statement": [statement]}
    iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=json.dumps(policy))


def execution_role(shared: Sandbox, account: str, allow: Any = "*") -> None:
    trust = {"AWS": f"arn:aws:iam::{AUTOMATION}:role/{ADMINISTRATION}"}
    role(shared, account, EXECUTION, trust, allow)


@pytest.fixture(scope="module")
def stacks(shared: Sandbox) -> Any:
    shared.configure(creationLatencySeconds=1, readinessSeconds=0, stackSetSeconds=20)
    trust = {"Service": "cloudformation.amazonaws.com"}
    role(shared, AUTOMATION, ADMINISTRATION, trust, "sts:AssumeRole")
    return shared.client("cloudformation")


def new_set(stacks: Any, template: Any = TEMPLATE, managed: bool = True, **more: Any) -> str:
    name = f"set-{uuid.uuid4().hex[:8]}"
    stacks.create_stack_set(
        StackSetName=name,
        TemplateBody=json.dumps(template),
        ManagedExecution={"Active": managed},
        **more,
    )
    return name


def ended(shared: Sandbox, stacks: Any, name: str, operation: str) -> dict[str, Any]:
    def done() -> Any:
        answer = stacks.describe_stack_set_operation(StackSetName=name, OperationId=operation)
        answer = answer["StackSetOperation"]
        return answer if answer["Status"] not in ("RUNNING", "QUEUED", "STOPPING") else None

    return dict(shared.until(done))


def instance(stacks: Any, name: str, account: str) -> dict[str, Any]:
    answer = stacks.describe_stack_instance(
        StackSetName=name, StackInstanceAccount=account, StackInstanceRegion=HOME
    )
    return dict(answer["StackInstance"])


def account_with_role(shared: Sandbox, allow: Any = "*") -> str:
    account = shared.new_account(f"{uuid.uuid4().hex[:8]}@example.com")
    execution_role(shared, account, allow)
    return account


def test_an_instance_comes_with_its_operation_and_is_told(shared: Sandbox, stacks: Any) -> None:
    account, name = account_with_role(shared), new_set(stacks)
    overrides = [{"ParameterKey": "Name", "ParameterValue": "own"}]
    operation = stacks.create_stack_instances(
        StackSetName=name, Accounts=[account], Regions=[HOME], ParameterOverrides=overrides
    )["OperationId"]
    assert instance(stacks, name, account)["Status"] == "OUTDATED"
    answer = ended(shared, stacks, name, operation)
    assert (answer["Status"], answer["Action"]) == ("SUCCEEDED", "CREATE")
    assert (answer["EndTimestamp"] - answer["CreationTimestamp"]).total_seconds() >= 20
    shown = instance(stacks, name, account)
    assert shown["Status"] == "CURRENT"
    assert shown["StackInstanceStatus"]["DetailedStatus"] == "SUCCEEDED"
    assert shown["ParameterOverrides"] == overrides
    topics = shared.client("sns", account).list_topics()["Topics"]
    assert topics[0]["TopicArn"].endswith(":own-topic")
    listed = stacks.list_stack_instances(StackSetName=name, StackInstanceAccount=account)
    assert len(listed["Summaries"]) == 1
    results = stacks.list_stack_set_operation_results(StackSetName=name, OperationId=operation)
    assert [one["Status"] for one in results["Summaries"]] == ["SUCCEEDED"]

    def told(kind: str) -> list[Any]:
        return [
            one["detail"]
            for one in shared.events(f"CloudFormation StackSet {kind} Status Change")
            if name in one["detail"]["stack-set-arn"]
        ]

    statuses = [one["status-details"]["status"] for one in told("Operation")]
    assert statuses == ["RUNNING", "SUCCEEDED"]
    detailed = [one["status-details"]["detailed-status"] for one in told("StackInstance")]
    assert detailed == ["PENDING", "RUNNING", "SUCCEEDED"]
    assert account in told("StackInstance")[-1]["stack-id"]


def test_an_instance_without_the_execution_role_fails_and_says_so(
    shared: Sandbox, stacks: Any
) -> None:
    account, name = shared.new_account("roleless@example.com"), new_set(stacks)
    request = {"StackSetName": name, "Accounts": [account], "Regions": [HOME]}
    operation = stacks.create_stack_instances(**request)["OperationId"]
    assert ended(shared, stacks, name, operation)["Status"] == "FAILED"
    shown = instance(stacks, name, account)
    assert shown["StackInstanceStatus"]["DetailedStatus"] == "FAILED"
    wanted = f"Account {account} should have '{EXECUTION}' role with trust relationship to Role"
    assert wanted in shown["StatusReason"]
    trust = {"AWS": f"arn:aws:iam::{MANAGEMENT}:root"}
    role(shared, account, EXECUTION, trust, "*")
    operation = stacks.create_stack_instances(**request)["OperationId"]
    assert ended(shared, stacks, name, operation)["Status"] == "FAILED"
    iam = shared.client("iam", account)
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{AUTOMATION}:root"},
        "Action": "sts:AssumeRole",
        "Condition": {"ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::*:role/{ADMINISTRATION}"}},
    }
    document = {"Version": "2012-10-17", "Statement": [statement]}
    iam.update_assume_role_policy(RoleName=EXECUTION, PolicyDocument=json.dumps(document))
    operation = stacks.create_stack_instances(**request)["OperationId"]
    assert ended(shared, stacks, name, operation)["Status"] == "SUCCEEDED"


def test_an_execution_role_that_may_not_fails_the_resource(shared: Sandbox, stacks: Any) -> None:
    account, name = account_with_role(shared, ["cloudformation:*", "s3:*"]), new_set(stacks)
    operation = stacks.create_stack_instances(
        StackSetName=name, Accounts=[account], Regions=[HOME]
    )["OperationId"]
    assert ended(shared, stacks, name, operation)["Status"] == "FAILED"
    assert "sns:CreateTopic" in instance(stacks, name, account)["StatusReason"]


def test_an_operation_within_its_tolerance_succeeds_with_a_failed_instance(
    shared: Sandbox, stacks: Any
) -> None:
    good, bad, name = account_with_role(shared), account_with_role(shared), new_set(stacks)
    shared.configure(failInstances=[{"account": bad, "reason": "as configured", "times": 1}])
    operation = stacks.create_stack_instances(
        StackSetName=name,
        Accounts=[bad, good],
        Regions=[HOME],
        OperationPreferences={"FailureToleranceCount": 1, "MaxConcurrentCount": 2},
    )["OperationId"]
    answer = ended(shared, stacks, name, operation)
    assert answer["Status"] == "SUCCEEDED"
    assert answer["StatusDetails"]["FailedStackInstancesCount"] == 1
    assert instance(stacks, name, good)["Status"] == "CURRENT"
    shown = instance(stacks, name, bad)
    assert (shown["Status"], shown["StatusReason"]) == ("OUTDATED", "as configured")


def test_the_operation_id_is_a_token(shared: Sandbox, stacks: Any) -> None:
    account, name = account_with_role(shared), new_set(stacks)
    request = {"StackSetName": name, "Accounts": [account], "Regions": [HOME]}
    stacks.create_stack_instances(**request, OperationId="one")
    with pytest.raises(ClientError) as again:
        stacks.create_stack_instances(**request, OperationId="one")
    assert again.value.response["Error"]["Code"] == "OperationIdAlreadyExistsException"
    ended(shared, stacks, name, "one")
    with pytest.raises(ClientError) as later:
        stacks.create_stack_instances(**request, OperationId="one")
    assert later.value.response["Error"]["Code"] == "OperationIdAlreadyExistsException"


def test_operations_exclude_each_other_or_queue_when_managed(shared: Sandbox, stacks: Any) -> None:
    account = account_with_role(shared)
    request = {"Accounts": [account], "Regions": [HOME]}
    strict = new_set(stacks, managed=False)
    stacks.create_stack_instances(StackSetName=strict, **request)
    with pytest.raises(ClientError) as busy:
        stacks.create_stack_instances(StackSetName=strict, **request)
    assert busy.value.response["Error"]["Code"] == "OperationInProgressException"
    template = json.loads(json.dumps(TEMPLATE).replace("-topic", "-queued"))
    managed = new_set(stacks, template)
    first = stacks.create_stack_instances(StackSetName=managed, **request)["OperationId"]
    second = stacks.update_stack_instances(StackSetName=managed, **request)["OperationId"]
    status = stacks.describe_stack_set_operation(StackSetName=managed, OperationId=second)
    assert status["StackSetOperation"]["Status"] == "QUEUED"
    assert ended(shared, stacks, managed, first)["Status"] == "SUCCEEDED"
    assert ended(shared, stacks, managed, second)["Status"] == "SUCCEEDED"
    operations = stacks.list_stack_set_operations(StackSetName=managed)["Summaries"]
    assert [one["OperationId"] for one in operations] == [second, first]


def test_an_update_of_the_set_changes_the_named_and_outdates_the_others(
    shared: Sandbox, stacks: Any
) -> None:
    named, other = account_with_role(shared), account_with_role(shared)
    name = new_set(stacks)
    preferences = {"MaxConcurrentCount": 2}
    operation = stacks.create_stack_instances(
        StackSetName=name,
        Accounts=[named, other],
        Regions=[HOME],
        OperationPreferences=preferences,
    )["OperationId"]
    assert ended(shared, stacks, name, operation)["Status"] == "SUCCEEDED"
    template = json.loads(json.dumps(TEMPLATE).replace("-topic", "-renamed"))
    operation = stacks.update_stack_set(
        StackSetName=name, TemplateBody=json.dumps(template), Accounts=[named], Regions=[HOME]
    )["OperationId"]
    assert ended(shared, stacks, name, operation)["Status"] == "SUCCEEDED"
    assert instance(stacks, name, named)["Status"] == "CURRENT"
    assert instance(stacks, name, other)["Status"] == "OUTDATED"
    topics = {
        account: shared.client("sns", account).list_topics()["Topics"][0]["TopicArn"]
        for account in (named, other)
    }
    assert topics[named].endswith("plain-renamed")
    assert topics[other].endswith("plain-topic")
    overrides = [{"ParameterKey": "Name", "ParameterValue": "new"}]
    operation = stacks.update_stack_instances(
        StackSetName=name, Accounts=[other], Regions=[HOME], ParameterOverrides=overrides
    )["OperationId"]
    assert ended(shared, stacks, name, operation)["Status"] == "SUCCEEDED"
    topics_now = shared.client("sns", other).list_topics()["Topics"]
    assert topics_now[0]["TopicArn"].endswith("new-renamed")


def test_deleting_instances_takes_their_stacks_away(shared: Sandbox, stacks: Any) -> None:
    account, name = account_with_role(shared), new_set(stacks)
    request = {"StackSetName": name, "Accounts": [account], "Regions": [HOME]}
    operation = stacks.create_stack_instances(**request)["OperationId"]
    ended(shared, stacks, name, operation)
    with pytest.raises(ClientError) as full:
        stacks.delete_stack_set(StackSetName=name)
    assert full.value.response["Error"]["Code"] == "StackSetNotEmptyException"
    operation = stacks.delete_stack_instances(**request, RetainStacks=False)["OperationId"]
    assert ended(shared, stacks, name, operation)["Status"] == "SUCCEEDED"
    assert shared.client("sns", account).list_topics()["Topics"] == []
    with pytest.raises(ClientError) as gone:
        instance(stacks, name, account)
    assert gone.value.response["Error"]["Code"] == "StackInstanceNotFoundException"
    stacks.delete_stack_set(StackSetName=name)
    with pytest.raises(ClientError) as nothing:
        stacks.describe_stack_set(StackSetName=name)
    assert nothing.value.response["Error"]["Code"] == "StackSetNotFoundException"


def test_a_closed_account_is_skipped(shared: Sandbox, stacks: Any) -> None:
    shared.configure(closureLatencySeconds=1)
    account, name = account_with_role(shared), new_set(stacks)
    organizations = shared.client("organizations", MANAGEMENT, "us-east-1")
    organizations.close_account(AccountId=account)
    shared.until(
        lambda: organizations.describe_account(AccountId=account)["Account"]["State"] == "CLOSED"
    )
    operation = stacks.create_stack_instances(
        StackSetName=name, Accounts=[account], Regions=[HOME]
    )["OperationId"]
    ended(shared, stacks, name, operation)
    shown = instance(stacks, name, account)["StackInstanceStatus"]["DetailedStatus"]
    assert shown == "SKIPPED_SUSPENDED_ACCOUNT"


def test_a_set_says_what_it_is(stacks: Any) -> None:
    name = new_set(
        stacks, Description="d", Parameters=[{"ParameterKey": "Name", "ParameterValue": "n"}]
    )
    shown = stacks.describe_stack_set(StackSetName=name)["StackSet"]
    assert shown["Parameters"] == [{"ParameterKey": "Name", "ParameterValue": "n"}]
    assert shown["ManagedExecution"] == {"Active": True}
    assert shown["AdministrationRoleARN"].endswith(ADMINISTRATION)
    assert name in {one["StackSetName"] for one in stacks.list_stack_sets()["Summaries"]}
    with pytest.raises(ClientError) as twice:
        stacks.create_stack_set(StackSetName=name, TemplateBody=json.dumps(TEMPLATE))
    assert twice.value.response["Error"]["Code"] == "NameAlreadyExistsException"


UNIT, OTHER = "ou-land-sandbox1", "ou-land-worknonp"
SERVICE = "member.org.stacksets.cloudformation.amazonaws.com"


@pytest.fixture(scope="module")
def delegated(shared: Sandbox, stacks: Any) -> Any:
    """The automation account administers service-managed sets for the management account."""
    organizations = shared.client("organizations", MANAGEMENT, "us-east-1")
    as_delegate = {"StackSetName": "x", "CallAs": "DELEGATED_ADMIN"}
    with pytest.raises(ClientError) as refused:
        stacks.describe_stack_set(**as_delegate)
    assert "delegated admin" in str(refused.value)
    organizations.register_delegated_administrator(AccountId=AUTOMATION, ServicePrincipal=SERVICE)
    return organizations


def test_a_service_managed_set_lives_in_the_management_account_and_takes_units_only(
    shared: Sandbox, stacks: Any, delegated: Any
) -> None:
    name = new_set(stacks, PermissionModel="SERVICE_MANAGED", CallAs="DELEGATED_ADMIN")
    described = stacks.describe_stack_set(StackSetName=name, CallAs="DELEGATED_ADMIN")["StackSet"]
    assert f":{MANAGEMENT}:stackset/{name}" in described["StackSetARN"]
    with pytest.raises(ClientError) as refused:
        stacks.describe_stack_set(StackSetName=name)
    assert refused.value.response["Error"]["Code"] == "StackSetNotFoundException"
    with pytest.raises(ClientError) as refused:
        stacks.create_stack_instances(
            StackSetName=name, Accounts=[AUTOMATION], Regions=[HOME], CallAs="DELEGATED_ADMIN"
        )
    assert "can only have OrganizationalUnit as target" in str(refused.value)
    own = new_set(stacks)
    with pytest.raises(ClientError) as refused:
        stacks.describe_stack_set(StackSetName=own, CallAs="DELEGATED_ADMIN")
    assert refused.value.response["Error"]["Code"] == "StackSetNotFoundException"


def test_an_account_that_comes_into_a_unit_gets_a_stack_by_itself_and_loses_it_when_it_leaves(
    shared: Sandbox, stacks: Any, delegated: Any
) -> None:
    automatic = {"Enabled": True, "RetainStacksOnAccountRemoval": False}
    name = new_set(
        stacks,
        PermissionModel="SERVICE_MANAGED",
        AutoDeployment=automatic,
        CallAs="DELEGATED_ADMIN",
    )
    shared.post("seed", {"accounts": 2})
    first, second = "400000000000", "400000000001"
    delegated.move_account(AccountId=second, SourceParentId=UNIT, DestinationParentId=OTHER)
    targets = {
        "OrganizationalUnitIds": [UNIT],
        "Accounts": [first],
        "AccountFilterType": "INTERSECTION",
    }
    stacks.create_stack_instances(
        StackSetName=name, DeploymentTargets=targets, Regions=[HOME], CallAs="DELEGATED_ADMIN"
    )

    def status(account: str) -> str | None:
        try:
            return stacks.describe_stack_instance(
                StackSetName=name,
                StackInstanceAccount=account,
                StackInstanceRegion=HOME,
                CallAs="DELEGATED_ADMIN",
            )["StackInstance"]["Status"]
        except ClientError:
            return None

    # No execution role is needed.
    assert shared.until(lambda: status(first) == "CURRENT")
    assert status(second) is None
    delegated.move_account(AccountId=second, SourceParentId=OTHER, DestinationParentId=UNIT)
    assert shared.until(lambda: status(second) == "CURRENT"), "the filter is not remembered"
    delegated.move_account(AccountId=second, SourceParentId=UNIT, DestinationParentId=OTHER)
    assert shared.until(lambda: status(second) is None)
    assert status(first) == "CURRENT"

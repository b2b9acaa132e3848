"""The gateway is told who calls and what holds; what AWS keeps atomic stays atomic."""

import json
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ClientError

from trial import AUTOMATION, MANAGEMENT, Sandbox


def trust(principal: Any) -> str:
    statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def policy(action: str) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Action": action, "Resource": "*"}
    return {"Version": "2012-10-17", "Statement": [statement]}


@pytest.fixture(scope="module")
def role(shared: Sandbox) -> str:
    iam = shared.client("iam")
    root = {"AWS": f"arn:aws:iam::{AUTOMATION}:root"}
    iam.create_role(RoleName="told", AssumeRolePolicyDocument=trust(root))
    return f"arn:aws:iam::{AUTOMATION}:role/told"


def test_a_sessions_key_tells_its_role_and_both_kinds_of_session_policy(
    shared: Sandbox, role: str
) -> None:
    iam = shared.client("iam")
    managed = iam.create_policy(
        PolicyName="life", PolicyDocument=json.dumps(policy("s3:GetObject"))
    )["Policy"]["Arn"]
    sts = shared.client("sts")
    request = {"RoleArn": role, "RoleSessionName": "landfall-tenant"}
    keys = sts.assume_role(
        **request, Policy=json.dumps(policy("iam:GetRole")), PolicyArns=[{"arn": managed}]
    )["Credentials"]
    told = shared.get(f"principal?key={keys['AccessKeyId']}")
    assert told["kind"] == "role-session"
    assert told["role_arn"] == role
    assert told["arn"] == f"arn:aws:sts::{AUTOMATION}:assumed-role/told/landfall-tenant"
    actions = [one["Action"] for one in told["session_policy"]["Statement"]]
    assert sorted(actions) == ["iam:GetRole", "s3:GetObject"]
    plain = sts.assume_role(**request)["Credentials"]["AccessKeyId"]
    assert shared.get(f"principal?key={plain}")["session_policy"] is None
    caller = shared._client("sts", "us-east-1", keys).get_caller_identity()
    assert caller["Arn"] == told["arn"]
    with pytest.raises(ClientError) as missing:
        sts.assume_role(**request, PolicyArns=[{"arn": f"{managed}-not"}])
    assert missing.value.response["Error"]["Code"] == "MalformedPolicyDocument"


def test_a_role_with_a_path_is_found_by_its_name_and_tells_its_path(shared: Sandbox) -> None:
    """IAM's calls say names; whoever takes a role must say its path."""
    iam = shared.client("iam")
    anybody = trust({"AWS": AUTOMATION})
    iam.create_role(RoleName="deep", Path="/a/b/", AssumeRolePolicyDocument=anybody)
    arn = f"arn:aws:iam::{AUTOMATION}:role/a/b/deep"
    for asked in (arn, f"arn:aws:iam::{AUTOMATION}:role/deep"):
        facts = shared.get(f"role?arn={asked}")
        assert (facts["exists"], facts["arn"]) == (True, arn)
    other = shared.get(f"role?arn=arn:aws:iam::{AUTOMATION}:role/c/deep")
    assert (other["exists"], other["arn"]) == (False, None)


def test_scps_are_told_level_by_level_and_never_for_the_management_account(
    shared: Sandbox, role: str
) -> None:
    organizations = shared.client("organizations", MANAGEMENT, "us-east-1")
    deny = {"Effect": "Deny", "Action": "iam:CreateUser", "Resource": "*"}
    made = organizations.create_policy(
        Name="no-users",
        Description="",
        Type="SERVICE_CONTROL_POLICY",
        Content=json.dumps({"Version": "2012-10-17", "Statement": [deny]}),
    )["Policy"]["PolicySummary"]["Id"]
    organizations.attach_policy(PolicyId=made, TargetId="ou-land-infrastr")
    facts = shared.get(f"role?arn={role}")
    assert [len(level) for level in facts["scps"]] == [1, 2, 1]
    assert facts["org_id"] == "o-landfall01"
    assert facts["org_paths"] == ["o-landfall01/r-land/ou-land-infrastr/"]
    management = shared.get(f"role?arn=arn:aws:iam::{MANAGEMENT}:role/any")
    assert management["scps"] == []


def test_a_trust_must_name_principals_that_exist(shared: Sandbox) -> None:
    iam = shared.client("iam")
    nobody = {"AWS": f"arn:aws:iam::{AUTOMATION}:role/nobody"}
    with pytest.raises(ClientError) as invalid:
        iam.create_role(RoleName="trusting", AssumeRolePolicyDocument=trust(nobody))
    assert "Invalid principal in policy" in invalid.value.response["Error"]["Message"]


def test_policies_have_their_limits(shared: Sandbox, role: str) -> None:
    iam = shared.client("iam")
    long = policy("s3:" + "x" * 6_000)
    iam.put_role_policy(RoleName="told", PolicyName="a", PolicyDocument=json.dumps(long))
    with pytest.raises(ClientError) as inline:
        iam.put_role_policy(RoleName="told", PolicyName="b", PolicyDocument=json.dumps(long))
    assert inline.value.response["Error"]["Code"] == "LimitExceeded"
    with pytest.raises(ClientError) as managed:
        iam.create_policy(PolicyName="long", PolicyDocument=json.dumps(policy("x" * 6_200)))
    assert managed.value.response["Error"]["Code"] == "LimitExceeded"


def test_one_of_many_conditional_writes_wins(shared: Sandbox) -> None:
    dynamodb = shared.client("dynamodb")
    name = f"t-{uuid.uuid4().hex[:6]}"
    dynamodb.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )

    def write(number: int) -> bool:
        item = {"pk": {"S": "one"}, "by": {"N": str(number)}}
        put = {"TableName": name, "Item": item, "ConditionExpression": "attribute_not_exists(pk)"}
        try:
            dynamodb.transact_write_items(TransactItems=[{"Put": put}])
        except ClientError:
            return False
        return True

    with ThreadPoolExecutor(20) as threads:
        assert sum(threads.map(write, range(60))) == 1


def test_a_cancelled_transaction_leaves_everything_as_it_was(shared: Sandbox) -> None:
    dynamodb = shared.client("dynamodb")
    name = f"t-{uuid.uuid4().hex[:6]}"
    dynamodb.create_table(
        TableName=name,
        KeySchema=[
            {"AttributeName": "pk", "KeyType": "HASH"},
            {"AttributeName": "sk", "KeyType": "RANGE"},
        ],
        AttributeDefinitions=[
            {"AttributeName": "pk", "AttributeType": "S"},
            {"AttributeName": "sk", "AttributeType": "S"},
        ],
        BillingMode="PAY_PER_REQUEST",
    )
    old = {"pk": {"S": "a"}, "sk": {"S": "old"}, "by": {"N": "1"}}
    new = {"pk": {"S": "a"}, "sk": {"S": "new"}}
    dynamodb.put_item(TableName=name, Item=old)
    update = {
        "TableName": name,
        "Key": {"pk": {"S": "a"}, "sk": {"S": "old"}},
        "UpdateExpression": "SET #by = :two",
        "ExpressionAttributeNames": {"#by": "by"},
        "ExpressionAttributeValues": {":two": {"N": "2"}},
    }
    taken = {"TableName": name, "Item": old, "ConditionExpression": "attribute_not_exists(pk)"}
    again = {**taken, "Item": {"pk": {"S": "b"}, "sk": {"S": "x"}}}
    dynamodb.put_item(TableName=name, Item=again["Item"])
    puts = [{"Put": {"TableName": name, "Item": new}}, {"Update": update}, {"Put": again}]
    with pytest.raises(ClientError):
        dynamodb.transact_write_items(TransactItems=puts)
    assert dynamodb.scan(TableName=name)["Items"] == [old, again["Item"]]
    dynamodb.transact_write_items(TransactItems=[{"Update": update}])
    assert dynamodb.scan(TableName=name)["Items"][0]["by"] == {"N": "2"}


def test_a_transaction_writes_all_or_nothing_and_once_per_token(shared: Sandbox) -> None:
    dynamodb = shared.client("dynamodb")
    name = f"t-{uuid.uuid4().hex[:6]}"
    keys = [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}]
    dynamodb.create_table(
        TableName=name,
        KeySchema=keys,
        AttributeDefinitions=[
            {"AttributeName": "pk", "AttributeType": "S"},
            {"AttributeName": "sk", "AttributeType": "S"},
        ],
        BillingMode="PAY_PER_REQUEST",
    )
    key = {"pk": {"S": "a"}, "sk": {"S": "1"}}
    absent = {"TableName": name, "ConditionExpression": "attribute_not_exists(pk)"}
    put = {"Put": {**absent, "Item": key | {"n": {"N": "1"}}}}
    history = {"Put": {**absent, "Item": key | {"sk": {"S": "2"}}}}
    for _ in range(2):
        dynamodb.transact_write_items(TransactItems=[put, history], ClientRequestToken="token-1")
    with pytest.raises(ClientError) as changed:
        dynamodb.transact_write_items(TransactItems=[put], ClientRequestToken="token-1")
    code = changed.value.response["Error"]["Code"]
    assert code == "IdempotentParameterMismatchException"
    count = {
        "Update": {
            "TableName": name,
            "Key": key,
            "UpdateExpression": "SET n = n + :one",
            "ExpressionAttributeValues": {":one": {"N": "1"}},
        }
    }
    with pytest.raises(ClientError) as cancelled:
        dynamodb.transact_write_items(TransactItems=[count, history])
    codes = [one["Code"] for one in cancelled.value.response["CancellationReasons"]]
    assert codes == ["None", "ConditionalCheckFailed"]
    broken = {"Update": {**count["Update"], "Key": key | {"sk": {"S": "2"}}}}
    with pytest.raises(ClientError):
        dynamodb.transact_write_items(TransactItems=[count, broken])
    assert dynamodb.get_item(TableName=name, Key=key)["Item"]["n"] == {"N": "1"}
    remove = {"Delete": {"TableName": name, "Key": key | {"sk": {"S": "2"}}}}
    dynamodb.transact_write_items(TransactItems=[count, remove])
    rows = dynamodb.query(
        TableName=name,
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": {"S": "a"}},
    )["Items"]
    assert rows == [key | {"n": {"N": "2"}}]


def test_a_chained_session_lasts_an_hour_at_most(shared: Sandbox, role: str) -> None:
    sts = shared.client("sts")
    request = {"RoleArn": role, "RoleSessionName": "test"}
    with pytest.raises(ClientError) as long:
        sts.assume_role(**request, DurationSeconds=7200)
    assert "role chaining" in long.value.response["Error"]["Message"]
    with pytest.raises(ClientError) as named:
        sts.assume_role(RoleArn=role, RoleSessionName="with spaces")
    assert named.value.response["Error"]["Code"] == "ValidationError"


def test_an_item_comes_back_as_it_went(shared: Sandbox) -> None:
    dynamodb = shared.client("dynamodb")
    name = f"t-{uuid.uuid4().hex[:6]}"
    dynamodb.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    nested = {"M": {"s": {"S": ""}, "n": {"N": "1.5"}, "l": {"L": [{"BOOL": False}]}}}
    item = {"pk": {"S": "a"}, "m": nested, "b": {"B": b"\x00\xff"}, "e": {"NULL": True}}
    item |= {"bs": {"BS": [b"1"]}, "ss": {"SS": ["x"]}, "empty": {"M": {}}, "none": {"L": []}}
    dynamodb.put_item(TableName=name, Item=item)
    assert dynamodb.get_item(TableName=name, Key={"pk": {"S": "a"}})["Item"] == item
    assert dynamodb.scan(TableName=name)["Items"] == [item]
    request = {"TableName": name, "Key": {"pk": {"S": "a"}}, "ReturnValues": "ALL_NEW"}
    update = {"UpdateExpression": "SET x = :x", "ExpressionAttributeValues": {":x": {"N": "2"}}}
    answer = dynamodb.update_item(**request, **update)
    assert answer["Attributes"] == item | {"x": {"N": "2"}}


def test_the_quotas_that_are_asked_for_are_there(shared: Sandbox) -> None:
    quotas = shared.client("service-quotas", MANAGEMENT, "us-east-1")
    answer = quotas.get_service_quota(ServiceCode="organizations", QuotaCode="L-29A0C5DF")
    assert answer["Quota"]["Value"] == 10_000
    settings = shared.client("lambda").get_account_settings()
    assert settings["AccountLimit"]["UnreservedConcurrentExecutions"] == 1_000


def test_a_user_has_what_its_groups_have(shared: Sandbox) -> None:
    iam = shared.client("iam")
    iam.create_user(UserName="ada")
    iam.create_group(GroupName="readers")
    iam.add_user_to_group(GroupName="readers", UserName="ada")
    text = json.dumps(policy("s3:GetObject"))
    iam.put_group_policy(GroupName="readers", PolicyName="p", PolicyDocument=text)
    iam.attach_user_policy(UserName="ada", PolicyArn="arn:aws:iam::aws:policy/ReadOnlyAccess")
    key = iam.create_access_key(UserName="ada")["AccessKey"]["AccessKeyId"]
    told = shared.get(f"principal?key={key}")
    assert (told["kind"], told["arn"]) == ("user", f"arn:aws:iam::{AUTOMATION}:user/ada")
    assert len(shared.get(f"role?arn={told['arn']}")["identity"]) == 2


def test_a_query_finds_in_order_what_has_its_key_and_no_more(shared: Sandbox) -> None:
    dynamodb = shared.client("dynamodb")
    text = {"AttributeType": "S"}
    dynamodb.create_table(
        TableName="queried",
        AttributeDefinitions=[{"AttributeName": name, **text} for name in ("pk", "sk", "kind")],
        KeySchema=[
            {"AttributeName": "pk", "KeyType": "HASH"},
            {"AttributeName": "sk", "KeyType": "RANGE"},
        ],
        GlobalSecondaryIndexes=[
            {
                "IndexName": "kinds",
                "KeySchema": [
                    {"AttributeName": "kind", "KeyType": "HASH"},
                    {"AttributeName": "sk", "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "ALL"},
            }
        ],
        BillingMode="PAY_PER_REQUEST",
    )
    for pk, sk, kind in ("bzx", "aby", "aax", "bax", "azy"):
        item = {"pk": {"S": pk}, "sk": {"S": sk}, "kind": {"S": kind}}
        dynamodb.put_item(TableName="queried", Item=item)

    def found(key: str, value: str, **more: object) -> list[str]:
        pages = dynamodb.get_paginator("query").paginate(
            TableName="queried",
            KeyConditionExpression=f"{key} = :value",
            ExpressionAttributeValues={":value": {"S": value}},
            PaginationConfig={"PageSize": 1},
            **more,
        )
        return [item["pk"]["S"] + item["sk"]["S"] for page in pages for item in page["Items"]]

    assert found("pk", "a") == ["aa", "ab", "az"]
    assert found("pk", "nothing") == []
    assert sorted(found("kind", "x", IndexName="kinds")) == ["aa", "ba", "bz"]
    assert found("kind", "y", IndexName="kinds", ScanIndexForward=False) == ["az", "ab"]

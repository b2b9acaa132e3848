"""A query of a sparse index answers the items that are in it now, whoever wrote or deleted them."""

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from trial import Sandbox

TABLE = "tables"
DUE = {"S": "2026-11-28"}


@pytest.fixture
def table(shared: Sandbox) -> Iterator[Any]:
    client = shared.client("dynamodb")
    keys = ("pk", "sk", "due")
    client.create_table(
        TableName=TABLE,
        AttributeDefinitions=[{"AttributeName": one, "AttributeType": "S"} for one in keys],
        KeySchema=[
            {"AttributeName": "pk", "KeyType": "HASH"},
            {"AttributeName": "sk", "KeyType": "RANGE"},
        ],
        GlobalSecondaryIndexes=[
            {
                "IndexName": "due",
                "KeySchema": [{"AttributeName": "due", "KeyType": "HASH"}],
                "Projection": {"ProjectionType": "ALL"},
            }
        ],
        BillingMode="PAY_PER_REQUEST",
    )
    for name in ("early", "never"):
        put(client, name, **({"due": DUE} if name == "early" else {}))
    assert due(client) == ["early"]
    yield client
    client.delete_table(TableName=TABLE)


def put(client: Any, name: str, **more: Any) -> None:
    client.put_item(TableName=TABLE, Item={**place(name), **more})


def place(name: str) -> dict[str, Any]:
    return {"pk": {"S": name}, "sk": {"S": "tenant"}}


def change(name: str, expression: str) -> dict[str, Any]:
    values = {":due": DUE} if ":due" in expression else {}
    given = {"ExpressionAttributeValues": values} if values else {}
    return {
        "TableName": TABLE,
        "Key": place(name),
        "UpdateExpression": expression,
        "ExpressionAttributeNames": {"#d": "due"},
        **given,
    }


def due(client: Any) -> list[str]:
    found = client.query(
        TableName=TABLE,
        IndexName="due",
        KeyConditionExpression="#d = :due",
        ExpressionAttributeNames={"#d": "due"},
        ExpressionAttributeValues={":due": DUE},
    )
    return sorted(one["pk"]["S"] for one in found["Items"])


def test_an_item_put_with_the_key_is_found(table: Any) -> None:
    put(table, "late", due=DUE)
    assert due(table) == ["early", "late"]


def test_an_item_that_gets_and_loses_the_key_is_found_meanwhile(table: Any) -> None:
    table.update_item(**change("never", "SET #d = :due"))
    assert due(table) == ["early", "never"]
    table.update_item(**change("never", "REMOVE #d"))
    assert due(table) == ["early"]
    table.update_item(**change("never", "SET #d = :due"))
    assert due(table) == ["early", "never"]


def test_an_item_put_without_the_key_or_deleted_is_not_found(table: Any) -> None:
    put(table, "early")
    assert due(table) == []
    put(table, "early", due=DUE)
    table.delete_item(TableName=TABLE, Key=place("early"))
    assert due(table) == []


def test_a_transaction_changes_what_is_found_as_a_whole_or_not_at_all(table: Any) -> None:
    lose, get = change("early", "REMOVE #d"), change("never", "SET #d = :due")
    table.transact_write_items(TransactItems=[{"Update": lose}, {"Update": get}])
    assert due(table) == ["never"]
    refused = {**change("other", "SET #d = :due"), "ConditionExpression": "attribute_exists(pk)"}
    with pytest.raises(ClientError, match="TransactionCanceled"):
        table.transact_write_items(
            TransactItems=[{"Update": change("never", "REMOVE #d")}, {"Update": refused}]
        )
    assert due(table) == ["never"]


def test_a_batch_of_writes_is_found(table: Any) -> None:
    items = [{"PutRequest": {"Item": {**place(name), "due": DUE}}} for name in ("a", "b")]
    table.batch_write_item(RequestItems={TABLE: items})
    assert due(table) == ["a", "b", "early"]

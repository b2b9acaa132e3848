"""Update expressions do and refuse the same, however often they come."""

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from trial import Sandbox

KEY = {"pk": {"S": "one"}}
ITEM = {
    "list": {"L": [{"N": "1"}, {"N": "2"}, {"N": "3"}]},
    "map": {"M": {"in": {"S": "old"}}},
    "number": {"N": "1"},
}
ONE = {":one": {"N": "1"}}
BOTH = {**ONE, ":two": {"N": "2"}}
TEXT = {":text": {"S": "new"}}


@pytest.fixture(scope="module")
def table(shared: Sandbox) -> Iterator[Any]:
    client = shared.client("dynamodb")
    client.create_table(
        TableName="expressions",
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
    )
    yield client
    client.delete_table(TableName="expressions")


def update(table: Any, expression: str, names: Any, values: Any) -> Any:
    more = {"ExpressionAttributeNames": names, "ExpressionAttributeValues": values}
    given = {name: value for name, value in more.items() if value}
    return table.update_item(
        TableName="expressions",
        Key=KEY,
        UpdateExpression=expression,
        ReturnValues="ALL_NEW",
        **given,
    )["Attributes"]


@pytest.mark.parametrize(
    ("expression", "names", "values", "changed"),
    [
        ("SET #a = :text", {"#a": "added"}, TEXT, {"added": {"S": "new"}}),
        (
            "SET #m.#i = :text",
            {"#m": "map", "#i": "in"},
            TEXT,
            {"map": {"M": {"in": TEXT[":text"]}}},
        ),
        ("SET #n = #n + :one", {"#n": "number"}, ONE, {"number": {"N": "2"}}),
        ("ADD #n :one", {"#n": "number"}, ONE, {"number": {"N": "2"}}),
        ("SET #n = if_not_exists(#n, :one)", {"#n": "other"}, ONE, {"other": {"N": "1"}}),
        ("REMOVE #l[0], #l[1]", {"#l": "list"}, {}, {"list": {"L": [{"N": "3"}]}}),
        (
            "REMOVE #n SET #a = :one",
            {"#n": "number", "#a": "a"},
            ONE,
            {"number": None, "a": ONE[":one"]},
        ),
    ],
)
def test_an_expression_does_the_same_each_time(
    table: Any, expression: str, names: Any, values: Any, changed: dict[str, Any]
) -> None:
    wanted = {name: one for name, one in {**KEY, **ITEM, **changed}.items() if one is not None}
    for _ in range(3):
        table.put_item(TableName="expressions", Item={**KEY, **ITEM})
        assert update(table, expression, names, values) == wanted


@pytest.mark.parametrize(
    ("expression", "names", "values", "message"),
    [
        ("SET #a = :one", {"#a": "pk"}, ONE, "part of the key"),
        ("SET #a = :one, #b = :one", {"#a": "same", "#b": "same"}, ONE, "overlap"),
        ("SET #a = :two", {"#a": "added"}, {}, ":two"),
        ("SET #a = #b", {"#a": "added", "#b": "missing"}, {}, "does not exist"),
    ],
)
def test_an_expression_that_once_passed_is_refused_where_it_must_be(
    table: Any, expression: str, names: Any, values: Any, message: str
) -> None:
    table.put_item(TableName="expressions", Item={**KEY, **ITEM, "b": {"N": "1"}})
    named = {name: name[1:] for name in names}
    update(
        table, expression, named, {name: one for name, one in BOTH.items() if name in expression}
    )
    for _ in range(2):
        with pytest.raises(ClientError) as error:
            update(table, expression, names, values)
        assert error.value.response["Error"]["Code"] == "ValidationException"
        assert message in error.value.response["Error"]["Message"]

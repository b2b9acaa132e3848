"""DynamoDB's writes as AWS makes them: one at a time, transactions whole and once per token.

moto's threads would interleave a condition and its write, a transaction copies whole tables, and a
query walks over them and sorts them.
"""

import copy
import hashlib
import json
import threading
from typing import Any

import clock
from patching import Refusal, method_of

# So long a repeated transaction is known by its token.
REMEMBERED = 600
# Where a query's arguments after the hash key name the index.
INDEX_NAME = 6
_lock = threading.RLock()
_done: dict[tuple[str, str, str], tuple[str, float]] = {}


def install() -> None:
    """Puts the changes in place."""
    from moto.core.responses import ActionResult
    from moto.dynamodb.models import DynamoDBBackend
    from moto.dynamodb.models.table import Table
    from moto.dynamodb.responses import DynamoHandler

    call_action = DynamoHandler.call_action

    def alone(self: Any) -> Any:
        with _lock:
            return call_action(self)

    DynamoHandler.call_action = alone
    _query_without_the_whole_table(DynamoDBBackend, Table)
    DynamoDBBackend.transact_write_items = transact
    respond = DynamoHandler.transact_write_items

    @method_of(DynamoHandler)
    def transact_write_items(self: Any) -> Any:
        token = self.body.get("ClientRequestToken")
        if not token:
            return respond(self)
        items = json.dumps(self.body["TransactItems"], sort_keys=True, default=repr)
        digest = hashlib.sha256(items.encode()).hexdigest()
        key = (self.current_account, self.region, token)
        before, when = _done.get(key, ("", 0.0))
        if before and clock.now() - when < REMEMBERED:
            if before != digest:
                message = "The parameters of the idempotent request have changed."
                raise Refusal("IdempotentParameterMismatchException", message)
            return ActionResult({})
        answer = respond(self)
        _done[key] = (digest, clock.now())
        return answer


def _query_without_the_whole_table(backend: Any, table: Any) -> None:
    """A query looks only at items that can be in its answer; it sorts what it finds by itself."""
    query, all_items = table.query, table.all_items
    put_item, update_item = table.put_item, backend.update_item
    # Calls come one at a time.
    candidates: list[list[Any]] = []

    def queried(self: Any, hash_key: Any, *rest: Any, **more: Any) -> Any:
        if not self.range_key_attr:
            return query(self, hash_key, *rest, **more)
        index = rest[INDEX_NAME] if len(rest) > INDEX_NAME else more.get("index_name")
        if index:
            candidates.append(_holders(self, _partition_key(self, index)))
        else:
            candidates.append(list(self.items.get(hash_key, {}).values()))
        try:
            return query(self, hash_key, *rest, **more)
        finally:
            candidates.pop()

    def put(self: Any, *arguments: Any, **named: Any) -> Any:
        return _noted(self, put_item(self, *arguments, **named))

    def updated(self: Any, table_name: str, *arguments: Any, **named: Any) -> Any:
        item = update_item(self, table_name, *arguments, **named)
        return _noted(self.get_table(table_name), item)

    table.query = queried
    table.all_items = lambda self: candidates[-1] if candidates else all_items(self)
    table.put_item = put
    backend.update_item = updated


def _holders(table: Any, key: str) -> list[Any]:
    """The items that have an attribute: few, as our indexes are sparse and most of a table is not
    in them. Places are remembered from the first query on; one that no longer has it is forgotten.
    """
    places = vars(table).setdefault("landfall_holders", {})
    if key not in places:
        everything = [item for one in table.items.values() for item in one.values()]
        places[key] = dict.fromkeys(_place_of(item) for item in everything if key in item.attrs)
    held = {}
    for hash_value, range_value in places[key]:
        item = table.items.get(hash_value, {}).get(range_value)
        if item is not None and key in item.attrs:
            held[hash_value, range_value] = item
    places[key] = dict.fromkeys(held)
    return list(held.values())


def _noted(table: Any, item: Any) -> Any:
    """The item, once its place is remembered for each index that it may be in."""
    for key, places in vars(table).get("landfall_holders", {}).items():
        if key in item.attrs:
            places[_place_of(item)] = None
    return item


def _place_of(item: Any) -> tuple[Any, Any]:
    return item.hash_key, item.range_key


def _partition_key(table: Any, index: str | None) -> str:
    """The attribute that an index is divided by; the table's own without an index."""
    schemas = [one.schema for one in table.all_indexes() if one.name == index]
    keys = [
        key["AttributeName"] for schema in schemas for key in schema if key["KeyType"] == "HASH"
    ]
    return str(keys[0] if keys else table.hash_key_attr)


def transact(self: Any, transact_items: list[dict[str, Any]]) -> None:
    """Checks every condition, then makes every write; a write that fails takes all back."""
    from moto.dynamodb.exceptions import (
        MultipleTransactionsException,
        TooManyTransactionsException,
        TransactionCanceledException,
        TransactWriteSingleOpException,
    )

    if len(transact_items) > 100:
        raise TooManyTransactionsException
    if any(len(item) != 1 for item in transact_items):
        raise TransactWriteSingleOpException
    operations = [next(iter(item.items())) for item in transact_items]
    places = [_place(self, kind, operation) for kind, operation in operations]
    names = [
        (table.name, str(hash_value), str(range_value)) for table, hash_value, range_value in places
    ]
    if len(set(names)) < len(names):
        raise MultipleTransactionsException
    reasons = [
        _refused(place, operation) for place, (_, operation) in zip(places, operations, strict=True)
    ]
    if any(code is not None for code, _, _ in reasons):
        raise TransactionCanceledException(reasons)
    kept = [(place, copy.deepcopy(place[0].get_item(*place[1:]))) for place in places]
    try:
        for kind, operation in operations:
            _write(self, kind, operation)
    except Exception:
        for place, item in kept:
            _put_back(place, item)
        raise


def _place(self: Any, kind: str, operation: dict[str, Any]) -> tuple[Any, Any, Any]:
    table = self.get_table(operation["TableName"])
    key = operation["Item"] if kind == "Put" else operation["Key"]
    return (table, *self.get_keys_value(table, key))


def _refused(place: tuple[Any, Any, Any], operation: dict[str, Any]) -> tuple[Any, Any, Any]:
    from moto.dynamodb.comparisons import get_filter_expression
    from moto.dynamodb.exceptions import ConditionalCheckFailed

    condition = operation.get("ConditionExpression")
    if condition is None:
        return None, None, None
    current = place[0].get_item(*place[1:])
    holds = get_filter_expression(
        condition,
        operation.get("ExpressionAttributeNames"),
        operation.get("ExpressionAttributeValues"),
    )
    if holds.expr(current):
        return None, None, None
    shown = operation.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD" and current
    item = current.to_json()["Attributes"] if shown else None
    return "ConditionalCheckFailed", str(ConditionalCheckFailed().message), item


def _write(self: Any, kind: str, operation: dict[str, Any]) -> None:
    table = operation["TableName"]
    if kind == "Put":
        self.put_item(table, operation["Item"])
    elif kind == "Delete":
        self.delete_item(table, operation["Key"])
    elif kind == "Update":
        self.update_item(
            table,
            operation["Key"],
            update_expression=operation["UpdateExpression"],
            expression_attribute_names=operation.get("ExpressionAttributeNames"),
            expression_attribute_values=operation.get("ExpressionAttributeValues"),
        )


def _put_back(place: tuple[Any, Any, Any], item: Any) -> None:
    table, hash_value, range_value = place
    if range_value is None:
        holder, name = table.items, hash_value
    else:
        holder, name = table.items[hash_value], range_value
    if item is None:
        holder.pop(name, None)
    else:
        holder[name] = item

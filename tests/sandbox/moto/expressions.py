"""Update expressions of DynamoDB: programs write the same few, and moto works each out every time.

Here each is parsed once, and what it says for itself is checked once; its nodes are told apart by
their types, and not each by each.
"""

from copy import deepcopy
from functools import cache, lru_cache
from typing import Any
from weakref import WeakKeyDictionary


def install() -> None:
    """Changes how moto reads update expressions, and nothing of what it answers."""
    from moto.dynamodb.parsing import validators
    from moto.dynamodb.parsing.ast_nodes import DepthFirstTraverser
    from moto.dynamodb.parsing.expressions import UpdateExpressionParser

    parsed = lru_cache(1024)(UpdateExpressionParser.make)
    UpdateExpressionParser.make = staticmethod(parsed)
    DepthFirstTraverser.traverse = _traverse
    # What is parsed is copied before it is changed.
    validators.deepcopy = lambda value: _copy(value) if _is_node(type(value)) else deepcopy(value)
    _checked_once(validators)


@cache
def _is_node(kind: type) -> bool:
    from moto.dynamodb.parsing.ast_nodes import Node

    return issubclass(kind, Node)


@cache
def _sought(kinds: tuple[type, ...], kind: type) -> type | None:
    """The first of the kinds that a walk looks for to which a node's own belongs."""
    return next((one for one in kinds if issubclass(kind, one)), None)


def _copy(node: Any) -> Any:
    made = object.__new__(type(node))
    made.__dict__.update(node.__dict__)
    if node.children is not None:
        made.children = [_copy(one) if _is_node(type(one)) else one for one in node.children]
        for child in made.children:
            if _is_node(type(child)):
                child.parent = made
    return made


def _traverse(self: Any, root: Any) -> Any:
    """Walks to the leaves first, and puts what the walk makes of a node in its place."""
    steps = self._processing_map()
    kinds = tuple(steps)

    def walk(node: Any, place: int) -> Any:
        parent = node.parent
        for index, child in enumerate(node.children or ()):
            self.pre_processing_of_child(node, index)
            if _is_node(type(child)):
                walk(child, index)
        if kind := _sought(kinds, type(node)):
            node = steps[kind](node)
            node.parent = parent
            if parent:
                parent.children[place] = node
        return node

    return walk(root, -1)


def _checked_once(validators: Any) -> None:
    """Whether paths overlap or name a key is the expression's own, whatever item it is about."""
    of_its_own = (
        validators.ActionCountValidator,
        validators.OverlappingPathsValidator,
        validators.UpdateHashRangeKeyValidator,
    )
    # Names that each expression has passed with, and the keys of the table.
    passed: WeakKeyDictionary[Any, set[Any]] = WeakKeyDictionary()
    init = validators.UpdateExpressionValidator.__init__

    def begin(self: Any, expression: Any, *more: Any, **named: Any) -> None:
        init(self, expression, *more, **named)
        self.expression = expression

    def validate(self: Any) -> Any:
        names = frozenset((self.expression_attribute_names or {}).items())
        circumstances = names, tuple(self.table.table_key_attrs)
        known = passed.setdefault(self.expression, set())
        node = self.node_to_validate
        for processor in self.processors:
            if not (circumstances in known and isinstance(processor, of_its_own)):
                node = processor.traverse(node)
        known.add(circumstances)
        return node

    validators.UpdateExpressionValidator.__init__ = begin
    validators.UpdateExpressionValidator.validate = validate

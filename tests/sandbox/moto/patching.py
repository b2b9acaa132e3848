"""How the plug-in changes moto: methods replaced on classes, functions wherever imported."""

import sys
from collections.abc import Callable
from typing import Any

from moto.core.exceptions import ServiceException


def replace_everywhere(original: Any, replacement: Any, name: str) -> None:
    """Rebinds a function that moto's modules have imported by name."""
    for module in list(sys.modules.values()):
        of_moto = module is not None and module.__name__.startswith("moto")
        if of_moto and getattr(module, name, None) is original:
            setattr(module, name, replacement)


def method_of(owner: type) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Puts the decorated function in the place of the class's method of the same name."""

    def put(function: Callable[..., Any]) -> Callable[..., Any]:
        setattr(owner, function.__name__, function)
        return function

    return put


class Refusal(ServiceException):
    """An error in the words of AWS: code, message, and where it has them reason and status."""

    def __init__(self, code: str, message: str, status: int = 0, **members: Any) -> None:
        super().__init__(code, message)
        self.status = status
        for name, value in members.items():
            setattr(self, name, value)

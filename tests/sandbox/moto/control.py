"""The plug-in's own endpoints, `/landfall/...`, called by the gateway and by tests only."""

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs

import accounts
import buses
import clock
import iam_facts
import outbox
import particulars
import principals
import seed
from settings import SETTINGS


def _clock(_: dict[str, str], __: Any) -> Any:
    return {"epoch": clock.now(), "speed": clock.SPEED}


def _events(_: dict[str, str], __: Any) -> Any:
    return list(outbox.KEPT)


def _mailbox(query: dict[str, str], _: Any) -> Any:
    return particulars.mailbox(query.get("address"))


def _principal(query: dict[str, str], _: Any) -> Any:
    return iam_facts.principal(query["key"])


def _role(query: dict[str, str], _: Any) -> Any:
    return iam_facts.role(query["arn"])


def _policy(query: dict[str, str], _: Any) -> Any:
    return principals.managed_document(query["account"], query["arn"])


def _tags(query: dict[str, str], _: Any) -> Any:
    account = accounts.register.by_id.get(query["account"])
    return None if account is None else account.tags


def _letter(_: dict[str, str], body: Any) -> Any:
    return buses.leave(body["queue"], body["text"], body["attributes"])


def _deployment(query: dict[str, str], _: Any) -> Any:
    return iam_facts.deployment(int(query.get("known", -1)))


def _settings(_: dict[str, str], __: Any) -> Any:
    return SETTINGS.document()


def _set(_: dict[str, str], body: Any) -> Any:
    SETTINGS.update(body or {})
    return SETTINGS.document()


def _seed(_: dict[str, str], body: Any) -> Any:
    return seed.seed(body or {})


ROUTES: dict[tuple[str, str], Callable[[dict[str, str], Any], Any]] = {
    ("GET", "clock"): _clock,
    ("GET", "events"): _events,
    ("GET", "mailbox"): _mailbox,
    ("GET", "principal"): _principal,
    ("GET", "role"): _role,
    ("GET", "policy"): _policy,
    ("GET", "tags"): _tags,
    ("GET", "deployment"): _deployment,
    ("GET", "config"): _settings,
    ("POST", "config"): _set,
    ("POST", "seed"): _seed,
    ("POST", "letter"): _letter,
}


def answer(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    """Serves one request; 404 for what is not there or not known, 400 with the reason."""
    name = environ["PATH_INFO"].removeprefix("/landfall/").strip("/")
    route = ROUTES.get((environ["REQUEST_METHOD"], name))
    status, result = "404 Not Found", None
    if route is not None:
        query = {key: values[0] for key, values in parse_qs(environ["QUERY_STRING"]).items()}
        length = int(environ.get("CONTENT_LENGTH") or 0)
        try:
            body = json.loads(environ["wsgi.input"].read(length)) if length else None
            result = route(query, body)
            status = "200 OK" if result is not None else status
        except (KeyError, ValueError, TypeError) as error:
            status, result = "400 Bad Request", {"error": f"{type(error).__name__}: {error}"}
    text = json.dumps(result, default=str).encode()
    headers = [("Content-Type", "application/json"), ("Content-Length", str(len(text)))]
    start_response(status, headers)
    return [text]

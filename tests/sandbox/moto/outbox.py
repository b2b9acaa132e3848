"""Events that AWS services would put on an account's default bus, handed to the gateway.

The gateway (`LANDFALL_GATEWAY`, or whatever listens on `MOTO_PORT`) delivers them by the deployed
rules, and delays, doubles or loses them as configured. All are kept, at `GET /landfall/events`.
"""

import datetime
import http.client
import json
import os
import queue
import sys
import threading
import uuid
from collections import deque
from typing import Any
from urllib.parse import urlsplit

import clock

KEPT: deque[dict[str, Any]] = deque(maxlen=5000)
GATEWAY = ""
_pending: queue.Queue[dict[str, Any]]
_sender: threading.Thread | None
_starting: threading.Lock


def begin() -> None:
    """Tells the environment's gateway, if there is one, what comes from now on."""
    global GATEWAY, _pending, _sender, _starting
    port = os.environ.get("MOTO_PORT")
    GATEWAY = os.environ.get("LANDFALL_GATEWAY") or (f"http://127.0.0.1:{port}" if port else "")
    _pending, _sender, _starting = queue.Queue(), None, threading.Lock()


begin()


def emit(
    account: str,
    region: str,
    source: str,
    detail_type: str,
    detail: dict[str, Any],
    resources: list[str] | None = None,
) -> None:
    """Puts one event into the account's and Region's outbox."""
    event = {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": detail_type,
        "source": source,
        "account": account,
        "time": clock.iso(),
        "region": region,
        "resources": resources or [],
        "detail": detail,
    }
    message = {"account": account, "region": region, "event": event}
    KEPT.append(message)
    if GATEWAY:
        _start()
        _pending.put(message)


def service_event(account: str, region: str, service: str, name: str, details: Any) -> None:
    """What CloudTrail reports when a service finished something by itself."""
    detail = _trail(account, region, service, name) | {
        "userIdentity": {"accountId": account, "invokedBy": "AWS Internal"},
        "sourceIPAddress": "AWS Internal",
        "userAgent": "AWS Internal",
        "requestParameters": None,
        "eventType": "AwsServiceEvent",
        "serviceEventDetails": details,
    }
    emit(account, region, f"aws.{service}", "AWS Service Event via CloudTrail", detail)


def api_event(
    account: str,
    region: str,
    service: str,
    name: str,
    identity: dict[str, Any],
    parameters: Any,
    response: Any = None,
) -> None:
    """What CloudTrail reports when a principal made a writing call that succeeded."""
    detail = _trail(account, region, service, name) | {
        "userIdentity": identity,
        "sourceIPAddress": "192.0.2.10",
        "userAgent": "aws-sdk-rust/1.x",
        "requestParameters": parameters,
        "responseElements": response,
        "requestID": str(uuid.uuid4()),
        "eventType": "AwsApiCall",
    }
    emit(account, region, f"aws.{service}", "AWS API Call via CloudTrail", detail)


def spoken_time(epoch: float) -> str:
    """The timestamp form inside `serviceEventDetails`, made for people."""
    stamp = datetime.datetime.fromtimestamp(epoch, datetime.UTC)
    return stamp.strftime("%b %-d, %Y %-I:%M:%S %p")


def _trail(account: str, region: str, service: str, name: str) -> dict[str, Any]:
    return {
        "eventVersion": "1.08",
        "eventTime": clock.iso(),
        "eventSource": f"{service}.amazonaws.com",
        "eventName": name,
        "awsRegion": region,
        "responseElements": None,
        "eventID": str(uuid.uuid4()),
        "readOnly": False,
        "managementEvent": True,
        "recipientAccountId": account,
        "eventCategory": "Management",
    }


def _start() -> None:
    global _sender
    with _starting:
        if _sender is None:
            _sender = threading.Thread(target=_send, daemon=True, name="outbox")
            _sender.start()


def _send() -> None:
    address = urlsplit(GATEWAY)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=10)
    while True:
        message = json.dumps(_pending.get())
        for attempt in range(2):
            try:
                headers = {"Content-Type": "application/json"}
                connection.request("POST", "/_landfall/events", message, headers)
                connection.getresponse().read()
                break
            except (OSError, http.client.HTTPException) as error:
                connection.close()
                if attempt:
                    print(f"outbox: event not handed over: {error}", file=sys.stderr, flush=True)

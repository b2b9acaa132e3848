"""EventBridge keeps rules and takes events here; the gateway matches and delivers them.

What people or programs put themselves goes to queues from here, at once.
"""

import copy
from typing import Any

from patching import method_of


def install() -> None:
    """Changes moto's event buses."""
    from moto.events import models

    send = models.Rule.send_to_targets

    @method_of(models.Rule)
    def send_to_targets(self: Any, event: Any, *_: Any, **__: Any) -> None:
        """The gateway does it, but for queues."""
        queues = [one for one in self.targets if _takes(self, one["Arn"])]
        if queues:
            rule = copy.copy(self)
            rule.targets = queues
            send(rule, event)

    put_events = models.EventsBackend.put_events

    def guarded(self: Any, events: list[dict[str, Any]]) -> list[dict[str, Any]]:
        # Only AWS's own services speak in their names.
        refused = {
            "ErrorCode": "NotAuthorizedForSourceException",
            "ErrorMessage": "Not authorized for the source.",
        }
        entries = put_events(self, events)
        return [
            refused if str(event.get("Source", "")).lower().startswith("aws.") else entry
            for event, entry in zip(events, entries, strict=True)
        ]

    models.EventsBackend.put_events = guarded
    _queues()


def _queues() -> None:
    """Two who delete or send at once do not undo each other."""
    from moto.sqs.models import Queue

    delete = Queue.delete_message

    @method_of(Queue)
    def delete_message(self: Any, receipt_handle: str) -> None:
        with self._messages_lock:
            delete(self, receipt_handle)


def leave(arn: str, text: str, attributes: dict[str, str]) -> dict[str, str] | None:
    """Puts a letter into a queue, whose policy the gateway has asked; none if there is no queue."""
    from moto.sqs.models import sqs_backends

    _, _, _, region, account, name = arn.split(":", 5)
    backend = sqs_backends[account][region]
    if name not in backend.queues:
        return None
    said = {key: {"DataType": "String", "StringValue": one} for key, one in attributes.items()}
    return {"id": backend.send_message(name, text, message_attributes=said).id}


def _takes(rule: Any, arn: str) -> bool:
    """Whether it is a queue whose policy lets EventBridge send to it."""
    from moto.sqs.models import sqs_backends

    _, _, service, region, account, name = arn.split(":", 5)
    if service != "sqs" or not rule.state.startswith("ENABLED"):
        return False
    queue = sqs_backends[account][region].queues.get(name)
    return queue is not None and "events.amazonaws.com" in str(queue.policy)

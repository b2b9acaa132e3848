"""EventBridge keeps rules and takes events here; the gateway matches and delivers them."""

from typing import Any

from patching import method_of


def install() -> None:
    """Changes moto's event buses."""
    from moto.events import models

    @method_of(models.Rule)
    def send_to_targets(self: Any, *_: Any, **__: Any) -> None:
        """The gateway does it."""

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

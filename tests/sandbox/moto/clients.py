"""Clients that this process makes of itself and of the gateway: one at a time, from one session."""

import threading
from typing import Any

_making = threading.Lock()


def make(service: str, region: str, endpoint: str, key: str, **config: Any) -> Any:
    """A boto3 client; boto3's session must not be used by two threads at once."""
    import boto3
    from botocore.config import Config

    with _making:
        return boto3.client(
            service,
            region_name=region,
            endpoint_url=endpoint,
            aws_access_key_id=key,
            aws_secret_access_key="sandbox",
            config=Config(
                parameter_validation=False,
                retries={"total_max_attempts": 1},
                # Otherwise every call spells out what this machine runs.
                user_agent="sandbox",
                **config,
            ),
        )

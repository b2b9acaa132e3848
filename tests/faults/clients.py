"""boto3's clients, whoever they work for: what is read about a service is read once."""

from threading import Lock
from typing import Any

import boto3
from botocore.config import Config

_session = boto3.session.Session()
# A session makes one client at a time.
_making = Lock()


def client(endpoint: str, service: str, region: str, keys: dict[str, str], **config: Any) -> Any:
    """A client of a sandbox, with the keys that the sandbox gave."""
    with _making:
        return _session.client(
            service,
            region_name=region,
            endpoint_url=endpoint,
            aws_access_key_id=keys["accessKeyId"],
            aws_secret_access_key=keys["secretAccessKey"],
            aws_session_token=keys["sessionToken"],
            config=Config(**config),
        )

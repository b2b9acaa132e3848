"""Somebody with credentials: calls AWS with boto3 and the AWS CLI, and Landfall as users do."""

import json
import os
import subprocess
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from tests.faults import clients
from tests.faults.wishes import ROOT
from tests.faults.world import HOME, World

BIN = ROOT / ".venv/bin"


@dataclass(frozen=True)
class Answer:
    """What Landfall's API answered."""

    status: int
    headers: dict[str, str]
    body: Any


@dataclass(frozen=True)
class User:
    """A principal of one of the organization's accounts."""

    world: World
    keys: dict[str, str]

    @classmethod
    def administrator(cls, world: World, account: str) -> "User":
        """Whoever set the account up: IAM is not asked about them."""
        return cls(world, world.keys(account))

    @classmethod
    def role(cls, world: World, account: str, role: str) -> "User":
        """A session of a role, as the service that the role is for gets it."""
        return cls(world, world.control("POST", "credentials", {"account": account, "role": role}))

    def client(self, service: str, region: str = HOME) -> Any:
        """A boto3 client that asks once."""
        once = {"total_max_attempts": 1}
        return clients.client(self.world.endpoint, service, region, self.keys, retries=once)

    def assume(self, arn: str, **more: Any) -> "User":
        """A session of another role."""
        sts = self.client("sts")
        found = sts.assume_role(RoleArn=arn, RoleSessionName="acceptance", **more)["Credentials"]
        return User(
            self.world,
            {
                "accessKeyId": found["AccessKeyId"],
                "secretAccessKey": found["SecretAccessKey"],
                "sessionToken": found["SessionToken"],
            },
        )

    @cached_property
    def environment(self) -> dict[str, str]:
        """What a shell needs to be this user."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "LANDFALL_"))}
        return {
            **kept,
            "PATH": f"{ROOT}/target/debug:{BIN}:{kept['PATH']}",
            "AWS_ENDPOINT_URL": self.world.endpoint,
            "AWS_REGION": HOME,
            "AWS_DEFAULT_REGION": HOME,
            "AWS_ACCESS_KEY_ID": self.keys["accessKeyId"],
            "AWS_SECRET_ACCESS_KEY": self.keys["secretAccessKey"],
            "AWS_SESSION_TOKEN": self.keys["sessionToken"],
            "LANDFALL_API": self.world.endpoint,
        }

    def landfall(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Runs our command in the project's folder."""
        return subprocess.run(
            ["landfall", *arguments],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )

    def aws(self, *arguments: str) -> Any:
        """What the AWS CLI prints."""
        command = [str(BIN / "aws"), *arguments, "--output", "json"]
        done = subprocess.run(
            command, env=self.environment, capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout) if done.stdout.strip() else None

    def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        headers: dict[str, str] | None = None,
        signed: bool = True,
    ) -> Answer:
        """One request to Landfall's API; a body that is text goes as it is."""
        data = None
        if body is not None:
            data = (body if isinstance(body, str) else json.dumps(body)).encode()
        request = AWSRequest(
            method,
            f"{self.world.endpoint}{path}",
            headers={"Content-Type": "application/json", **(headers or {})},
            data=data,
        )
        if signed:
            credentials = Credentials(
                self.keys["accessKeyId"], self.keys["secretAccessKey"], self.keys["sessionToken"]
            )
            SigV4Auth(credentials, "execute-api", HOME).add_auth(request)
        sent = urllib.request.Request(request.url, data, dict(request.headers), method=method)
        try:
            with urllib.request.urlopen(sent, timeout=60) as answer:
                return Answer(answer.status, lower(answer.headers), read(answer.read()))
        except urllib.error.HTTPError as error:
            return Answer(error.code, lower(error.headers), read(error.read()))

    def insist(self, method: str, path: str, body: Any = None) -> Answer:
        """Asks as a patient client does: again where Landfall says that AWS was too busy."""
        for _ in range(20):
            answer = self.ask(method, path, body)
            if answer.status != 503:
                break
            self.world.sleep(float(answer.headers["retry-after"]))
        return answer


def lower(headers: Any) -> dict[str, str]:
    """Headers by their lower-case names."""
    return {name.lower(): value for name, value in headers.items()}


def read(text: bytes) -> Any:
    """JSON where it is JSON."""
    try:
        return json.loads(text or b"null")
    except ValueError:
        return text.decode(errors="replace")


def refusal(call: Callable[[], Any]) -> str | None:
    """The code with which AWS refuses a call; none if it does not."""
    try:
        call()
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    return None

"""A sandbox of one's own: started, deployed, configured, wished to, looked at, ended."""

import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterable
from threading import Lock
from typing import Any

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from tests.faults import clients, wishes
from tests.faults.wishes import ROOT, Tenant

HOME = "eu-central-1"
MANAGEMENT = "111111111111"
AUTOMATION = "123456789012"
SEEDED = {MANAGEMENT, AUTOMATION, "222222222222", "333333333333"}
LEDGER = "landfall-ledger"
MACHINE = "landfall-replicate-tenant"
# The part of a tenant's row that is about its runs.
RUN: dict[str, Any] = {
    "ConsistentRead": True,
    "ProjectionExpression": "id, phase, run, running, failed, waiting",
}
# Virtual seconds in a real one while nobody works.
SPEED = 200.0
# The same while a function or moto works.
WORKING_SPEED = 8.0
# An AWS in which nothing varies: no stale reads, every latency the same.
QUIET = {
    "assignmentSeconds": 3,
    "closureLatencySeconds": 30,
    "creationLatencySeconds": 8,
    "readinessSeconds": 0,
    "stackSetSeconds": 20,
    "enrolmentSeconds": 30,
}


# Arguments with which something else is deployed than by others.
DEPLOYED_OTHERWISE = ("--binaries", "--no-deploy")


class World:
    """One AWS Organization with Landfall in it, on a free port of this machine.

    The first one of a process is deployed into, and all others begin as copies of it: a deployment
    takes more of a machine than most tests.
    """

    _model: str | None = None
    _starting = Lock()

    def __init__(
        self,
        seed: int,
        speed: float = SPEED,
        working_speed: float = WORKING_SPEED,
        quiet: bool = False,
        arguments: Iterable[str] = (),
    ) -> None:
        self.seed, self.speed, self.quiet = seed, speed, quiet
        self.errors = tempfile.TemporaryFile(mode="w+")  # noqa: SIM115 (ends with the sandbox)
        command = [str(ROOT / "target/debug/landfall-sandbox")]
        command += ["--seed", str(seed), "--speed", str(speed)]
        command += ["--working-speed", str(working_speed)]
        command += ["--moto-python", sys.executable, "--parent-pid", str(os.getpid())]
        command += ["--consistent"] if quiet else []
        arguments = list(arguments)
        if any(one in DEPLOYED_OTHERWISE for one in arguments):
            self.endpoint = self._start([*command, *arguments])["endpoint"]
        else:
            self.endpoint = self._start_alike([*command, *arguments])
        self._keys: dict[str, dict[str, str]] = {}
        self._clients: dict[tuple[str, str, str], Any] = {}
        self._lock = Lock()
        self.configure(accountQuota=100_000, **(QUIET if quiet else {}))

    def _start(self, command: list[str]) -> dict[str, Any]:
        """Starts the sandbox, and answers what it says of itself."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith("AWS_")}
        self.process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=kept,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.errors,
            text=True,
        )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"the sandbox did not start:\n{self.said()}")
        return dict(json.loads(line))

    def _start_alike(self, command: list[str]) -> str:
        """Starts a sandbox that is like all others of this process; its endpoint."""
        with World._starting:
            if World._model is None:
                started = self._start([*command, "--keep-model"])
                World._model = started["model"]
                return str(started["endpoint"])
        return str(self._start([*command, "--model", World._model])["endpoint"])

    def __enter__(self) -> "World":
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def end(self) -> None:
        """Ends the sandbox with everything in it."""
        if self.process.poll() is None:
            try:
                self.control("POST", "shutdown", {})
                self.process.wait(timeout=5)
            except (OSError, subprocess.TimeoutExpired):
                self.process.kill()
                self.process.wait()
        self.errors.close()

    def said(self) -> str:
        """What the sandbox said on standard error."""
        self.errors.seek(0)
        return self.errors.read()[-4000:]

    def control(self, method: str, path: str, body: Any = None) -> Any:
        """The sandbox's own API."""
        return json.loads(self._ask(method, f"_landfall/{path}", body))

    def configure(self, **settings: Any) -> None:
        """Changes how AWS behaves."""
        self._ask("POST", "landfall/config", settings)

    def mailbox(self, address: str) -> list[str]:
        """The codes that AWS mailed to an address, the latest last."""
        asked = urllib.parse.urlencode({"address": address})
        mails = json.loads(self._ask("GET", f"landfall/mailbox?{asked}"))
        return [mail["code"] for mail in mails]

    def _ask(self, method: str, path: str, body: Any = None) -> bytes:
        data = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(f"{self.endpoint}/{path}", data, headers, method=method)
        with urllib.request.urlopen(request, timeout=120) as answer:
            return answer.read()

    def now(self) -> float:
        """Virtual seconds since the epoch."""
        return float(self.control("GET", "clock")["epoch"])

    def leap(self, seconds: float) -> None:
        """Lets virtual time be so much later at once; keys may be too old then."""
        self.control("POST", "clock", {"leap": seconds})
        with self._lock:
            self._keys, self._clients = {}, {}

    def sleep(self, seconds: float) -> None:
        """Waits virtual seconds."""
        end = self.now() + seconds
        while (left := end - self.now()) > 0:
            time.sleep(max(left / self.speed, 0.005))

    def log(self, since: int = 0) -> list[dict[str, Any]]:
        """The calls after a position of the log."""
        lines = self._ask("GET", f"_landfall/log?since={since}").splitlines()
        return [json.loads(line) for line in lines]

    def fault(self, **rule: Any) -> int:
        """Sets a fault, and answers with its id."""
        return int(self.control("POST", "faults", rule)["id"])

    def mend(self, fault: int) -> None:
        """Takes a fault away."""
        self.control("DELETE", f"faults/{fault}")

    def hits(self) -> dict[int, int]:
        """How often each fault was met."""
        return {fault["id"]: fault["hits"] for fault in self.control("GET", "faults")}

    def keys(self, account: str) -> dict[str, str]:
        """Keys of an administrator of an account."""
        with self._lock:
            if account not in self._keys:
                answer = self.control("POST", "credentials", {"account": account})
                self._keys[account] = answer
            return self._keys[account]

    def client(self, service: str, account: str, region: str = HOME) -> Any:
        """A boto3 client of an account's administrator, whose calls nobody judges or breaks."""
        keys = self.keys(account)
        with self._lock:
            if (service, account, region) not in self._clients:
                self._clients[service, account, region] = clients.client(
                    self.endpoint,
                    service,
                    region,
                    keys,
                    retries={"total_max_attempts": 3},
                    max_pool_connections=20,
                )
            return self._clients[service, account, region]

    def ask(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """One request to Landfall's HTTP API, signed as any client signs it."""
        keys = self.keys(AUTOMATION)
        credentials = Credentials(
            keys["accessKeyId"], keys["secretAccessKey"], keys["sessionToken"]
        )
        data = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json"}
        signed = AWSRequest(method, f"{self.endpoint}{path}", headers=headers, data=data)
        SigV4Auth(credentials, "execute-api", HOME).add_auth(signed)
        request = urllib.request.Request(signed.url, data, dict(signed.headers), method=method)
        try:
            with urllib.request.urlopen(request, timeout=120) as answer:
                return answer.status, json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as error:
            text = error.read()
            try:
                return error.code, json.loads(text)
            except ValueError:
                return error.code, text.decode(errors="replace")

    def insist(self, method: str, path: str, body: Any = None) -> Any:
        """Asks as a patient client does: again after an error that is not its own."""
        for _ in range(20):
            status, answer = self.ask(method, path, body)
            if status < 400:
                return answer
            if status < 429:
                break
            self.sleep(2)
        raise AssertionError(f"{method} {path}: {status} {answer}")

    def found(self) -> None:
        """Applies the platform and the landing zones."""
        self.insist("PUT", "/platforms/aws", wishes.platform())
        for zone in wishes.landing_zones():
            self.insist("PUT", f"/landing-zones/{zone['metadata']['name']}", zone)

    def wish(self, tenant: Tenant) -> None:
        """Applies a tenant."""
        self.insist("PUT", tenant.path, tenant.document)

    def change(self, tenant: Tenant) -> None:
        """Applies a tenant with other tags."""
        self.insist("PUT", tenant.path, tenant.changed)

    def remove(self, tenant: Tenant) -> None:
        """Wishes that a tenant be no more."""
        self.insist("DELETE", tenant.path)

    def replicate(self, tenant: Tenant) -> None:
        """Asks for another run of a tenant."""
        self.insist("POST", f"{tenant.path}/replications", {})

    def rows(self, tenants: Iterable[Tenant]) -> dict[str, dict[str, Any]]:
        """What the ledger's rows of the tenants say of their runs, by id."""
        table = self.client("dynamodb", AUTOMATION)
        ids = [tenant.id for tenant in tenants]
        found: dict[str, dict[str, Any]] = {}
        for start in range(0, len(ids), 100):
            keys = [
                {"pk": {"S": f"TENANT#{one}"}, "sk": {"S": "TENANT"}}
                for one in ids[start : start + 100]
            ]
            answer = table.batch_get_item(RequestItems={LEDGER: {"Keys": keys, **RUN}})
            for item in answer["Responses"][LEDGER]:
                row = {name: plain(value) for name, value in item.items()}
                found[row["id"]] = row
        return found

    def make_due(self, tenant: Tenant) -> None:
        """Lets the time of the tenant's next run come."""
        self.client("dynamodb", AUTOMATION).update_item(
            TableName=LEDGER,
            Key={"pk": {"S": f"TENANT#{tenant.id}"}, "sk": {"S": "TENANT"}},
            UpdateExpression="SET nextRun = :long_ago, due = :due",
            ExpressionAttributeValues={
                ":long_ago": {"S": "2020-01-01T00:00:00Z"},
                ":due": {"S": "due"},
            },
        )

    def until(
        self, question: Callable[[], Any], hours: float = 6, pause: float | None = None
    ) -> Any:
        """Asks until the answer is true, for some virtual hours at most; else the last answer.

        Asking takes time from what is waited for: the longer it takes, the less often it is asked.
        """
        began, end = time.monotonic(), self.now() + hours * 3600
        while not (answer := question()) and self.now() < end:
            patience = (time.monotonic() - began) / 10
            time.sleep(min(max(patience, 0.05), 0.5) if pause is None else pause)
        return answer


def plain(value: dict[str, Any]) -> Any:
    """An attribute of DynamoDB as plain data."""
    (kind, inner), *_ = value.items()
    if kind == "M":
        return {name: plain(one) for name, one in inner.items()}
    if kind == "L":
        return [plain(one) for one in inner]
    if kind == "N":
        return float(inner) if "." in inner else int(inner)
    return None if kind == "NULL" else inner

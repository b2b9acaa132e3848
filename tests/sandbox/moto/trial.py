"""A server of one's own for a test: started on a free port, ended with the test session."""

import json
import os
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

HOME = "eu-central-1"
MANAGEMENT = "111111111111"
AUTOMATION = "123456789012"
SECURITY = "333333333333"
SPEED = 100.0
HERE = Path(__file__).parent

Function = Callable[[Any], tuple[int, dict[str, str], Any]]


class Sandbox:
    """moto with the plug-in, and a stand-in for the gateway that runs Python functions."""

    def __init__(self, speed: float = SPEED, seed: int = 1) -> None:
        self.functions: dict[str, Function] = {}
        self.calls: list[tuple[str, str]] = []
        self.gateway = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        threading.Thread(target=self.gateway.serve_forever, daemon=True).start()
        environment = {
            **os.environ,
            "LANDFALL_SPEED": str(speed),
            "LANDFALL_SEED": str(seed),
            "MOTO_PORT": str(self.gateway.server_port),
        }
        environment.pop("LANDFALL_GATEWAY", None)
        command = [sys.executable, str(HERE / "serve.py")]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, env=environment)
        assert self.process.stdout is not None
        self.port = json.loads(self.process.stdout.readline())["port"]
        self.speed = speed
        self.keys: dict[tuple[str, str], dict[str, str]] = {}
        self.post("seed", {})

    def end(self) -> None:
        """Ends what was started."""
        self.process.kill()
        self.process.wait()
        self.gateway.shutdown()

    def get(self, path: str) -> Any:
        """One of the plug-in's own endpoints."""
        return self._own("GET", path, None)

    def post(self, path: str, body: Any) -> Any:
        """One of the plug-in's own endpoints."""
        return self._own("POST", path, body)

    def configure(self, **settings: Any) -> None:
        """Changes how AWS behaves."""
        self.post("config", settings)

    def _own(self, method: str, path: str, body: Any) -> Any:
        url = f"http://127.0.0.1:{self.port}/landfall/{path}"
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(url, data, method=method)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.loads(answer.read())

    def client(
        self,
        service: str,
        account: str = AUTOMATION,
        region: str = HOME,
        role: str = "sandbox-operator",
        via: Any = None,
    ) -> Any:
        """A boto3 client that works in an account."""
        if (account, role) not in self.keys or via is not None:
            sts = via or self._client("sts", region, {"AccessKeyId": "gateway"})
            arn = f"arn:aws:iam::{account}:role/{role}"
            answer = sts.assume_role(RoleArn=arn, RoleSessionName="test")
            self.keys[account, role] = answer["Credentials"]
        return self._client(service, region, self.keys[account, role])

    def _client(self, service: str, region: str, keys: dict[str, str], **config: Any) -> Any:
        return boto3.client(
            service,
            region_name=region,
            endpoint_url=f"http://127.0.0.1:{self.port}",
            aws_access_key_id=keys["AccessKeyId"],
            aws_secret_access_key=keys.get("SecretAccessKey", "none"),
            aws_session_token=keys.get("SessionToken"),
            config=Config(retries={"total_max_attempts": 1}, **config),
        )

    def events(self, name: str) -> list[dict[str, Any]]:
        """The events of this name (or detail-type) so far."""
        return [
            kept["event"]
            for kept in self.get("events")
            if name in (kept["event"]["detail"].get("eventName"), kept["event"]["detail-type"])
        ]

    def until(self, question: Callable[[], Any], seconds: float = 20) -> Any:
        """Asks until the answer is true."""
        end = time.time() + seconds
        while time.time() < end:
            if answer := question():
                return answer
            time.sleep(0.01)
        raise AssertionError(f"not true within {seconds} s")

    def new_account(self, email: str, **more: Any) -> str:
        """A member account, created as anyone would."""
        organizations = self.client("organizations", MANAGEMENT, "us-east-1")
        request = {"Email": email, "AccountName": email.split("@")[0], **more}
        status = organizations.create_account(**request)["CreateAccountStatus"]

        def done() -> Any:
            answer = organizations.describe_create_account_status(
                CreateAccountRequestId=status["Id"]
            )["CreateAccountStatus"]
            return answer if answer["State"] != "IN_PROGRESS" else None

        return str(self.until(done)["AccountId"])

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        sandbox = self

        class Gateway(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                key = self.headers.get("Authorization", "").split("Credential=")[-1].split("/")[0]
                if self.path == "/_landfall/events":
                    self._answer(200, {}, b"{}")
                    return
                sandbox.calls.append((key, self.path))
                if "/functions/" in self.path:
                    name = self.path.split("/functions/")[1].split("/")[0]
                    name = urllib.request.unquote(name).split(":function:")[-1]
                    status, headers, answer = sandbox.functions[name](json.loads(body or b"{}"))
                    self._answer(status, headers, json.dumps(answer).encode())
                    return
                url = f"http://127.0.0.1:{sandbox.port}{self.path}"
                headers = {k: v for k, v in self.headers.items() if k.lower() != "host"}
                request = urllib.request.Request(url, body, headers, method="POST")
                try:
                    answer = urllib.request.urlopen(request, timeout=60)
                except urllib.error.HTTPError as error:
                    answer = error  # type: ignore[assignment]
                self._answer(answer.status, dict(answer.headers), answer.read())

            def _answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
                self.send_response(status)
                for name, value in headers.items():
                    if name.lower() not in ("content-length", "connection", "date", "server"):
                        self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                pass

        return Gateway

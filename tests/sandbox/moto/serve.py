"""Starts moto's server with our plug-in: the semantics of AWS that moto lacks.

    serve.py --port PORT    (0 takes a free one; the first line on standard output names it)

It ends when its parent process does. `MOTO_PORT` is the endpoint that the Step Functions
interpreter calls: the gateway's port, or by default this server's own.
"""

import argparse
import gc
import io
import json
import os
import socket
import sys
import threading
import traceback
import warnings
from typing import Any

os.environ.setdefault("MOTO_DISABLE_GLOBAL_CORS", "1")

import clock

clock.install()

from moto.core.request import Request
from moto.moto_server import werkzeug_app
from werkzeug.datastructures import Headers
from werkzeug.exceptions import HTTPException
from werkzeug.http import HTTP_STATUS_CODES
from werkzeug.serving import make_server

import control
import copies
import plugin


class Asked(Request):
    """A request that came over the wire."""

    from_wsgi_server = True


class Application:
    """A service's application. What comes to its root, as most calls do, is answered directly."""

    def __init__(self, service: str) -> None:
        # Without what helps people who write one; its defects are raised.
        self._by_address = werkzeug_app.create_backend_app(service)
        self._by_address.debug = False
        self._by_address.config["PROPAGATE_EXCEPTIONS"] = True
        roots = [one.endpoint for one in self._by_address.url_map.iter_rules() if one.rule == "/"]
        self._roots = [self._by_address.view_functions[one].callback for one in roots]

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        if environ["PATH_INFO"] != "/" or not self._roots:
            return self._by_address(environ, start_response)
        request = Asked(environ)
        try:
            answer = self._roots[0](request, request.raw_url, dict(request.headers))
        except HTTPException as refusal:
            return refusal.get_response(environ)(environ, start_response)
        status, headers, content = answer if len(answer) == 3 else (200, {}, answer)
        headers = Headers(headers)
        headers.setdefault("Content-Type", "text/html; charset=utf-8")
        start_response(f"{status} {HTTP_STATUS_CODES[int(status)]}", headers.to_wsgi_list())
        return [content.encode() if isinstance(content, str) else content]


class Dispatcher(werkzeug_app.DomainDispatcherApplication):
    """Finds a request's service without trying every address pattern every time."""

    def __init__(self) -> None:
        super().__init__(Application)
        self._backends: dict[str, Any] = {}

    def get_backend_for_host(self, host: str | None) -> Any:
        if host not in self._backends:
            backend = super().get_backend_for_host(host)
            if backend is not None and backend not in plugin.LIGHT:
                plugin.install_heavy()
            self._backends[host] = backend
        return self._backends[host]

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        path = environ.get("PATH_INFO", "")
        if path == "/landfall/copy":
            return control.answer(environ, start_response)
        with copies.DOOR.entered():
            if path.startswith(("/landfall/", "/_landfall/")):
                return control.answer(environ, start_response)
            return super().__call__(environ, start_response)


APP = Dispatcher()


class Handler(werkzeug_app.MotoRequestHandler):
    """Keeps connections open, answers in one packet, and keeps no access log."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = 65536

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        pass

    def handle_expect_100(self) -> bool:
        self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        self.wfile.flush()
        return True

    def run_wsgi(self) -> None:
        self.environ = environ = self.make_environ()
        if "chunked" in self.headers.get("Transfer-Encoding", ""):
            body = environ["wsgi.input"].read()
        else:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        environ["wsgi.input"] = io.BytesIO(body)
        environ["wsgi.input_terminated"] = True
        environ["CONTENT_LENGTH"] = str(len(body))
        answer: list[Any] = []
        try:
            chunks = self.server.app(environ, lambda *start, **_: answer.extend(start[:2]))
            content = b"".join(chunks)
        except Exception:
            traceback.print_exc()
            answer = ["500 Internal Server Error", [("Content-Type", "text/plain")]]
            content = b"InternalFailure"
        self._send(answer[0], answer[1], content)

    def _send(self, status: str, headers: list[tuple[str, str]], content: bytes) -> None:
        code, _, reason = status.partition(" ")
        self.send_response(int(code), reason)
        for name, value in headers:
            if name.lower() not in ("content-length", "connection", "transfer-encoding"):
                self.send_header(name, value)
        empty = self.command == "HEAD" or code in ("204", "304")
        length = next((v for k, v in headers if k.lower() == "content-length"), None)
        self.send_header("Content-Length", length if empty and length else str(len(content)))
        self.end_headers()
        if not empty:
            self.wfile.write(content)
        self.wfile.flush()


def serve(listening: socket.socket) -> None:
    """Serves at a socket for ever."""
    host, port = listening.getsockname()
    server = make_server(
        host, port, APP, threaded=True, request_handler=Handler, fd=listening.fileno()
    )
    server.daemon_threads = True
    server.serve_forever()


def main() -> None:
    """Serves until the parent ends."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-p", "--port", type=int, default=0)
    parser.add_argument("-H", "--host", default="127.0.0.1")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    parent = os.getppid()
    copies.end_with(lambda: os.getppid() == parent)
    # Requests wait for each other's turns: short ones, since most of the work is short.
    sys.setswitchinterval(0.0005)
    listening = copies.listen(arguments.host, arguments.port)
    port = copies.port_of(listening)
    control.ROUTES["POST", "copy"] = lambda _, body: copies.copy(body, serve)
    os.environ.setdefault("MOTO_PORT", str(port))
    os.environ["LANDFALL_MOTO_PORT"] = str(port)
    os.environ.setdefault("AWS_DEFAULT_REGION", "eu-central-1")
    plugin.install()
    # What is here stays; of what comes later little is ever freed, and looking for it takes long.
    gc.freeze()
    gc.set_threshold(50_000, 20, 200)
    print(json.dumps({"ready": True, "port": port}), flush=True)
    threading.Thread(target=plugin.warm, daemon=True, name="warm").start()
    try:
        serve(listening)
    except KeyboardInterrupt:
        sys.exit(0)


if __name__ == "__main__":
    main()

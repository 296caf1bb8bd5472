"""Draw a digit in the browser, and see while drawing what a LeNet in NumPy makes of it, layer by layer.

    python scripts/draw.py
    python scripts/draw.py --port 8001 --weights runs/FOLDER/numpy.npz

It prints an address, which only this machine can open. The page, scripts/draw.html, sends what is drawn and shows the
answer; nothing is loaded from elsewhere and nothing is kept. Ctrl-C ends it.

    GET  /         the page
    POST /predict  280x280 bytes, row by row, from 0, nothing, to 255, ink. The answer is JSON: "digit" and the ten
                   "probabilities"; "look", what the network sees, 28x28; and "layers", each with a "name", a "size"
                   in words, a "shape" and "values" of 0 to 255

Another request is answered by a sentence, with status 400 or 404. The exit code is 0 after Ctrl-C, or 2 for a wrong
flag, weights that cannot be used or a port that is taken.

Needs NumPy alone. The weights lie in scripts/weights; --weights takes others, of a LeNet that train_mnist.py trained.
"""

from __future__ import annotations

import argparse
import json
import signal
import socket
import sys
from collections.abc import Sequence
from contextlib import suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # so that a fresh clone will do, nothing installed

import numpy as np
from feature_maps import Stage, stages
from mnist_look import as_mnist
from trained_lenet import WEIGHTS, network_input, trained_lenet

import numpycnn as nc

HOST = "127.0.0.1"  # nobody else can reach it
SIDE = 280  # of the picture that the page sends
MOST = 64  # pieces of at most 64 KB that are taken in after an answer
PAGE = Path(__file__).resolve().with_name("draw.html")
POLICY = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:; connect-src 'self'"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the page; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=8000, help="0 takes any that is free (default: 8000)")
    parser.add_argument("--weights", type=Path, metavar="FILE", default=WEIGHTS, help="of a LeNet of your own")
    flags = parser.parse_args(argv)
    try:
        server = Server(trained_lenet(flags.weights), flags.port)
    except (OSError, OverflowError) as error:
        parser.error(f"cannot listen on port {flags.port}: {error}; take another: --port 0")
    except ValueError as error:
        parser.error(str(error))
    with server:
        print(f"Draw a digit: {server.address}\nCtrl-C ends it.", flush=True)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            print()
    return 0


def answer(model: nc.Layer, drawn: bytes) -> dict[str, Any]:
    """Return what the network makes of a picture, as the page takes it.

    Raises
    ------
    ValueError
        If nothing is drawn.
    """
    look = as_mnist(np.frombuffer(drawn, np.uint8).reshape(SIDE, SIDE))
    layers = stages(model, network_input(look))
    chances = nc.Softmax(0)(layers[-1].output)
    return {
        "digit": int(chances.argmax()),
        "probabilities": chances.tolist(),
        "look": Stage("", look).brightness.ravel().tolist(),
        "layers": [
            {
                "name": layer.name,
                "size": layer.size,
                "shape": layer.output.shape,
                "values": layer.brightness.ravel().tolist(),
            }
            for layer in layers
        ],
    }


class Server(ThreadingHTTPServer):
    """A network that answers on a port of this machine: under ``no_grad`` one model serves many threads."""

    def __init__(self, model: nc.Layer, port: int):
        super().__init__((HOST, port), Handler)
        self.model = model
        self.address = f"http://{HOST}:{self.server_port}/"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of a browser that went away before its answer came."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class Handler(BaseHTTPRequestHandler):
    """One request."""

    server: Server
    timeout = 10  # seconds for a request to come in
    default_request_version = "HTTP/1.0"  # of one that says none; that of the base class would get no status

    def do_GET(self) -> None:
        """Send the page."""
        if self.for_us("/"):
            self.reply(HTTPStatus.OK, "text/html", PAGE.read_bytes())

    def do_POST(self) -> None:
        """Read a picture, and say what the network makes of it."""
        if not self.for_us("/predict"):
            return
        length, told = SIDE * SIDE, self.headers.get("Content-Length", "none")
        body = self.rfile.read(length) if told == str(length) else b""  # never more, whatever is told
        if len(body) != length:
            words = f"expected {length} bytes, one a pixel, got {len(body)} after a Content-Length of {told[:20]}"
            return self.send_error(HTTPStatus.BAD_REQUEST, words)
        try:
            found = answer(self.server.model, body)
        except ValueError as error:
            return self.send_error(HTTPStatus.BAD_REQUEST, str(error))
        self.reply(HTTPStatus.OK, "application/json", json.dumps(found).encode())

    def finish(self) -> None:
        """Take in what is still being sent, within reason: a link closed over it would lose the answer."""
        with suppress(OSError):
            self.wfile.flush()
            self.connection.shutdown(socket.SHUT_WR)
            for _ in range(MOST):
                if not self.connection.recv(1 << 16):
                    break
        super().finish()

    def for_us(self, path: str) -> bool:
        """Tell whether a request is for this path; and for this machine by name, lest another's page leads here."""
        hosts = [f"{name}:{self.server.server_port}" for name in (HOST, "localhost")]
        if self.headers.get("Host") not in hosts:
            self.send_error(HTTPStatus.BAD_REQUEST, f"expected the address {self.server.address}, got another host's")
        elif self.path != path:
            self.send_error(
                HTTPStatus.NOT_FOUND, f"expected GET / or POST /predict, got {self.command} of another path"
            )
        else:
            return True
        return False

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Answer by a sentence; what the standard library finds malformed comes through here too."""
        self.reply(code, "text/plain", f"{message or HTTPStatus(code).description}\n".encode())

    def reply(self, code: int, kind: str, body: bytes) -> None:
        """Send an answer."""
        self.send_response(code)
        headers = {"Content-Type": f"{kind}; charset=utf-8", "Content-Length": len(body), "Cache-Control": "no-store"}
        headers |= {"Content-Security-Policy": POLICY, "X-Content-Type-Options": "nosniff"}
        for name, value in headers.items():
            self.send_header(name, str(value))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Say nothing of requests: there are dozens a second."""


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)  # which a shell that starts it with & has taken away
    sys.exit(main())

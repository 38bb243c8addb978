"""TLS in front of a PostgreSQL that was built without it, as a connection pooler has it."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_SSL_REQUEST = bytes.fromhex("00000008 04d2162f")  # PostgreSQL's protocol, 53.2.10


@contextmanager
def tls_front(server: Path, certificate: Path) -> Iterator[int]:
    """The port on 127.0.0.1 that leads to the server's socket, for clients that ask for TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate / "server.crt", certificate / "server.key")
    with socket.create_server(("127.0.0.1", 0)) as listening:
        arguments = (listening, server, context)
        threading.Thread(target=_accept, args=arguments, daemon=True).start()
        yield listening.getsockname()[1]


def _accept(listening: socket.socket, server: Path, context: ssl.SSLContext) -> None:
    with suppress(OSError):  # the port was closed
        while True:
            client, _ = listening.accept()
            threading.Thread(target=_serve, args=(client, server, context), daemon=True).start()


def _serve(client: socket.socket, server: Path, context: ssl.SSLContext) -> None:
    with client, suppress(OSError):
        if client.recv(8) != _SSL_REQUEST:
            return
        client.sendall(b"S")
        with (
            context.wrap_socket(client, server_side=True) as secure,
            socket.socket(socket.AF_UNIX) as inner,
        ):
            inner.connect(str(server))
            back = threading.Thread(target=_pump, args=(inner, secure), daemon=True)
            back.start()
            _pump(secure, inner)
            back.join()


def _pump(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65_536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)

"""Who relays: each a process of its own that says its port, or takes the one that it is given.

A contender is a line in ``CONTENDERS``: what it is, and, where it isn't always there, what it needs.
"""

from __future__ import annotations

import contextlib
import shutil
import socket
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from importlib.util import find_spec
from pathlib import Path

from .processes import Running, process, python

PATIENCE = 20.0  #: seconds until a process has to be there

Contender = Callable[[str], contextlib.AbstractContextManager[Running]]  #: given the provider's URL

NGINX = """
daemon off;
master_process off;
worker_processes 1;
pid {folder}/pid;
error_log stderr error;
events {{ worker_connections 16384; }}
http {{
    access_log off;
    client_body_temp_path {folder};
    proxy_temp_path {folder};
    fastcgi_temp_path {folder};
    uwsgi_temp_path {folder};
    scgi_temp_path {folder};
    server {{
        listen 127.0.0.1:{port} backlog=1024;
        location / {{
            proxy_pass {upstream};
            proxy_http_version 1.1;
            proxy_buffering off;
            proxy_read_timeout 1h;
        }}
    }}
}}
"""


def nginx_command() -> str | None:
    """Where nginx is; Debian keeps it where not everyone's PATH looks."""
    return shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")


@contextlib.contextmanager
def nginx(upstream: str) -> Iterator[Running]:
    """Copies bytes and does nothing else: one worker, ``proxy_buffering off``."""
    with tempfile.TemporaryDirectory() as folder:
        port = free_port()
        config = Path(folder, "nginx.conf")
        config.write_text(NGINX.format(folder=folder, port=port, upstream=upstream), "utf-8")
        with process([nginx_command() or "nginx", "-p", folder, "-c", str(config)]) as running:
            wait_for(port)
            yield running, port


def program(*arguments: str) -> Contender:
    """``python -m`` these arguments and the provider's URL."""
    return lambda upstream: python("-m", *arguments, upstream)


def relay(binding: str, module: str = "sse_relay") -> Contender:
    """The relay as ``sse-relay serve`` runs it."""
    return program(module, "serve", "--port", "0", "--binding", binding, "--upstream")


#: ``copy`` is the floor of what is written in Python.
CONTENDERS: dict[str, Contender] = {
    "nginx": nginx,
    "copy": program("load.relay_copy"),
    "socket": relay("socket"),
    "uvloop": relay("asyncio"),
    "asyncio": relay("asyncio", "load.relay_asyncio"),
    "trio": relay("trio"),
    "starlette": program("load.relay_starlette", "starlette"),
    "fastapi": program("load.relay_starlette", "fastapi"),
    "aiohttp": program("load.relay_aiohttp"),
}

NEEDS: dict[str, Callable[[], object]] = {
    "nginx": nginx_command,
    "uvloop": partial(find_spec, "uvloop"),
    "starlette": partial(find_spec, "sse_starlette"),
    "fastapi": partial(find_spec, "fastapi"),
    "aiohttp": partial(find_spec, "aiohttp"),
}


def is_here(name: str) -> bool:
    """Whether what this contender needs is installed."""
    return name not in NEEDS or bool(NEEDS[name]())


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


def wait_for(port: int) -> None:
    """Wait until somebody listens on the port."""
    end = time.monotonic() + PATIENCE
    while True:
        with contextlib.suppress(ConnectionRefusedError):
            return socket.create_connection(("127.0.0.1", port)).close()
        if time.monotonic() > end:
            raise RuntimeError(f"nobody listens on port {port}")
        time.sleep(0.02)

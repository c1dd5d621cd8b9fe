"""Who relays: each a process of its own that says its port, or takes the one that it is given."""

from __future__ import annotations

import contextlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

HERE = Path(__file__).parent
PATIENCE = 20.0  #: seconds until a process has to be there

Running = tuple[subprocess.Popen[str], int]  #: a process, and the port on which it listens
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


@contextlib.contextmanager
def process(command: Sequence[str]) -> Iterator[subprocess.Popen[str]]:
    """A process, killed at the end.  What it says of each stream is nobody's business here."""
    quiet = subprocess.DEVNULL
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=quiet, text=True) as running:  # noqa: S603
        try:
            yield running
        finally:
            running.kill()


@contextlib.contextmanager
def python(*arguments: str) -> Iterator[Running]:
    """A Python process, and the port that is the last thing in its first line."""
    with process([sys.executable, *arguments]) as running:
        found = re.search(r"(\d+)/?$", next(iter(running.stdout or ()), "").strip())
        if found is None:
            raise RuntimeError(f"{' '.join(arguments)} did not start")
        yield running, int(found[1])


def provider(rate: float) -> contextlib.AbstractContextManager[Running]:
    """The simulated provider, with so many events a second for each stream."""
    return python(str(HERE / "relay_provider.py"), str(rate))


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


def starlette(upstream: str) -> contextlib.AbstractContextManager[Running]:
    """Starlette, sse-starlette and httpx-sse on uvicorn, with uvloop and httptools."""
    return python(str(HERE / "relay_starlette.py"), upstream)


def ours(upstream: str, binding: str) -> contextlib.AbstractContextManager[Running]:
    """The relay, as ``sse-relay serve --binding`` runs it."""
    return python("-m", "sse_relay", "serve", "--port", "0", "--upstream", upstream, "--binding", binding)


CONTENDERS: dict[str, Contender] = {
    "nginx": nginx,
    "socket": partial(ours, binding="socket"),
    "trio": partial(ours, binding="trio"),
    "starlette": starlette,
}


def nginx_command() -> str | None:
    """Where nginx is; Debian keeps it where not everyone's PATH looks."""
    return shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")


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

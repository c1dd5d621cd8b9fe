"""Through nginx as it is installed: its buffering is on, and the relay's own headers switch it off."""

from __future__ import annotations

import os
import shutil
import socket
import statistics
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing
from itertools import islice, pairwise
from pathlib import Path

import pytest

from tests.relay.e2e.conftest import house
from tests.relay.e2e.support import House, wait_for

__all__ = ["house"]

NGINX = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
pytestmark = pytest.mark.skipif(NGINX is None, reason="nginx is not installed; `make test` tries to")

# proxy_buffering is not mentioned: the default is "on".
CONFIGURATION = """
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 256; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    gzip on;
    gzip_types *;
    server {{
        listen 127.0.0.1:{port};
        location / {{ proxy_pass {upstream}; proxy_set_header Host localhost; {more} }}
    }}
}}
"""


@pytest.fixture(params=["", "proxy_http_version 1.1;"], ids=["HTTP/1.0", "HTTP/1.1"])
def behind_nginx(request: pytest.FixtureRequest, house: House, tmp_path: Path) -> Iterator[str]:
    """The address of an nginx before the relay, by the protocol that it speaks to it."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    file = tmp_path / "nginx.conf"
    file.write_text(
        CONFIGURATION.format(folder=tmp_path, port=port, upstream=house.relay, more=request.param)
    )
    assert NGINX
    with subprocess.Popen([NGINX, "-c", str(file), "-e", str(tmp_path / "error.log")]) as nginx:
        try:
            wait_for(lambda: is_listening(port))
            yield f"http://127.0.0.1:{port}"
        finally:
            nginx.terminate()


def is_listening(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_events_come_one_by_one(house: House, behind_nginx: str) -> None:
    with closing(house.ask(base=behind_nginx, Sim_Tokens="30", Sim_Rate="40", Sim_TTFT="0")) as answer:
        moments = [moment for moment, _ in answer.visible()]
    assert len(moments) == 30
    gaps = [later - earlier for earlier, later in pairwise(moments)]
    assert 0.015 < statistics.median(gaps) < 0.035


def test_a_client_that_vanishes_is_noticed_through_it(house: House, behind_nginx: str) -> None:
    answer = house.ask(base=behind_nginx, Sim_Tokens="10000", Sim_TTFT="0")
    list(islice(answer.visible(), 5))
    assert house.newest()["state"] == "running"
    began = time.monotonic()
    answer.close()
    assert wait_for(lambda: house.newest()["state"] == "aborted", 2)
    assert time.monotonic() - began < 0.5

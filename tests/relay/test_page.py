"""The page's files as replies: all of them and nothing else, and a policy that lets nothing else run."""

from __future__ import annotations

import re
from pathlib import Path

import sse_relay
from sse_relay.page import load_page

WEB = Path(sse_relay.__file__).parent / "web"
SERVED = {".html", ".css", ".js", ".svg"}


def test_every_file_of_the_page_is_there() -> None:
    files = {
        f"/static/{path.relative_to(WEB).as_posix()}" for path in WEB.rglob("*") if path.suffix in SERVED
    }
    assert set(load_page()) == {"/", *files}
    assert "/static/main.js" in files


def test_each_is_served_as_what_it_is() -> None:
    page = load_page()
    for path, reply in page.items():
        assert reply.status == 200
        kind = reply.headers.get("content-type") or ""
        assert kind.startswith({"js": "text/javascript", "css": "text/css"}.get(path.rpartition(".")[2], ""))
        assert reply.headers.get("x-content-type-options") == "nosniff"
    assert page["/"] == page["/static/index.html"]
    assert page["/"].headers.get("content-type") == "text/html; charset=utf-8"


def test_nothing_but_its_own_files_may_run() -> None:
    for reply in load_page().values():
        policy = reply.headers.get("content-security-policy") or ""
        assert "default-src 'none'" in policy
        assert "script-src 'self';" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy


def test_the_page_needs_no_script_or_style_of_its_own_text() -> None:
    """What the policy forbids would silently not work."""
    html = load_page()["/"].body.decode()
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=|javascript:", html)
    assert not re.search(r"""(src|href)=["']?(https?:)?//""", html)

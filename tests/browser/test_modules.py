"""The page's modules that need no document, tested under node; and what must hold of their sources."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).parent
WEB = HERE.parents[1] / "sse_relay" / "web"
MODULE_TESTS = sorted(HERE.glob("*.test.mjs"))


@pytest.mark.parametrize("path", MODULE_TESTS, ids=lambda path: path.name)
def test_modules_under_node(path: Path) -> None:
    """Each file of module tests passes, by node's own test runner."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is missing; install nodejs 18 or newer")
    run = subprocess.run([node, "--test", path], check=False, capture_output=True, text=True, timeout=50)
    assert run.returncode == 0, run.stdout + run.stderr
    assert re.search(r"(?m)^\W*pass [1-9]", run.stdout), f"no test ran:\n{run.stdout}"


@pytest.mark.parametrize(
    "way",
    [
        "innerHTML",
        "outerHTML",
        "insertAdjacentHTML",
        "document.write",
        "DOMParser",
        "srcdoc",
        "eval(",
        "Function(",
    ],
)
def test_no_way_from_text_to_markup_or_code(way: str) -> None:
    """Nothing in the sources can turn a string into markup or code."""
    for path in sources():
        assert way not in path.read_text(encoding="utf-8"), path.name


def test_nothing_is_requested_from_other_servers() -> None:
    """Every URL in the sources is this server's own; the names of namespaces and specifications aside."""
    for path in sources():
        text = re.sub(r"(?m)^\s*\*.*$", "", path.read_text(encoding="utf-8"))  # comments may cite
        urls = set(re.findall(r"https?://[^\s\"')]+", text)) - {"http://www.w3.org/2000/svg"}
        assert not urls, f"{path.name}: {urls}"


def test_the_page_needs_no_leniency_of_its_security_policy() -> None:
    """No inline script, no inline style, no handler in an attribute: the policy forbids them all."""
    page = (WEB / "index.html").read_text(encoding="utf-8")
    assert not re.search(r"\sstyle=|\son[a-z]+=|<style|javascript:", page)
    assert re.findall(r"<script[^>]*>(.*?)</script>", page, re.DOTALL) == [""]


def test_each_module_is_short() -> None:
    """One idea each: no module grows beyond 400 lines."""
    for path in WEB.glob("*.js"):
        assert len(path.read_text(encoding="utf-8").splitlines()) < 400, path.name


def sources() -> list[Path]:
    """The page's own files."""
    found = [path for path in WEB.iterdir() if path.suffix in {".js", ".html", ".css"}]
    assert len(found) > 10, f"{WEB} has lost its files"
    return found

"""The ground: what is installed, under which names, and that a skip cannot hide under CI."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from importlib import metadata
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = {
    "sse_core": ROOT / "sse_core",
    "sse_http": ROOT / "bindings" / "sse_http",
    "sse_io": ROOT / "bindings" / "sse_io",
    "sse_anyio": ROOT / "bindings" / "sse_anyio",
    "sse_asgi": ROOT / "bindings" / "sse_asgi",
    "sse_socket": ROOT / "bindings" / "sse_socket",
    "sse_trio": ROOT / "bindings" / "sse_trio",
    "sse_relay": ROOT / "sse_relay",
}
WEB_SUFFIXES = {".html", ".css", ".js", ".svg"}


def run_python(*arguments: str, cwd: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run this interpreter in ``cwd`` and with ``environ`` added, and give back what it said."""
    env = {**os.environ, **environ}
    return subprocess.run(
        [sys.executable, *arguments], cwd=cwd, env=env, capture_output=True, text=True, check=False
    )


def importable(path: Path | None, cwd: Path) -> dict[str, bool]:
    """Say which names a fresh interpreter can import: from ``path`` only, or as things are installed."""
    script = (
        "import importlib.util, json, sys\n"
        "path, *names = sys.argv[1:]\n"
        "sys.path.extend(filter(None, [path]))\n"
        "print(json.dumps({name: importlib.util.find_spec(name) is not None for name in names}))"
    )
    # -S: no site-packages, so neither the editable install nor anything else is found there.
    options = ["-I"] if path is None else ["-I", "-S"]
    names = [*PACKAGES, "bindings", "tests"]
    result = run_python(*options, "-c", script, str(path or ""), *names, cwd=cwd)
    assert result.returncode == 0, result.stderr
    found: dict[str, bool] = json.loads(result.stdout)
    return found


ONLY_THE_PACKAGES = {**dict.fromkeys(PACKAGES, True), "bindings": False, "tests": False}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from a copy of the tree: a build leaves things behind."""
    tree = tmp_path_factory.mktemp("tree")
    for name in ("sse_core", "bindings", "sse_relay", "tests"):
        shutil.copytree(ROOT / name, tree / name, ignore=shutil.ignore_patterns("__pycache__"))
    for file in ROOT.iterdir():
        if file.suffix in {".toml", ".md"} or file.name == "LICENSE":
            shutil.copy(file, tree)
    script = "from setuptools import build_meta; build_meta.build_wheel('wheel')"
    (tree / "wheel").mkdir()
    result = run_python("-c", script, cwd=tree)
    assert result.returncode == 0, result.stderr
    (built,) = (tree / "wheel").glob("*.whl")
    return built


def test_the_installed_names_are_the_packages_and_no_others(tmp_path: Path) -> None:
    """As `make setup` installs it: editable, where a path entry would leak every folder beside them."""
    assert importable(None, tmp_path) == ONLY_THE_PACKAGES
    top_level = metadata.distribution("sse-core").read_text("top_level.txt")
    assert top_level is not None
    assert set(top_level.split()) == set(PACKAGES)


def test_the_wheel_has_the_packages_and_no_others(wheel: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "installed")
        top_level = {name.partition("/")[0] for name in archive.namelist()}
    assert {name for name in top_level if not name.endswith(".dist-info")} == set(PACKAGES)
    assert importable(tmp_path / "installed", tmp_path) == ONLY_THE_PACKAGES


def test_the_wheel_holds_every_module_type_marker_and_web_file(wheel: Path) -> None:
    expected = {
        f"{package}/{file.relative_to(folder).as_posix()}"
        for package, folder in PACKAGES.items()
        for file in folder.rglob("*")
        if file.suffix == ".py"
        or file.name == "py.typed"
        or (file.suffix in WEB_SUFFIXES and "web" in file.parts)
    }
    assert {f"{package}/py.typed" for package in PACKAGES} <= expected
    assert "sse_relay/web/index.html" in expected
    with zipfile.ZipFile(wheel) as archive:
        packed = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert packed == expected


def test_the_core_needs_no_other_distribution(wheel: Path, tmp_path: Path) -> None:
    """Every module of sse_core is imported where there is nothing but the standard library.

    But for the strategies for Hypothesis, which say that they need it.
    """
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path)
    script = (
        "import importlib, pkgutil, sys\n"
        "sys.path.append(sys.argv[1])\n"
        "import sse_core\n"
        "for module in pkgutil.walk_packages(sse_core.__path__, 'sse_core.'):\n"
        "    if module.name != 'sse_core.testing.strategies':\n"
        "        importlib.import_module(module.name)"
    )
    result = run_python("-I", "-S", "-c", script, str(tmp_path), cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    required = metadata.distribution("sse-core").requires or []
    assert [line for line in required if "extra ==" not in line] == []


#: Name of a test file: its code, what becomes of it under CI, and elsewhere.
SKIPS = {
    "test_call": ("def test_x(): pytest.skip('no nginx')", "FAILED", "SKIPPED"),
    "test_mark": ("@pytest.mark.skip(reason='later')\ndef test_x(): pass", "ERROR", "SKIPPED"),
    "test_file": ("pytest.skip('no chromium', allow_module_level=True)", "ERROR", "SKIPPED"),
    "test_import": ("pytest.importorskip('no_such_module')", "ERROR", "SKIPPED"),
    "test_shared_call": (
        "def test_x(): pytest.skip('shared folder missing: ../shared')",
        "SKIPPED",
        "SKIPPED",
    ),
    "test_shared_mark": (
        "@pytest.mark.skipif(True, reason='shared folder missing')\ndef test_x(): pass",
        "SKIPPED",
        "SKIPPED",
    ),
    "test_xfail": ("@pytest.mark.xfail(reason='known')\ndef test_x(): assert 0", "XFAIL", "XFAIL"),
}


@pytest.mark.parametrize("ci", [True, False])
def test_a_skip_under_ci_is_a_failure_unless_its_reason_is_allowed(tmp_path: Path, *, ci: bool) -> None:
    shutil.copy(ROOT / "tests" / "conftest.py", tmp_path)
    for name, (code, _, _) in SKIPS.items():
        (tmp_path / f"{name}.py").write_text(f"import pytest\n{code}\n")
    options = ["-rA", "--no-fold-skipped", "--continue-on-collection-errors"]
    environment = {"CI": "true" if ci else "", "PYTHONPATH": str(ROOT)}
    result = run_python("-m", "pytest", *options, cwd=tmp_path, **environment)
    summary = result.stdout.partition("short test summary info")[2]
    outcomes = {
        name: outcome for outcome, name in re.findall(r"^([A-Z]+) .*?\b(test_\w+)\.py", summary, re.MULTILINE)
    }
    assert outcomes == {name: case[1 if ci else 2] for name, case in SKIPS.items()}

"""The relay's pure part is all of it but what runs it: no module is left out of the contract by oversight."""

from __future__ import annotations

import tomllib
from pathlib import Path

import sse_relay

FOLDER = Path(sse_relay.__file__).parent
#: What finds clocks, randomness, files and sockets, and writes the log.
HOSTS = {
    "__main__",
    "cli",
    "listen",
    "log_lines",
    "page",
    "programs",
    "run_asyncio",
    "run_sockets",
    "run_trio",
}


def test_every_module_is_in_the_contract() -> None:
    settings = tomllib.loads((FOLDER.parent / "pyproject.toml").read_text("utf-8"))
    contracts = {each["id"]: each for each in settings["tool"]["importlinter"]["contracts"]}
    pure = {name.partition(".")[2] for name in contracts["pure"]["source_modules"] if "sse_relay" in name}
    modules = {
        path.stem for path in FOLDER.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()
    }
    assert pure == modules - HOSTS - {"__init__"}
    assert "logging" in contracts["pure"]["forbidden_modules"]

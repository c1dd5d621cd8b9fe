"""The decoders that `make conformance` tries: this project's own on each Python, and the peers."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from conformance.cases import ROOT

#: This project's decoder is tried on each of these that is here.
PYTHONS = ("python3.11", "python3.12", "python3.13", "python3.14")

ADAPTERS = (
    "for_httpx_sse.py",
    "for_httpx2.py",
    "for_sseclient_py.py",
    "for_launchdarkly.py",
    "for_openai.py",
    "for_anthropic.py",
    "for_assel.py",
)

#: What a reader of the table should know about a row, by the decoder's name.
NOTES = {
    "launchdarkly-eventsource": "Its reconnection time is read from `next_retry_delay`, which its "
    "documentation says a `retry` field overrides; in this version none does.",
    "openai": "No public interface shows events, so the decoder inside the SDK is called as the SDK "
    "calls it.",
    "eventsource-parser": "It is fed by a `TextDecoder`, as its README shows; the last event ID is what its "
    "`onId` was called with.",
    "sseclient-py": "It gives an event's own id and the text of a `retry` field, so the last event ID and "
    "the reconnection time are not offered.",
    "assel": "It gives an event's own id and retry, so the last event ID is not offered.",
}


def commands(environment: Path) -> list[list[str]]:
    """How each decoder is started, from the root of the checkout; the peers live in ``environment``."""
    adapters = Path("conformance", "adapters")
    ours = [[python, str(adapters / "for_sse_core.py")] for python in pythons()]
    python = environment / "bin" / "python"
    theirs = [[str(python), str(adapters / name)] for name in ADAPTERS]
    node = ["node", str(adapters / "for_eventsource_parser.mjs"), str(environment)]
    return [*ours, *theirs, node]


def pythons() -> list[str]:
    """The paths of the Pythons that are here, each once; at least the one that runs this."""
    found = []
    for name in PYTHONS:
        done = subprocess.run(  # noqa: S603  (a script of this project)
            [ROOT / "scripts" / "find-python", name], capture_output=True, text=True, check=False
        )
        found += done.stdout.split()
    return list(dict.fromkeys(found)) or [sys.executable]

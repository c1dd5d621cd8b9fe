"""Where inputs are kept: found ones in ``.fuzz-corpus``, a small selection in ``fuzz/seeds``.

The environment variable ``FUZZ_CORPUS`` puts the first elsewhere.  The selection is a text file for each
target, an input in base64 on each line.
"""

from __future__ import annotations

import base64
import hashlib
import itertools
import json
import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any

from .engine import WATCHED, target
from .script import script_of

ROOT = Path(__file__).resolve().parent.parent
FOUND = Path(os.environ.get("FUZZ_CORPUS", ROOT / ".fuzz-corpus"))
KEPT = ROOT / "fuzz" / "seeds"
VECTORS = ROOT / "tests" / "vectors"


def kept(name: str) -> list[bytes]:
    """The inputs that the repository has for a target."""
    path = KEPT / f"{name}.txt"
    return [base64.b64decode(line) for line in path.read_text().split()] if path.exists() else []


def seeds(name: str) -> list[bytes]:
    """What a target begins with: its own seeds, the kept inputs, and the conformance cases."""
    module = target(name)
    cases = [bytes(module.HEADER) + script for script in vectors()] if name.startswith("framing") else []
    return [*module.SEEDS, *kept(name), *(case for case in cases if len(case) <= module.MAX_LEN)]


def dictionary(name: str) -> Path:
    """The words that libFuzzer inserts on its own: those of a target that has some, or event streams'."""
    words = getattr(target(name), "WORDS", None)
    if words is None:
        return ROOT / "fuzz" / "framing.dict"
    path = FOUND / f"{name}.dict"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(word) + "\n" for word in words if word.isascii()))
    return path


def vectors() -> Iterator[bytes]:
    """The conformance cases' streams as scripts, each whole and at its own splits."""
    for path in sorted(VECTORS.glob("*.json")):
        for case in json.loads(path.read_bytes()).get("cases", []):
            stream = base64.b64decode(case["base64"])
            for split in [[], *case["splits"][:2]]:
                edges = [0, *split, len(stream)]
                chunks = [stream[start:end] for start, end in itertools.pairwise(edges)]
                yield script_of([("receive_data", chunk) for chunk in chunks])


def write(folder: Path, inputs: Iterable[bytes]) -> None:
    """Each input as a file, named after its hash as libFuzzer does."""
    folder.mkdir(parents=True, exist_ok=True)
    for data in inputs:
        (folder / hashlib.sha1(data, usedforsecurity=False).hexdigest()).write_bytes(data)


def arcs_of(name: str, data: bytes) -> set[tuple[int, int, int]]:
    """Which line of what is watched followed which, and how often: 1, 2, 3, 4 to 7, and so on."""
    folders = [name.replace(".", "/") for name in WATCHED]
    counts: dict[tuple[str, int, int], int] = {}
    last: dict[int, int] = {}

    def trace(frame: FrameType, event: str, _: object) -> Any:
        path = frame.f_code.co_filename
        if not any(folder in path.replace("\\", "/") for folder in folders):
            return None
        arc = (path, last.get(id(frame), 0) if event != "call" else 0, frame.f_lineno)
        counts[arc] = counts.get(arc, 0) + 1
        last[id(frame)] = frame.f_lineno
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        target(name).check(data)
    finally:
        sys.settrace(before)
    return {(hash(arc[0]), arc[1] << 16 | arc[2], count.bit_length()) for arc, count in counts.items()}


def keep(name: str) -> int:
    """Choose from all that was found the smallest inputs that together do what all of them do."""
    folder = FOUND / name
    inputs = {path.read_bytes() for path in folder.iterdir()} if folder.is_dir() else set()
    seen: set[tuple[int, int, int]] = set()
    chosen = []
    for data in sorted(inputs | set(kept(name)), key=lambda data: (len(data), data)):
        arcs = arcs_of(name, data)
        if arcs - seen:
            seen |= arcs
            chosen.append(data)
    KEPT.mkdir(exist_ok=True)
    (KEPT / f"{name}.txt").write_text("".join(base64.b64encode(data).decode() + "\n" for data in chosen))
    return len(chosen)

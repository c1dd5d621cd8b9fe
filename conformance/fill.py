"""Bring the files of ``tests/vectors`` into their one form: run it after a case was added or changed.

    python conformance/fill.py

A new case needs ``name``, ``rule``, ``reason``, ``text``, ``splits`` and ``expected``.  This adds the exact
bytes (``base64``) of its ``text``, and the sentence and the address of its ``rule``.  It never touches what
is expected: that is for whoever reads the specification.
"""

from __future__ import annotations

import base64
import json
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from conformance.cases import VECTORS, bytes_of_text, files

#: The keys of a case, in the order in which they are written.
KEYS = (
    "name",
    "rule",
    "sentence",
    "url",
    "reason",
    "note",
    "needs",
    "text",
    "base64",
    "splits",
    "initialLastEventId",
    "expected",
)


def rules(folder: Path = VECTORS) -> dict[str, dict[str, Any]]:
    """The specification's sentences, by the names that cases use for them."""
    content = json.loads((folder / "rules.json").read_text("utf-8"))
    return {rule["id"]: rule for rule in content["rules"]}


def filled(content: dict[str, Any], sentences: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """A file's content with each case complete.  Raises ``KeyError`` for a rule that is none."""
    cases = []
    for case in content["cases"]:
        rule = sentences[case["rule"]]
        exact = base64.b64encode(bytes_of_text(case["text"])).decode()
        whole = {**case, "sentence": rule["sentence"], "url": rule["url"], "base64": exact}
        cases.append({key: whole[key] for key in KEYS if key in whole})
    return {**content, "cases": cases}


def as_json(content: dict[str, Any]) -> str:
    """As the files are written: in ASCII, so that no character hides."""
    return json.dumps(content, indent=2) + "\n"


def main() -> None:
    """Fill all files."""
    sentences = rules()
    for path, content in files().items():
        path.write_text(as_json(filled(content, sentences)), "utf-8")


if __name__ == "__main__":
    main()

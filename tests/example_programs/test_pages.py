"""What pages show of the files in examples/ is what the files say, and each file is found from a page."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.example_programs.program import EXAMPLES, ROOT, shown

DOCS = ROOT / "docs"
EMBEDDING = (DOCS / "embedding.md").read_text("utf-8")
HOMES = sorted((EXAMPLES / "embedding").glob("*.py"))
CLIENTS = sorted((EXAMPLES / "clients").glob("*.py"))


def blocks_of(text: str) -> list[str]:
    return re.findall(r"```py(?:thon)?\n(.*?)```", text, re.DOTALL)


def link_to(file: Path) -> str:
    path = file.relative_to(ROOT).as_posix()
    return f"[`{path}`](../{path})"


@pytest.mark.parametrize("file", HOMES, ids=lambda file: file.stem)
def test_each_home_has_its_section_and_each_block_is_the_file_s(file: Path) -> None:
    (section,) = [part for part in EMBEDDING.split("\n## ") if link_to(file) in part]
    blocks = blocks_of(section)
    assert blocks
    assert [block for block in blocks if block not in file.read_text("utf-8")] == []


def test_what_all_of_them_stream_is_in_all_of_them() -> None:
    (block,) = blocks_of(EMBEDDING.partition("\n## ")[0])
    assert [file.stem for file in HOMES if block not in file.read_text("utf-8")] == ["flask_app"]


@pytest.mark.parametrize("file", CLIENTS, ids=lambda file: file.stem)
def test_the_pages_on_clients_link_and_show_them(file: Path) -> None:
    page = (DOCS / "iteration.md").read_text("utf-8")
    assert link_to(file) in page
    (block,) = blocks_of(page.partition(link_to(file))[2])[:1]
    assert block in file.read_text("utf-8")
    assert file.name in (DOCS / "asyncio.md").read_text("utf-8")


def test_the_page_on_bindings_shows_one_whole() -> None:
    page = (DOCS / "readiness-loop.md").read_text("utf-8")
    assert blocks_of(page) == [shown("own_binding.py")]


def test_each_example_is_found_from_a_page() -> None:
    pages = "".join(page.read_text("utf-8") for page in [*DOCS.rglob("*.md"), ROOT / "README.md"])
    names = [file.relative_to(ROOT).as_posix() for file in EXAMPLES.rglob("*.py")]
    assert len(names) > 15
    assert [name for name in names if f"{name})" not in pages] == []


@pytest.mark.parametrize(
    "name", ["embedding", "iteration", "readiness-loop", "tools", "providers", "asyncio"]
)
def test_the_readme_links_the_page(name: str) -> None:
    assert f"(docs/{name}.md)" in (ROOT / "README.md").read_text("utf-8")

"""Who calls a public name with several arguments finds each of them in its docstring, one a line."""

from __future__ import annotations

import dataclasses
import enum
import importlib
import inspect
import pkgutil
import re

import pytest

import sse_relay

PACKAGES = (
    "sse_core",
    "sse_core.framing",
    "sse_core.blocks",
    "sse_core.dialects",
    "sse_core.lifecycle",
    "sse_core.testing",
    "sse_core.testing.strategies",
    "sse_anyio",
    "sse_asgi",
    "sse_http",
    "sse_io",
    "sse_socket",
    "sse_trio",
)
#: The program has no list of public names: what its modules define counts, but for the commands, whose
#: arguments are described to who types them.
COMMANDS = "sse_relay.cli"
#: Above so many arguments each has a line; what every machine's method has needs none.
FEW = 2
KNOWN = {"now"}
#: ``connect`` and its like make these, and nobody else.
MADE_ELSEWHERE = {"EventStream", "TurnStream"}
NAME = re.compile(r"``(\w+)``")


def public() -> dict[str, object]:
    """Functions and classes that are called: fields and members have comments."""
    found: dict[str, object] = {}
    for package in PACKAGES:
        module = importlib.import_module(package)
        for name in module.__all__:
            thing = getattr(module, name)
            if inspect.isfunction(thing) or (inspect.isclass(thing) and is_called(thing)):
                found.setdefault(name, thing)
    found.update(of_the_program())
    return {name: thing for name, thing in found.items() if name not in MADE_ELSEWHERE}


def of_the_program() -> dict[str, object]:
    """The same of the relay, by module and name."""
    found: dict[str, object] = {}
    for info in pkgutil.walk_packages(sse_relay.__path__, "sse_relay."):
        if info.name.startswith(COMMANDS) or info.name.endswith("__main__"):
            continue
        for name, thing in vars(importlib.import_module(info.name)).items():
            if name.startswith("_") or getattr(thing, "__module__", None) != info.name:
                continue
            if inspect.isfunction(thing) or (inspect.isclass(thing) and is_called(thing)):
                found[f"{info.name}.{name}"] = thing
    return found


def is_called(thing: type) -> bool:
    """Whether arguments of this class's are described by its docstring."""
    return not (dataclasses.is_dataclass(thing) or issubclass(thing, enum.Enum | BaseException))


def listed(doc: str) -> set[str]:
    """The names that have a line of their own in a docstring's list; some lines have two."""
    lines = (line for line in doc.splitlines() if line.startswith("- ``"))
    return {name for line in lines for name in NAME.findall(line.partition(": ")[0])}


PUBLIC = public()


@pytest.mark.parametrize("name", PUBLIC)
def test_each_argument_has_its_line(name: str) -> None:
    """Where there are more than a few."""
    thing = PUBLIC[name]
    try:
        signature = inspect.signature(thing)  # type: ignore[arg-type]  # it is callable
    except ValueError:
        return  # one of C's
    wanted = set(signature.parameters) - KNOWN
    if len(wanted) > FEW:
        docs = [inspect.getdoc(one) or "" for one in (thing, owner_of_arguments(thing))]
        assert wanted - {name for doc in docs for name in listed(doc)} == set()


def owner_of_arguments(thing: object) -> object:
    """``thing``, or the class from which it inherits its arguments."""
    if not inspect.isclass(thing):
        return thing
    return next(base for base in thing.__mro__ if "__init__" in vars(base))


def test_the_check_finds_what_is_missing() -> None:
    """A list with one name, and one in prose."""
    assert listed("Do it.\n\n- ``one``, ``two``: both.\n\n``three`` is for ``four``.") == {"one", "two"}
    assert len(PUBLIC) > 50
    assert "sse_relay.relay.Relay" in PUBLIC

"""The flags that several commands have."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from . import flag_values

Host = Annotated[
    str, typer.Option(parser=flag_values.host, metavar="HOST", help="The name or address to listen on.")
]
Port = Annotated[int, typer.Option(min=0, max=65535, help="The port to listen on; 0 takes a free one.")]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Log at debug level.")]


class Binding(StrEnum):
    """What serves the program's connections: a module of this package for each."""

    TRIO = "trio"
    ASYNCIO = "asyncio"
    SOCKET = "socket"


BindingFlag = Annotated[
    Binding,
    typer.Option(
        "--binding",
        help="What serves the connections: trio, asyncio (on uvloop where it is), or plain sockets.",
    ),
]

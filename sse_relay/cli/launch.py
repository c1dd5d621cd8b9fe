"""Run a program from the command line: on which binding, its log, and its exit code."""

from __future__ import annotations

import logging

import typer

from ..listen import StartError
from ..programs import Program
from .flags import Binding


def launch(program: Program, *, binding: Binding, verbose: bool) -> None:
    """Run ``program`` to its end.

    - ``program``: see ``sse_relay.programs``.
    - ``binding``: what serves its connections; nothing else has to be installed.
    - ``verbose``: whether to log at debug level.

    Raises ``typer.Exit`` with the code: 0, 1 if it could not start, 130 if it was interrupted before it
    listened to signals itself.
    """
    logging.basicConfig(
        level=logging.DEBUG if verbose else logging.INFO,
        format="%(asctime)s %(levelname)s %(name)s %(message)s",
    )
    code = 0
    try:
        _run(program, binding)
    except StartError as error:
        typer.echo(f"sse-relay: {error}", err=True)
        code = 1
    except KeyboardInterrupt:
        code = 130
    raise typer.Exit(code)


def _run(program: Program, binding: Binding) -> None:
    # What the others need may not be there.
    if binding is Binding.SOCKET:
        from ..run_sockets import run  # noqa: PLC0415
    elif binding is Binding.ASYNCIO:
        from ..run_asyncio import run  # noqa: PLC0415
    else:
        from ..run_trio import run  # noqa: PLC0415
    run(program)

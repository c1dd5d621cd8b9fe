"""Run a program from the command line: its log, and its exit code."""

from __future__ import annotations

import logging

import trio
import typer

from ..listen import StartError
from ..programs import Program
from ..run_trio import run


def launch(program: Program, *, verbose: bool) -> None:
    """Run ``program`` to its end.

    Raises ``typer.Exit`` with the code: 0, 1 if it could not start, 130 if it was interrupted before it
    listened to signals itself.
    """
    logging.basicConfig(
        level=logging.DEBUG if verbose else logging.INFO,
        format="%(asctime)s %(levelname)s %(name)s %(message)s",
    )
    code = 0
    try:
        trio.run(run, program)
    except* StartError as errors:  # in a group, as a nursery was open
        typer.echo(f"sse-relay: {errors.exceptions[0]}", err=True)
        code = 1
    except* KeyboardInterrupt:
        code = 130
    raise typer.Exit(code)

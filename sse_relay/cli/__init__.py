"""The command line: ``sse-relay demo | serve | provider``, a module each."""

from __future__ import annotations

import typer

from . import demo, provider, serve

app: typer.Typer = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    # A stack trace with the values in it would show keys.
    pretty_exceptions_enable=False,
    help="""Relay a language model's stream: measured, stoppable, resumable.

    Example: [bold]sse-relay demo[/bold], then open http://127.0.0.1:8080/ in a browser.

    Example: [bold]sse-relay serve --help[/bold] says how to put it before a provider.
    """,
)
app.command()(demo.demo)
app.command()(serve.serve)
app.command()(provider.provider)

__all__ = ["app", "demo", "provider", "serve"]

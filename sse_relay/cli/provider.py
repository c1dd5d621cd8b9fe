"""``sse-relay provider``."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import typer

from ..listen import Listen
from ..programs import provider_program
from ..provider import Settings, SettingsError
from . import flag_values
from .flags import Binding, BindingFlag, Host, Port, Verbose
from .launch import launch


def provider(
    host: Host = "127.0.0.1",
    port: Port = 8081,
    tokens: Annotated[str, typer.Option(help="Tokens of text an answer.")] = "200",
    rate: Annotated[
        str | None, typer.Option(help="Tokens a second; 0 is as fast as it can; 50, if not set.")
    ] = None,
    ttft: Annotated[str, typer.Option(help="Seconds before the first token.")] = "0.5",
    thinking: Annotated[str, typer.Option(help="Seconds of thinking.")] = "0",
    tool: Annotated[bool, typer.Option(help="Call a tool after the text.")] = False,
    fault: Annotated[
        str | None, typer.Option(help="A fault, as 'cut-after=10' or 'status=429,retry-after=1,times=1'.")
    ] = None,
    replay: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="Answer with this recorded stream.")
    ] = None,
    api_key: Annotated[
        str | None, typer.Option(envvar="SSE_PROVIDER_API_KEY", help="A key that requests must show.")
    ] = None,
    binding: BindingFlag = Binding.TRIO,
    verbose: Verbose = False,
) -> None:
    """Run a simulated provider that speaks Anthropic's Messages API.

    Every flag can be set for one request by a header: Sim-Tokens, Sim-Rate, Sim-TTFT, Sim-Thinking,
    Sim-Tool, Sim-Fault.  Its record of every generation is at /sim/generations.

    Example: [bold]sse-relay provider --port 8081 --rate 20[/bold]
    """
    flags = {"tokens": tokens, "rate": rate, "TTFT": ttft, "thinking": thinking, "fault": fault}
    settings = Settings(tool=tool)
    for name, text in flags.items():
        if text is not None:
            settings = _with_flag(settings, name, text)
    recorded = flag_values.recording(replay) if replay else None
    program = provider_program(Listen(host, port), settings, api_key=api_key, replay=recorded)
    launch(program, binding=binding, verbose=verbose)


def _with_flag(settings: Settings, name: str, text: str) -> Settings:
    """``settings`` with one flag; an error has the flag's own name."""
    try:
        return settings.with_headers({f"Sim-{name}": text})
    except SettingsError as error:
        words = re.sub(r"^Sim-\w+: ", "", str(error), flags=re.IGNORECASE)
        raise typer.BadParameter(words, param_hint=f"--{name.lower()}") from None

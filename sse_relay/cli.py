"""The command line: ``sse-relay demo | serve | provider``."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated

import trio
import typer

from .config import RelayConfig
from .provider import Settings, SettingsError
from .run import Listen, StartError, run_demo, run_provider, run_relay

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    help="Relay a language model's stream: measured, stoppable, resumable.",
)

Host = Annotated[str, typer.Option(help="The address to listen on.")]
Port = Annotated[int, typer.Option(min=0, max=65535, help="The port to listen on; 0 takes a free one.")]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Log at debug level.")]


@app.command()
def demo(port: Port = 8080, verbose: Verbose = False) -> None:
    """Run a simulated provider, the relay and the page, on loopback.

    Example: [bold]sse-relay demo --port 8080[/bold], then open the address that it prints.
    """
    _set_up_logging(verbose=verbose)
    _run(lambda: run_demo(port))


@app.command()
def serve(
    upstream: Annotated[
        str, typer.Option(envvar="SSE_RELAY_UPSTREAM", help="The provider's base URL.")
    ] = "https://api.anthropic.com",
    api_key: Annotated[
        str | None,
        typer.Option(
            envvar="SSE_RELAY_API_KEY",
            show_envvar=True,
            help="The key for the provider; better by the environment, as flags can be seen by others. "
            "Without it the clients' own credentials are passed on.",
        ),
    ] = None,
    client_key: Annotated[
        list[str] | None,
        typer.Option(envvar="SSE_RELAY_CLIENT_KEYS", help="A key that clients must show; repeatable."),
    ] = None,
    host: Host = "127.0.0.1",
    port: Port = 8080,
    pass_header: Annotated[
        list[str] | None,
        typer.Option(help="A pattern of request headers to pass on, as 'Sim-*'; repeatable."),
    ] = None,
    allow_host: Annotated[
        list[str] | None,
        typer.Option(help="A name by which clients may call this server, without the port; repeatable."),
    ] = None,
    allow_origin: Annotated[
        list[str] | None,
        typer.Option(help="Another site whose pages may call, as https://example.org; repeatable."),
    ] = None,
    model: Annotated[str, typer.Option(help="The model that the page asks for.")] = RelayConfig("").model,
    tls_cert: Annotated[Path | None, typer.Option(help="Serve https with this certificate (PEM).")] = None,
    tls_key: Annotated[Path | None, typer.Option(help="The certificate's key (PEM).")] = None,
    upstream_ca: Annotated[
        Path | None, typer.Option(help="Trust these certificates (PEM) for an https upstream.")
    ] = None,
    verbose: Verbose = False,
) -> None:
    """Relay a provider's stream.

    Example: [bold]SSE_RELAY_API_KEY=... sse-relay serve --port 8080[/bold], then point an Anthropic
    SDK at it: [bold]Anthropic(base_url="http://127.0.0.1:8080")[/bold].
    """
    _set_up_logging(verbose=verbose)
    config = RelayConfig(
        upstream,
        api_key=api_key,
        client_keys=frozenset(client_key or ()),
        pass_headers=tuple(pass_header or ()),
        model=model,
    )
    listen = Listen(
        host,
        port,
        hosts=frozenset(allow_host or ()),
        origins=frozenset(allow_origin or ()),
        certificate=tls_cert,
        key=tls_key,
    )
    _run(lambda: run_relay(config, listen, upstream_ca))


@app.command()
def provider(
    host: Host = "127.0.0.1",
    port: Port = 8081,
    tokens: Annotated[str, typer.Option(help="Tokens of text an answer.")] = "200",
    rate: Annotated[str | None, typer.Option(help="Tokens a second; 0 is as fast as it can.")] = None,
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
    verbose: Verbose = False,
) -> None:
    """Run a simulated provider that speaks Anthropic's Messages API.

    Every flag can be set for one request by a header: Sim-Tokens, Sim-Rate, Sim-TTFT, Sim-Thinking,
    Sim-Tool, Sim-Fault.  Its record of every generation is at /sim/generations.

    Example: [bold]sse-relay provider --port 8081 --rate 20[/bold]
    """
    _set_up_logging(verbose=verbose)
    flags = {"Sim-Tokens": tokens, "Sim-TTFT": ttft, "Sim-Thinking": thinking, "Sim-Tool": str(int(tool))}
    flags |= {name: text for name, text in (("Sim-Rate", rate), ("Sim-Fault", fault)) if text is not None}
    try:
        settings = Settings().with_headers(flags)
    except SettingsError as error:
        raise typer.BadParameter(str(error)) from None
    recorded = replay.read_bytes() if replay else None
    _run(lambda: run_provider(Listen(host, port), settings, api_key=api_key, replay=recorded))


def main() -> None:
    """The entry point of the console script."""
    app()


def _set_up_logging(*, verbose: bool) -> None:
    logging.basicConfig(
        level=logging.DEBUG if verbose else logging.INFO,
        format="%(asctime)s %(levelname)s %(name)s %(message)s",
    )


def _run(program: Callable[[], Awaitable[None]]) -> None:
    try:
        trio.run(program)
    except StartError as error:
        typer.echo(f"sse-relay: {error}", err=True)
        raise typer.Exit(1) from None
    except KeyboardInterrupt:
        raise typer.Exit(130) from None

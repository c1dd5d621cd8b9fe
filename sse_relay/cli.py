"""The command line: ``sse-relay demo | serve | provider``."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated

import trio
import typer

from .config import DEFAULT_MODEL, RelayConfig
from .provider import Settings, SettingsError
from .run import Listen, StartError, run_demo, run_provider, run_relay

app = typer.Typer(
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

_OPEN_RELAY = (
    "others can reach this address and would spend your key for the provider: name the keys that they must "
    "show with --client-key, or say --open if that is what you want"
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
        typer.Option(
            envvar="SSE_RELAY_CLIENT_KEYS",
            help="A key that clients must show; repeatable. The environment holds several separated by "
            "spaces.",
        ),
    ] = None,
    open_to_all: Annotated[
        bool,
        typer.Option("--open", help="Let others spend the key for the provider without a key of their own."),
    ] = False,
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
        typer.Option(
            help="The origin of this relay's page, as https://example.org, where a proxy changes the "
            "Host on the way; repeatable."
        ),
    ] = None,
    model: Annotated[str, typer.Option(help="The model that the page asks for.")] = DEFAULT_MODEL,
    tls_cert: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="Serve https with this certificate (PEM)."),
    ] = None,
    tls_key: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="The certificate's key (PEM).")
    ] = None,
    upstream_ca: Annotated[
        Path | None,
        typer.Option(
            exists=True, dir_okay=False, help="Trust these certificates (PEM) for an https upstream."
        ),
    ] = None,
    verbose: Verbose = False,
) -> None:
    """Relay a provider's stream.

    Example: [bold]sse-relay serve[/bold], then [bold]Anthropic(base_url="http://127.0.0.1:8080")[/bold]
    in a program that has its own key.

    Example: [bold]SSE_RELAY_API_KEY=... SSE_RELAY_CLIENT_KEYS="... ..." sse-relay serve --host 0.0.0.0
    --tls-cert cert.pem --tls-key key.pem[/bold] serves others by this machine's key.
    """
    _set_up_logging(verbose=verbose)
    try:
        config = RelayConfig(
            upstream,
            api_key=api_key,
            client_keys=frozenset(client_key or ()),
            pass_headers=tuple(pass_header or ()),
            model=model,
        )
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    listen = Listen(
        host,
        port,
        hosts=frozenset(allow_host or ()),
        origins=frozenset(allow_origin or ()),
        certificate=tls_cert,
        key=tls_key,
    )
    if tls_key is not None and tls_cert is None:
        raise typer.BadParameter("--tls-key is of no use without --tls-cert")
    if config.api_key and not config.client_keys and not listen.is_private and not open_to_all:
        raise typer.BadParameter(_OPEN_RELAY)
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
    code = 0
    try:
        trio.run(program)
    except* StartError as errors:  # in a group, as a nursery was open
        typer.echo(f"sse-relay: {errors.exceptions[0]}", err=True)
        code = 1
    except* KeyboardInterrupt:  # it came before the program listened to signals itself
        code = 130
    raise typer.Exit(code)

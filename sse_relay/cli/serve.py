"""``sse-relay serve``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from sse_core.blocks.json_structure import JSONBounds
from sse_core.lifecycle import Deadlines, RetryPolicy
from sse_http import Proxies, ServerSettings
from sse_http.server_settings import SHARES_OF_BODIES
from sse_io.unix_listener import DEFAULT_MODE

from ..config import RelayConfig
from ..listen import MAX_BODY_BYTES, Listen
from ..programs import relay_program
from ..routes import ROUTES
from . import flag_values
from .flags import Binding, BindingFlag, Host, Port, Verbose
from .launch import launch

_SERVER = "How to listen"
_OPEN_RELAY = (
    "others can reach this address and would spend your key for the provider: name the keys that they must "
    "show with --client-key, or say --open if that is what you want"
)

#: The flag of each setting that ``RelayConfig`` checks and that no flag has checked before.
_FLAGS = {"upstream": "--upstream", "api_key": "--api-key", "client_keys": "--client-key"}
_DEADLINES, _RETRY, _JSON = Deadlines(), RetryPolicy(), JSONBounds()


def _seconds(text: str) -> Any:  # an argument of Annotated
    return typer.Option(
        parser=flag_values.seconds, metavar="SECONDS", help=text, rich_help_panel="How long to wait"
    )


def _bound(text: str) -> Any:
    return typer.Option(min=1, help=text, rich_help_panel="Bounds")


def serve(
    upstream: Annotated[
        str, typer.Option(envvar="SSE_RELAY_UPSTREAM", help="The provider's base URL.")
    ] = ROUTES[0].upstream,
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
        typer.Option(
            parser=flag_values.field_pattern,
            metavar="PATTERN",
            help="A pattern of request headers to pass on, as 'Sim-*'; repeatable.",
        ),
    ] = None,
    allow_host: Annotated[
        list[str] | None,
        typer.Option(
            parser=flag_values.allowed_host,
            metavar="HOST",
            help="A name by which clients may call this server, without the port; repeatable. "
            "A server on all interfaces answers to its addresses too.",
        ),
    ] = None,
    allow_origin: Annotated[
        list[str] | None,
        typer.Option(
            parser=flag_values.origin,
            metavar="ORIGIN",
            help="The origin of this relay's page, as https://example.org, where a proxy changes the "
            "Host on the way; repeatable.",
        ),
    ] = None,
    model: Annotated[str, typer.Option(help="The model that the page asks for.")] = ROUTES[0].model,
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
    proxy: Annotated[
        Proxies | None,
        typer.Option(
            parser=flag_values.proxy,
            metavar="URL",
            help="The HTTP proxy to the provider, as http://user:password@host:port; without it the "
            "environment's HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY name one. With a password better "
            "by the environment, as flags can be seen by others.",
        ),
    ] = None,
    uds: Annotated[
        Path | None,
        typer.Option(
            help="Listen at this path, a Unix socket's, in place of a port.", rich_help_panel=_SERVER
        ),
    ] = None,
    uds_mode: Annotated[
        int,
        typer.Option(
            parser=flag_values.file_mode,
            metavar="OCTAL",
            help="Who may connect there.",
            rich_help_panel=_SERVER,
            show_default=f"{DEFAULT_MODE:o}",
        ),
    ] = DEFAULT_MODE,
    reuse_port: Annotated[
        bool,
        typer.Option(
            "--reuse-port",
            help="Let other processes listen on the same port: a new one takes over from one that drains.",
            rich_help_panel=_SERVER,
        ),
    ] = False,
    drain: Annotated[
        float,
        typer.Option(
            parser=flag_values.duration,
            metavar="SECONDS",
            help="After SIGTERM: how long turns that run go on before they are stopped.",
            rich_help_panel=_SERVER,
        ),
    ] = 0.0,
    max_connections: Annotated[int, _bound("Connections at the same time.")] = 10_000,
    max_total_body_bytes: Annotated[
        int,
        typer.Option(
            min=SHARES_OF_BODIES * MAX_BODY_BYTES,
            help="Bytes of all requests' bodies that are being read; one address has a quarter of them.",
            rich_help_panel="Bounds",
        ),
    ] = ServerSettings().max_total_body_bytes,
    connect: Annotated[float | None, _seconds("To reach the provider.")] = _DEADLINES.connect,
    first_byte: Annotated[
        float | None, _seconds("From the request to the answer's head.")
    ] = _DEADLINES.first_byte,
    refusal: Annotated[float | None, _seconds("From the head of an error to its end.")] = _DEADLINES.refusal,
    first_output: Annotated[
        float | None,
        _seconds(
            "From the request to the first visible output; "
            f"{_DEADLINES.first_output:g}, or as long as --first-byte, if that is longer."
        ),
    ] = None,
    output_gap: Annotated[float | None, _seconds("Between two visible outputs.")] = _DEADLINES.output_gap,
    whole: Annotated[
        float | None,
        _seconds(
            "For the whole turn, all attempts included; "
            f"{_DEADLINES.whole:g}, or as long as --first-output, if that is longer."
        ),
    ] = None,
    max_attempts: Annotated[int, _bound("Requests to the provider for one turn.")] = _RETRY.max_attempts,
    max_retry_after: Annotated[
        float, _seconds("The longest Retry-After of the provider that is waited for.")
    ] = _RETRY.max_retry_after,
    max_turns: Annotated[int, _bound("Turns at the same time.")] = 1000,
    max_client_turns: Annotated[
        int | None, _bound("Turns of one client at the same time; as many as --max-turns, if not set.")
    ] = None,
    max_unread_turns: Annotated[
        int | None,
        _bound("Turns of one client that run and that nobody reads; half of --max-turns, if not set."),
    ] = None,
    max_json_items: Annotated[
        int, _bound("Opening brackets, commas and colons in a request's body, outside strings.")
    ] = _JSON.max_json_items,
    max_json_depth: Annotated[
        int, _bound("How deep arrays and objects may be nested in a request's body.")
    ] = _JSON.max_json_depth,
    max_json_escapes: Annotated[int, _bound("Backslashes in a request's body.")] = _JSON.max_json_escapes,
    binding: BindingFlag = Binding.TRIO,
    verbose: Verbose = False,
) -> None:
    """Relay a provider's stream.

    Example: [bold]sse-relay serve[/bold], then [bold]base_url="http://127.0.0.1:8080"[/bold] for the
    provider's SDK in a program that has its own key.

    Example: [bold]SSE_RELAY_API_KEY=... SSE_RELAY_CLIENT_KEYS="... ..." sse-relay serve --host 0.0.0.0
    --allow-host relay.example.org --tls-cert cert.pem --tls-key key.pem[/bold] serves others, by that name or
    by this machine's addresses, and spends this machine's key.

    Example: [bold]sse-relay serve --upstream http://127.0.0.1:8000 --first-byte 1800 --max-attempts 1[/bold]
    waits half an hour for a local model that reads a long prompt, and asks it once.
    """
    try:
        config = RelayConfig(
            upstream,
            api_key=api_key,
            client_keys=frozenset(client_key or ()),
            pass_headers=tuple(pass_header or ()),
            model=model,
            proxies=proxy,
            deadlines=_deadlines(connect, first_byte, refusal, first_output, output_gap, whole),
            retry=RetryPolicy(max_attempts=max_attempts, max_retry_after=max_retry_after),
            max_turns=max_turns,
            max_client_turns=max_client_turns,
            max_unread_turns=max_unread_turns,
            json_bounds=JSONBounds(max_json_items, max_json_depth, max_json_escapes),
        )
    except ValueError as error:
        setting, _, words = str(error).partition(": ")
        raise typer.BadParameter(words or setting, param_hint=_FLAGS.get(setting)) from None
    listen = Listen(
        host,
        port,
        hosts=frozenset(allow_host or ()),
        origins=frozenset(allow_origin or ()),
        certificate=tls_cert,
        key=tls_key,
        uds=uds,
        uds_mode=uds_mode,
        max_total_body_bytes=max_total_body_bytes,
        max_connections=max_connections,
        reuse_port=reuse_port,
        drain=drain,
    )
    if uds is not None and reuse_port:
        raise typer.BadParameter("--reuse-port is for ports, and --uds is none")
    if tls_key is not None and tls_cert is None:
        raise typer.BadParameter("--tls-key is of no use without --tls-cert")
    if config.api_key and not config.client_keys and not listen.is_private and not open_to_all:
        raise typer.BadParameter(_OPEN_RELAY)
    launch(relay_program(config, listen, upstream_ca), binding=binding, verbose=verbose)


def _deadlines(
    connect: float | None,
    first_byte: float | None,
    refusal: float | None,
    first_output: float | None,
    output_gap: float | None,
    whole: float | None,
) -> Deadlines:
    """A longer wait for one thing is no use where a default for more than that is shorter."""
    first_output = first_output or max(first_byte or 0, _DEADLINES.first_output or 0)
    whole = whole or max(first_output, _DEADLINES.whole or 0)
    return Deadlines(connect, first_byte, refusal, first_output, output_gap, whole)

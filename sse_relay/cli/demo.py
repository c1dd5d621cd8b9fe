"""``sse-relay demo``."""

from __future__ import annotations

from ..programs import demo_program
from .flags import Binding, BindingFlag, Port, Verbose
from .launch import launch


def demo(port: Port = 8080, binding: BindingFlag = Binding.TRIO, verbose: Verbose = False) -> None:
    """Run a simulated provider, the relay and the page, on loopback.

    Example: [bold]sse-relay demo --port 8080[/bold], then open the address that it prints.
    """
    launch(demo_program(port), binding=binding, verbose=verbose)

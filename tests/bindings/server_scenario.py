"""What a scenario of ``serve`` says, and how it is played on a runner.

The binding's server runs in its own thread.  The clients are plain sockets, and a step at a time is
done in the test's thread; what a step does to the application it does in the server's thread.
"""

from __future__ import annotations

import contextlib
import logging
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .certificates import certificates
from .peers import PeerLike
from .resources import open_files, soon
from .runner import Runner
from .server_stage import Stage
from .server_steps import Step


@dataclass(frozen=True, kw_only=True)
class ServerScenario:
    """A server, and what happens to it.

    - ``served``: makes the application or handler; gets the host, by which handlers wait.
    - ``options``: of ``serve``; ``tls`` and ``upstream_tls`` may name one of the ``Certificates``.
    - ``logged``: expressions, each of which is found in what is logged; with none, nothing may be logged.
    - ``log_records``: how many there are.
    - ``peers``: what the application may connect to.
    """

    name: str
    served: Callable[[Runner], Any]
    steps: Sequence[Step]
    options: Mapping[str, Any] = field(default_factory=dict)
    logged: Sequence[str] = ()
    log_records: int | None = None
    peers: Mapping[str, PeerLike] = field(default_factory=dict)
    needs: frozenset[str] = frozenset()
    after: Callable[[Stage], object] | None = None  #: has to be true when ``serve`` has ended

    def play(self, runner: Runner, log: Sequence[logging.LogRecord]) -> None:
        before = open_files()
        with contextlib.ExitStack() as stack:
            peers: dict[str, Any] = {}
            for name, peer in self.peers.items():
                peers[name] = stack.enter_context(peer.running(runner, peers))
            stage = Stage(runner, self.served(runner), peers)
            options = {
                name: getattr(certificates(), value) if name in {"tls", "upstream_tls"} else value
                for name, value in self.options.items()
            }
            stage.host = options.get("host", stage.host)
            stage.serving = stack.enter_context(runner.serving(stage.served, **options))
            stack.callback(self._leave, stage)
            for step in self.steps:
                step.play(stage)
        if self.after is not None:
            assert self.after(stage)
        self._look_at(log)
        soon(lambda: open_files() <= before or None)

    def _leave(self, stage: Stage) -> None:
        for client in stage.clients.values():
            client.sock.close()
            client.tcp.close()

    def _look_at(self, log: Sequence[logging.LogRecord]) -> None:
        formatter = logging.Formatter()
        text = "\n".join(f"{record.levelname} {formatter.format(record)}" for record in log)
        for words in self.logged:
            assert re.search(words, text), text
        assert self.logged or not text, text
        if self.log_records is not None:
            assert len(log) == self.log_records, text

"""What a scenario of ``connect`` and ``stream_turn`` says, and how it is played on a runner."""

from __future__ import annotations

import contextlib
import re
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sse_core.blocks import BlockEvent, MessageStart, StreamError, TextDelta
from sse_core.lifecycle import Outcome, Upstream

from .certificates import certificates
from .client_steps import Peers, Stage, Step, ToEnd
from .peers import PeerLike, Running, ScriptedServer
from .resources import open_files, soon
from .runner import Runner

#: Arguments that say by which way to connect; their texts name peers as URLs do.
LEADING = frozenset({"uds", "proxy"})
BODY = {"model": "m", "max_tokens": 10_000_000, "messages": [{"role": "user", "content": "Why?"}]}


# ----------------------------------------------------------------------------------- what is called


@dataclass(frozen=True)
class Error:
    """An exception: its kind, words of it, and what its attributes are."""

    kind: type[Exception]
    words: str = ""
    attributes: Mapping[str, Any] = field(default_factory=dict)
    unspoken: str = ""  #: what must not be in it

    def check(self, error: Exception) -> None:
        assert type(error) is self.kind or (self.kind is OSError and isinstance(error, OSError)), repr(error)
        assert re.search(self.words, str(error)), str(error)
        assert not self.unspoken or self.unspoken not in str(error)
        for name, value in self.attributes.items():
            assert getattr(error, name) == value, name


@dataclass(frozen=True, kw_only=True)
class Call(ABC):
    """One stream from its beginning to its end.

    - ``do``: what the reader does, step by step.
    - ``errors``: of the steps, in order; a step that raises doesn't end the call.
    - ``stream``: what attributes of the stream are in the end.
    - ``seconds``: at least and at most so long, from the first step to the end of the ``with``.
    - ``trust``: whose ``Certificates`` context is passed as ``tls``.
    - ``check``: what can't be said otherwise.
    """

    options: Mapping[str, Any] = field(default_factory=dict)
    trust: str | None = None
    do: Sequence[Step] = (ToEnd(),)
    errors: Sequence[Error] = ()
    stream: Mapping[str, Any] = field(default_factory=dict)
    seconds: tuple[float, float] = (0.0, 5.0)
    check: Callable[[Stage], None] | None = None

    @abstractmethod
    def opened(self, stage: Stage) -> Any:
        """What the binding gives for the call, to be entered."""

    def passed(self, stage: Stage) -> dict[str, Any]:
        """The arguments, ``tls`` among them; those that lead somewhere are filled in."""
        options = dict(self.options)
        for name in LEADING & options.keys():
            options[name] = filled_in(options[name], stage.peers)
        if self.trust is not None:
            options["tls"] = getattr(certificates(), self.trust)
        return options

    @abstractmethod
    def check_events(self, stage: Stage) -> None:
        """See that what was read is as the scenario says."""

    async def play(self, stage: Stage) -> None:
        async with self.opened(stage) as stage.stream:
            stage.began = time.monotonic()
            for step in self.do:
                try:
                    await step.play(stage)
                except Exception as error:  # noqa: BLE001  (which ones may come is the scenario's business)
                    stage.errors.append(error)
        stage.ended = time.monotonic()

    def look(self, stage: Stage) -> None:
        """See that all is as the scenario says."""
        if len(stage.errors) > len(self.errors):
            raise stage.errors[len(self.errors)]
        for error, expected in zip(stage.errors, self.errors, strict=True):
            expected.check(error)
        for name, value in self.stream.items():
            assert getattr(stage.stream, name) == value, name
        least, most = self.seconds
        assert least <= stage.ended - stage.began < most
        self.check_events(stage)
        if self.check is not None:
            self.check(stage)


@dataclass(frozen=True, kw_only=True)
class Connect(Call):
    """``connect(url, **options)``.

    - ``texts``: the data of all events.
    - ``trace``: the same with comments and reconnects at their places.
    - ``listens``: to comments and reconnects; with a ``trace`` it does.
    """

    url: str = "{server}"
    texts: Sequence[str] | None = None
    trace: Sequence[str] | None = None
    listens: bool = False

    def opened(self, stage: Stage) -> Any:
        options = self.passed(stage)
        if self.listens or self.trace is not None:
            options |= {"on_comment": stage.comment, "on_reconnect": stage.reconnect}
        return stage.runner.connect(filled_in(self.url, stage.peers), **options)

    def check_events(self, stage: Stage) -> None:
        if self.texts is not None:
            assert stage.texts == list(self.texts)
        if self.trace is not None:
            assert stage.trace == list(self.trace)


@dataclass(frozen=True, kw_only=True)
class Turn(Call):
    """``stream_turn(Upstream(url, **upstream), body, **options)``.

    - ``outcome``: how it ends; ``None`` if that isn't looked at.
    - ``text``: the text of all deltas; ``True`` if it has to be some.
    - ``failure``: words of the ``StreamError`` among the events, and its attributes.
    """

    url: str = "{server}v1/messages"
    upstream: Mapping[str, Any] = field(default_factory=dict)
    body: Any = field(default_factory=lambda: BODY)
    outcome: Outcome | None = Outcome.COMPLETED
    text: str | bool | None = None
    failure: str | None = None
    failure_is: Mapping[str, Any] = field(default_factory=dict)

    def opened(self, stage: Stage) -> Any:
        upstream = Upstream(filled_in(self.url, stage.peers), **self.upstream)
        return stage.runner.stream_turn(upstream, self.body, **self.passed(stage))

    def check_events(self, stage: Stage) -> None:
        assert self.outcome is None or stage.stream.outcome is self.outcome
        text = text_of(stage.events)
        assert self.text is None or text == self.text or (self.text is True and text)
        assert sum(isinstance(event, MessageStart) for event in stage.events) <= 1
        failures = [event for event in stage.events if isinstance(event, StreamError)]
        if self.failure is None:
            return
        [failure] = failures
        assert re.search(self.failure, failure.message), failure.message
        for name, value in self.failure_is.items():
            assert getattr(failure, name) == value, name


def text_of(events: Sequence[BlockEvent]) -> str:
    return "".join(event.text for event in events if isinstance(event, TextDelta))


def filled_in(url: str, peers: Mapping[str, Running]) -> str:
    """Each ``{name}`` is that peer's URL, ``{name:address}`` its host and port, ``{name:uds}`` its socket."""
    for name, peer in peers.items():
        url = url.replace(f"{{{name}}}", peer.url).replace(
            f"{{{name}:address}}", "{}:{}".format(*peer.address)
        )
        url = url.replace(f"{{{name}:uds}}", getattr(peer, "uds", None) or "")
    return url


# -------------------------------------------------------------------------------------- the scenario


@dataclass(frozen=True)
class Request:
    """What came on one connection; letter case doesn't count."""

    starts: bytes = b""
    has: Sequence[bytes] = ()
    lacks: Sequence[bytes] = ()
    ends: bytes = b""

    def check(self, request: bytes) -> None:
        request = request.lower()
        assert request.startswith(self.starts.lower())
        assert request.endswith(self.ends.lower())
        for text in self.has:
            assert text.lower() in request
        for text in self.lacks:
            assert text.lower() not in request


@dataclass(frozen=True, kw_only=True)
class ClientScenario:
    """One or several calls, one after another, and the servers that they meet.

    - ``peers``: by name, in the order in which they are started: one may pass on to those before it.
    - ``requests``: what came at the peer "server", a connection each.
    - ``connections``: how many came there, if not so many; at least and at most.
    - ``left_within``: so many seconds after the last call the peer has seen its client leave.
    - ``needs``: what not every binding can do (``Runner.lacks``).
    """

    name: str
    peers: Mapping[str, PeerLike]
    calls: Sequence[Call]
    requests: Sequence[Request] | None = None
    connections: tuple[int, int] | None = None
    left_within: float | None = None
    needs: frozenset[str] = frozenset()
    check: Callable[[Peers, Sequence[Stage]], None] | None = None

    def play(self, runner: Runner) -> None:
        before = open_files()
        with contextlib.ExitStack() as stack:
            peers: dict[str, Any] = {}
            for name, peer in self.peers.items():
                peers[name] = stack.enter_context(peer.running(runner, peers))
            opened = open_files()
            stages = [Stage(runner, peers) for _ in self.calls]

            async def play() -> None:
                for call, stage in zip(self.calls, stages, strict=True):
                    await call.play(stage)

            runner.run(play)
            for call, stage in zip(self.calls, stages, strict=True):
                call.look(stage)
            self._look(peers, stages)
            soon(lambda: open_files() <= opened or None)
        soon(lambda: open_files() <= before or None)

    def _look(self, peers: Peers, stages: Sequence[Stage]) -> None:
        server = peers.get("server")
        if isinstance(server, ScriptedServer):
            if self.left_within is not None:
                soon(lambda: server.connections and server.connections[-1].gone.is_set(), self.left_within)
            if self.requests is not None:
                for request, expected in zip(server.requests, self.requests, strict=True):
                    expected.check(request)
            if self.connections is not None:
                least, most = self.connections
                assert least <= len(server.connections) <= most
        if self.check is not None:
            self.check(peers, stages)

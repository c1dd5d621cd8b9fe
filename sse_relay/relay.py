"""The relay: requests in, replies and streams out, turns to be driven in between.  It is pure.

======================  ======================================================================
``POST`` to a route     a new turn; or, with the Turn-Id or Last-Event-ID of one, that same turn
``GET /turns/{id}``     the turn's events after Last-Event-ID
``DELETE /turns/{id}``  stop
``GET /healthz``        whether it lives
``GET /config``         what the page needs to know
``GET /``               the page
======================  ======================================================================
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from urllib.parse import parse_qs

from sse_core.headers import Headers
from sse_core.lifecycle import Jitter, WallClock, no_jitter
from sse_http import EventStreamHead, Exchange, Problem, Reply, Request, Stream, Waker, no_waker
from sse_http.content_coding import codings_of

from .clients import Client, Clients
from .config import RelayConfig
from .credentials import Credentials
from .early_stops import EarlyStops
from .finished_turn import FinishedTurn
from .records import Record, TurnEnded, ignore
from .registry import TurnRegistry
from .routes import Route, credential_fields
from .turn_request import BadRequest, TurnRequest, is_turn_id, read_turn_request
from .turn_streams import TurnEventStream, TurnMessageStream
from .turns import RelayedTurn

_TURNS = "/turns/"
_MAX_QUERY_FIELDS = 10
#: How long a stop is remembered that came before its turn: as long as a request may take to come.
EARLY_STOP_SECONDS = 600.0
#: What a request may carry that has no use for a body.
_MAX_IDLE_BODY_BYTES = 16 * 1024
_RETRY_SOON = Headers({"retry-after": "1"})
_Handler = Callable[[Request, float], "Reply | Stream"]


class UnknownTurn(Exception):
    """The client names a turn that it has not."""


class Relay:
    """The relay as an application.

    - ``config``: its settings.
    - ``new_id``: gives the IDs of turns, which must be unguessable.
    - ``jitter``: the randomness of back-off.
    - ``wall_clock``: the time of day, for a ``Retry-After`` that is a date.
    - ``files``: the page's, by path.
    - ``on_record``: is called with what an operator should know.
    """

    def __init__(
        self,
        config: RelayConfig,
        *,
        new_id: Callable[[], str],
        jitter: Jitter = no_jitter,
        wall_clock: WallClock | None = None,
        files: Mapping[str, Reply] | None = None,
        on_record: Callable[[Record], None] = ignore,
    ) -> None:
        self.waker: Waker = no_waker
        self._config = config
        self._credentials = Credentials(credential_fields(config.routes), config.client_keys)
        self._new_id = new_id
        self._jitter = jitter
        self._wall_clock = wall_clock
        self._files = files or {}
        self._on_record = on_record
        self._turns = TurnRegistry(retention=config.retention, retained_bytes=config.retained_bytes)
        self._clients = Clients()
        self._early_stops = EarlyStops(seconds=EARLY_STOP_SECONDS)
        self._new: list[Exchange] = []
        self._routes = {route.path: route for route in config.routes}
        self._paths: dict[str, dict[str, _Handler]] = {
            **{route.path: {"POST": partial(self._post, route)} for route in config.routes},
            "/healthz": {"GET": self._health},
            "/config": {"GET": self._page_config},
        }
        self._turn_routes: dict[str, _Handler] = {"GET": self._get_turn, "DELETE": self._stop}
        self._open_to_all = (self._file, self._health, self._page_config)

    @property
    def deadline(self) -> float | None:
        """When the next finished turn is to be forgotten."""
        return self._turns.deadline

    def handle_timeout(self, now: float) -> None:
        """Forget finished turns whose time is over."""
        self._turns.handle_timeout(now)

    def upstreams(self) -> list[Exchange]:
        """The turns that have begun since the last call."""
        new, self._new = self._new, []
        return new

    def close(self, now: float) -> None:
        """The server goes down: stop every turn, so that each has an outcome, a last event and a log line."""
        for relayed in self._turns.running:
            relayed.interrupted = True
            relayed.stop(now)

    def check_head(self, request: Request, now: float) -> Reply | int | None:  # noqa: ARG002  (ChecksHeads)
        """Refuse who may not ask, and what nothing is done about, before a body is read."""
        refusal = self._refuse(request)
        if refusal is not None:
            return refusal
        return None if request.method == "POST" else _MAX_IDLE_BODY_BYTES

    def handle(self, request: Request, now: float) -> Reply | Stream:
        """Answer a request."""
        refusal = self._refuse(request)
        if refusal is not None:
            return refusal
        try:
            return self._handlers(request.path)[_method(request)](request, now)
        except BadRequest as error:
            return self.problem_reply(request, Problem(400, "invalid_request", str(error)))
        except UnknownTurn:
            message = "No such turn: it never was, is not yours, or has been forgotten."
            return self.problem_reply(request, Problem(404, "not_found", message))

    def problem_reply(self, request: Request, problem: Problem) -> Reply:
        """``problem`` in the shape of the protocol that ``request`` is in, or else of the first one."""
        return self._routes.get(request.path, self._config.routes[0]).problem_reply(problem)

    # Routes

    def _refuse(self, request: Request) -> Reply | None:
        """The answer to what isn't served at all: decided by the head alone."""
        problem = self._find_problem(request)
        return None if problem is None else self.problem_reply(request, problem)

    def _find_problem(self, request: Request) -> Problem | None:
        handlers = self._handlers(request.path)
        if not handlers:
            return Problem(404, "not_found", "There is nothing at this path.")
        handler = handlers.get(_method(request))
        if handler is None:
            allowed = ", ".join([*handlers, "HEAD"] if "GET" in handlers else handlers)
            message = f"This path takes {allowed} only."
            return Problem(405, "invalid_request", message, Headers({"allow": allowed}))
        if handler not in self._open_to_all and not self._credentials.admit(request.headers):
            message = f"This relay needs one of its own keys, {self._credentials}."
            return Problem(401, "authentication", message, Headers({"www-authenticate": "Bearer"}))
        if request.path in self._routes and codings_of(request.headers):
            # RFC 9110 section 15.5.16: "If the problem was caused by an unsupported content coding, the
            # Accept-Encoding response header field ought to be used".
            message = "The body is compressed (Content-Encoding): send it as it is."
            return Problem(415, "invalid_request", message, Headers({"accept-encoding": "identity"}))
        return None

    def _handlers(self, path: str) -> Mapping[str, _Handler]:
        """What to call for each method at ``path``; HEAD is as GET."""
        if path in self._files:
            return {"GET": self._file}
        return self._turn_routes if path.startswith(_TURNS) else self._paths.get(path, {})

    def _file(self, request: Request, now: float) -> Reply:  # noqa: ARG002  (the face of a handler)
        return self._files[request.path]

    def _health(self, request: Request, now: float) -> Reply:  # noqa: ARG002  (the face of a handler)
        turns = {"running": self._turns.running_count, "finished": self._turns.finished_count}
        return Reply.json(200, {"status": "ok", "turns": turns})

    def _page_config(self, request: Request, now: float) -> Reply:  # noqa: ARG002  (the face of a handler)
        return Reply.json(200, {"simulated": self._config.simulated, "model": self._config.model})

    def _post(self, route: Route, request: Request, now: float) -> Reply | Stream:
        turn_request = read_turn_request(request, route, self._config)
        event_id = request.last_event_id
        owner = self._credentials.owner_of(request.headers)
        known = self._turns.get(owner, turn_request.turn_id or event_id.rpartition("-")[0])
        if known is not None:
            return self._attach(known, turn_request, request, now)
        if event_id:
            # Never answer a client that wants to go on with a second, billed generation.
            raise UnknownTurn
        return self._begin(turn_request, owner, now)

    def _attach(
        self, known: RelayedTurn, turn_request: TurnRequest, request: Request, now: float
    ) -> Reply | Stream:
        """The same request once more: the same turn, not another one."""
        if (known.route, known.digest) != (turn_request.route, turn_request.digest):
            message = "A turn of this Turn-Id exists, for another request. Choose a new one."
            headers = Headers({"x-should-retry": "false"})
            return self.problem_reply(request, Problem(409, "conflict", message, headers))
        if turn_request.streaming or known.drained:
            return self._resume(known, request, now)
        return TurnMessageStream(known, now)

    def _begin(self, turn_request: TurnRequest, owner: bytes, now: float) -> Reply | Stream:
        problem = self._no_place(turn_request, self._clients.get(owner))
        if problem is not None:
            return turn_request.route.problem_reply(problem)
        turn_id = turn_request.turn_id or self._new_id()
        relayed = RelayedTurn(
            turn_id,
            owner,
            turn_request,
            self._config,
            client=self._clients.began(owner),
            jitter=self._jitter,
            wall_clock=self._wall_clock,
            on_end=self._ended,
            on_record=self._on_record,
        )
        self._turns.add(relayed)
        self._new.append(relayed)
        if self._early_stops.take(owner, turn_id, now):
            relayed.stop(now)
        else:
            relayed.start(now)
        answer = self._events(relayed, 0, now) if turn_request.streaming else TurnMessageStream(relayed, now)
        self.waker()
        return answer

    def _no_place(self, turn_request: TurnRequest, client: Client) -> Problem | None:
        """Why there is no place for one more turn."""
        config = self._config
        if self._turns.running_count >= config.max_turns:
            message = f"The relay is running {config.max_turns} turns already (limit: max_turns)."
            return Problem(503, "overloaded", message, _RETRY_SOON)
        if client.running >= config.client_turns:
            message = f"You have {client.running} turns running already (limit: max_client_turns)."
        elif client.unread >= config.unread_turns and turn_request.on_disconnect.kind != "cancel":
            message = (
                f"You have {client.unread} turns running that nobody reads (limit: max_unread_turns). "
                "Read or stop some, or ask with Turn-On-Disconnect: cancel."
            )
        else:
            return None
        return Problem(429, "rate_limit", message, _RETRY_SOON)

    def _stop(self, request: Request, now: float) -> Reply:
        known = self._turns.get(*self._owner_and_id(request))
        if known is None:
            return self._stop_early(request, now)
        return Reply.json(200, {"outcome": known.stop(now).value})

    def _stop_early(self, request: Request, now: float) -> Reply:
        """The turn's request may still be on its way: then it is not to run."""
        owner, turn_id = self._owner_and_id(request)
        if not is_turn_id(turn_id):
            raise UnknownTurn
        self._early_stops.remember(owner, turn_id, now)
        message = (
            f"No such turn. One that is requested with this ID within {EARLY_STOP_SECONDS:g} s will not run."
        )
        return self.problem_reply(request, Problem(404, "not_found", message))

    def _get_turn(self, request: Request, now: float) -> Reply | Stream:
        return self._resume(self._own_turn(request), request, now)

    def _own_turn(self, request: Request) -> RelayedTurn:
        known = self._turns.get(*self._owner_and_id(request))
        if known is None:
            raise UnknownTurn
        return known

    def _resume(self, known: RelayedTurn, request: Request, now: float) -> Reply | Stream:
        if known.drained:
            message = "This turn is read for its usage only; nothing is kept."
            return known.route.problem_reply(Problem(410, "gone", message))
        event_id = request.last_event_id or _query(request, "last_event_id")
        position = known.log.position_of(event_id) if event_id else 0
        if position is None:
            raise BadRequest("Last-Event-ID is not the ID of an event of this turn.")
        if known.log.closed and position == known.log.last:
            # What keeps an EventSource from coming again.
            return Reply(204)
        if request.method == "HEAD":
            return EventStreamHead([("turn-id", known.id)])
        return self._events(known, position, now)

    def _events(self, relayed: RelayedTurn, after: int, now: float) -> TurnEventStream:
        config = self._config
        settings = relayed.route.reader_settings(config.readers)
        return TurnEventStream(relayed, now, after=after, head_hold=config.head_hold, settings=settings)

    def _owner_and_id(self, request: Request) -> tuple[bytes, str]:
        """Whose turn a request for ``/turns/{id}`` means, and which one."""
        return self._credentials.owner_of(request.headers), request.path.removeprefix(_TURNS)

    def _ended(self, relayed: RelayedTurn, finished: FinishedTurn, now: float) -> None:
        self._clients.ended(relayed.owner)
        self._turns.finished(relayed, now)
        self.waker()
        self._on_record(TurnEnded(relayed.id, finished))


def _method(request: Request) -> str:
    """RFC 9110 section 9.3.2: HEAD is GET, but for the content, which the server leaves out."""
    return "GET" if request.method == "HEAD" else request.method


def _query(request: Request, name: str) -> str | None:
    try:
        values = parse_qs(request.query, max_num_fields=_MAX_QUERY_FIELDS)
    except ValueError:
        raise BadRequest(f"The query has more than {_MAX_QUERY_FIELDS} fields.") from None
    return values[name][0] if name in values else None

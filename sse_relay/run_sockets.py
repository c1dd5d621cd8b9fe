"""Run a program on plain sockets, until a signal ends it: a thread for each of its services."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType

import sse_socket
from sse_socket.error_log import log_refusal

from .listen import ServeArguments
from .programs import Program, Service


def run(program: Program) -> None:
    """Serve what ``program`` gives until SIGTERM or SIGINT; a second one ends it at once.

    Raises ``StartError``.  To be called in the main thread, which alone can listen to signals.
    """
    servers = _Servers()
    with servers.listening_to_signals():
        try:
            service = next(program)
            while not servers.stopping:
                service = program.send(servers.start(service))
        except StopIteration:
            pass  # it has begun whole
        except BaseException:
            servers.stop()
            raise
        finally:
            servers.join()
    servers.raise_failure()


class _Servers:
    """The servers of a program, each in a thread of its own."""

    def __init__(self) -> None:
        self.stopping: bool = False
        self._handles: list[sse_socket.ServerHandle] = []
        self._threads: list[threading.Thread] = []
        self._failures: list[BaseException] = []

    def start(self, service: Service) -> int:
        """Serve ``service``; returns the port.  Raises ``StartError``."""
        handle = sse_socket.ServerHandle()
        arguments = service.listen.arguments()
        thread = threading.Thread(
            target=self._serve, args=(service, handle, arguments), name="sse-relay server"
        )
        self._handles.append(handle)
        self._threads.append(thread)
        thread.start()
        try:
            return handle.wait_until_started()
        except RuntimeError:  # it could not begin
            thread.join()
            error = self._failures.pop(0)
            raise (service.listen.failure(error) if isinstance(error, OSError) else error) from error

    def stop(self, grace: float | None = None) -> None:
        """Have all of them end."""
        self.stopping = True
        for handle in self._handles:
            handle.stop(grace)

    def join(self) -> None:
        """Wait until all have ended."""
        for thread in self._threads:
            thread.join()

    def raise_failure(self) -> None:
        """Raise what ended one of them, if that was no signal."""
        for error in self._failures:
            raise error

    @contextlib.contextmanager
    def listening_to_signals(self) -> Iterator[None]:
        """The signals that end a program end all servers."""

        def on_signal(number: int, frame: FrameType | None) -> None:  # noqa: ARG001  (a signal's handler)
            self.stop(0.0 if self.stopping else None)

        before = {number: signal.signal(number, on_signal) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _serve(self, service: Service, handle: sse_socket.ServerHandle, arguments: ServeArguments) -> None:
        try:
            sse_socket.serve(
                service.application,
                upstream_tls=service.upstream_tls,
                on_refusal=service.on_refusal or log_refusal,
                handle=handle,
                **arguments,
            )
        except BaseException as error:  # noqa: BLE001  (it is raised in the main thread)
            self._failures.append(error)
            self.stop()

"""Run a program on asyncio, on uvloop's event loop where that is installed, until a signal ends it."""

from __future__ import annotations

import importlib.util
import signal

import anyio
from anyio.abc import TaskGroup, TaskStatus

import sse_anyio
from sse_anyio.error_log import log_refusal

from .listen import StartError
from .programs import Program, Service


def run(program: Program) -> None:
    """Serve what ``program`` gives until SIGTERM or SIGINT; a second one ends it at once.

    Raises ``StartError``, and ``KeyboardInterrupt`` for a signal that came before anybody listened to it.
    """
    options = {"use_uvloop": importlib.util.find_spec("uvloop") is not None}
    failure: BaseException | None = None
    try:
        anyio.run(_run, program, backend="asyncio", backend_options=options)
    except* (StartError, KeyboardInterrupt) as errors:  # in groups, as task groups were open
        failure = errors
        while isinstance(failure, BaseExceptionGroup):
            failure = failure.exceptions[0]
    if failure is not None:
        raise failure


async def _run(program: Program) -> None:
    async with anyio.create_task_group() as listening:
        async with anyio.create_task_group() as serving:
            await listening.start(_cancel_on_signal, serving.cancel_scope)
            try:
                service = next(program)
                while True:
                    service = program.send(await _start(serving, service))
            except StopIteration:
                pass  # it has begun whole
        listening.cancel_scope.cancel()


async def _start(tasks: TaskGroup, service: Service) -> int:
    """Serve ``service`` in ``tasks``; returns the port."""
    arguments = service.listen.arguments()

    async def serve(*, task_status: TaskStatus[int]) -> None:
        await sse_anyio.serve(
            service.application,
            upstream_tls=service.upstream_tls,
            on_refusal=service.on_refusal or log_refusal,
            task_status=task_status,
            **arguments,
        )

    try:
        port: int = await tasks.start(serve)
    except OSError as error:
        raise service.listen.failure(error) from error
    return port


async def _cancel_on_signal(scope: anyio.CancelScope, *, task_status: TaskStatus[None]) -> None:
    with anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
        task_status.started()
        async for number in signals:
            if scope.cancel_called:  # the second one: no server waits any longer for what it still has to say
                signal.signal(number, signal.SIG_DFL)
                signal.raise_signal(number)
            scope.cancel()

"""Run a program on trio, until a signal ends it."""

from __future__ import annotations

import signal

import trio

import sse_trio
from sse_trio.error_log import log_refusal

from .listen import StartError
from .programs import Program, Service


def run(program: Program) -> None:
    """Serve what ``program`` gives until SIGTERM or SIGINT; a second one ends it at once.

    Raises ``StartError``, and ``KeyboardInterrupt`` for a signal that came before anybody listened to it.
    """
    failure: BaseException | None = None
    try:
        trio.run(_run, program)
    except* (StartError, KeyboardInterrupt) as errors:  # in groups, as nurseries were open
        failure = errors
        while isinstance(failure, BaseExceptionGroup):
            failure = failure.exceptions[0]
    if failure is not None:
        raise failure


async def _run(program: Program) -> None:
    async with trio.open_nursery() as listening:
        async with trio.open_nursery() as serving:
            await listening.start(_cancel_on_signal, serving.cancel_scope)
            try:
                service = next(program)
                while True:
                    service = program.send(await _start(serving, service))
            except StopIteration:
                pass  # it has begun whole
        listening.cancel_scope.cancel()


async def _start(nursery: trio.Nursery, service: Service) -> int:
    """Serve ``service`` in ``nursery``; returns the port."""
    arguments = service.listen.arguments()

    async def serve(task_status: trio.TaskStatus[int]) -> None:
        await sse_trio.serve(
            service.application,
            upstream_tls=service.upstream_tls,
            on_refusal=service.on_refusal or log_refusal,
            task_status=task_status,
            **arguments,
        )

    try:
        port: int = await nursery.start(serve)
    except OSError as error:
        raise service.listen.failure(error) from error
    return port


async def _cancel_on_signal(scope: trio.CancelScope, task_status: trio.TaskStatus[None]) -> None:
    with trio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
        task_status.started()
        async for number in signals:
            if scope.cancel_called:  # the second one: no server waits any longer for what it still has to say
                signal.signal(number, signal.SIG_DFL)
                signal.raise_signal(number)
            scope.cancel()

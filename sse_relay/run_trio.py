"""Run a program on trio, until a signal ends it."""

from __future__ import annotations

import signal

import trio

import sse_trio
from sse_trio.error_log import log_refusal

from .listen import StartError
from .programs import Program, Service


def run(program: Program) -> None:
    """Serve what ``program`` gives until SIGTERM or SIGINT.

    Raises ``StartError``, and ``KeyboardInterrupt`` for a signal that came before anybody listened to it.
    """
    failure: BaseException | None = None
    try:
        trio.run(_run, program)
    except* (StartError, KeyboardInterrupt) as errors:  # in a group, as a nursery was open
        failure = errors.exceptions[0]
    if failure is not None:
        raise failure


async def _run(program: Program) -> None:
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_cancel_on_signal, nursery.cancel_scope)
        try:
            service = next(program)
            while True:
                service = program.send(await _start(nursery, service))
        except StopIteration:
            pass  # it has begun whole


async def _start(nursery: trio.Nursery, service: Service) -> int:
    """Serve ``service`` in ``nursery``; returns the port."""
    listen = service.listen
    tls, settings = listen.tls(), listen.settings()

    async def serve(task_status: trio.TaskStatus[int]) -> None:
        await sse_trio.serve(
            service.application,
            host=listen.host,
            port=listen.port,
            tls=tls,
            upstream_tls=service.upstream_tls,
            settings=settings,
            on_refusal=service.on_refusal or log_refusal,
            task_status=task_status,
        )

    try:
        port: int = await nursery.start(serve)
    except OSError as error:
        raise listen.failure(error) from error
    return port


async def _cancel_on_signal(scope: trio.CancelScope) -> None:
    with trio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
        async for _ in signals:
            scope.cancel()

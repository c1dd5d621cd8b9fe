"""A decoder as a process of its own: a line of JSON in, a line of JSON out, within a time and a size."""

from __future__ import annotations

import base64
import json
import subprocess
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Any, Self

PROTOCOL = 1

#: How long a decoder may take to start and introduce itself, in seconds: some import for long.
START_TIMEOUT = 60.0


class DecoderFailed(Exception):
    """The process was late, said too much, broke the protocol or ended.  The next question starts it anew."""


class DecoderProcess:
    """Asks the decoder that ``command`` starts.

    ``timeout`` is in seconds, for each answer; ``max_answer`` is in bytes.  Whatever a decoder does, an
    answer or :class:`DecoderFailed` comes within the time.
    """

    def __init__(self, command: Sequence[str], *, timeout: float = 10, max_answer: int = 2**20) -> None:
        self._command = list(command)
        self._timeout = timeout
        self._max_answer = max_answer
        self._process: subprocess.Popen[bytes] | None = None
        self._questions = 0
        # A write to a process that doesn't read blocks, as a read from one that is silent; in a thread of
        # their own both can be given up, since killing the process wakes them.
        self._thread = ThreadPoolExecutor(max_workers=1)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        self._thread.shutdown()

    def hello(self) -> dict[str, Any]:
        """What the decoder says of itself when it starts.  Raises :class:`DecoderFailed`."""
        self.stop()
        return self._start()

    def ask(self, chunks: Sequence[bytes], initial_last_event_id: str | None = None) -> dict[str, Any]:
        """The decoder's answer to a stream that comes in ``chunks``.  Raises :class:`DecoderFailed`."""
        if self._process is None:
            self._start()
        self._questions += 1
        question: dict[str, Any] = {
            "run": self._questions,
            "chunks": [base64.b64encode(chunk).decode() for chunk in chunks],
        }
        if initial_last_event_id is not None:
            question["initialLastEventId"] = initial_last_event_id
        answer = self._exchange(json.dumps(question).encode() + b"\n", self._timeout)
        if answer.get("run") != self._questions:
            raise self._failed("answered another run than it was asked")
        return answer

    def _start(self) -> dict[str, Any]:
        try:
            self._process = subprocess.Popen(  # noqa: S603  (running that command is the whole purpose)
                self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE
            )
        except OSError as error:
            raise DecoderFailed(f"could not be started: {error}") from error
        hello = self._exchange(b"", START_TIMEOUT)
        if hello.get("protocol") != PROTOCOL:
            raise self._failed(f"did not say that it speaks protocol {PROTOCOL}")
        return hello

    def _exchange(self, question: bytes, timeout: float) -> dict[str, Any]:
        process = self._process
        assert process is not None  # noqa: S101  (for the type checker: both callers have started it)
        future = self._thread.submit(_write_and_read, process, question, self._max_answer)
        try:
            line = future.result(timeout)
        except TimeoutError:
            raise self._failed(f"gave no answer within {timeout:g} s") from None
        except OSError as error:
            raise self._failed(f"closed its pipes: {error}") from None
        if not line:
            raise self._failed("ended without an answer")
        if not line.endswith(b"\n"):
            raise self._failed(f"gave more than {self._max_answer} bytes, or ended within a line")
        try:
            answer = json.loads(line)
        except ValueError:
            raise self._failed("answered something that is no JSON") from None
        if not isinstance(answer, dict):
            raise self._failed("answered something that is no JSON object")
        return answer

    def _failed(self, reason: str) -> DecoderFailed:
        self.stop()
        return DecoderFailed(reason)

    def stop(self) -> None:
        """End the process, if it runs.  The next question starts another."""
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.wait()
        # The thread may still hold a pipe's lock for the moment that it takes to see the end.
        self._thread.submit(_close, process).result()


def _write_and_read(process: subprocess.Popen[bytes], question: bytes, max_answer: int) -> bytes:
    stdin, stdout = process.stdin, process.stdout
    assert stdin is not None  # noqa: S101  (for the type checker: both are pipes)
    assert stdout is not None  # noqa: S101
    stdin.write(question)
    stdin.flush()
    return stdout.readline(max_answer)


def _close(process: subprocess.Popen[bytes]) -> None:
    for pipe in (process.stdin, process.stdout):
        try:
            if pipe is not None:
                pipe.close()
        except OSError:
            pass  # what was not written yet has nobody to read it

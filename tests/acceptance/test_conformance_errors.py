"""The conformance vectors are worth having: the commonest mistakes of decoders, made on purpose, are found.

Each decoder here is the interpreter of the specification's prose with one thing wrong.
"""

from __future__ import annotations

import contextlib
import itertools
import re
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from conformance.cases import load
from conformance.reference import Interpreter, lines_of, utf_8_decode
from conformance.verdict import OFFERS, judge

GROUPS = load()
CASES = [case for group in GROUPS for case in group.cases]
Answer = dict[str, Any]


class Decoder:
    """The interpreter of the prose as a decoder that can be given mistakes."""

    def __init__(self, interpreter: Callable[[str], Interpreter] = Interpreter) -> None:
        self.interpreter = interpreter

    def text(self, stream: bytes) -> str:
        return utf_8_decode(stream)

    def lines(self, text: str) -> list[str]:
        return lines_of(text)

    def answer(self, chunks: Sequence[bytes], initial: str) -> Answer:
        interpreter = self.interpreter(initial)
        for line in self.lines(self.text(b"".join(chunks))):
            interpreter.process_line(line)
        meaning = interpreter.meaning
        return {
            "events": [
                {
                    "type": event.type,
                    "data": event.data,
                    "lastEventId": event.last_event_id,
                    "id": event.id,
                    "retry": event.retry,
                    "chunk": 1,  # at the earliest: only one mistake is about being late
                }
                for event in meaning.events
            ],
            "lastEventId": meaning.last_event_id,
            "reconnectionTime": meaning.reconnection_time,
        }


class KeepsMark(Decoder):
    def text(self, stream: bytes) -> str:
        return stream.decode("utf-8", "replace")


class StripsEveryMark(Decoder):
    def text(self, stream: bytes) -> str:
        return utf_8_decode(stream).replace("\ufeff", "")


class KnowsOnlyLF(Decoder):
    def lines(self, text: str) -> list[str]:
        return text.split("\n")[:-1]


class SplitsLikePython(Decoder):
    def lines(self, text: str) -> list[str]:
        return text.splitlines()


class DispatchesAtTheEnd(Decoder):
    def lines(self, text: str) -> list[str]:
        return [*re.split(r"\r\n|\r|\n", text), ""]


class DecodesChunkByChunk(Decoder):
    def answer(self, chunks: Sequence[bytes], initial: str) -> Answer:
        return super().answer([chunk.decode("utf-8", "replace").encode() for chunk in chunks], initial)


class IgnoresInvalidBytes(Decoder):
    def text(self, stream: bytes) -> str:
        return stream.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "ignore")


class ParsesChunkByChunk(Decoder):
    def answer(self, chunks: Sequence[bytes], initial: str) -> Answer:
        answers = [Decoder.answer(self, [chunk], initial) for chunk in chunks]
        return {**answers[-1], "events": list(itertools.chain(*(answer["events"] for answer in answers)))}


class IsLate(Decoder):
    def answer(self, chunks: Sequence[bytes], initial: str) -> Answer:
        answer = super().answer(chunks, initial)
        for event in answer["events"]:
            event["chunk"] = None
        return answer


# Mistakes in how a line or a field is processed.


class StripsAllSpace(Interpreter):
    def process_field(self, name: str, value: str) -> None:
        super().process_field(name, value.strip())


class FoldsCase(Interpreter):
    def process_field(self, name: str, value: str) -> None:
        super().process_field(name.strip().lower(), value)


class TakesComments(Interpreter):
    def process_line(self, line: str) -> None:
        super().process_line(line.removeprefix(":"))


class TakesNulInIds(Interpreter):
    def process_field(self, name: str, value: str) -> None:
        super().process_field(name, value.replace("\0", "0") if name == "id" else value)


class TakesAnyInteger(Interpreter):
    def process_field(self, name: str, value: str) -> None:
        if name == "retry":
            with contextlib.suppress(ValueError):
                value = str(abs(int(value)))
        super().process_field(name, value)


class ForgetsIds(Interpreter):
    def dispatch(self) -> None:
        super().dispatch()
        self.last_event_id = ""


class KeepsTypes(Interpreter):
    def dispatch(self) -> None:
        kept = self.event_type
        super().dispatch()
        self.event_type = kept


class DispatchesWithoutData(Interpreter):
    def dispatch(self) -> None:
        if self.event_type or self.last_event_id:
            self.data = self.data or "\n"
        super().dispatch()


class JoinsData(Interpreter):
    def dispatch(self) -> None:
        self.data = self.data.replace("\n", " ")
        super().dispatch()


class TakesIdsAtOnce(Interpreter):
    def process_field(self, name: str, value: str) -> None:
        super().process_field(name, value)
        self.meaning.last_event_id = self.last_event_id


MISTAKES: list[tuple[type[Decoder | Interpreter], set[str]]] = [
    (KeepsMark, {"bom"}),
    (StripsEveryMark, {"bom"}),
    (KnowsOnlyLF, {"line-ends", "splits", "streams"}),
    (SplitsLikePython, {"line-ends"}),
    (DispatchesAtTheEnd, {"end-of-file", "examples", "streams"}),
    (DecodesChunkByChunk, {"utf-8"}),
    (IgnoresInvalidBytes, {"utf-8"}),
    (ParsesChunkByChunk, {"splits"}),
    (IsLate, {"promptness"}),
    (StripsAllSpace, {"fields", "data", "event-type", "id", "retry", "examples"}),
    (FoldsCase, {"fields"}),
    (TakesComments, {"comments"}),
    (TakesNulInIds, {"id"}),
    (TakesAnyInteger, {"retry"}),
    (ForgetsIds, {"id", "reconnection"}),
    (KeepsTypes, {"event-type"}),
    (DispatchesWithoutData, {"dispatch", "comments"}),
    (JoinsData, {"data", "examples"}),
    (TakesIdsAtOnce, {"id", "end-of-file"}),
]


def failing_groups(decoder: Decoder) -> set[str]:
    return {
        case.group
        for case in CASES
        for _, chunks in case.runs()
        if judge(case, chunks, decoder.answer(chunks, case.initial_last_event_id or ""), OFFERS)
    }


@pytest.mark.parametrize(("mistake", "groups"), MISTAKES, ids=lambda value: getattr(value, "__name__", ""))
def test_a_mistake_is_found_where_it_belongs(mistake: type[Any], groups: set[str]) -> None:
    decoder = mistake() if issubclass(mistake, Decoder) else Decoder(mistake)
    assert groups <= failing_groups(decoder)


def test_without_a_mistake_nothing_is_found_and_every_group_finds_some_mistake() -> None:
    assert failing_groups(Decoder()) == set()
    assert set().union(*(groups for _, groups in MISTAKES)) == {group.name for group in GROUPS}

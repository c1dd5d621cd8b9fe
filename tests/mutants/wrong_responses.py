"""Decoders of Responses that each mistake items for others, for the law of hosts to find."""

from __future__ import annotations

from sse_core.dialects.budget import Budget
from sse_core.dialects.openai_responses import Decoder
from sse_core.dialects.openai_responses.decoded_item import DecodedItem
from sse_core.dialects.openai_responses.identity import Clue, ItemIndex


class WrongDecoder(Decoder):
    """A decoder whose items may be made wrong; this one's are right."""

    items: type[ItemIndex] = ItemIndex

    def __init__(self) -> None:
        super().__init__()
        self._output._items = self.items(Budget(2**20))  # noqa: SLF001  (the mistake is planted there)


class _IndexOnly(ItemIndex):
    def announced(self, clue: Clue) -> DecodedItem | None:
        return self._there(clue)

    def ended(self, clue: Clue) -> DecodedItem | None:
        return self._there(clue)

    def grown(self, clue: Clue) -> DecodedItem | None:
        return self._there(clue)

    def is_other_call(self, _: Clue) -> bool:
        return False

    def _there(self, clue: Clue) -> DecodedItem | None:
        return None if clue.place is None else self.at.get((clue.type, clue.place))


class IndexOnly(WrongDecoder):
    """An item is known by its index alone."""

    items = _IndexOnly


class _LatestWithoutIndex(ItemIndex):
    def ended(self, clue: Clue) -> DecodedItem | None:
        return self.latest.get(clue.type) if clue.place is None else super().ended(clue)

    def grown(self, clue: Clue) -> DecodedItem | None:
        return self.latest.get(clue.type) if clue.place is None else super().grown(clue)


class LatestWithoutIndex(WrongDecoder):
    """An event without an index is of the item that began last."""

    items = _LatestWithoutIndex


class _CallsAgain(ItemIndex):
    def announced(self, clue: Clue) -> DecodedItem | None:
        return None if clue.call_id else super().announced(clue)


class CallsAgain(WrongDecoder):
    """A call that is announced again is another call."""

    items = _CallsAgain


class _IdFirst(ItemIndex):
    def new(self, clue: Clue) -> DecodedItem:
        item = super().new(clue)
        self.at.clear()
        return item


class IdOnly(WrongDecoder):
    """An item is known by its id, its call or as the latest: its index says nothing."""

    items = _IdFirst


class _OneCallOfEachKind(ItemIndex):
    def is_other_call(self, _: Clue) -> bool:
        return False


class OneCallOfEachKind(WrongDecoder):
    """A function and a custom tool may have the same ``call_id``."""

    items = _OneCallOfEachKind


DECODERS = (IndexOnly, LatestWithoutIndex, CallsAgain, IdOnly, OneCallOfEachKind)

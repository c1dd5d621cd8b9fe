"""Which item an event speaks of: by its call, its id, its index, or its type.

Theory.  The protocol gives items an index, an id and, if they are calls, the ``call_id`` that the client
answers to.  No single one of them can be the key.  Hosts leave indexes out, give several items the same, end
an item at another index than it began at, or send it again; one gives an item another id with each event.
So the index places an item, and what says more than a place overrules it: the ``call_id``, the type, an id
that another item has.

Each table below is a list of ways to find an item, and the first that finds one counts; where none does, the
event is of a new item.  docs/dialects/openai-responses.md has the tables in words, with their reasons.

Ids are learned from items only, never from other events: those of a host that changes them would fill the
memory.
"""

from __future__ import annotations

from collections import OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from ...blocks.strict_json import JSONObject
from ..budget import Budget
from ..fields import text
from .client_calls import is_call
from .decoded_item import DecodedItem

#: An index beyond is none: it would cost more than an item does.
_MAX_INDEX = 2**32
#: What a key costs beside its text.
_KEY_BYTES = 150


class Clue(NamedTuple):
    """What an event says of its item; what it does not say is ``None`` or empty."""

    type: str
    place: int | None
    id: str
    call_id: str = ""

    @classmethod
    def of_item(cls, event: JSONObject, item: JSONObject) -> Clue:
        """The clue of an event that reports an item."""
        id_, call_id = text(item, "id", ""), text(item, "call_id", "")
        return cls(item["type"], index_in(event, "output_index"), id_, call_id)

    @classmethod
    def of_growth(cls, event: JSONObject, type_: str) -> Clue:
        """The clue of an event by which an item of a type grows."""
        return cls(type_, index_in(event, "output_index"), text(event, "item_id", ""))


class ItemIndex:
    """The items of a response, and the keys by which they are known."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._items: dict[int, DecodedItem] = {}
        self._next = 0  # the index beyond all items
        # Each key is one of a type.
        self.at: dict[tuple[str, int], DecodedItem] = {}
        self.with_id: dict[tuple[str, str], DecodedItem | None] = {}  # None: the id of several is nobody's
        self.with_call: dict[tuple[str, str], DecodedItem] = {}
        self._type_of_call: dict[str, str] = {}
        self.latest: dict[str, DecodedItem] = {}
        # Those that are not done, the oldest first: all, and those without a call_id.
        self.open: defaultdict[str, OrderedDict[int, DecodedItem]] = defaultdict(OrderedDict)
        self.open_without_call: defaultdict[str, OrderedDict[int, DecodedItem]] = defaultdict(OrderedDict)
        self._indexes: set[int] = set()

    def announced(self, clue: Clue) -> DecodedItem | None:
        """The item that is announced once more; ``None`` for a new one."""
        return self._find(_ANNOUNCED, clue)

    def ended(self, clue: Clue) -> DecodedItem | None:
        """The item that is reported as whole; ``None`` for a new one."""
        return self._find(_ENDED, clue)

    def grown(self, clue: Clue) -> DecodedItem | None:
        """The item that grows, if it is known."""
        return self._find(_GROWN, clue)

    def may_begin(self, clue: Clue) -> bool:
        """Whether growth that is of no known item is of one that was not announced."""
        if clue.place is not None:
            return clue.place not in self._indexes
        return clue.id != "" or not self._items

    def is_other_call(self, clue: Clue) -> bool:
        """Whether the ``call_id`` is that of another kind of call: nothing may be run as two."""
        known = self._type_of_call.get(clue.call_id)
        return known is not None and known != clue.type and is_call(clue.type)

    def new(self, clue: Clue) -> DecodedItem:
        """A new item.  Where its index is another's, it gets the next that is free, and takes the place."""
        index = self._next if clue.place is None or clue.place in self._items else clue.place
        item = self._items[index] = DecodedItem(index, clue.type, self._budget)
        self._next = max(self._next, index + 1)
        place = index if clue.place is None else clue.place
        self.at[clue.type, place] = self.latest[clue.type] = item
        self._indexes.add(place)
        self.open[clue.type][index] = self.open_without_call[clue.type][index] = item
        self.learn(item, clue)
        return item

    def learn(self, item: DecodedItem, clue: Clue) -> None:
        """``item`` has this id and this ``call_id``."""
        if clue.id and self.with_id.get((item.type, clue.id), item) is not item:
            self.with_id[item.type, clue.id] = None
        elif clue.id and (item.type, clue.id) not in self.with_id:
            self._budget.add(len(clue.id) + _KEY_BYTES)
            self.with_id[item.type, clue.id] = item
        if clue.call_id and not item.call_id:
            self._budget.add(len(clue.call_id) + 2 * _KEY_BYTES)
            item.call_id = clue.call_id
            self.with_call[item.type, clue.call_id] = item
            self.open_without_call[item.type].pop(item.index, None)
            if is_call(item.type):
                self._type_of_call.setdefault(clue.call_id, item.type)

    def close(self, item: DecodedItem) -> None:
        """``item`` is whole."""
        item.is_done = True
        self.open[item.type].pop(item.index, None)
        self.open_without_call[item.type].pop(item.index, None)

    def in_output(self, clues: Mapping[int, Clue]) -> Iterator[tuple[int, DecodedItem | None]]:
        """The items of the response's end, by their positions; ``None`` for one that was reported already.

        A ``call_id`` says which item it is, else an id.  The others stand in the order of their indexes;
        where indexes have gaps, or some items are missing, one is the next of its type.
        """
        keyed = self._keyed(clues)
        taken = {item.index for item in keyed.values()}
        others = _Others(
            [item for index, item in sorted(self._items.items()) if index not in taken],
            {position: clue for position, clue in clues.items() if position not in keyed},
        )
        for position, clue in clues.items():
            item = keyed.get(position)
            if self.is_other_call(clue) or (item is None and _by_call(self, clue)):
                yield position, None
                continue
            item = item or others.item(position, clue) or self.new(others.placed(position, clue))
            self.learn(item, clue)
            yield position, item

    def _keyed(self, clues: Mapping[int, Clue]) -> dict[int, DecodedItem]:
        """Those that a ``call_id`` or an id identifies, each item once."""
        keyed: dict[int, DecodedItem] = {}
        seen: set[int] = set()
        for position, clue in clues.items():
            item = _by_call(self, clue) or _by_id(self, clue)
            if item is not None and item.index not in seen:
                seen.add(item.index)
                keyed[position] = item
        return keyed

    def _find(self, table: Sequence[_Find], clue: Clue) -> DecodedItem | None:
        for find in table:
            item = find(self, clue)
            if item is not None:
                return item
        return None


class _Others:
    """The items that no key identifies, and the places of the output that are left for them."""

    def __init__(self, items: list[DecodedItem], left: Mapping[int, Clue]) -> None:
        self._in_order = all(item.index in left and _fits(item, left[item.index]) for item in items)
        self._at = {item.index: item for item in items}
        self._waiting: defaultdict[tuple[str, bool], deque[DecodedItem]] = defaultdict(deque)
        for item in items:
            self._waiting[item.type, item.call_id != ""].append(item)

    def item(self, position: int, clue: Clue) -> DecodedItem | None:
        """The item at a position."""
        if self._in_order:
            return self._at.get(position)
        # A call_id that is not known is of none that has another.
        kinds = [False] if clue.call_id else [False, True]
        rows = [row for kind in kinds if (row := self._waiting[clue.type, kind])]
        return min(rows, key=lambda row: row[0].index).popleft() if rows else None

    def placed(self, position: int, clue: Clue) -> Clue:
        """The clue of a new item at a position."""
        return clue._replace(place=position if self._in_order else None)


def index_in(data: JSONObject, name: str) -> int | None:
    """The index ``name``; ``None`` where a host leaves it out, or what it sends is none."""
    index = data.get(name)
    return index if type(index) is int and 0 <= index < _MAX_INDEX else None


def _fits(item: DecodedItem, clue: Clue) -> bool:
    return item.type == clue.type and not (item.call_id and clue.call_id and item.call_id != clue.call_id)


# The ways to find an item.  None of them finds one of another type, or one that has another `call_id`.


def _by_call(items: ItemIndex, clue: Clue) -> DecodedItem | None:
    return items.with_call.get((clue.type, clue.call_id))


def _by_id_as_call(items: ItemIndex, clue: Clue) -> DecodedItem | None:
    return items.with_call.get((clue.type, clue.id))


def _by_id(items: ItemIndex, clue: Clue) -> DecodedItem | None:
    item = items.with_id.get((clue.type, clue.id))
    return item if item is not None and _fits(item, clue) else None


def _by_index(items: ItemIndex, clue: Clue) -> DecodedItem | None:
    item = None if clue.place is None else items.at.get((clue.type, clue.place))
    return item if item is not None and _fits(item, clue) else None


def _by_both(items: ItemIndex, clue: Clue) -> DecodedItem | None:
    item = _by_id(items, clue)
    return item if item is not None and item is _by_index(items, clue) else None


def _open_by_id(items: ItemIndex, clue: Clue) -> DecodedItem | None:
    return _if_open(_by_id(items, clue))


def _open_by_index(items: ItemIndex, clue: Clue) -> DecodedItem | None:
    return _if_open(_by_index(items, clue))


def _if_open(item: DecodedItem | None) -> DecodedItem | None:
    return None if item is None or item.is_done else item


def _oldest_open(items: ItemIndex, clue: Clue) -> DecodedItem | None:
    row = (items.open_without_call if clue.call_id else items.open)[clue.type]
    return next(iter(row.values()), None)


def _latest_open(items: ItemIndex, clue: Clue) -> DecodedItem | None:
    return next(reversed(items.open[clue.type].values()), None)


def _latest(items: ItemIndex, clue: Clue) -> DecodedItem | None:
    return items.latest.get(clue.type)


_Find = Callable[[ItemIndex, Clue], DecodedItem | None]


def _without_index(find: _Find) -> _Find:
    return lambda items, clue: find(items, clue) if clue.place is None else None


def _without_id(find: _Find) -> _Find:
    return lambda items, clue: None if clue.id else find(items, clue)


#: An item is announced: those that make it a repetition.
_ANNOUNCED: tuple[_Find, ...] = (
    _by_call,
    _without_index(_open_by_id),
    _by_both,
    _without_id(_open_by_index),
)
#: An item is reported as whole.
_ENDED: tuple[_Find, ...] = (
    _by_call,
    _open_by_id,  # whatever the index
    _open_by_index,  # whatever the id: it may change with each event
    _without_index(_by_id),
    _by_both,
    _without_id(_by_index),
    _without_index(_oldest_open),
)
#: An item grows.
_GROWN: tuple[_Find, ...] = (
    _by_id,
    _by_id_as_call,
    _by_index,
    _without_index(_latest_open),
    _without_index(_without_id(_latest)),
)

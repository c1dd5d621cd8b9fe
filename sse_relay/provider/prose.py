"""Text that reads like an answer: endless, varied, and the same for the same seed.

Among the words are accents, other scripts and emoji of several code points, because a stream that
is cut or decoded in the wrong place shows it there first.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

_WORDS = {
    "noun": "river|lantern|orchard|harbour|compass|garden|letter|violin|bridge|mountain|kettle|archive"
    "|sparrow|workshop|meadow|clock|staircase|café|notebook|lighthouse|market|engine|forest|kitchen|façade|telescope"
    "|puzzle|village|piano|tide",
    "people": "travellers|neighbours|engineers|gardeners|children|musicians|sailors|librarians|bakers"
    "|students|astronomers|carpenters|señores|doctors|painters|fishermen",
    "adjective": "quiet|bright|patient|curious|ancient|gentle|hollow|crooked|generous|narrow|naïve|silver"
    "|early|stubborn|warm|distant|careful|ordinary|splendid|weathered|hidden|slow|familiar|fragile",
    "verb": "carries|follows|remembers|changes|outlasts|surprises|holds|explains|shelters|answers|invites"
    "|measures|protects|reveals|repairs|welcomes",
    "verbs": "build|remember|admire|describe|repair|gather around|argue about|look after|learn from|return to"
    "|photograph|write about|wait for|dream of",
    "adverb": "slowly|often|rarely|always|quietly|almost never|sometimes|usually|gladly|in the end"
    "|without haste|as a rule",
    "place": "in Zürich|beside the old mill|near 東京|at the edge of town|on São Miguel|under the arches"
    "|in Kraków|across the valley|in the hills above Ἀθῆναι|behind the station|at the end of the pier"
    "|in Malmö",
    "time": "in the morning|before winter|after the rain|at noon|every second Thursday|long ago"
    "|for 3 or 4 years|once the tide turns|by candlelight|when nobody is looking",
    "emoji": "🌊|🎻|🦉|☕️|🌧️|👩‍🚀|🧭|🇨🇭|✨|🍞|👍🏽|🕯️",
}
_LISTS: dict[str, Sequence[str]] = {name: words.split("|") for name, words in _WORDS.items()}

_SENTENCES = (
    "the {adjective} {noun} {verb} the {noun} {place}.",
    "{people} {adverb} {verbs} a {adjective} {noun}, and the {noun} {verb} them {time}.",
    "{time}, the {people} {place} {verbs} what the {adjective} {noun} has left.",
    "if the {noun} is {adjective}, then {people} {verbs} it; otherwise the {noun} {verb} everyone.",
    "what {people} call “the {adjective} {noun}” is {adverb} a {noun} — nothing more.",
    "there are two kinds of {noun}: the {adjective} one, and the one that {verb} {people} {time}.",
    "why would {people} {verbs} the {noun}? Because it {adverb} {verb} the {adjective} {noun}.",
    "a {noun} costs about €{number}, yet the {people} {adverb} {verbs} it {emoji}.",
    "in short: {adjective} {noun}, {adjective} {noun}, and {number} {people} {place}!",
    "the {noun} (a {adjective} one) {verb} the {people}, who {verbs} it {time}.",
    "it isn't the {noun} that {verb} {people}, it's the {adjective} {noun} {place}.",
    "the {people} {verbs} the {noun}; the {noun} {adverb} {verb} the {people}. {emoji}",
    "{people} {place} counted {number} {people} {time}, each with a {adjective} {noun}.",
    "nothing {verb} a {noun} like a {adjective} {noun} does.",
)
_LIST_ITEMS = (
    "**{noun}**: {people} {verbs} it {time}",
    "the {adjective} {noun} {place}",
    "`{noun}_{number}`, which {verb} the {noun}",
    "{number} {people} {emoji}",
)
_THOUGHTS = (
    "the user seems to want something about the {noun}.",
    "first I should check whether the {noun} {adverb} {verb} the {adjective} {noun}.",
    "but {people} {adverb} {verbs} it, so that alone can't be the answer.",
    "let me count: {number} {people}, {number} of them {place}.",
    "hmm, the {adjective} {noun} is a better example.",
    "I could mention the {noun} {place}, and leave the {noun} out.",
    "so the order is: the {noun}, then the {people}, then {time}.",
)

_TOKEN = re.compile(r"\s*(?:\w{1,5}|[^\w\s])|\s+")


class _Author:
    """Writes sentences from templates; chooses by a seed alone, and no template twice in a row."""

    def __init__(self, seed: int, templates: Sequence[str]) -> None:
        self._state = seed
        self._templates = templates
        self._last = 0

    def below(self, bound: int) -> int:
        """A number that looks random: Knuth's linear congruential generator of MMIX."""
        self._state = (self._state * 6364136223846793005 + 1442695040888963407) % 2**64
        return (self._state >> 33) % bound

    def sentence(self) -> str:
        self._last = (self._last + 1 + self.below(len(self._templates) - 1)) % len(self._templates)
        sentence = self.filled(self._templates[self._last])
        return sentence[0].upper() + sentence[1:]

    def filled(self, template: str) -> str:
        text = re.sub(r"\{(\w+)\}", self._word, template)
        return re.sub(r"\b([Aa]) (?=[aeiou])", r"\1n ", text)

    def list_item(self) -> str:
        return self.filled(_LIST_ITEMS[self.below(len(_LIST_ITEMS))])

    def _word(self, slot: re.Match[str]) -> str:
        if slot[1] == "number":
            return str(2 + self.below(997))
        words = _LISTS[slot[1]]
        return words[self.below(len(words))]


def answer(seed: int, question: str) -> Iterator[str]:
    """The tokens of an endless answer to ``question``, about four characters each."""
    yield from tokens(f"You asked: “{question}”." if question else "You asked nothing.")
    author = _Author(seed, _SENTENCES)
    while True:
        for _ in range(2 + author.below(5)):
            yield from tokens(" " + author.sentence())
        if author.below(4) == 0:
            for _ in range(2 + author.below(3)):
                yield from tokens("\n- " + author.list_item())
        yield from tokens("\n\n" + author.sentence())


def thoughts(seed: int) -> Iterator[str]:
    """The tokens of an endless thought."""
    author = _Author(seed + 1, _THOUGHTS)
    yield from tokens(author.sentence())
    while True:
        separator = "\n" if author.below(4) == 0 else " "
        yield from tokens(separator + author.sentence())


def tokens(text: str) -> list[str]:
    """The text in pieces of about four characters; joined they are the text."""
    return _TOKEN.findall(text)

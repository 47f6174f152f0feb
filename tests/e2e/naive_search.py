"""The slow obvious search: a look at every message, one by one, in Python. Shares no code with yushi.

A Question is its text, as a person types it, and the predicate that says of a Sent message whether it answers. The
predicates are made from docs/query.md alone.
"""

import functools
import re
import unicodedata
from dataclasses import dataclass, field


@dataclass
class Sent:
    index: int
    raw: bytes
    event_ns: int
    fields: dict = field(default_factory=dict)  # only of lines that the test made itself

    @functools.cached_property
    def tokens(self):
        return tokens_of(self.raw)

    @functools.cached_property
    def token_set(self):
        return frozenset(self.tokens)


@dataclass
class Question:
    text: str
    holds: object               # Sent -> bool
    arguments: tuple = ()       # of the command line beside the query


CJK = [(0x1100, 0x11FF), (0x2E80, 0x2FDF), (0x3005, 0x3007), (0x3021, 0x3029), (0x3031, 0x3035), (0x3038, 0x303C),
       (0x3041, 0x30FF), (0x3105, 0x312F), (0x3131, 0x318E), (0x31A0, 0x31BF), (0x31F0, 0x31FF), (0x3400, 0x4DBF),
       (0x4E00, 0x9FFF), (0xA960, 0xA97F), (0xAC00, 0xD7FF), (0xF900, 0xFAFF), (0xFF66, 0xFFDC), (0x20000, 0x3FFFF)]


def tokens_of(raw):
    """Maximal runs of letters, digits and _; each CJK character alone; other bytes and signs separate."""
    tokens, run = [], []
    # surrogateescape gives each byte that is no UTF-8 a code point of category Cs: no letter, so it separates.
    for character in raw.decode("utf-8", "surrogateescape"):
        code = ord(character)
        cjk = code >= 0x1100 and any(low <= code <= high for low, high in CJK) and unicodedata.category(character)[0] in "LN"
        inside = not cjk and (character == "_" or unicodedata.category(character)[0] in "LN")
        if inside:
            run.append(character)
            continue
        if run:
            tokens.append(fold("".join(run)))
            run = []
        if cjk:
            tokens.append(character)
    if run:
        tokens.append(fold("".join(run)))
    return tuple(tokens)


def fold(text):
    return text.lower() if text.isascii() else "".join(c.casefold() if len(c.casefold()) == 1 else c for c in text)


def word(text):
    wanted = tokens_of(text.encode())
    if len(wanted) == 1:
        return Question(text, lambda sent: wanted[0] in sent.token_set)
    return Question(text, lambda sent: in_a_row(wanted, sent))


def in_a_row(wanted, sent):
    if not sent.token_set.issuperset(wanted):
        return False
    tokens, length = sent.tokens, len(wanted)
    return any(tokens[i:i + length] == wanted for i in range(len(tokens) - length + 1))


def phrase(text):
    wanted = tokens_of(text.encode())
    return Question('"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"', lambda sent: in_a_row(wanted, sent))


def wildcard(text):
    """`*` stands for any characters inside one token."""
    expression = re.compile(".*".join(re.escape(fold(piece)) for piece in text.split("*")), re.DOTALL)

    @functools.lru_cache(maxsize=None)
    def fits(token):
        return expression.fullmatch(token) is not None
    return Question(text, lambda sent: any(map(fits, sent.token_set)))


def any_word(*words):
    wanted = frozenset(fold(text) for text in words)
    return Question(" ".join(words), lambda sent: not wanted.isdisjoint(sent.token_set))


def equals(name, value):
    """A keyword: all of it, with case, `*` for any characters."""
    expression = re.compile(".*".join(re.escape(piece) for piece in value.split("*")), re.DOTALL)
    return Question(f"{name}: {value}", lambda sent: expression.fullmatch(sent.fields.get(name, "\0")) is not None)


def one_of(name, *values):
    parts = [equals(name, value) for value in values]
    return Question(f"{name}: ({' or '.join(values)})", lambda sent: any(part.holds(sent) for part in parts))


def exists(name):
    return Question(f"{name}: *", lambda sent: name in sent.fields)


def compare(name, sign, value):
    judge = {"<": int.__lt__, "<=": int.__le__, ">": int.__gt__, ">=": int.__ge__, ":": int.__eq__}[sign]
    return Question(f"{name}{sign} {value}" if sign == ":" else f"{name} {sign} {value}",
                    lambda sent: name in sent.fields and judge(sent.fields[name], value))


def matches(name, expression):
    compiled = re.compile(expression)
    return Question(f"{name} ~ /" + expression.replace("/", "\\/") + "/",
                    lambda sent: name in sent.fields and compiled.search(sent.fields[name]) is not None)


def between(from_ns, from_text, to_ns, to_text):
    """Event time within [from, to)."""
    return Question(f'@timestamp >= "{from_text}" and @timestamp < "{to_text}"', lambda sent: from_ns <= sent.event_ns < to_ns)


def both(a, b):
    return Question(f"({a.text}) and ({b.text})", lambda sent: a.holds(sent) and b.holds(sent))


def either(a, b):
    return Question(f"({a.text}) or ({b.text})", lambda sent: a.holds(sent) or b.holds(sent))


def neither(a):
    return Question(f"not ({a.text})", lambda sent: not a.holds(sent))


def answer(question, all_sent):
    """Raw lines in the order (@timestamp, log, index)."""
    return [sent.raw for sent in sorted((sent for sent in all_sent if question.holds(sent)), key=lambda s: (s.event_ns, s.index))]

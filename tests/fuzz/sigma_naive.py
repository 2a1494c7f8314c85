"""What one Sigma rule says of one event, written from the Sigma specification 2.1 (rules, modifiers, conditions) and nothing else, as
plainly as it can be: no plan, no index, nothing shared between rules. fuzz_sigma_plan.py holds the program against it.

An event is a dictionary of dotted field names to values: str, Number, bool, None or a list of these. A rule is its detection section as
Python data: dictionaries, lists, str, Number, bool, None."""
import base64
import datetime
import decimal
import functools
import ipaddress
import itertools
import re


class Number:
    """A number as it is written in JSON or YAML."""

    def __init__(self, text):
        self.text = text
        self.value = decimal.Decimal(text)

    def __repr__(self):
        return self.text


@functools.lru_cache(100000)
def fold(text):
    """Simple case folding: one character for one."""
    return "".join(c.casefold() if len(c.casefold()) == 1 else c for c in text)


def text_of(value):
    return value.text if isinstance(value, Number) else str(value).lower() if isinstance(value, bool) else value


NUMBER = re.compile(r"[ \t]*[+-]?(\d+(\.\d+)?|\.\d+)[ \t]*\Z")


def number_of(value):
    if isinstance(value, Number):
        return value.value
    return decimal.Decimal(value.strip()) if isinstance(value, str) and NUMBER.match(value) else None


def values_of(event, field):
    """All values of a field that are there."""
    found = event.get(field)
    return [v for v in (found if isinstance(found, list) else [found]) if v is not None]


# ---- texts with wildcards ----

@functools.lru_cache(100000)
def parse_wildcards(text):
    """Literal characters, and None for '?', ... for '*'. A backslash escapes * ? and itself; before anything else it is one."""
    out, i = [], 0
    while i < len(text):
        if text[i] == "\\" and i + 1 < len(text) and text[i + 1] in "*?\\":
            out.append(text[i + 1])
            i += 1
        else:
            out.append({"*": ..., "?": None}.get(text[i], text[i]))
        i += 1
    return out


def matches_wildcards(pattern, text):
    """The plain dynamic programme: which lengths of text the pattern so far can take."""
    reach = {0}
    for part in pattern:
        if part is ...:
            reach = set(range(min(reach), len(text) + 1))
        else:
            reach = {at + 1 for at in reach if at < len(text) and (part is None or text[at] == part)}
        if not reach:
            return False
    return len(text) in reach


def is_text(pattern, value, mods):
    pattern = ([...] if mods & {"contains", "endswith"} else []) + pattern + ([...] if mods & {"contains", "startswith"} else [])
    if "cased" in mods:
        return matches_wildcards(pattern, text_of(value))
    return matches_wildcards([fold(p) if isinstance(p, str) else p for p in pattern], fold(text_of(value)))


# ---- modifiers that change the text ----

DASHES = "-/\u2013\u2014\u2015"


def windash(text):
    def word(c):
        return c.isascii() and (c.isalnum() or c == "_") or ord(c) >= 0x80
    places = [i for i, c in enumerate(text)
              if c in DASHES and (i == 0 or not word(text[i - 1])) and i + 1 < len(text) and word(text[i + 1])]
    return ["".join(dict(zip(places, dashes)).get(i, c) for i, c in enumerate(text)) for dashes in itertools.product(DASHES, repeat=len(places))]


CODINGS = {"wide", "utf16", "utf16le", "utf16be", "base64", "base64offset"}


def codings(text, mods):
    """The literal texts that a value stands for, or None when it is a text with wildcards as it is written."""
    widths = [{"wide": "utf-16-le", "utf16le": "utf-16-le", "utf16be": "utf-16-be"}.get(m) for m in mods]
    names = [w for w in widths if w] or (["utf-16-le"] if "utf16" in mods else ["utf-8"])
    plain = "".join(parse_wildcards(text)) if mods & CODINGS else text  # a wildcard cannot be encoded
    coded = [(b"\xff\xfe" if "utf16" in mods else b"") + plain.encode(name) for name in names]
    if "base64" in mods:
        return [base64.b64encode(c).decode() for c in coded]
    if "base64offset" in mods:
        out = []
        for c in coded:
            for offset in range(3):
                whole = base64.b64encode(b" " * offset + c).decode()
                out.append(whole[(0, 2, 3)[offset]:len(whole) - (0, 3, 2)[(len(c) + offset) % 3]])
        return out
    return [c.decode("utf-8", "surrogateescape") for c in coded] if names != ["utf-8"] else None


# ---- one value of an item ----

ORDER = {"lt": lambda a, b: a < b, "lte": lambda a, b: a <= b, "gt": lambda a, b: a > b, "gte": lambda a, b: a >= b}
PARTS = {"minute": lambda t: t.minute, "hour": lambda t: t.hour, "day": lambda t: t.day, "week": lambda t: t.isocalendar()[1],
         "month": lambda t: t.month, "year": lambda t: t.year}


def time_of(value):
    try:
        return datetime.datetime.strptime(value, "%Y-%m-%dT%H:%M:%SZ") if isinstance(value, str) else None
    except ValueError:
        return None


def in_network(network, value):
    try:
        return isinstance(value, str) and ipaddress.ip_address(value) in ipaddress.ip_network(network)
    except ValueError:
        return False


def is_regex(pattern, value, mods):
    flags = (re.I if "i" in mods else 0) | (re.M if "m" in mods else 0) | (re.S if "s" in mods else 0)
    pattern = rf"\A(?:{pattern})" if "startswith" in mods else rf"(?:{pattern})\Z" if "endswith" in mods else pattern
    return re.search(pattern, text_of(value), flags) is not None


def test_value(want, value, mods, event):
    """Whether one value of the event is what the rule wants."""
    order, part = mods & ORDER.keys(), mods & PARTS.keys()
    if "re" in mods:
        return is_regex(text_of(want), value, mods)
    if "cidr" in mods:
        return in_network(want, value)
    if "fieldref" in mods:
        return any(is_text(list(text_of(other)), value, mods) for other in values_of(event, want))
    if order:
        have = number_of(value)
        return have is not None and ORDER[min(order)](have, want.value)
    if part:
        when = time_of(value)
        return when is not None and PARTS[min(part)](when) == want.value
    if isinstance(want, Number) and not mods & {"contains", "startswith", "endswith", "base64", "base64offset", "windash"}:
        have = number_of(value)
        return have == want.value if have is not None else is_text(list(want.text), value, mods)
    texts = windash(text_of(want)) if "windash" in mods else [text_of(want)]
    for text in texts:
        coded = codings(text, mods)
        patterns = [parse_wildcards(text)] if coded is None else [list(c) for c in coded]
        if any(is_text(p, value, mods) for p in patterns):
            return True
    return False


def test_field(field, want, mods, event):
    have = values_of(event, field)
    if "exists" in mods:
        found = (field in event) == want
    elif want is None:
        found = not have
    else:
        found = any(test_value(want, v, mods, event) for v in have)
    return not found if "neq" in mods else found


def keyword(want, mods, event):
    every = [v for field in event for v in values_of(event, field)]
    return any(test_value(want, v, mods if "re" in mods else mods | {"contains"}, event) for v in every)


def test_item(key, wanted, event):
    field, *mods = key.split("|")
    mods = set(mods)
    wanted = wanted if isinstance(wanted, list) else [wanted]
    answers = [test_field(field, w, mods, event) if field else keyword(w, mods, event) for w in wanted]
    return all(answers) if mods & {"all", "neq"} else any(answers)


def test_search(search, event):
    if isinstance(search, dict):
        return all(test_item(key, wanted, event) for key, wanted in search.items())
    if isinstance(search, list):
        return any(test_search(s, event) for s in search)
    return test_item("", search, event)


# ---- conditions ----

def glob(pattern, name):
    return re.fullmatch(".*".join(re.escape(p) for p in pattern.split("*")), name) is not None


class Condition:
    """or below and below not; "1 of x*", "any of them", "all of x*"."""

    def __init__(self, text, searches):
        self.words = re.findall(r"[()]|[^\s()]+", text)
        self.searches = searches
        self.at = 0
        self.holds = self.read_or()
        assert self.at == len(self.words)

    def take(self, *words):
        if self.at < len(self.words) and self.words[self.at] in words:
            self.at += 1
            return self.words[self.at - 1]
        return None

    def read_or(self):
        parts = [self.read_and()]
        while self.take("or"):
            parts.append(self.read_and())
        return lambda answer: any(p(answer) for p in parts)

    def read_and(self):
        parts = [self.read_one()]
        while self.take("and"):
            parts.append(self.read_one())
        return lambda answer: all(p(answer) for p in parts)

    def read_one(self):
        if self.take("not"):
            inner = self.read_one()
            return lambda answer: not inner(answer)
        if self.take("("):
            inner = self.read_or()
            assert self.take(")")
            return inner
        many = self.take("1", "any", "all")
        if many:
            assert self.take("of")
            pattern = self.words[self.at]
            self.at += 1
            names = [n for n in self.searches if (pattern.startswith("_") or not n.startswith("_")) and (pattern == "them" or glob(pattern, n))]
            return lambda answer: (all if many == "all" else any)(answer(n) for n in names)
        name = self.words[self.at]
        self.at += 1
        return lambda answer: answer(name)


class Rule:
    def __init__(self, detection):
        self.searches = {k: v for k, v in detection.items() if k != "condition"}
        texts = detection["condition"]
        self.conditions = [Condition(t, self.searches) for t in (texts if isinstance(texts, list) else [texts])]

    def matches(self, event):
        return any(c.holds(lambda name: test_search(self.searches[name], event)) for c in self.conditions)

"""Swedish words made comparable: folded letters, stems, and pieces of compounds. Pure."""

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

_TOKEN = re.compile(r"\d+(?::\d+)+|\d+|[a-z]+")
_GRAM = 5  # letters; the pieces by which bygglovsansökan meets ansökan om bygglov
_STEM_MIN = 4  # letters that must be left of a word
_ENDINGS = sorted(
    (
        *(
            "s",
            "a",
            "e",
            "n",
            "t",
            "en",
            "et",
            "an",
            "ans",
            "ar",
            "er",
            "or",
            "na",
            "ens",
            "ets",
            "ars",
            "ers",
        ),
        *("ors", "nas", "arna", "erna", "orna", "arnas", "ernas", "ornas", "ande", "ende", "ning"),
        *("ningen", "ningar", "ningarna", "anden", "andet", "aren", "are", "arens", "het", "heten"),
    ),
    key=len,
    reverse=True,
)
_EMPTY_WORDS = frozenset(
    word
    for line in (
        "och i att en ett for pa av om med till fran den det de som vid hos er ert era var vart",
        "vara min mitt mina vi ni jag du har ar ej inte samt eller kring sv re vb fw fwd vs aw ang",
        "dnr nr angaende gallande avseende rorande betraffande diarienummer diarienr arende",
        "arendet hej",
        "the of and to for",
    )
    for word in line.split()
)
_LEGAL_FORMS = frozenset(("ab", "hb", "kb", "ek", "for", "publ", "aktiebolag", "sverige", "i", "o"))
_REPLY = re.compile(r"^(?:\s*(?:sv|re|aw|vb|fw|fwd|vs|tr)\s*(?:\[\d+\])?\s*:)+\s*", re.IGNORECASE)


@lru_cache(maxsize=200_000)
def fold(text: str) -> str:
    """Lower case, without marks over letters: å and ä become a, ö becomes o."""
    decomposed = unicodedata.normalize("NFKD", text.lower())
    return "".join(sign for sign in decomposed if not unicodedata.combining(sign))


@lru_cache(maxsize=200_000)
def tokens(text: str) -> tuple[str, ...]:
    """Give the folded words and numbers of a text; 3:12 is one."""
    return tuple(_TOKEN.findall(fold(text)))


def is_forward(subject: str) -> bool:
    """Say whether a subject begins as that of a forwarded letter."""
    return bool(re.match(r"\s*(?:vb|fw|fwd|vs)\s*:", subject, re.IGNORECASE))


def without_marks(subject: str) -> str:
    """Take the marks of replies and forwarding from the front of a subject."""
    return _REPLY.sub("", subject)


def plain_subject(subject: str) -> str:
    """Give a subject as an answer to it or a forwarded copy would have it, folded."""
    return " ".join(fold(without_marks(subject)).split())


@lru_cache(maxsize=200_000)
def stem(word: str) -> str:
    """Cut a folded word's inflection, roughly."""
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= _STEM_MIN:
            return word[: -len(ending)]
    return word


def features(text: str) -> dict[str, float]:
    """Give what a subject is compared by: stems, and pieces of words at a lower weight."""
    found: dict[str, float] = {}
    for word in tokens(text):
        if word in _EMPTY_WORDS or (word.isdigit() and len(word) < 2):
            continue
        found[stem(word)] = 1.0
        pieces = [word[at : at + _GRAM] for at in range(len(word) - _GRAM + 1)]
        for piece in pieces:
            found[f"-{piece}"] = max(found.get(f"-{piece}", 0.0), 0.5)
    return found


def shown_words(first: str, second: str) -> tuple[str, ...]:
    """Give the words of the first text that mean something and stand in the second, as written."""
    others = {stem(word) for word in tokens(second)} - _EMPTY_WORDS
    written = re.findall(r"[\w:]+", first)
    kept = (
        word
        for word in written
        if any(stem(part) in others and part not in _EMPTY_WORDS for part in tokens(word))
    )
    return tuple(dict.fromkeys(kept))


@lru_cache(maxsize=200_000)
def name_tokens(name: str) -> frozenset[str]:
    """Give what a party's or a person's name is compared by."""
    return frozenset(word for word in tokens(name) if word not in _LEGAL_FORMS)


def squeezed(words: Iterable[str]) -> str:
    """Write words together, as in the name of a domain."""
    return "".join(words)

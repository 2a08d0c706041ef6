"""Whether whoever a letter came from or went to is the party in the diary. Pure."""

from dataclasses import dataclass
from functools import cached_property, lru_cache

from rapidfuzz import fuzz

from compliance.diary.words import fold, name_tokens, squeezed, tokens

_ALIKE = 88  # of 100, by rapidfuzz's ratio: one letter wrong in a name
_LONG = 5  # letters; shorter words are in too many names


@dataclass(frozen=True)
class Side:
    """One side of a letter: addresses and names, made ready once."""

    addresses: frozenset[str]
    names: tuple[frozenset[str], ...]
    domains: tuple[str, ...]
    locals: tuple[str, ...]

    @cached_property
    def keys(self) -> frozenset[str]:
        """What the side is looked up by among parties."""
        words = {word for name in self.names for word in name if len(word) > 1}
        return frozenset(words | {f"@{name[:_LONG]}" for name in (*self.domains, *self.locals)})

    @property
    def says_who(self) -> bool:
        """A whole name or a domain of their own is known, so that another party is another one."""
        return bool(self.domains) or any(len(name) > 1 for name in self.names)


def side_of(addresses: tuple[str, ...], names: tuple[str, ...]) -> Side:
    """Make ready the other side of a letter."""
    locals_and_domains = [address.rpartition("@")[::2] for address in map(str.lower, addresses)]
    called = [name_tokens(name) for name in names]
    called += [name_tokens(local) for local, _ in locals_and_domains]
    return Side(
        frozenset(map(str.lower, addresses)),
        tuple(dict.fromkeys(name for name in called if name)),
        tuple(dict.fromkeys(filter(None, (_label(domain) for _, domain in locals_and_domains)))),
        tuple(
            dict.fromkeys(
                filter(None, (squeezed(tokens(local)) for local, _ in locals_and_domains))
            )
        ),
    )


@lru_cache(maxsize=100_000)
def party_keys(party: str) -> frozenset[str]:
    """What a party in the diary is looked up by; meets `Side.keys`."""
    words = name_tokens(party)
    together = _together(party)
    ways = {together, _SHORT.get(together, together)}
    ways |= {short for short, long in _SHORT.items() if long == together}
    return frozenset(
        {word for word in words if len(word) > 1} | {f"@{way[:_LONG]}" for way in ways}
    )


def likeness(side: Side, party: str) -> float:
    """Say how well a side fits a party, from 0 to 1."""
    words = name_tokens(party)
    if not words:
        return 0.0
    lowered = party.lower()
    if any(address in lowered for address in side.addresses):
        return 1.0
    best = max((_names_alike(name, words) for name in side.names), default=0.0)
    together = _together(party)
    if any(_holds_name(local, words) for local in side.locals):
        best = max(best, 0.9)
    return max([best, *(_domain_alike(domain, words, together) for domain in side.domains)])


def _holds_name(local: str, words: frozenset[str]) -> bool:
    """Say whether a local part such as viktorpalm2005 is two of a party's names and little else."""
    held = [word for word in words if len(word) > 2 and word in local]
    return len(held) >= 2 and len(squeezed(held)) + 5 >= len(local)


def _names_alike(name: frozenset[str], party: frozenset[str]) -> float:
    shared = name & party
    if len(shared) >= 2 and (shared in (name, party)):
        return 1.0
    if len(shared) >= 2:
        return 0.85
    if name == party and max(map(len, name)) >= _LONG:
        return 0.9
    if shared and max(map(len, shared)) >= 4:
        initials = {word[0] for word in name ^ party}
        has_initial = any(len(word) == 1 for word in name ^ party) and len(initials) == 1
        return 0.85 if has_initial else 0.5
    if fuzz.ratio(_in_order(name), _in_order(party), score_cutoff=_ALIKE):
        return 0.85
    return 0.0


@lru_cache(maxsize=100_000)
def _in_order(name: frozenset[str]) -> str:
    return " ".join(sorted(name))


@lru_cache(maxsize=100_000)
def _together(party: str) -> str:
    words = name_tokens(party)
    return squeezed(word for word in tokens(party) if word in words)


def _domain_alike(domain: str, words: frozenset[str], together: str) -> float:
    if len(domain) < 3:
        return 0.0
    domain, together = _SHORT.get(domain, domain), _SHORT.get(together, together)
    if domain == together:
        return 0.95
    if len(domain) >= _LONG and (together.startswith(domain) or domain.startswith(together)):
        return 0.85
    if fuzz.ratio(domain, together, score_cutoff=_ALIKE):
        return 0.85
    return 0.6 if any(len(word) >= _LONG and word in domain for word in words) else 0.0


def _label(domain: str) -> str:
    """Give what is somebody's own in a domain: `lansstyrelsen` of mail.lansstyrelsen.se."""
    labels = fold(domain).split(".")
    own = labels[-2] if len(labels) >= 2 else labels[0]
    return "" if own in _PROVIDERS else own.replace("-", "")


# Abbreviations of authorities in common use, and what they stand for.
_SHORT = {
    "lst": "lansstyrelsen",
    "trv": "trafikverket",
    "ivo": "inspektionenforvardochomsorg",
    "skr": "sverigeskommunerochregioner",
    "mmd": "markochmiljodomstolen",
    "fr": "forvaltningsratten",
    "msb": "myndighetenforsamhallsskyddochberedskap",
    "imy": "integritetsskyddsmyndigheten",
    "jo": "riksdagensombudsman",
    "slu": "sverigeslantbruksuniversitet",
    "kfm": "kronofogdemyndigheten",
    "fk": "forsakringskassan",
    "af": "arbetsformedlingen",
}

# Whoever writes from these is not the provider.
_PROVIDERS = frozenset(
    ("gmail", "hotmail", "outlook", "live", "icloud", "telia", "yahoo", "msn", "bredband", "me")
)

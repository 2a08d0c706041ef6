"""The municipality's mail domain, as it stands behind an @ and in DNS."""

import re
from contextlib import suppress

from pydantic_core import PydanticCustomError

_LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"  # RFC 1035 section 2.3.1, RFC 1123 section 2.1
_DOMAIN = re.compile(rf"(?=.{{4,253}}\Z){_LABEL}(\.{_LABEL})+")


def mail_domain(text: str) -> str:
    """Return a domain as it is. Raises what pydantic tells, with what to write, if it is none."""
    if _DOMAIN.fullmatch(text):
        return text
    remedy = "write it in lower case, without @ and spaces, e.g. sjovalla.example"
    if not text.isascii():
        with suppress(UnicodeError):
            if _DOMAIN.fullmatch(in_dns := text.encode("idna").decode()):
                remedy = f"write it as DNS has it, {in_dns}"
    raise PydanticCustomError("domain", f"{text!r} is no mail domain: {remedy}")

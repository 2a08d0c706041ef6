"""The second step of logging in: a code of six digits from the person's telephone (RFC 6238)."""

import base64
import hashlib
import time

import pyotp
import segno
from cryptography.fernet import Fernet, InvalidToken
from django.conf import settings
from django.utils import timezone

from compliance.loglist.models import SecondFactor

# A telephone's clock may be this many steps of 30 s before or behind ours (RFC 6238, 5.2).
DRIFT = 1


def is_set_up(person: str) -> bool:
    """Say whether a code is asked of a person."""
    return bool(SecondFactor.objects.filter(person=person, confirmed_at__isnull=False).exists())


def secret_for(person: str) -> str:
    """Return the secret that a person is to take into their telephone, made when first asked for.

    It is shown until a code has confirmed it, and never again.
    """
    made = _sealer().encrypt(pyotp.random_base32().encode())
    found, _made = SecondFactor.objects.get_or_create(person=person, defaults={"secret": made})
    if found.confirmed_at is None and _opened(found) is None:
        SecondFactor.objects.filter(person=person, confirmed_at__isnull=True).update(secret=made)
        found.secret = made
    return _opened(found) or ""


def address_of(secret: str, name: str) -> str:
    """Return what the QR code holds: the key URI that authenticator programs read.

    name: the person's e-mail address, to tell several apart.
    """
    issuer = f"Loggningslista {settings.KOMMUNPOST.municipality.name}"
    address: str = pyotp.TOTP(secret).provisioning_uri(name, issuer_name=issuer)
    return address


def picture_of(address: str, title: str) -> str:
    """Return the address as a QR code, an SVG that stands in the page itself."""
    picture: str = segno.make(address, micro=False).svg_inline(
        border=4, title=title, svgclass="code", omitsize=True
    )
    return picture


def is_right(person: str, code: str) -> bool:
    """Take a code, once; say whether it is the person's. The first right one confirms the key."""
    digits = "".join(code.split())
    found = SecondFactor.objects.filter(person=person).first()
    secret = _opened(found) if found else None
    if secret is None or len(digits) != 6 or not (digits.isascii() and digits.isdecimal()):
        return False
    one_time = pyotp.TOTP(secret)
    now = int(time.time()) // one_time.interval
    for step in range(now - DRIFT, now + DRIFT + 1):
        if pyotp.utils.strings_equal(one_time.generate_otp(step), digits):
            return _spend(person, step)
    return False


def forget(person: str) -> bool:
    """Take a person's second factor away; say whether there was one."""
    removed, _by_table = SecondFactor.objects.filter(person=person).delete()
    return bool(removed)


def _spend(person: str, step: int) -> bool:
    """Note a code as used; False if it, or a later one, was already, even at the same moment."""
    theirs = SecondFactor.objects.filter(person=person, last_step__lt=step)
    if not theirs.update(last_step=step):
        return False
    SecondFactor.objects.filter(person=person, confirmed_at__isnull=True).update(
        confirmed_at=timezone.now()
    )
    return True


def _sealer() -> Fernet:
    key = hashlib.sha256(b"second factor\0" + settings.SECRET_KEY.encode()).digest()
    return Fernet(base64.urlsafe_b64encode(key))


def _opened(found: SecondFactor) -> str | None:
    """Return the secret; None if it was made under another key of the web."""
    try:
        return _sealer().decrypt(bytes(found.secret)).decode()
    except InvalidToken:
        return None

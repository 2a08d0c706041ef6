"""Single sign-on: the municipality's own OpenID provider says whose account it is.

The authorization code flow of OpenID Connect Core 1.0, with PKCE (RFC 7636). authlib asks, and
verifies what comes back; here stands what is asked for, and what is believed.
"""

from dataclasses import dataclass
from typing import Any

import requests
from authlib.common.errors import AuthlibBaseError
from authlib.common.security import generate_token
from authlib.common.urls import add_params_to_uri
from authlib.integrations.requests_client import OAuth2Session
from authlib.jose import JsonWebKey, JsonWebToken
from authlib.oidc.core import CodeIDToken
from django.conf import settings
from django.core.cache import cache

from compliance.settings import SingleSignOn, read_secret

# Signatures by the provider's own key. With HS256 whoever knows our secret could sign; `none` is
# no signature. The provider's own list is not asked.
ALGORITHMS = ("RS256", "PS256", "ES256")
ANSWER_SECONDS = 10
# Clocks may differ by so much.
LEEWAY_SECONDS = 60
_KEPT_SECONDS = 3600
_ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")


class SignOnError(Exception):
    """The provider's answer is not one to believe; says why, for the technician, without tokens."""


class ProviderAwayError(SignOnError):
    """The provider does not answer."""


@dataclass(frozen=True, slots=True)
class Vouched:
    """What the provider stands for.

    account: address of the account in the directory. several_factors: it has asked for more than a
    password, and that is to count as the second step.
    """

    account: str
    several_factors: bool


def begin(back: str) -> tuple[str, dict[str, str]]:
    """Return where to send a browser, and what to remember until it is `back`, our own address.

    Raises SignOnError.
    """
    metadata = _metadata()
    attempt = {"state": generate_token(32), "nonce": generate_token(32)}
    attempt["verifier"] = generate_token(64)
    with _client(metadata) as client:
        address, _state = client.create_authorization_url(
            metadata["authorization_endpoint"],
            state=attempt["state"],
            nonce=attempt["nonce"],
            code_verifier=attempt["verifier"],
            redirect_uri=back,
        )
    return address, attempt


def finish(attempt: dict[str, str], code: str, back: str) -> Vouched:
    """Exchange the code that the browser brought for an ID token; return what that says.

    attempt, back: as with `begin`. Raises SignOnError.
    """
    metadata = _metadata()
    with _client(metadata) as client:
        try:
            token = client.fetch_token(
                metadata["token_endpoint"],
                grant_type="authorization_code",
                code=code,
                code_verifier=attempt["verifier"],
                redirect_uri=back,
                allow_redirects=False,
            )
        except requests.RequestException as error:
            raise _away(error) from None
        except AuthlibBaseError as error:
            raise SignOnError(f"the provider gives no token: {error.error!r:.60}") from None
    try:
        claims = _verified(token, attempt["nonce"])
    except AuthlibBaseError as error:
        why = f"{error.error}, {error.description}"
        raise SignOnError(f"the ID token is not valid: {why}") from None
    except (KeyError, TypeError, ValueError) as error:
        raise SignOnError(f"the ID token cannot be read: {type(error).__name__}") from None
    return _vouched(claims)


def log_out_address(back: str) -> str | None:
    """Return where somebody logs out of the provider too, if it has such a page.

    That is RP-initiated logout 1.0. We keep no ID token to hint with, only who we are. back: where
    to go then. Raises SignOnError.
    """
    page = _metadata().get("end_session_endpoint")
    if not _is_https(page):
        return None
    parameters = [("client_id", _provider().client_id), ("post_logout_redirect_uri", back)]
    address: str = add_params_to_uri(page, parameters)
    return address


def _provider() -> SingleSignOn:
    provider: SingleSignOn = settings.OIDC
    return provider


def _client(metadata: dict[str, Any]) -> Any:
    provider = _provider()
    scope = "openid profile email" if provider.account_claim == "email" else "openid profile"
    by_form = "client_secret_post"  # RFC 6749 lets servers choose; both Microsoft's take this one
    known = metadata.get("token_endpoint_auth_methods_supported", [])
    return OAuth2Session(
        provider.client_id,
        read_secret(provider.client_secret_file),
        scope=scope,
        code_challenge_method="S256",
        token_endpoint_auth_method=by_form if by_form in known else "client_secret_basic",
        **_connection(provider),
    )


def _connection(provider: SingleSignOn) -> dict[str, Any]:
    """trust_env: nothing in the surroundings changes whose certificates are believed."""
    verify = str(provider.ca_file) if provider.ca_file else True
    return {"verify": verify, "trust_env": False, "default_timeout": ANSWER_SECONDS}


def _metadata() -> dict[str, Any]:
    """Return what the provider says of itself (OpenID Connect Discovery 1.0)."""
    found: dict[str, Any] | None = cache.get("oidc_metadata")
    if found is None:
        issuer = _provider().issuer
        found = _get(f"{issuer.rstrip('/')}/.well-known/openid-configuration")
        if found.get("issuer") != issuer:
            raise SignOnError(f"the provider calls itself {found.get('issuer')!r:.200}")
        if not all(_is_https(found.get(name)) for name in _ENDPOINTS):
            raise SignOnError("the provider names no https address for one of its services")
        cache.set("oidc_metadata", found, _KEPT_SECONDS)
    return found


def _is_https(address: object) -> bool:
    return isinstance(address, str) and address.startswith("https://")


def _keys(*, anew: bool) -> Any:
    """Return the provider's keys; anew: it may have changed them since we asked."""
    found = None if anew else cache.get("oidc_keys")
    if found is None:
        found = _get(_metadata()["jwks_uri"])
        cache.set("oidc_keys", found, _KEPT_SECONDS)
    return JsonWebKey.import_key_set(found)


def _get(address: str) -> dict[str, Any]:
    try:
        with OAuth2Session(**_connection(_provider())) as session:
            answer = session.get(address, withhold_token=True, allow_redirects=False)
        answer.raise_for_status()
        found = answer.json()
    except requests.RequestException as error:
        raise _away(error) from None
    if not isinstance(found, dict):
        raise SignOnError(f"{address} is no JSON object")
    return found


def _away(error: requests.RequestException) -> ProviderAwayError:
    address = error.request.url if error.request is not None else _provider().issuer
    return ProviderAwayError(f"{address} does not answer as it should: {type(error).__name__}")


def _verified(token: dict[str, Any], nonce: str) -> Any:
    """Return the ID token's claims, verified as OpenID Connect Core 1.0, 3.1.3.7 says."""

    def key(header: dict[str, Any], _payload: Any) -> Any:
        try:
            return _keys(anew=False).find_by_kid(header.get("kid"))
        except ValueError:
            return _keys(anew=True).find_by_kid(header.get("kid"))

    provider = _provider()
    claims = JsonWebToken(ALGORITHMS).decode(
        token["id_token"],
        key,
        claims_cls=CodeIDToken,
        claims_options={
            "iss": {"essential": True, "value": provider.issuer},
            "aud": {"essential": True, "value": provider.client_id},
        },
        claims_params={
            "nonce": nonce,
            "client_id": provider.client_id,
            "access_token": token.get("access_token"),
        },
    )
    claims.validate(leeway=LEEWAY_SECONDS)
    return claims


def _vouched(claims: dict[str, Any]) -> Vouched:
    provider = _provider()
    account = claims.get(provider.account_claim)
    if not isinstance(account, str) or not account.strip():
        has = f"{sorted(claims)}"
        raise SignOnError(f"the ID token has no claim {provider.account_claim}; it has {has:.300}")
    if provider.account_claim == "email" and claims.get("email_verified") is False:
        raise SignOnError("the provider has not verified the claim 'email'")
    several = "mfa" in (claims.get("amr") or [])
    return Vouched(account=account, several_factors=several and provider.mfa_counts)

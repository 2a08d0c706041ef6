"""An OpenID provider to log in with: django-oauth-toolkit, served by gunicorn (openid_provider.py).

It stands for the municipality's ADFS or Entra ID. All of the protocol is the toolkit's, with its
own libraries for tokens; `twist.json` lets a test have it sign what no honest provider would.
"""

import base64
import json
import os
from pathlib import Path

from django.conf import settings

FOLDER = Path(os.environ["OPENID_FOLDER"])
SPEC = json.loads((FOLDER / "spec.json").read_text(encoding="utf-8"))
LOGIN = '<form method="post">{% csrf_token %}{{ form }}<button>Logga in</button></form>'

settings.configure(
    SECRET_KEY="provets egen nyckel",
    ALLOWED_HOSTS=["127.0.0.1"],
    ROOT_URLCONF=__name__,
    DATABASES={
        "default": {"ENGINE": "django.db.backends.sqlite3", "NAME": str(FOLDER / "db.sqlite3")}
    },
    INSTALLED_APPS=[
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "django.contrib.sessions",
        "oauth2_provider",
    ],
    MIDDLEWARE=[
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
    ],
    PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
    TEMPLATES=[
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "OPTIONS": {
                "loaders": [
                    ("django.template.loaders.locmem.Loader", {"registration/login.html": LOGIN}),
                    "django.template.loaders.app_directories.Loader",
                ],
                "context_processors": ["django.template.context_processors.request"],
            },
        }
    ],
    LOGIN_URL="/login",
    USE_TZ=True,
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    OAUTH2_PROVIDER={
        "OIDC_ENABLED": True,
        "OIDC_ISS_ENDPOINT": SPEC["issuer"],
        "OIDC_RSA_PRIVATE_KEY": SPEC["key"],
        "OIDC_RP_INITIATED_LOGOUT_ENABLED": True,
        "OAUTH2_VALIDATOR_CLASS": f"{__name__}.Validator",
        "SCOPES": {"openid": "", "profile": "", "email": ""},
        "PKCE_REQUIRED": True,
    },
)

import django  # noqa: E402

django.setup()

from django.contrib.auth.views import LoginView  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.urls import include, path  # noqa: E402
from jwcrypto import jwk, jwt  # noqa: E402
from oauth2_provider.oauth2_validators import OAuth2Validator  # noqa: E402

urlpatterns = [
    path("login", LoginView.as_view()),
    path("", include("oauth2_provider.urls", namespace="oauth2_provider")),
]


class Validator(OAuth2Validator):
    """Names the account as Entra ID does, and signs what the test wants signed."""

    oidc_claim_scope = None

    def get_additional_claims(self, request):
        return {"preferred_username": request.user.username}

    def get_id_token_dictionary(self, token, token_handler, request):
        claims, expires = super().get_id_token_dictionary(token, token_handler, request)
        return claims | {"nonce": request.nonce} | _twist().get("claims", {}), expires

    def finalize_id_token(self, id_token, token, token_handler, request):
        twist = _twist()
        if not twist:
            return super().finalize_id_token(id_token, token, token_handler, request)
        claims, _expires = self.get_id_token_dictionary(token, token_handler, request)
        key = jwk.JWK.from_pem(twist.get("key", SPEC["key"]).encode())
        kid = twist.get("kid", request.client.jwk_key.thumbprint())
        header = {"alg": twist.get("alg", "RS256"), "kid": kid}
        payload = {name: value for name, value in (id_token | claims).items() if value is not None}
        if header["alg"] == "none":
            return ".".join([*map(_segment, (header, payload)), ""])
        if header["alg"].startswith("HS"):
            key = jwk.JWK(kty="oct", k=_encoded(SPEC["client_secret"].encode()))
        signed = jwt.JWT(header=header, claims=payload, algs=[header["alg"]])
        signed.make_signed_token(key)
        return signed.serialize()


def _twist():
    path = FOLDER / "twist.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def _segment(part):
    return _encoded(json.dumps(part).encode())


def _encoded(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def fill():
    """Make the tables, the log list as a client, and its people; once."""
    from django.contrib.auth.models import User
    from oauth2_provider.models import Application

    call_command("migrate", verbosity=0)
    Application.objects.create(
        client_id=SPEC["client_id"],
        client_secret=SPEC["client_secret"],
        client_type=Application.CLIENT_CONFIDENTIAL,
        authorization_grant_type=Application.GRANT_AUTHORIZATION_CODE,
        redirect_uris=SPEC["redirect_uri"],
        post_logout_redirect_uris=SPEC["log_out_uri"],
        algorithm=Application.RS256_ALGORITHM,
        skip_authorization=True,
    )
    for name in SPEC["people"]:
        User.objects.create_user(name, password=SPEC["password"])


if not (FOLDER / "db.sqlite3").exists():
    fill()
application = get_wsgi_application()

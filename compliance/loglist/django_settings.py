"""Django's settings, made from the installation's."""

from pathlib import Path

from compliance import settings
from compliance.errors import UserError
from compliance.loglist.database import parameters

KOMMUNPOST = settings.load()
if KOMMUNPOST.loglist is None or KOMMUNPOST.directory is None:
    raise UserError.of(
        "the settings have no `loglist` or no `directory`",
        str(settings.settings_path()),
        "run this where role log_list has set it up",
    )
LOGLIST = KOMMUNPOST.loglist
DIRECTORY = KOMMUNPOST.directory

SESSION_HOURS = 8
SECOND_FACTOR_REQUIRED = LOGLIST.second_factor == "required"
OIDC = LOGLIST.oidc

# A question that takes longer helps nobody, and would keep a processor from all others. nginx waits
# for 60 seconds.
QUESTION_SECONDS = 50
DATABASES = {
    "default": parameters(LOGLIST.web, QUESTION_SECONDS),
    "login": parameters(LOGLIST.login, QUESTION_SECONDS),
}
SECRET_KEY = settings.read_secret(LOGLIST.secret_key_file)
ALLOWED_HOSTS = LOGLIST.hosts
DEBUG = False

INSTALLED_APPS = ["compliance.loglist"]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "compliance.loglist.middleware.protect",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "compliance.loglist.middleware.WhoReads",
]
ROOT_URLCONF = "compliance.loglist.urls"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "compliance.loglist.context.surroundings",
            ],
        },
    }
]

# The token lives in the reader's cookie alone: in the database stands its hash.
SESSION_ENGINE = "django.contrib.sessions.backends.signed_cookies"
SESSION_COOKIE_NAME = "__Host-loglist"
SESSION_COOKIE_AGE = SESSION_HOURS * 3600
SESSION_COOKIE_SECURE = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
CSRF_FAILURE_VIEW = "compliance.loglist.views.faults.old_form"
CSRF_COOKIE_NAME = "__Host-csrf"
CSRF_COOKIE_SECURE = True
CSRF_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_NAME = "__Host-language"
LANGUAGE_COOKIE_SECURE = True
LANGUAGE_COOKIE_HTTPONLY = True
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_HSTS_SECONDS = 31_536_000
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

LANGUAGE_CODE = "sv"
LANGUAGES = [("sv", "Svenska"), ("en", "English")]
LOCALE_PATHS = [Path(__file__).parent / "locale"]
USE_TZ = True
TIME_ZONE = "Europe/Stockholm"
STATIC_URL = "/static/"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"console": {"class": "logging.StreamHandler"}},
    "root": {"handlers": ["console"], "level": "WARNING"},
}

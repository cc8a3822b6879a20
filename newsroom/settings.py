"""All settings, from the environment. README "Configuration" lists the variables.

SECRET_KEY has no default, so no site can run with a known one (`make run` and the tests make their own).
Cookies, redirects and HSTS expect TLS as soon as SITE_URL is https.
"""

import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import dj_database_url
import environ
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy

from newsroom.sql.pooled import PooledConnection
from newsroom.terminal import _

env = environ.Env()
BASE_DIR = Path(__file__).resolve().parent.parent


def checked(name: str, read: Callable[[str], Any], must_be: str) -> Any:
    """A variable; where it cannot be read, manage.py ends with one sentence."""
    try:
        return read(name)
    except (ImproperlyConfigured, LookupError, ValueError, TypeError, OSError) as error:
        raise ImproperlyConfigured(f"{name}: {must_be}") from error


def number(name: str, default: float, *, least: int = 0, most: float = math.inf) -> Any:
    """Of the kind that `default` is of."""
    must_be = _("eine Zahl ab %d") % least if most == math.inf else _("eine Zahl von %d bis %d") % (least, most)
    value = checked(name, lambda name: type(default)(env(name, default=default)), must_be)
    if not least <= value <= most:
        raise ImproperlyConfigured(f"{name}: {must_be}")
    return value


def address_of(host: str) -> str:
    """What readers type, if SITE_URL says nothing else: of a host with a public name, over TLS."""
    # A name without a dot, as "*", is no public one; nor are addresses of a local network.
    here = re.fullmatch(r"[^.:]*|.*\.localhost|(127|10|192\.168|172\.(1[6-9]|2\d|3[01]))\..*|\[::1\]", host)
    return "http://localhost:8000" if here else f"https://{host}"


# --- the site ---------------------------------------------------------------------------------------

SITE_NAME = env("SITE_NAME", default="Newsroom")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
SITE_URL = env("SITE_URL", default=address_of("".join(ALLOWED_HOSTS[:1]).strip().lstrip("."))).rstrip("/")
SECURE = SITE_URL.startswith("https://")
SWITCH = {"on": True, "true": True, "yes": True, "1": True, "off": False, "false": False, "no": False, "0": False}
DEBUG = checked("DEBUG", lambda name: SWITCH[env(name, default="").lower() or "off"], _("on oder off"))

SECRET_KEY = checked("SECRET_KEY", env, _("fehlt; nötig sind 50 zufällige Zeichen, die geheim sind und es bleiben"))
CSRF_TRUSTED_ORIGINS = [SITE_URL]
# How many proxies of ours stand before the server; only their entries of X-Forwarded-For are believed
# (wpDiscuz CVE-2026-22201 believed the header of anyone).
TRUSTED_PROXIES = number("TRUSTED_PROXIES", 0)
ALLAUTH_TRUSTED_PROXY_COUNT = TRUSTED_PROXIES

# Part of every page's ETag: a new version of the project changes pages whose articles did not change.
RELEASE = env("RELEASE", default="") or str(
    max(
        (
            path.stat().st_mtime_ns
            for made in ("templates", "static", "locale")
            for path in (BASE_DIR / made).rglob("*")
        ),
        default=0,
    )
)

# Only `make run` sets this: the folder of the local mailbox, shown under /postfach/.
MAILBOX = env("NEWSROOM_MAILBOX", default="")

# --- applications -----------------------------------------------------------------------------------

INSTALLED_APPS = [
    "newsroom.apps.NewsroomConfig",
    "articles",
    "readers",
    "comments",
    "ratings",
    "subscriptions",
    "moderation",
    "newsroom.apps.AdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.sitemaps",
    "allauth",
    "allauth.account",
    "csp",
    "django_htmx",
    "procrastinate.contrib.django",
]

MIDDLEWARE = [
    "articles.middleware.short_way",
    "newsroom.middleware.response_headers",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "newsroom.pages.compression.compressed",
    "csp.middleware.CSPMiddleware",
    "newsroom.middleware.refuse_unreadable",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "readers.middleware.reader_of_request",
]

ROOT_URLCONF = "newsroom.urls"
WSGI_APPLICATION = "newsroom.wsgi.application"
CSRF_FAILURE_VIEW = "newsroom.views.confirm_shared_form"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "newsroom.pages.context.site",
                "readers.context.shared_page",
            ],
        },
    },
    {
        # For the conversation alone; every other page is a Django template.
        "NAME": "jinja2",
        "BACKEND": "django.template.backends.jinja2.Jinja2",
        "DIRS": [BASE_DIR / "templates"],
        "OPTIONS": {"environment": "newsroom.pages.jinja.environment"},
    },
]

# --- database, jobs, cache --------------------------------------------------------------------------

DATABASES = {
    "default": checked(
        "DATABASE_URL",
        lambda name: dj_database_url.parse(env(name, default="postgresql://localhost/newsroom")),
        _("eine Adresse wie postgresql://name:passwort@rechner/newsroom"),
    )
}
# Connecting per request costs nine tenths of the throughput (docs: peers measured 430/s against 3,850/s).
DATABASES["default"].setdefault("OPTIONS", {})["pool"] = {
    # None before it is needed: a process that is asked while its first connection is being made would make a second,
    # and use the two in turns, each with its own prepared queries and caches.
    "min_size": 0,
    "max_size": 8,
    # A reader waits no longer than this for a page that says that the database is away; and it is used again within 2 s
    # after an outage of 30 (with the defaults, 40).
    "timeout": 3,
    "reconnect_timeout": 2,
}
# A database that restarted must cost nobody an error: a pooled connection is tried, or looked at, before it is used.
DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
DATABASES["default"]["OPTIONS"]["pool"]["connection_class"] = PooledConnection
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# A killed worker misses its heartbeat after 20 s at the latest; newsroom.tasks then hands its jobs on.
PROCRASTINATE_WORKER_DEFAULTS = {"update_heartbeat_interval": 5, "stalled_worker_timeout": 20, "concurrency": 4}

# allauth's limits count in the cache; several web processes must see the same counts.
CACHES = {"default": {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "newsroom_cache"}}

# Bytes that each web process keeps of pages for everyone: as rendered, and as sent.
PAGE_MEMORY = number("PAGE_MEMORY", 5_000_000)
ANSWER_MEMORY = number("ANSWER_MEMORY", 2_000_000)

# Nobody reads a form, writes a sentence and sends it in less (C10); the script waits so long, the server holds.
WRITING_SECONDS = number("WRITING_SECONDS", 3.0, least=-1)  # below 0 nobody is too quick, not even a machine

# How long a comment can be taken back before anyone is mailed about it.
UNDO_SECONDS = number("UNDO_SECONDS", 10)
# For how many days after its publication an article takes comments; an editor's own time goes before. 0: for ever.
COMMENT_DAYS = number("COMMENT_DAYS", 0)
# How far replies are indented; deeper ones stay flat and say whom they answer. On a phone, much more leaves no line.
REPLY_LEVELS = number("REPLY_LEVELS", 5, least=1, most=10)

# --- mail -------------------------------------------------------------------------------------------

vars().update(
    checked(
        "EMAIL_URL",
        lambda name: env.email_url(name, default="smtp://127.0.0.1:25"),
        _("eine Adresse wie smtp://rechner:25, smtp+tls://name:passwort@rechner:587 oder smtp+ssl://..."),
    )
)
EMAIL_BACKEND = env("EMAIL_BACKEND", default=EMAIL_BACKEND)  # noqa: F821 (set by the lines above)
EMAIL_TIMEOUT = number("EMAIL_TIMEOUT", 20, least=1)
DEFAULT_FROM_EMAIL = env("DEFAULT_FROM_EMAIL", default=f"{SITE_NAME} <newsroom@localhost>")
SERVER_EMAIL = DEFAULT_FROM_EMAIL
# Over how many connections a worker sends at once.
MAIL_CONNECTIONS = number("MAIL_CONNECTIONS", 2, least=1)
# The domain whose mail comes to us: replies to our mails become comments, returned mails stop the next ones. Without
# it mails carry no address to answer to.
REPLY_DOMAIN = env("REPLY_DOMAIN", default="")
# Where the worker listens for that mail: "lmtp://127.0.0.1:8024" or "smtp://...".
INBOUND_LISTEN = env("INBOUND_LISTEN", default="")
WEBHOOKS = "/anymail/"  # where its webhooks are
ANYMAIL = checked("ANYMAIL", lambda name: dict(env.json(name, default={})), _("Einstellungen als JSON"))
if ANYMAIL:
    INSTALLED_APPS.append("anymail")  # only where a provider is used: it brings an HTTP client into every process

# --- language and time ------------------------------------------------------------------------------

# One language per site, not per request: everyone who only reads gets the same bytes.
LANGUAGE_CODE = env("LANGUAGE_CODE", default="de")
FORMAT_MODULE_PATH = ["newsroom.formats"]  # English as Europe writes its dates
LANGUAGES = [("de", gettext_lazy("Deutsch")), ("en", gettext_lazy("Englisch"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = checked(
    "TIME_ZONE", lambda name: ZoneInfo(env(name, default="Europe/Berlin")).key, _("eine Zeitzone wie Europe/Berlin")
)
USE_TZ = True

# --- files ------------------------------------------------------------------------------------------

STATIC_URL = "/static/"
STATIC_ROOT = env("NEWSROOM_STATIC", default=str(BASE_DIR / "var" / "static"))
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": (
            "django.contrib.staticfiles.storage.StaticFilesStorage"
            if DEBUG
            else "newsroom.staticstorage.SiteFilesStorage"
        )
    },
}

WHITENOISE_KEEP_ONLY_HASHED_FILES = True  # nothing asks for the others; half the work of collecting

# --- accounts: sign in by a mailed code, no password --------------------------------------------------

AUTH_USER_MODEL = "readers.User"
# Only editors have passwords, for the admin. allauth's own backend would take them by address too, in any spelling,
# past the limit on attempts.
AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.ModelBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
ACCOUNT_ADAPTER = "readers.accounts.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*"]
ACCOUNT_LOGIN_BY_CODE_ENABLED = True
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_EMAIL_VERIFICATION_BY_CODE_ENABLED = True
ACCOUNT_LOGIN_BY_CODE_TIMEOUT = 15 * 60
ACCOUNT_EMAIL_VERIFICATION_BY_CODE_TIMEOUT = 15 * 60
ACCOUNT_LOGIN_BY_CODE_SUPPORTS_RESEND = True
ACCOUNT_EMAIL_VERIFICATION_SUPPORTS_RESEND = True
# Eight digits are easy to copy on a phone; with three tries a code, nobody guesses one.
ACCOUNT_LOGIN_BY_CODE_FORMAT = ACCOUNT_EMAIL_VERIFICATION_BY_CODE_FORMAT = {"numeric": True, "length": 8}
# Codes are mails to whoever is named: allauth's own three a minute would be 4,320 a day to one address (B14).
ACCOUNT_RATE_LIMITS = {"request_login_code": "20/m/ip,3/m/key,10/h/key", "confirm_email": "1/10s/key,10/h/key"}
ACCOUNT_FORMS = {
    "login": "readers.accounts.LoginForm",
    "signup": "readers.accounts.SignupForm",
    "request_login_code": "readers.accounts.RequestLoginCodeForm",
    "confirm_login_code": "readers.accounts.ConfirmLoginCodeForm",
    "confirm_email_verification_code": "readers.accounts.ConfirmEmailVerificationCodeForm",
    "add_email": "readers.accounts.AddEmailForm",
}
ACCOUNT_CHANGE_EMAIL = True
ACCOUNT_EMAIL_NOTIFICATIONS = True  # the old address hears that it was replaced
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_LOGOUT_REDIRECT_URL = "/"
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "account_email"

# --- security ---------------------------------------------------------------------------------------

SECURE_SSL_REDIRECT = SECURE
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if TRUSTED_PROXIES else None
SECURE_REDIRECT_EXEMPT = [r"^healthz$"]
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if SECURE else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE
SECURE_HSTS_PRELOAD = SECURE
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

# The __Host- prefix binds a cookie to this host and to TLS; browsers refuse it over plain HTTP.
COOKIE_PREFIX = "__Host-" if SECURE else ""
SESSION_COOKIE_NAME = f"{COOKIE_PREFIX}sitzung"
SESSION_COOKIE_SECURE = SECURE
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 180 * 24 * 3600
CSRF_COOKIE_NAME = f"{COOKIE_PREFIX}formular"
CSRF_COOKIE_SECURE = SECURE
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = "Lax"
READER_COOKIE_NAME = f"{COOKIE_PREFIX}leser"
READER_COOKIE_AGE = 365 * 24 * 3600
BUBBLE_COOKIE_NAME = f"{COOKIE_PREFIX}blase"
# Without the prefix: scripts write or take them away too.
HIDDEN_COOKIE_NAME, SEEN_COOKIE_NAME = "ausgeblendet", "gesehen"
MESSAGE_STORAGE = "newsroom.pages.flash.FlashStorage"

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF],
        "font-src": [SELF],
        "connect-src": [SELF],
        "manifest-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}

# What a comment form may carry; an article in the admin needs more, and 1 MiB is a book.
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 2000
DATA_UPLOAD_MAX_NUMBER_FILES = 100  # of a provider's webhook; elsewhere newsroom.uploads takes none

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    "filters": {"no_tokens": {"()": "newsroom.logs.NoTokens"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["no_tokens"]}},
    # A line for every job is noise; what goes wrong there is a warning. And anybody can send what Django turns away (a
    # strange host, too many fields): one line each, not a traceback.
    # And aiosmtpd's would keep who wrote to us.
    "loggers": {
        "procrastinate": {"level": "WARNING"},
        "mail.log": {"level": "WARNING"},
        "django.security": {"level": "CRITICAL"},
    },
    "root": {"handlers": ["console"], "level": env("LOG_LEVEL", default="INFO")},
}

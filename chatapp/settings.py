"""Django's settings. Whatever may differ between installations comes from `chatapp.installation_settings`."""

import sys
from urllib.parse import urlsplit

from csp.constants import NONCE, NONE, SELF

from chatapp import installation_settings, postgres, secret_key, setting_reader
from chatapp.installation_settings import BASE_DIR
from chatapp.setting_validators import bracketed, is_loopback

try:
    env = installation_settings.read()
    SECRET_KEY = env.SECRET_KEY or secret_key.load_or_create(env.DATA_DIR)
except setting_reader.InvalidSetting as error:
    sys.stderr.write(f"{error}\n")
    sys.exit(installation_settings.EXIT_CODE)

# --- The installation ---------------------------------------------------------------------------------------------

HOST = env.HOST
PORT = env.PORT
LOOPBACK = is_loopback(HOST)
DATA_DIR = env.DATA_DIR
DEBUG = env.DEBUG
REDIS_URL = env.REDIS_URL
ENVIRONMENT_VARIABLES = frozenset(installation_settings.Environment.__annotations__)
METRICS_TOKEN = env.METRICS_TOKEN
SECRET_KEY_FALLBACKS = list(env.SECRET_KEY_FALLBACKS)
DATABASE_POOL_SIZE = env.DATABASE_POOL_SIZE
DATABASE_STATEMENT_TIMEOUT = env.DATABASE_STATEMENT_TIMEOUT
DATABASE_LOCK_TIMEOUT = env.DATABASE_LOCK_TIMEOUT

ALLOWED_ORIGINS = env.ALLOWED_ORIGINS
ALLOWED_HOSTS = sorted({bracketed(urlsplit(origin).hostname or "") for origin in ALLOWED_ORIGINS})
CSRF_TRUSTED_ORIGINS = list(ALLOWED_ORIGINS)
HTTPS = all(origin.startswith("https://") for origin in ALLOWED_ORIGINS)

# --- The product (docs/configuration.md) --------------------------------------------------------------------------

OPENAI_BASE_URL = env.OPENAI_BASE_URL
OPENAI_API_KEY = env.OPENAI_API_KEY
CHAT_MODELS = env.CHAT_MODELS
CHAT_PROVIDER_KEYS = env.CHAT_PROVIDER_KEYS
CHAT_WHEN_LEAVING = env.CHAT_WHEN_LEAVING
CHAT_LEAVE_GRACE = env.CHAT_LEAVE_GRACE
CHAT_RECONNECT_GRACE = env.CHAT_RECONNECT_GRACE
CHAT_ACK_TIMEOUT = env.CHAT_ACK_TIMEOUT
CHAT_MAX_CONCURRENT = env.CHAT_MAX_CONCURRENT
CHAT_MAX_ANSWERS_PER_MINUTE = env.CHAT_MAX_ANSWERS_PER_MINUTE
CHAT_MAX_SOCKETS = env.CHAT_MAX_SOCKETS
CHAT_MAX_PROMPT = env.CHAT_MAX_PROMPT
CHAT_MAX_FRAME = env.CHAT_MAX_FRAME
CHAT_MAX_ANSWER = env.CHAT_MAX_ANSWER
CHAT_MAX_LINE = env.CHAT_MAX_LINE
CHAT_MAX_UNREAD = env.CHAT_MAX_UNREAD
CHAT_CONNECT_TIMEOUT = env.CHAT_CONNECT_TIMEOUT
CHAT_FIRST_TOKEN_TIMEOUT = env.CHAT_FIRST_TOKEN_TIMEOUT
CHAT_SILENCE_TIMEOUT = env.CHAT_SILENCE_TIMEOUT
CHAT_WORDLESS_TIMEOUT = env.CHAT_WORDLESS_TIMEOUT
CHAT_RUN_TIMEOUT = env.CHAT_RUN_TIMEOUT
CHAT_SAVE_INTERVAL = env.CHAT_SAVE_INTERVAL
CHAT_FLUSH_INTERVAL = env.CHAT_FLUSH_INTERVAL
CHAT_LEASE = env.CHAT_LEASE
CHAT_STORAGE_PATIENCE = env.CHAT_STORAGE_PATIENCE
CHAT_DRAIN_TIMEOUT = env.CHAT_DRAIN_TIMEOUT
CHAT_KEEP_DELETED = env.CHAT_KEEP_DELETED
CHAT_CONTINUE = env.CHAT_CONTINUE
CHAT_TITLES = env.CHAT_TITLES
CHAT_DEMO_RATE = env.CHAT_DEMO_RATE
CHAT_SHOW_USAGE = env.CHAT_SHOW_USAGE
CHAT_THEME = env.CHAT_THEME
CHAT_LANGUAGE = env.CHAT_LANGUAGE

# --- Django -------------------------------------------------------------------------------------------------------

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "channels",
    "csp",
    "django_htmx",
    "servestatic",
    "conversations",
]

MIDDLEWARE = [
    "servestatic.middleware.ServeStaticMiddleware",  # first: files need neither a thread nor a session
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "conversations.people.language.LanguageMiddleware",  # after authentication: it reads the person's settings
    "conversations.people.time_zone_middleware.middleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "conversations.telemetry.security_log.middleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]

ROOT_URLCONF = "chatapp.urls"
ASGI_APPLICATION = "chatapp.asgi.application"

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
                "conversations.people.effective_preferences.context_processor",
            ],
        },
    },
    {
        "NAME": "partials",  # conversations/rendering/jinja.py
        "BACKEND": "django.template.backends.jinja2.Jinja2",
        "DIRS": [BASE_DIR / "templates" / "conversations" / "partials"],
        "OPTIONS": {"environment": "conversations.rendering.jinja.environment"},
    },
]

# conversations/storage/fair_share.py, conversations/storage/db_threads.py
DATABASE_PAGES, DATABASE_CORE, DATABASE_BACKGROUND = postgres.split_pool(env.DATABASE_POOL_SIZE)
DATABASES = {
    "default": postgres.django_database(env.DATABASE_URL or postgres.local_url(DATA_DIR), DATABASE_PAGES, SECRET_KEY),
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# One process needs no channel layer. Several processes notify each other through Redis; the database is authoritative.
CHANNEL_LAYERS = (
    {"default": {"BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer", "CONFIG": {"hosts": [REDIS_URL]}}}
    if REDIS_URL
    else {}
)

AUTHENTICATION_BACKENDS = ["conversations.preferences.Backend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = "/accounts/login/"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "/accounts/login/"

LANGUAGE_CODE = CHAT_LANGUAGE or "en"
LANGUAGES = [("en", "English"), ("de", "Deutsch")]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = True
TIME_ZONE = env.TIME_ZONE  # of the admin; other pages use the browser's time zone
USE_TZ = True

# --- Static files -------------------------------------------------------------------------------------------------

STATIC_URL = "/static/"
STATIC_ROOT = DATA_DIR / "static"
STATICFILES_DIRS = [folder for folder in [BASE_DIR / "static"] if folder.is_dir()]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "servestatic.storage.CompressedManifestStaticFilesStorage"
    },
}
SERVESTATIC_ALLOW_ALL_ORIGINS = False  # the page and its files have the same origin

# --- Security -----------------------------------------------------------------------------------------------------

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF, NONCE],  # the nonce is for the import map
        "style-src": [SELF],
        "img-src": [SELF, "data:"],  # nothing else: an image in an answer could send words elsewhere without a click
        "font-src": [SELF],
        # In older browsers, 'self' does not include WebSockets to the page's own origin.
        "connect-src": [SELF, *(origin.replace("http", "ws", 1) for origin in ALLOWED_ORIGINS)],
        "form-action": [SELF],
        "manifest-src": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    },
}
X_FRAME_OPTIONS = "DENY"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"

SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS

if HTTPS:
    SECURE_SSL_REDIRECT = True
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_HSTS_SECONDS = 31_536_000
    SECURE_HSTS_INCLUDE_SUBDOMAINS = env.HSTS in ("subdomains", "preload")
    SECURE_HSTS_PRELOAD = env.HSTS == "preload"
    # Browsers accept cookies with this prefix only from this host over https: neither another host of the domain nor
    # anybody on the network can set one in their place.
    SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = "__Host-sessionid", "__Host-csrftoken"
    # Whether other hosts of the domain use https is up to their operators.
    SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]
else:
    # Without TLS there is nothing to redirect to, and secure cookies would never be sent. The checks silenced are those
    # for HSTS, the redirect to https, the secure session cookie and the secure CSRF cookie.
    SILENCED_SYSTEM_CHECKS = ["security.W004", "security.W008", "security.W012", "security.W016"]

DATA_UPLOAD_MAX_MEMORY_SIZE = 1_048_576  # bytes; the server refuses a longer body while it arrives

# --- Logging ------------------------------------------------------------------------------------------------------

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "text": {"()": "chatapp.logs.OneLine", "fmt": "{asctime} {levelname} {name}: {message}", "style": "{"},
        "json": {"()": "chatapp.logs.Json"},
    },
    "filters": {
        "rate_limit": {"()": "chatapp.logs.RateLimit"},
        "anonymous_errors": {"()": "chatapp.logs.AnonymousErrors"},
    },
    "handlers": {
        "stdout": {
            "class": "logging.StreamHandler",
            "stream": "ext://sys.stdout",
            "formatter": env.LOG_FORMAT,
            "filters": ["anonymous_errors"],
        },
    },
    "root": {"handlers": ["stdout"], "level": env.LOG_LEVEL},
    "loggers": {
        "django": {"handlers": [], "level": "INFO", "propagate": True},
        "django.request": {"level": "ERROR"},  # a page that does not exist is not worth a line
        # Otherwise they log a line or a traceback per second while Redis is unavailable.
        "channels_redis.pubsub": {"filters": ["rate_limit"]},
        "conversations.cluster.notifications": {"filters": ["rate_limit"]},
        "daphne": {"level": "WARNING"},
        "asyncio": {"level": "WARNING"},
        "httpx2": {"level": "WARNING"},
        "openai": {"level": "WARNING"},
    },
}

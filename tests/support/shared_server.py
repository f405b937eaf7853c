"""Settings of the server that most tests share."""

from tests.support.environment import METRICS_TOKEN

# The shared server is patient: slow machines must not look like silent providers or lost networks, nor quick tests
# like floods.
SHARED = {
    "CHAT_FIRST_TOKEN_TIMEOUT": 60,
    "CHAT_SILENCE_TIMEOUT": 60,
    "CHAT_MAX_ANSWERS_PER_MINUTE": 10_000,
    "METRICS_TOKEN": METRICS_TOKEN,
}

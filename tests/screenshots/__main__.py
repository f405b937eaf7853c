"""`make screenshots` takes all screenshots, `make screenshots ARGS="stopped search"` those with these prefixes."""

from tests.support import environment

environment.prepare_test_process()

import sys  # noqa: E402

from tests.screenshots import admin_pages, answer_states, pages  # noqa: E402
from tests.screenshots.studio import Studio  # noqa: E402

SCENES = [*pages.SCENES, *answer_states.SCENES, *admin_pages.SCENES]


def main(names: list[str]) -> None:
    with Studio.built() as studio:
        for scene in SCENES:
            if not names or any(name in scene.__name__ for name in names):
                scene(studio)


if __name__ == "__main__":
    main(sys.argv[1:])

"""`make bench`: every measurement, one after the other; `make bench ARGS=stop` for one.

`--quick` takes the short form of those that tell most; `seed` is no measurement but fills a database with history.
"""

import importlib
import os
import subprocess
import sys

MEASUREMENTS = [
    "cpu",
    "first_token",
    "stop",
    "memory",
    "database",
    "long",
    "processes",
    "start",
    "capacity",
    "history",
    "first_page",
    "summary",
    "admin_list",
]
QUICK = ["cpu", "first_token", "memory"]


def main(names: list[str]) -> None:
    if names[:1] == ["seed"]:
        importlib.import_module("bench.seed").main(names[1:])
        return
    usual = MEASUREMENTS
    if "--quick" in names:
        os.environ["BENCH_QUICK"] = "yes"
        names = [name for name in names if name != "--quick"]
        usual = QUICK
    names = names or usual
    if unknown := set(names) - set(MEASUREMENTS):
        sys.exit(f"There is no measurement “{unknown.pop()}”; there are: {', '.join(MEASUREMENTS)}.")
    if len(names) == 1:
        importlib.import_module(f"bench.{names[0]}").main()
        return
    if failed := [name for name in names if not _measured(name)]:
        sys.exit(f"Not measured: {', '.join(failed)}.")


def _measured(name: str) -> bool:
    """In a process of its own, because each has a database of its own."""
    return subprocess.run([sys.executable, "-m", "bench", name], check=False).returncode == 0


if __name__ == "__main__":
    main(sys.argv[1:])

"""Run the benchmarks: `make bench` for all, `make bench ARGS=stop` for one.

`--quick` runs a short form of the most telling ones. `seed` is not a benchmark: it fills a database with history.
"""

import importlib
import os
import subprocess
import sys

MEASUREMENTS = [
    "cpu",
    "under_load",
    "stop_alone",
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
QUICK = ["cpu", "under_load", "memory"]


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
        sys.exit(f"There is no benchmark “{unknown.pop()}”. Benchmarks: {', '.join(MEASUREMENTS)}.")
    if len(names) == 1:
        importlib.import_module(f"bench.{names[0]}").main()
        return
    if failed := [name for name in names if not _measured(name)]:
        sys.exit(f"Failed: {', '.join(failed)}.")


def _measured(name: str) -> bool:
    """Run one benchmark in a process of its own, because each has its own database. Return whether it succeeded."""
    return subprocess.run([sys.executable, "-m", "bench", name], check=False).returncode == 0


if __name__ == "__main__":
    main(sys.argv[1:])

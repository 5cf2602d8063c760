"""Carries the cells of a sweep out as tasks of Ray; started by `tokenyard sweep PLAN --on ray`.

Each task runs the program itself, on one cell, as a child process with a process group of its own.
Results do not travel through Ray: the program writes each cell into the sweep's folder, which all
machines of the cluster must see under the same path, as they must the program and the trace. A task
whose worker dies is run again by Ray (`max_retries`); its child dies with it, and what that had
half-written counts for nothing. A cell that is there already is not computed again.

Usage: on_ray.py JOB.json, with
  {"program": PATH, "folder": PATH, "in_flight": N, "cells": [[WORD, ...], ...]}
where the words of a cell follow the program's name. In flight are at most N cells, or with 0 twice
as many as the cluster has CPUs. The cluster is that of RAY_ADDRESS, or one made on this machine.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Any

try:
    import ray
except ImportError:  # only what needs a cluster needs Ray
    ray = None

MAX_RETRIES = 5


def call(program: str, words: Sequence[str], folder: str) -> str:
    """Runs the program in `folder` and returns what it prints. Its group dies with this process,
    and where it fails `RuntimeError` tells what it said."""
    setpriv = shutil.which("setpriv")  # of util-linux
    dies_along = [setpriv, "--pdeathsig", "KILL"] if setpriv else []
    process = subprocess.Popen(
        [*dies_along, program, *words],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        out, said = process.communicate()
    except BaseException:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        raise
    if process.returncode != 0:
        raise RuntimeError(said.strip() or f"{program}: exit status {process.returncode}")
    return out


def start_cluster(cpus: int = 0) -> None:
    """Joins the cluster of RAY_ADDRESS, or makes one of `cpus` CPUs (0: all) on this machine."""
    if __name__ != "__main__":  # workers do not have this file among their modules
        ray.cloudpickle.register_pickle_by_value(sys.modules[__name__])
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    address = os.environ.get("RAY_ADDRESS")
    quiet = {"log_to_driver": False, "logging_level": "error"}
    if address:
        ray.init(address=address, **quiet)
    else:
        ray.init(address="local", num_cpus=cpus or None, include_dashboard=False, **quiet)


def in_turn(
    calls: Iterable[Sequence[Any]], in_flight: int, ended: Callable[[int, str], None]
) -> None:
    """Makes `call(*arguments)` a task for each of `calls`, at most `in_flight` at a time, and tells
    `ended` the place and the output of each as it ends. After a failure none is begun any more, and
    when the others have ended the first failure is raised."""
    task = ray.remote(max_retries=MAX_RETRIES)(call)
    waiting = deque(enumerate(calls))
    running: dict[Any, int] = {}
    failure: Exception | None = None
    while running or (waiting and failure is None):
        while waiting and len(running) < in_flight and failure is None:
            place, arguments = waiting.popleft()
            running[task.remote(*arguments)] = place
        for reference in ray.wait(list(running), num_returns=1)[0]:
            place = running.pop(reference)
            try:
                ended(place, ray.get(reference))
            except ray.exceptions.RayError as error:
                failure = failure or error
    if failure is not None:
        raise failure


def bisect_rates(
    holds: Callable[[Sequence[float]], Sequence[bool]],
    low: float,
    high: float,
    relative_width: float = 0.02,
    points: int = 1,
) -> tuple[float, float]:
    """Narrows [low, high] down to where a rule ceases to hold, until the interval is no wider than
    `relative_width` times its lower end. Each round asks `holds` about `points` rates at once,
    evenly between the ends, so that a round divides the interval by points + 1: with many workers
    few rounds. The answers are taken for a monotone rule: what lies above the lowest rate that
    fails counts as failed. The rule is taken to hold at `low` > 0 and to fail at `high`."""
    if not 0 < low < high or points < 1 or relative_width <= 0:
        raise ValueError("expected 0 < low < high, points >= 1 and relative_width > 0")
    while high - low > relative_width * low:
        step = (high - low) / (points + 1)
        rates = [low + step * (i + 1) for i in range(points)]
        for rate, held in zip(rates, holds(rates), strict=True):
            if not held:
                high = rate
                break
            low = rate
    return low, high


def capacity(
    program: str,
    words: Sequence[str],
    meets: Callable[[dict[str, Any]], bool],
    low: float,
    high: float,
    relative_width: float = 0.02,
    points: int = 1,
) -> tuple[float, float]:
    """`bisect_rates` over `tokenyard run`: `words` are those of its command line for one run but
    for the rate, and `meets` is asked about the row of results that `--json` gives of it. The
    cluster must have been started."""

    def holds(rates: Sequence[float]) -> list[bool]:
        met: dict[int, bool] = {}

        def ended(place: int, out: str) -> None:
            met[place] = meets(json.loads(out)["runs"][0])

        calls = [
            (program, [*words, "--json", "--request-rate", repr(rate)], os.getcwd())
            for rate in rates
        ]
        in_turn(calls, points, ended)
        return [met[place] for place in range(len(rates))]

    return bisect_rates(holds, low, high, relative_width, points)


def carry_out(job: dict[str, Any]) -> None:
    """All cells of a job; says on a terminal how far it is."""
    start_cluster()
    cells = job["cells"]
    in_flight = job["in_flight"] or 2 * int(ray.cluster_resources().get("CPU", 1))
    shown = sys.stderr.isatty() and not job["quiet"]
    begun = time.monotonic()
    done = 0

    def ended(_place: int, _out: str) -> None:
        nonlocal done
        done += 1
        left = (time.monotonic() - begun) / done * (len(cells) - done)
        if shown:
            share = 100 * done // len(cells)
            line = f"{done:,} of {len(cells):,} cells ({share} %), {left:.0f} s left"
            print(f"\r\033[K{line}", end="", file=sys.stderr, flush=True)

    try:
        in_turn(
            [(job["program"], [*words, "--quiet"], job["folder"]) for words in cells],
            in_flight,
            ended,
        )
    finally:
        if shown:
            print("\r\033[K", end="", file=sys.stderr, flush=True)


def main() -> int:
    if ray is None:
        print(
            f"tokenyard: {sys.executable} has no Ray; './yard ray' installs it, or name another "
            "Python in TOKENYARD_PYTHON",
            file=sys.stderr,
        )
        return 2
    with open(sys.argv[1], encoding="utf-8") as file:
        job = json.load(file)
    try:
        carry_out(job)
    except KeyboardInterrupt:
        return 130
    except (ray.exceptions.RayError, ConnectionError) as error:
        cause = getattr(error, "cause", None) or error
        print(str(cause).strip().splitlines()[-1], file=sys.stderr)
        return 2
    finally:
        ray.shutdown()
    return 0


if __name__ == "__main__":
    sys.exit(main())

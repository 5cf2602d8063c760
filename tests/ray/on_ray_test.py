"""`sweep --on ray` on a cluster on this machine. Usage: on_ray_test.py PROGRAM SOURCE_FOLDER"""

from __future__ import annotations

import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time
import unittest

PROGRAM, SOURCE = sys.argv[1], pathlib.Path(sys.argv[2])
sys.path.insert(0, str(SOURCE / "experiments" / "sweep"))

import on_ray  # noqa: E402  (it is no installed package)

SKIPPED = 77
WORKLOAD = {"requests": 4000, "arrivals": "poisson:rate=2", "lengths": "sharegpt-like"}
MACHINE = {"model": "opt-13b", "device": "a100-40g", "max-num-seqs": 16}


def sweep(folder: str, *words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [PROGRAM, "sweep", "plan.json", "--quiet", "--keep-cells", *words],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "TOKENYARD_PYTHON": sys.executable},
    )


def worker_of_a_cell(folder: str) -> int | None:
    """The process whose child carries out a cell of the sweep in this folder, if one does now."""
    for entry in pathlib.Path("/proc").iterdir():
        try:
            words = (entry / "cmdline").read_bytes().split(b"\0")
            if words[0].endswith(b"tokenyard") and b"--cell" in words:
                if os.path.samefile(entry / "cwd", folder):
                    # The name, in brackets, may hold blanks.
                    return int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
        except OSError:
            continue
    return None


def tree(folder: pathlib.Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


class OnRay(unittest.TestCase):
    # Would catch: a dead worker that ends the sweep, a cell that is lost with it or is written
    # twice in different ways, and anything in the results that depends on where cells ran.
    def test_a_killed_worker_changes_no_byte(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            plan = {"trace": WORKLOAD, "policies": ["fcfs", "srpt"], "seeds": 4, "options": MACHINE}
            pathlib.Path(folder, "plan.json").write_text(json.dumps(plan))
            local = sweep(folder, "--out", "local")
            _, said = local.communicate()
            self.assertEqual(local.returncode, 0, said)

            remote = sweep(folder, "--on", "ray", "--out", "remote")
            killed = None
            while killed is None and remote.poll() is None:
                killed = worker_of_a_cell(folder)
                time.sleep(0.005)
            if killed is not None:
                os.kill(killed, signal.SIGKILL)
            _, said = remote.communicate()
            self.assertIsNotNone(killed, "no cell was seen running")
            self.assertEqual(remote.returncode, 0, said)
            self.assertEqual(
                tree(pathlib.Path(folder, "local")), tree(pathlib.Path(folder, "remote"))
            )

    # Would catch: a cell's failure that is retried for ever, lost, or told without its reason.
    def test_a_failing_cell_says_why(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            plan = {"trace": "trace.csv", "policies": ["fcfs"], "options": MACHINE}
            pathlib.Path(folder, "plan.json").write_text(json.dumps(plan))
            trace = pathlib.Path(folder, "trace.csv")
            trace.write_text("id,arrival_ns,input_tokens,output_tokens\na,0,9,5\n")
            listed = sweep(folder, "--list-cells", "--out", "out")
            line, said = listed.communicate()
            self.assertEqual(listed.returncode, 0, said)
            trace.write_text("id,arrival_ns,input_tokens,output_tokens\na,0,9,6\n")
            job = {
                "program": PROGRAM,
                "folder": folder,
                "in_flight": 1,
                "quiet": True,
                "cells": [line.split()[1:]],
            }
            pathlib.Path(folder, "job.json").write_text(json.dumps(job))
            adapter = subprocess.run(
                [sys.executable, on_ray.__file__, str(pathlib.Path(folder, "job.json"))],
                capture_output=True,
                text=True,
                check=False,
            )
            self.assertEqual(adapter.returncode, 2)
            self.assertIn("program are not those that were listed", adapter.stderr)

    # Would catch: a bisection over runs that takes the wrong side, or runs that fail unnoticed.
    def test_capacity_lies_between_met_and_missed(self) -> None:
        workload = {**WORKLOAD, "requests": 300}
        words = ["run", json.dumps(workload), "fcfs", "--seed", "1"]
        for name, value in MACHINE.items():
            words += [f"--{name}", str(value)]

        def meets(row: dict[str, float]) -> bool:
            return row["mean_jct_s"] <= 20

        on_ray.start_cluster(2)
        try:
            low, high = on_ray.capacity(PROGRAM, words, meets, 0.5, 20, 0.1, points=2)
        finally:
            on_ray.ray.shutdown()
        self.assertLessEqual(high - low, 0.1 * low)
        for rate, expected in ((low, True), (high, False)):
            out = on_ray.call(PROGRAM, [*words, "--json", "--request-rate", repr(rate)], ".")
            self.assertEqual(meets(json.loads(out)["runs"][0]), expected, rate)


class Bisection(unittest.TestCase):
    # Would catch: rounds that ask more than was allowed, an interval without the answer, and a
    # rule that is trusted above the first rate that fails it.
    def test_narrows_down_to_the_rate(self) -> None:
        for points in (1, 2, 5):
            rounds = []

            def holds(rates, rounds=rounds):
                rounds.append(list(rates))
                return [rate <= 3.21 or rate > 7 for rate in rates]

            low, high = on_ray.bisect_rates(holds, 1, 9, 0.001, points)
            self.assertTrue(low <= 3.21 < high)
            self.assertLessEqual(high - low, 0.001 * low)
            self.assertTrue(all(len(rates) == points for rates in rounds))
        with self.assertRaises(ValueError):
            on_ray.bisect_rates(lambda rates: [True], 0, 9)


if __name__ == "__main__":
    if on_ray.ray is None:
        print("skipped: this Python has no Ray, which could not be installed (no network?)")
        sys.exit(SKIPPED)
    unittest.main(argv=sys.argv[:1], verbosity=2)

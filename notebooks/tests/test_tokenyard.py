"""Tests of the helper package against the real program."""

from __future__ import annotations

import json
import os
import tempfile
import unittest
from pathlib import Path
from unittest import mock

import tokenyard
from tokenyard.results import _folder_names

WORKLOAD = {"requests": 40, "arrivals": "poisson:rate=2", "lengths": "sharegpt-like"}
MACHINE = {"model": "opt-13b", "device": "a100-40g"}
PLAN = {"trace": WORKLOAD, "policies": ["fcfs", "srpt"], "seeds": 2, "options": MACHINE}


class TokenyardTest(unittest.TestCase):
    def setUp(self) -> None:
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.scratch = Path(scratch.name)

    # Would catch: cells that are missing, and a plan's file that is read as a folder.
    def test_runs_a_plan(self) -> None:
        summary = tokenyard.run(PLAN)
        self.assertEqual(list(summary["policy"]), ["fcfs", "fcfs", "srpt", "srpt"])
        self.assertEqual(list(summary["seed"]), [1, 2, 1, 2])
        self.assertTrue((summary["completed"] == 40).all())
        self.assertTrue((summary["variant"] == "").all())
        file = self.scratch / "plan.json"
        file.write_text(json.dumps(PLAN), encoding="utf-8")
        self.assertTrue(tokenyard.run(file).equals(summary))

    # Would catch: requests of one cell under the label of another, and columns of a wrong type.
    def test_keeps_cells(self) -> None:
        summary = tokenyard.run(PLAN, self.scratch / "sweep", keep_cells=True)
        results = tokenyard.load(self.scratch / "sweep")
        self.assertTrue(results.summary.equals(summary))
        means = results.requests.groupby("label")["jct_s"].mean()
        for row in summary.itertuples():
            self.assertAlmostEqual(means[row.label], row.mean_jct_s, places=9)
        self.assertEqual(results.requests["output_tokens"].dtype.kind, "i")
        with self.assertRaises(ValueError):
            tokenyard.run(PLAN, keep_cells=True)

    # Would catch: options that are lost or mistyped, and a folder that is not read whole.
    def test_replays_a_workload(self) -> None:
        results = tokenyard.replay(
            WORKLOAD, ["mlfq:ratio=2"], out=self.scratch / "r", iterations=True, max_num_seqs=4,
            static_batching=False, **MACHINE)  # fmt: skip
        self.assertEqual(results.settings["rows"][0]["settings"]["max-num-seqs"], 4)
        self.assertEqual(len(results.requests), 40)
        self.assertLessEqual(results.iterations["batch"].max(), 4)
        self.assertRegex(results.iterations["level_requests"].iloc[-1], r"^\d+(;\d+)*$")
        parts = [f"{part}_s" for part in ("queue", "prefill", "decode", "preempted", "swap")]
        difference = results.requests[parts].sum(axis=1) - results.requests["jct_s"]
        self.assertLess(difference.abs().max(), 1e-9)

    # Would catch: a failure that passes for a result, and a message that is lost.
    def test_errors_come_through(self) -> None:
        with self.assertRaises(tokenyard.TokenyardError) as caught:
            tokenyard.run({"trace": WORKLOAD, "policies": ["fcsf"], "options": MACHINE})
        self.assertEqual(caught.exception.status, 2)
        self.assertIn("did you mean 'fcfs'?", caught.exception.message)
        self.assertIn("fcsf", str(caught.exception))
        self.assertEqual(caught.exception.command[1], "sweep")
        with self.assertRaises(tokenyard.TokenyardError):
            tokenyard.replay("/no/such/trace.jsonl", ["fcfs"], out=self.scratch / "r", **MACHINE)
        with self.assertRaisesRegex(FileNotFoundError, "run.json"):
            tokenyard.load(self.scratch)
        with mock.patch.dict(os.environ, {"TOKENYARD_BINARY": "/no/such/program"}):
            with self.assertRaisesRegex(FileNotFoundError, "yard build"):
                tokenyard.call("list", "policies")

    # Would catch: a gate that fails or cannot tell and is taken for an error or for a pass.
    def test_compares_and_gates(self) -> None:
        for policy in ("fcfs", "srpt"):
            tokenyard.replay(WORKLOAD, [policy], out=self.scratch / policy, repeat=3,
                             request_rate=8, max_num_seqs=4, **MACHINE)  # fmt: skip
        same = tokenyard.compare(self.scratch / "fcfs", self.scratch / "fcfs",
                                 ["mean_jct_s<=+1%"])  # fmt: skip
        self.assertTrue(same.passed)
        other = tokenyard.compare(self.scratch / "srpt", self.scratch / "fcfs",
                                  ["mean_jct_s<=+1%"])  # fmt: skip
        self.assertEqual([gate.outcome for gate in other.gates], ["fail"])
        self.assertFalse(other.passed)
        change = other.metrics.set_index("metric").loc["mean_jct_s"]
        self.assertGreater(change["change"], 0.01)
        self.assertLess(change["low"], change["change"])
        self.assertGreater(change["high"], change["change"])
        with self.assertRaises(tokenyard.TokenyardError):
            tokenyard.compare(self.scratch / "fcfs", self.scratch / "fcfs", ["jct<=+1%"])

    # Would catch: names that differ from those the program makes.
    def test_folder_names(self) -> None:
        labels = ["a:b,c", "a b.c", "A-b.c", ".x", "plots", "é" * 2, ""]
        self.assertEqual(_folder_names(labels),
                         ["a-b-c", "a-b.c", "A-b.c-2", "-x", "plots-2", "----", "-"])  # fmt: skip


if __name__ == "__main__":
    unittest.main()

"""Commands that make results, and the command that compares them."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from tokenyard.program import call
from tokenyard.results import Results, load

Option = bool | int | float | str


def run(
    plan: Mapping[str, Any] | str | os.PathLike[str],
    out: str | os.PathLike[str] | None = None,
    *,
    keep_cells: bool = False,
) -> pd.DataFrame:
    """Runs every cell of a sweep plan.

    Args:
        plan: the plan (keys as in `tokenyard sweep --help`), or its file. Only "trace" and one of
            "policies" and "systems" must be there.
        out: the result folder, replacing an earlier one; without it nothing is kept.
        keep_cells: keep each cell's requests too, for `load(out).requests`.

    Returns:
        summary.csv, a row a cell.

    Raises:
        TokenyardError: the plan was refused, or the program failed.
        ValueError: cells cannot be kept without a folder.
    """
    if keep_cells and out is None:
        raise ValueError("keep_cells needs a folder; give out")
    with tempfile.TemporaryDirectory(prefix="tokenyard-") as scratch:
        if isinstance(plan, Mapping):
            file = Path(scratch) / "plan.json"
            file.write_text(json.dumps(plan), encoding="utf-8")
        else:
            file = Path(plan)
        folder = Path(out) if out is not None else Path(scratch) / "results"
        keep = ["--keep-cells"] if keep_cells else []
        call("sweep", file, "--quiet", "--out", folder, *keep)
        return load(folder).summary


def replay(
    trace: Mapping[str, Any] | str | os.PathLike[str],
    policies: Sequence[str] = (),
    *,
    out: str | os.PathLike[str],
    systems: Sequence[str] = (),
    **options: Option,
) -> Results:
    """Replays one trace under each policy and system: `tokenyard run`.

    Args:
        trace: a trace file, or a workload plan as a mapping or file.
        policies: as POLICY of `run`; may be left out where systems are given.
        out: the result folder, replacing an earlier one.
        systems: named systems.
        options: options of `run`, with `_` for `-`; True sets a flag, False leaves it out.

    Raises:
        TokenyardError: something was refused, or the program failed.
    """
    words = ["run", json.dumps(trace) if isinstance(trace, Mapping) else os.fspath(trace)]
    words += policies
    for system in systems:
        words += ["--system", system]
    for name, value in options.items():
        option = "--" + name.replace("_", "-")
        if value is True:
            words.append(option)
        elif value is not False:
            words += [option, str(value)]
    call(*words, "--quiet", "--out", out)
    return load(out)


@dataclass(frozen=True)
class Gate:
    """What became of a rule of `compare`, for one pair of series."""

    rule: str
    outcome: Literal["pass", "fail", "inconclusive"]
    reason: str
    pairs_needed: int
    """How many seeds would tell; 0 where that is known already."""


@dataclass(frozen=True)
class Comparison:
    """What `tokenyard compare` says."""

    metrics: pd.DataFrame
    """A row a metric of each pair of series: base_label, candidate_label, metric, base, candidate,
    change (relative), low and high (its 95 % interval), verdict."""
    gates: list[Gate]

    @property
    def passed(self) -> bool:
        """Whether every gate passed; an inconclusive one has not."""
        return all(gate.outcome == "pass" for gate in self.gates)


def compare(
    base: str | os.PathLike[str], candidate: str | os.PathLike[str], gates: Sequence[str] = ()
) -> Comparison:
    """Compares two result folders, paired by seed.

    Args:
        base: the result folder to compare with.
        candidate: the one that is judged.
        gates: rules such as "mean_jct_s<=+1%".

    Raises:
        TokenyardError: a folder or a rule was refused.
    """
    words = [word for gate in gates for word in ("--gate", gate)]
    _, text = call("compare", base, candidate, "--json", *words, expected=(0, 1, 4))
    rows, judged = [], []
    for series in json.loads(text)["series"]:
        for metric in series["metrics"]:
            low, high = metric.pop("ci95", (None, None))
            labels = {"base_label": series["base"], "candidate_label": series["candidate"]}
            rows.append({**labels, **metric, "low": low, "high": high})
        for gate in series["gates"]:
            judged.append(
                Gate(gate["gate"], gate["outcome"].lower(), gate["reason"], gate["pairs_needed"])
            )
    return Comparison(pd.DataFrame(rows), judged)

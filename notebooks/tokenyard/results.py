"""Result folders, read back."""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

# Names that a folder keeps for itself.
_TAKEN = ("run.json", "plan.json", "summary.csv", "summary_ci.csv", "plots", "report.html", "cells")
# The longest name made of a label.
_LONGEST = 150


def _folder_names(labels: list[str]) -> list[str]:
    """The folder of each label: what is no plain character becomes '-', and names stay different
    where case is ignored."""
    taken = set(_TAKEN)
    names = []
    for label in labels:
        base = re.sub(r"[^A-Za-z0-9._=-]", "-", label.encode()[:_LONGEST].decode("latin-1")) or "-"
        if base.startswith("."):
            base = "-" + base[1:]
        name, number = base, 2
        while name.lower() in taken:
            name, number = f"{base}-{number}", number + 1
        taken.add(name.lower())
        names.append(name)
    return names


@dataclass(frozen=True)
class Results:
    """A result folder of `run` or `sweep`. Its tables are read when first asked for.

    Columns are those of docs/file-formats.md; times are seconds. Rows of several runs are told
    apart by `label`.
    """

    folder: Path
    settings: dict[str, Any]
    """run.json: enough to run it again."""
    summary: pd.DataFrame
    """summary.csv: a row a run."""

    @property
    def folders(self) -> dict[str, Path]:
        """Where each label's own files are, if they were kept."""
        labels = [str(label) for label in self.summary["label"]]
        return dict(zip(labels, (self.folder / name for name in _folder_names(labels))))

    @cached_property
    def requests(self) -> pd.DataFrame:
        """Every requests.csv, a row a request, with columns label, policy, system and seed in
        front.

        Raises:
            FileNotFoundError: a sweep did not keep its cells.
        """
        return self._joined("requests.csv", {"request_id": str, "tenant": str})

    @cached_property
    def iterations(self) -> pd.DataFrame:
        """Every iterations.csv (of runs with --iterations), likewise.

        Raises:
            FileNotFoundError: the runs did not write it.
        """
        return self._joined("iterations.csv", {"level_requests": str})

    def _joined(self, name: str, types: dict[str, Any]) -> pd.DataFrame:
        tables = []
        folders = self.folders
        for row in self.summary.itertuples():
            table = pd.read_csv(folders[str(row.label)] / name, dtype=types)
            table.insert(0, "label", row.label)
            table.insert(1, "policy", row.policy)
            table.insert(2, "system", row.system)
            table.insert(3, "seed", row.seed)
            tables.append(table)
        return pd.concat(tables, ignore_index=True)


def load(folder: str | os.PathLike[str]) -> Results:
    """Reads a result folder.

    Raises:
        FileNotFoundError: it is no result folder.
    """
    path = Path(folder)
    try:
        settings = json.loads((path / "run.json").read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise FileNotFoundError(f"{path}: no result folder (it has no run.json)") from error
    names = {"label": str, "policy": str, "system": str, "variant": str}
    summary = pd.read_csv(path / "summary.csv", dtype=names)
    for name in names:
        if name in summary:
            summary[name] = summary[name].fillna("")
    return Results(path, settings, summary)

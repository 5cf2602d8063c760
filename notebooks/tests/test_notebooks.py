"""What all notebooks must keep to."""

from __future__ import annotations

import json
import unittest
from pathlib import Path

NOTEBOOKS = sorted(Path(__file__).resolve().parents[1].glob("*.ipynb"))


class NotebooksTest(unittest.TestCase):
    # Would catch: outputs that were committed, which go stale and make every change unreadable.
    def test_have_no_outputs(self) -> None:
        self.assertGreaterEqual(len(NOTEBOOKS), 4)
        for notebook in NOTEBOOKS:
            for cell in json.loads(notebook.read_text(encoding="utf-8"))["cells"]:
                if cell["cell_type"] == "code":
                    self.assertEqual((cell["outputs"], cell["execution_count"]), ([], None),
                                     notebook.name)  # fmt: skip


if __name__ == "__main__":
    unittest.main()

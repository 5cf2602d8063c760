"""Run Tokenyard and read its result folders as pandas data frames.

The simulator runs as a subprocess, so nothing needs to be compiled for Python and a crash stays in
the child. Whatever it refuses comes through as a `TokenyardError` with its exit status and message.

    import tokenyard

    summary = tokenyard.run({"trace": {"requests": 200, "arrivals": "poisson:rate=2",
                                       "lengths": "sharegpt-like"},
                             "policies": ["fcfs", "srpt"], "seeds": 5,
                             "options": {"model": "opt-13b", "device": "a100-40g"}})
    results = tokenyard.load("out/demo/above-the-knee")
    results.requests.groupby("label")["jct_s"].describe()
"""

from tokenyard.program import TokenyardError, call, program_path
from tokenyard.results import Results, load
from tokenyard.runs import Comparison, Gate, compare, replay, run

__all__ = [
    "Comparison",
    "Gate",
    "Results",
    "TokenyardError",
    "call",
    "compare",
    "load",
    "program_path",
    "replay",
    "run",
]

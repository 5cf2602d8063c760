"""Runs of the whole program on traces of a production load: time, speed and peak memory by the size
of the trace, by load and by policy. Used by tables.py; needs Python 3 on Linux alone."""

import json
import os
import pathlib
import subprocess
import tempfile
import time

LENGTHS = "lognormal:prompt_mu=6.569,prompt_sigma=0.646,output_mu=5.199,output_sigma=0.652,max=2048"
SERVER = ["--model", "llama-2-7b", "--device", "a100-80g", "--max-num-seqs", "128",
          "--chunked-prefill", "512"]
REPETITIONS = 3
MANY = 10_000_000  # long enough to be run once


def draw(program, folder, requests, rate):
    """A trace as CSV; drawn once for each size and rate."""
    path = folder / f"{requests}-{rate}.csv"
    if not path.exists():
        subprocess.run([program, "trace", "generate", "--requests", str(requests),
                        "--arrivals", f"poisson:rate={rate}", "--lengths", LENGTHS,
                        "--quiet", "--out", path], check=True)
    return path


def measure(program, trace, requests, policy, folder):
    """One run that reads the trace and writes its result folder: the fastest of several."""
    best = None
    for _ in range(1 if requests >= MANY else REPETITIONS):
        output = folder / "stdout.json"
        with output.open("wb") as stdout:
            begin = time.perf_counter()
            child = subprocess.Popen([program, "run", trace, policy, *SERVER, "--quiet", "--json",
                                      "--out", folder / "result"], stdout=stdout)
            _, status, usage = os.wait4(child.pid, 0)
            seconds = time.perf_counter() - begin
        if status != 0:
            raise SystemExit(f"{policy} on {trace}: status {status}")
        run = json.loads(output.read_text())["runs"][0]
        if best is None or seconds < best["seconds"]:
            best = {"seconds": seconds, "requests": run["requests"], "iterations": run["iterations"],
                    "passes": run["passes"], "megabytes": usage.ru_maxrss / 1000}
    return best


def measure_all(program, cases):
    """`cases` are (requests, rate, policy); yields each with what was measured."""
    with tempfile.TemporaryDirectory(prefix="tokenyard-bench-") as name:
        folder = pathlib.Path(name)
        for requests, rate, policy in cases:
            trace = draw(program, folder, requests, rate)
            yield (requests, rate, policy), measure(program, trace, requests, policy, folder)

#!/usr/bin/env python3
"""Runs the benchmarks and writes their tables into docs/performance.md, and the curves of growth
beside it as docs/plots/*.svg (gnuplot).

usage: bench/tables.py [--build build/release] [--min-time SECONDS] [NAME...]

NAME is a table (production, whole-run, whole-program, pass, ranking, blocks, instructions, engine);
all by default. A table stands between the lines '<!-- table NAME -->' and '<!-- end -->'. Needs Python 3 alone.
"""

import argparse
import json
import pathlib
import re
import subprocess

import whole_program

ROOT = pathlib.Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "performance.md"
PLOTS = ROOT / "docs" / "plots"


def run(build, program, min_time, repetitions=5):
    """The benchmarks of one program by name, as Google Benchmark's JSON gives them: of several
    repetitions the fastest, since other work on the machine only ever adds time."""
    command = [str(build / "bench" / program), "--benchmark_format=json",
               f"--benchmark_min_time={min_time}", f"--benchmark_repetitions={repetitions}"]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    best = {}
    for row in json.loads(done.stdout)["benchmarks"]:
        known = best.get(row["name"])
        if row.get("error_occurred"):
            continue  # a kernel that this CPU has not
        if row["run_type"] == "iteration" and (not known or row["cpu_time"] < known["cpu_time"]):
            best[row["name"]] = row
    return best


def table(header, rows):
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def rounded(number):
    """Three digits that mean something, with thousands parted."""
    digits = len(str(int(number))) - 3
    scale = 10 ** max(0, digits)
    return f"{round(number / scale) * scale:,}"


def duration(ns):
    return f"{ns / 1000:.3g} µs" if ns >= 1000 else f"{ns:.3g} ns"


def production(build, min_time):
    rows = []
    for name, row in run(build, "production_bench", min_time).items():
        single = name.endswith("/single steps")
        policy = f"`{name.split('/')[0]}`" + (", `--no-macro-steps`" if single else "")
        figure = row["iterations/s" if single else "requests/s"]
        wanted = f"{row['required/s']:,.0f} {'iterations' if single else 'requests'}/s"
        rows.append([policy, rounded(row["requests/s"]), rounded(row["iterations/s"]),
                     f"{row['passes/iterations']:.2f}",
                     wanted if figure >= row["required/s"] else f"**{wanted}**"])
    return table(["policy", "requests/s", "iterations/s", "passes an iteration", "wanted"], rows)


def whole_run(build, min_time):
    cells = {}
    loads = []
    for name, row in run(build, "whole_run_bench", min_time).items():
        load, policy = name.split("/", 1)
        if load not in loads:
            loads.append(load)
        text = rounded(row["iterations/s"])
        missed = row.get("required/s", 0) > row["iterations/s"]
        cells.setdefault(policy, []).append(f"**{text}**" if missed else text)
    return table(["policy", *loads], [[f"`{p}`", *row] for p, row in cells.items()])


def whole_program_table(build, _):
    sizes = (10_000, 100_000, 1_000_000, 10_000_000)
    cases = [(size, 4.1, "fcfs") for size in sizes]
    cases += [(100_000, rate, "fcfs") for rate in (1, 2, 3, 4.9)]
    cases += [(100_000, 4.1, policy) for policy in ("srpt", "mlfq", "skip-join-mlfq")]
    rows, seconds, memory = [], {}, {}
    for (requests, rate, policy), row in whole_program.measure_all(build / "tokenyard", cases):
        if rate == 4.1 and policy == "fcfs":
            seconds[requests] = row["seconds"] * 1e9 / requests
            memory[requests] = row["megabytes"] * 1e6 / requests
        rows.append([f"{requests:,}", f"{rate}", f"`{policy}`", f"{row['seconds']:.2f}",
                     rounded(requests / row["seconds"]),
                     rounded(row["iterations"] / row["seconds"]),
                     f"{row['passes'] / row['iterations']:.2f}", f"{row['megabytes']:.0f}"])
    plot("whole_program_growth", "The whole program: time and peak memory a request", "requests",
         {"ns a request": seconds, "bytes a request": memory}, "a request")
    return table(["requests", "load, requests/s", "policy", "seconds", "requests/s", "iterations/s",
                  "passes an iteration", "peak memory, MB"], rows)


def grouped(rows, pattern):
    """By what the pattern's first group names: the times by its second, a number."""
    found = {}
    for name, row in rows.items():
        match = re.fullmatch(pattern, name)
        if match:
            found.setdefault(match[1], {})[int(match[2])] = row["cpu_time"]
    return found


def growth_table(first, unit, times):
    sizes = sorted({size for row in times.values() for size in row})
    rows = [[name, *(duration(row[size]) if size in row else "" for size in sizes)]
            for name, row in times.items()]
    return table([first, *(f"{size:,} {unit}" for size in sizes)], rows)


def plot(name, title, axis, times, unit="ns"):
    PLOTS.mkdir(exist_ok=True)
    blocks, curves = [], []
    for index, (label, row) in enumerate(times.items()):
        blocks.append(f"$data{index} << END\n"
                      + "".join(f"{size} {ns}\n" for size, ns in sorted(row.items())) + "END\n")
        text = label.replace("`", "").replace("_", "\\\\_")
        curves.append(f'$data{index} using 1:2 with linespoints lw 2 pt {index + 4} title "{text}"')
    script = (f'set terminal svg size 720,440 font "DejaVu Sans,12" background "white"\n'
              f'set output "{PLOTS / name}.svg"\n'
              f'set title "{title}"\nset xlabel "{axis}"\nset ylabel "{unit}"\n'
              'set logscale xy\nset key outside below\nset grid\nset format x "10^{%L}"\n'
              'set linetype 5 linecolor rgb "#333333"\n'
              + "".join(blocks) + "plot " + ", \\\n  ".join(curves) + "\n")
    subprocess.run(["gnuplot"], input=script, check=True, text=True)


def scheduler_pass(build, min_time):
    times = grouped(run(build, "scheduler_pass_bench", min_time), r"pass/(.*)/waiting:(\d+)")
    times = {f"`{policy}`": row for policy, row in times.items()}
    plot("pass_growth", "A pass over a batch of 50", "requests that wait", times)
    return growth_table("policy", "waiting", times)


def ranking(build, min_time):
    times = grouped(run(build, "rank_index_bench", min_time), r"(.*)/live:(\d+)")
    times = {name.replace("_", " "): row for name, row in times.items()}
    plot("ranking_growth", "One change in the ranking", "live requests", times)
    return growth_table("what", "live", times)


def blocks(build, min_time):
    times = {}
    for name, row in run(build, "block_manager_bench", min_time).items():
        match = re.fullmatch(r"(.*)/pool:(\d+)(?:/blocks:64)?", name)
        if match and "s/block" in row:
            what = match[1].replace("_", " ")
            times.setdefault(what, {})[int(match[2])] = row["s/block"] * 1e9
    plot("block_growth", "A KV block", "blocks in the pool", times)
    return growth_table("a block", "in the pool", times)


def instructions(build, _):
    counts = (ROOT / "bench" / "instruction_counts.csv").read_text().splitlines()[1:]
    rows = [[case, rounded(int(count))] for case, count in (line.split(",") for line in counts)]
    return table(["case", "instructions a request"], rows)


def engine(build, min_time):
    """Step and limit take turns within one benchmark, which keeps the fastest of each."""
    rows = []
    for name, row in run(build, "engine_bench", min_time, repetitions=1).items():
        what, model, tier, *size = name.removesuffix("/manual_time").split("/")
        if what not in ("decode", "prompt"):
            continue
        share = f"{row['of_limit']:.0%}"
        wanted = row.get("required", 0)
        rows.append([model, tier, "prompt of " + size[0] if what == "prompt" else "batch " + size[0],
                     f"{row['tokens/s']:,.0f}", f"{row['limit_tokens/s']:,.0f}",
                     f"**{share}**" if row["of_limit"] < wanted else share,
                     f"{wanted:.0%}" if wanted else ""])
    return table(["shape", "tier", "step", "tokens/s", "limit, tokens/s", "of the limit", "wanted"],
                 rows)


TABLES = {"production": production, "whole-run": whole_run,
          "whole-program": whole_program_table, "pass": scheduler_pass,
          "ranking": ranking, "blocks": blocks, "instructions": instructions,
          "engine": engine}


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build" / "release")
    parser.add_argument("--min-time", default="0.5")
    parser.add_argument("names", nargs="*", metavar="NAME")
    options = parser.parse_args()
    unknown = set(options.names) - set(TABLES)
    if unknown:
        parser.error(f"no such table: {', '.join(sorted(unknown))}")
    for name in options.names or TABLES:
        print(f"{name} ...", flush=True)
        text = TABLES[name](options.build, options.min_time)
        page = PAGE.read_text()
        pattern = rf"(<!-- table {name} -->\n).*?(<!-- end -->)"
        page, found = re.subn(pattern, lambda m: f"{m[1]}\n{text}\n\n{m[2]}", page, flags=re.S)
        if found != 1:
            raise SystemExit(f"{PAGE}: {found} places for table {name}")
        PAGE.write_text(page)


if __name__ == "__main__":
    main()

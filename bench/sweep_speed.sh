#!/bin/sh
# How fast a sweep is, and how much faster with two jobs than with one: 200 cells of 2,000 requests,
# in pairs (one job, two jobs), each into a new folder. Figures of a busy machine mean little, so the
# load is printed with them. Usage: bench/sweep_speed.sh [PAIRS (5)] [PROGRAM]
set -eu

repo=$(dirname -- "$(dirname -- "$(readlink -f -- "$0")")")
pairs=${1:-5}
program=${2:-$repo/build/release/tokenyard}
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
trap 'exit 130' INT TERM

cat >"$work/plan.json" <<'END'
{
  "trace": {"requests": 2000, "arrivals": "poisson:rate=2", "lengths": "sharegpt-like"},
  "policies": ["fcfs", "mlfq", "skip-join-mlfq:ratio=2,promote_after_ms=300", "srpt"],
  "request_rates": [1, 1.5, 2, 3, 4],
  "seeds": 10,
  "options": {"model": "opt-13b", "device": "a100-40g", "max-num-seqs": 16}
}
END

# Seconds that a sweep with $1 jobs takes.
seconds() {
  rm -rf -- "$work/out"
  begun=$(date +%s.%N)
  "$program" sweep "$work/plan.json" --quiet --jobs "$1" --out "$work/out"
  ended=$(date +%s.%N)
  echo "$begun $ended" | awk '{ printf "%.2f\n", $2 - $1 }'
}

pair=0
while [ "$pair" -lt "$pairs" ]; do
  pair=$((pair + 1))
  load=$(cut -d' ' -f1 /proc/loadavg 2>/dev/null || echo '?')
  one=$(seconds 1)
  two=$(seconds 2)
  echo "$one $two $load" | awk -v pair="$pair" \
    '{ printf "pair %d: one job %s s, two jobs %s s, %.2f times (load before: %s)\n", pair, $1, $2, $1 / $2, $3 }'
  echo "$one $two" >>"$work/pairs"
done
awk '{ print $1 / $2, $2 }' "$work/pairs" | sort -n | awk '
  { ratio[NR] = $1; two[NR] = $2 }
  END { printf "median: %.2f times faster with two jobs\n", ratio[int((NR + 1) / 2)] }'

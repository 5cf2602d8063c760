#!/bin/sh
# Counts the instructions of whole simulations with Callgrind and compares them with the recorded
# counts (instruction_counts.csv beside this file). Unlike times they do not depend on how busy the
# machine is, so they show when a change has made the program slower.
#
# usage: bench/instructions.sh TOKENYARD [--record]
#
# Exit status: 0 within bounds, 1 too many, 77 when Callgrind is not there. --record writes what was
# counted; a count that has fallen should be recorded too.
set -eu

program=$1
record=${2:-}
counts=$(dirname -- "$(readlink -f -- "$0")")/instruction_counts.csv
requests=4000
permitted_percent=3  # the library's and the compiler's versions differ by less

command -v valgrind >/dev/null || { echo "valgrind is not installed"; exit 77; }

# The load of production_bench.cpp.
plan='{"requests":'$requests',"arrivals":"poisson:rate=4.1","lengths":"lognormal:prompt_mu=6.569,prompt_sigma=0.646,output_mu=5.199,output_sigma=0.652,max=2048"}'

# CASE POLICY OPTIONS...: the instructions of one run.
count() {
  shift
  valgrind --tool=callgrind --callgrind-out-file=/dev/null "$program" run "$plan" "$@" \
    --model llama-2-7b --device a100-80g --max-num-seqs 128 --chunked-prefill 512 --quiet 2>&1 |
    sed -n 's/^.*Collected : //p'
}

status=0
new=$(mktemp)
trap 'rm -f "$new"' EXIT
echo "case,instructions_per_request" >"$new"
printf '%-24s %12s %12s\n' "instructions a request" counted recorded
check() {
  total=$(count "$@")
  [ -n "$total" ] || { echo "$1: nothing was counted"; exit 1; }
  per_request=$((total / requests))
  recorded=$(sed -n "s/^$1,//p" "$counts" 2>/dev/null || true)
  printf '%-24s %12s %12s\n' "$1" "$per_request" "${recorded:-none}"
  echo "$1,$per_request" >>"$new"
  [ "$record" = --record ] && return
  if [ -z "$recorded" ]; then
    echo "$1: no count is recorded"
    status=1
  elif [ $((per_request * 100)) -gt $((recorded * (100 + permitted_percent))) ]; then
    echo "$1: more than $permitted_percent % above what is recorded"
    status=1
  fi
}
check fcfs fcfs
check fcfs-single-steps fcfs --no-macro-steps
check srpt srpt
check skip-join-mlfq skip-join-mlfq
check swapping skip-join-mlfq --evict swap --proactive-swap --kv-blocks 1500 --host-blocks 8000

if [ "$record" = --record ]; then
  cat "$new" >"$counts"
fi
exit $status

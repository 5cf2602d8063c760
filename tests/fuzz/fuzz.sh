#!/bin/sh
# fuzz.sh SOURCE FORMAT [SECONDS]: fuzzes the reader of a trace format for a minute, or so long, from
# the files of tests/fuzz/finds on. It builds its target with clang in build/fuzz. What it finds is in
# build/fuzz/FORMAT-*; a file belongs into tests/fuzz/finds once it is mended. Status 77 where clang
# has no libFuzzer.
set -eu
source=$1
format=$2
seconds=${3:-60}
build=$source/build/fuzz

skip() {
  echo "skipped: $*"
  exit 77
}

command -v clang++ >/dev/null || skip "no clang++ (Debian: clang)"
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
echo 'extern "C" int LLVMFuzzerTestOneInput(const unsigned char *, unsigned long) { return 0; }' \
  >"$work/probe.cpp"
clang++ -fsanitize=fuzzer,address,undefined "$work/probe.cpp" -o "$work/probe" 2>/dev/null ||
  skip "clang has no runtime for libFuzzer and sanitizers (Debian: libclang-rt-14-dev)"

# One at a time builds; the others then find it done.
mkdir -p -- "$build"
(
  flock 9
  cmake -S "$source" -B "$build" -G Ninja -DCMAKE_CXX_COMPILER=clang++ \
    -DCMAKE_BUILD_TYPE=RelWithDebInfo -DTOKENYARD_FUZZ=ON -DTOKENYARD_TESTS=OFF \
    -DTOKENYARD_BENCH=OFF >"$build/configure.log"
  cmake --build "$build" --target reader_fuzzer -j "${YARD_JOBS:-2}" >"$build/build.log"
) 9>"$build/lock" || {
  tail -n 30 -- "$build/build.log"
  exit 1
}

mkdir -- "$work/corpus"
TOKENYARD_FUZZ_FORMAT=$format "$build/reader_fuzzer" -max_total_time="$seconds" -timeout=20 \
  -rss_limit_mb=1024 -max_len=20000 -print_final_stats=1 -close_fd_mask=1 \
  -artifact_prefix="$build/$(echo "$format" | tr -c 'a-z\n' -)-" \
  "$work/corpus" "$source/tests/fuzz/finds"

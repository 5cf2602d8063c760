#!/bin/sh
# Executes one notebook from its beginning, as a reader would; what it shows goes to the second
# argument. Status 77, which ctest takes for "skipped", where Debian's packages are missing.
set -eu
python=/usr/bin/python3
"$python" -c 'import ipykernel, matplotlib, nbconvert, pandas' 2>/dev/null || {
  echo "the packages of apt-packages-notebooks.txt are not installed; './yard test' does that"
  exit 77
}
cd -- "$(dirname -- "$1")"
# Figures are shown as in a browser, whatever this shell prefers.
unset MPLBACKEND
exec "$python" -m nbconvert --execute --ExecutePreprocessor.timeout=120 --to notebook \
  --output-dir "$2" "$(basename -- "$1")"

#!/bin/sh
# Tests the helper package, and its types where mypy is installed. Status 77: pandas is missing.
set -eu
python=/usr/bin/python3
"$python" -c 'import pandas' 2>/dev/null || {
  echo "the packages of apt-packages-notebooks.txt are not installed; './yard test' does that"
  exit 77
}
cd -- "$(dirname -- "$0")/.."
export PYTHONDONTWRITEBYTECODE=1
"$python" -m unittest discover -s tests -t .
if "$python" -c 'import mypy' 2>/dev/null; then
  "$python" -m mypy --strict --ignore-missing-imports --cache-dir=/dev/null tokenyard
fi

#!/bin/sh
# The tests of `sweep --on ray` with the Python that `./yard ray` made; 77 where there is none.
set -eu
python=${TOKENYARD_PYTHON:-$2/build/python/bin/python3}
if [ ! -x "$python" ]; then
  echo "skipped: no $python; './yard ray' installs Ray, which needs the network"
  exit 77
fi
exec "$python" "$2/tests/ray/on_ray_test.py" "$1" "$2"

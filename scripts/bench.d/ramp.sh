#!/usr/bin/env bash
# The tolerance law against five targets at once, for SECONDS_EACH=420 seconds, the first minute of which does not count.
set -euo pipefail
export ROWS=60000
. "$(dirname "$0")/sandbox.env"
python3 "$HAULIER_ROOT/scripts/bench.d/ramp.py" "${SECONDS_EACH:-420}"

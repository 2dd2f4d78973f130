#!/bin/sh
# Runs a test that is written in Python: python.sh FILE. Skips it where there is no Python.
python=/usr/bin/python3
[ -x "$python" ] || {
	echo "skipped: there is no $python"
	exit 77
}
exec "$python" -B "$@"

#!/bin/bash
# check: 1200 s, long
# Every unwind row of large real files equals readelf's interpretation.
HEARTH=${HEARTH:-build/hearth} exec python3 tests/e2e/unwind_rows_readelf.py

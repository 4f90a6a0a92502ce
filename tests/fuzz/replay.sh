#!/bin/bash
# check: 1200 s
# What reads files of strangers does so without a crash, a leak, or undefined behaviour: each fuzz target over its corpus
# (tests/fuzz/corpus/NAME for fuzz_NAME.c) and some damage to it, with sanitizers.
. tests/tap.sh

for source in tests/fuzz/fuzz_*.c; do
    name=$(basename "$source" .c)
    corpus=(tests/fuzz/corpus/"${name#fuzz_}"/*)
    if [[ -e ${corpus[0]} ]]; then
        ok "$name stands its corpus of ${#corpus[@]}" timeout 100 "build/san/tests/fuzz/$name" "${corpus[@]}"
    else
        fail "$name stands its corpus" "there is none in tests/fuzz/corpus/${name#fuzz_}"
    fi
done
done_testing

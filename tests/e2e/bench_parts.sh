#!/bin/bash
# check: 900 s, long
# Every part of `make bench` runs, for a moment, on few things, and without hearth's peers: a part fails where hearth
# shows nothing.
. tests/tap.sh

[[ $(id -u) == 0 ]] || skip_all 'the benches load BPF programs: that takes root'
export READERS_FILES=4
export BENCH_ALONE=1 BENCH_SECONDS=1 BENCH_ROUNDS=1 BENCH_TIMES=2000 BENCH_UNWIND_SECONDS=0.5

# The words with which a part does less than all; nothing: all of it.
words_of() {
    case $1 in
    */symbols.sh) echo "-n 300 --times 2000 $TMP/large" ;;
    */directory.sh) echo '1 2' ;;
    */unwind_bench.sh) echo 'leaves python3' ;;
    */two_readers.sh) echo build/tests/workloads/fp ;;
    */probes.sh) echo 'function usdt syscall runq' ;;
    esac
}

g++ -std=gnu++17 -O1 -g -DPART=0 -DWIDTH=1 -o "$TMP/large" tests/bench/large.cc
for part in tests/bench/*.sh; do
    read -ra words < <(words_of "$part")
    if "$part" "${words[@]}" >"$TMP/said" 2>&1; then
        pass "$part"
    else
        fail "$part" "$(tail -20 "$TMP/said")"
    fi
    sed 's/^/# /' "$TMP/said"
done
ok 'the bench of the store' build/tests/bench/store_bench 3 "$TMP/bench.db"
done_testing

#!/bin/bash
# check: 600 s
# Every BPF program loads on this kernel, within the verifier's budget kept in tests/bpf/budget; a new program needs a
# line there. No chain of its calls takes more stack than the kernels allow that count most for it. Programs that the
# kernel here does not allow at all (fentry under lockdown, kprobes) are skipped, and said.
. tests/tap.sh

[[ $(id -u) == 0 ]] || skip_all 'loading BPF programs takes root'
objects=(bpf/*.bpf.c)
objects=("${objects[@]/%.c/.o}")
build/tests/tools/verifier "${objects[@]/#/build/}" >"$TMP/counts" 2>"$TMP/log"
ok 'every object opens' test ! -s "$TMP/log"

budget() { awk -v o="$1" -v p="$2" '!/^#/ && $1 == o && $2 == p { print $3 }' tests/bpf/budget; }

# Kinds of programs this kernel refuses whatever they hold, by the section's name.
refused() { # OBJECT PROGRAM ERRNO
    local section
    section=$(llvm-readelf --symbols --sections "build/bpf/$1.bpf.o" 2>/dev/null | grep -oE "(fentry|fexit|kprobe|kretprobe|lsm)[^ ]*" | head -1)
    [[ -n $section && ($3 == 1 || $3 == 3 || $3 == 22 || $3 == 95 || $3 == 524) ]]
}

while read -r object program instructions number words; do
    what="$object: $program is within its budget"
    limit=$(budget "$object" "$program")
    if [[ $instructions == error ]] && refused "$object" "$program" "$number"; then
        skip "$what" "this kernel does not allow such programs: $words"
    elif [[ $instructions == error ]]; then
        fail "$what" "does not load: $words" "$(build/tests/tools/verifier -v "build/bpf/$object.bpf.o" 2>&1 | tail -15)"
    elif [[ -z $limit ]]; then
        fail "$what" "$instructions instructions, and no line '$object $program N' in tests/bpf/budget"
    elif [[ $instructions -gt $limit ]]; then
        fail "$what" "$instructions instructions, the budget is $limit"
    else
        pass "$what"
    fi
    [[ $instructions == error ]] || ok "$object: $program has 512 bytes of stack on any kernel" test "$number" -le 512
done <"$TMP/counts"
while read -r object program _; do
    [[ $object != '#'* && -n $object ]] || continue
    ok "the budget's $object $program exists" grep -q "^$object $program " "$TMP/counts"
done <tests/bpf/budget
done_testing

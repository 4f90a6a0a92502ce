#!/bin/bash
# check: 60 s
# The kernel, its modules and its BPF programs.
. tests/tap.sh

if [[ $(id -u) == 0 && $(cat /proc/sys/kernel/kptr_restrict) != 2 ]]; then
    address=$(awk '$3 == "do_syscall_64" || $3 == "el0_svc" { print $1; exit }' /proc/kallsyms)
    like 'a function of the kernel' "$("$HEARTH" symbolize -k "$(printf '%x' $((0x$address + 1)))")" '^(do_syscall_64|el0_svc) \?\?:0'
else
    skip 'a function of the kernel' 'this user cannot see the addresses of the kernel'
fi
done_testing

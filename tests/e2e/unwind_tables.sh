#!/bin/bash
# check: 1200 s, long
# Unwound in the kernel by tables: stacks of programs without frame pointers are whole, from the leaf to _start, whatever
# lies between, also while uprobes and uretprobes are active and in processes that live 5 ms.
. tests/tap.sh

[[ $(id -u) == 0 ]] || skip_all 'recording takes root'
out=$TMP/out.folded

record() { # [OPTION...] -- COMMAND...: into $out, what hearth says into $TMP/log
    "$HEARTH" record --unwind=table -F 499 -o "$out" "$@" >"$TMP/truth" 2>"$TMP/log"
}

record_warmed() { # [OPTION...] -- PROGRAM...
    local options=()
    while [[ $1 != -- ]]; do
        options+=("$1")
        shift
    done
    record "${options[@]}" -- "${warmed[@]}" "${@:2}"
}

samples() { awk '{ n += $NF } END { print n + 0 }'; }

# The share of the samples of a program, in percent, whose stack matches a pattern behind the program's name.
share() { # COMM PATTERN
    local all some
    all=$(grep -E "^$1;" "$out" | samples)
    some=$(grep -E "^$1;($2)" "$out" | samples)
    [[ $all -gt 50 ]] || all=1000000 # too few to tell
    awk -v a="$all" -v s="$some" 'BEGIN { print 100 * s / a }'
}

at_least() { # WHAT SHARE LEAST
    if awk -v a="$2" -v b="$3" 'BEGIN { exit !(a >= b) }'; then
        pass "$1"
    else
        fail "$1" "only $2 %" "$(grep -E 'unwind:|truncated' "$out" | cut -c1-200 | head -5)"
    fi
}

root='_start;__libc_start_main[^;]*;__libc_start_call_main;main'
whole() { # WORKLOAD ARGUMENTS PATTERN
    local arguments
    read -ra arguments <<<"$2"
    ok "$1 is recorded" record_warmed -- "$LOADS/nofp/$1" "${arguments[@]}"
    # In fork(), execve() and exit() a program has frames of the kernel alone, and before its own code those of the loader.
    at_least "99 % of the stacks of $1 $2 are whole" "$(share "$1" "$3|_dl_start|([^;]*_\\[k\\];)*(__x64_sys_e|ret_from_fork)")" 99
}
# The share of the samples in the innermost call of a recursion, and of the broken ones, that have every call above it: on
# the way there and back there are fewer.
bottom() { # DEPTH
    sed -i -E '/^recursion;/ { /;bottom|\[(unwind|truncated|stack lost)/!d }' "$out"
    share recursion "$root;start;(descend;){$1}bottom"
}
deep() { # DEPTH
    ok "a recursion of $1 is recorded" record_warmed -- "$LOADS/nofp/recursion" "$1" 1
    at_least "99 % of its stacks are whole, and $1 deep" "$(bottom "$1")" 99
}
whole leaves 2 "$root;run;outer;middle;"
deep 100
deep 400
whole qsort_callback 2 "$root;sort;.*;compare|$root|_start"
whole exceptions 3 "$root|_start"
whole signals 2 "$root;|_start"
whole signals "2 altstack" "$root;|[^;]*clone3;|_start"
whole vdso 2 "$root|_start"
whole coroutines 1 '__start_context;coroutine;in_coroutine_|\[libc[^;]*;coroutine;in_coroutine_|_start'

ok 'lazy binding is recorded' record -- env LD_BIND_NOT=1 "${warmed[@]}" "$LOADS/nofp/lazy" 3
at_least '99 % of its stacks are whole, from inside ld.so too' "$(share lazy "$root|_start|\[ld-")" 99

ok 'recursion deeper than the limit is recorded' record_warmed -- "$LOADS/nofp/recursion" 700 1
at_least 'its stacks say that they are cut' "$(share recursion '\[truncated\];(descend;)+bottom')" 98

# The return addresses of 60 nested calls are those of the uretprobe's trampoline.
ok 'a program with uretprobes is recorded' record_warmed -e cpu -e "uretprobe:$LOADS/nofp/recursion:descend" -- "$LOADS/nofp/recursion" 60 1
at_least 'stacks through 60 probed functions are whole' "$(bottom 60)" 99
ok 'a program with busy uprobes is recorded' record_warmed -e cpu -e "uprobe:$LOADS/nofp/qsort_callback:compare" \
    -e "uretprobe:$LOADS/nofp/qsort_callback:compare" -- "$LOADS/nofp/qsort_callback" 1
at_least 'its stacks are whole' "$(share qsort_callback "$root|_start")" 98

ok 'a storm of processes of 5 ms is recorded' record -- "$LOADS/nofp/storm" 2 5
# In execve() the process has no user stack: the kernel has dropped the old one and not yet made the new one, for a time that
# depends on the machine. All other stacks begin where the program, its loader or the child of posix_spawn() does.
sed -i -E '/^storm;([^;]*_\[k\];)*__x64_sys_execve(at)?_\[k\]/d' "$out"
at_least '95 % of their samples are whole and named' \
    "$(share storm "$root;short_life;short_leaf|_start[; ]|_dl_start_user[; ]|(__)?clone3[; ]")" 95
ok 'and many of them in the code of the processes' awk '/^storm;/ { n += $NF } /;short_life;short_leaf/ { m += $NF } END { exit !(m > n / 20) }' "$out"

# The first stacks through a library that nobody has mapped yet are cut: its rows are compiled, or read, meanwhile. How
# many are so is a matter of how busy the machine is.
ok 'dlopen and dlclose are recorded' record -- "$LOADS/nofp/dlopen" 2
at_least 'stacks through libraries that come and go are whole' "$(share dlopen "$root|_start")" 90
cp "$LOADS/nofp/replaced" "$TMP/replaced"
cp "$TMP/replaced" "$TMP/before"
ok 'a program replaced on disk while it runs is recorded' record -- sh -c "timeout 0.7 '$TMP/before' 1; exec '$TMP/replaced' 1"
at_least 'its stacks are whole' "$(share replaced "$root|_start")" 97

"$HEARTH" record -F 499 -o "$out" -- "${warmed[@]}" "$LOADS/nofp/jit" 1 >"$TMP/truth" 2>"$TMP/log"
at_least 'with --unwind=auto stacks through JIT code are whole' "$(share jit "$root|_start")" 97
"$HEARTH" record --unwind=fp -F 499 -o "$out" -- "$LOADS/fp/recursion" 60 1 >"$TMP/truth" 2>"$TMP/log"
# In a function's first and last instructions its caller is not in the chain yet, or no more: 2 % of the samples here. Those in
# libc, which has no frame pointers, do not count: how many they are depends on what a clock_gettime costs here.
grep -E ';bottom(;[^;]*_\[k\])* [0-9]+$' "$out" >"$TMP/bottom"
mv "$TMP/bottom" "$out"
at_least 'with --unwind=fp frame pointers are followed' "$(share recursion '.*main;start;(descend;){60}bottom')" 94
is 'another way to unwind is refused' "$("$HEARTH" record --unwind=guess -- true 2>/dev/null; echo $?)" 2
done_testing

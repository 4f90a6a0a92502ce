# Sourced by the benches: how long BPF programs ran, by the kernel's statistics, which a recording of hearth turns on
# (kernel.bpf_stats_enabled).

# "ns runs" of the BPF programs of perf events (type 7) that a process holds.
runs() { # PID
    cat /proc/"$1"/fdinfo/* 2>/dev/null | awk '/^prog_type/ { type = $2 } /^prog_id/ { id = $2 }
        /^run_time_ns/ && type == 7 { ns[id] = $2 } /^run_cnt/ && type == 7 { runs[id] = $2 }
        END { for (id in ns) { n += ns[id]; r += runs[id] } print n + 0, r + 0 }'
}

# Waits until they have run more than 20 times, for a minute at most.
await_runs() { # PID
    local try
    for ((try = 0; try < 600; try++)); do
        [[ $(runs "$1" | cut -d' ' -f2) -le 20 ]] || return 0
        sleep 0.1
    done
    return 1
}

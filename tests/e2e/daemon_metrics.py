"""Compares the daemon's metrics with its store: FILE HEARTH DIRECTORY. Prints what differs, one line each; nothing: all is
equal. The file is parsed as OpenMetrics, strictly, by the library of Prometheus."""
import subprocess
import sys

from prometheus_client.openmetrics.parser import text_string_to_metric_families

path, hearth, home = sys.argv[1:]
samples = {}
for family in text_string_to_metric_families(open(path, encoding="utf-8", newline="").read()):
    for sample in family.samples:
        samples.setdefault(sample.name, []).append((sample.labels, sample.value))


def run(*words):
    return subprocess.run([hearth, *words, "-i", home], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True).stdout.decode()


def sql(query):
    return [line.split("|") for line in run("sql", query).splitlines()]


def one(name, **labels):
    found = [value for own, value in samples.get(name, []) if own == labels]
    return found[0] if len(found) == 1 else None


def equal(what, ours, theirs):
    if ours is None or abs(ours - theirs) > 1e-9 * abs(theirs) + 1e-12:
        print(f"{what}: {ours}, the store has {theirs}")


def sum_of(query):
    return float(sql(query)[0][0] or 0)


def check_cpu():
    period = {name: int(ns) for name, ns in sql("SELECT id, period FROM event WHERE name = 'cpu'")}
    total = sum(int(count) * period[event] for event, count in
                sql("SELECT event, sum(samples) FROM total GROUP BY event") if event in period) / 1e9
    equal("cpu", one("hearth_cpu_seconds_total"), total)
    for by in ("unit", "comm", "binary"):
        told = [value for _, value in samples[f"hearth_{by}_cpu_seconds_total"]]
        # Only where there are more names than are told does one leave, with what it had.
        if len(told) <= 50 or sum(told) > total + 1e-6:
            equal(f"cpu by {by}", sum(told), total)
    step = next(iter(period.values())) / 1e9
    for by, key in (("unit", "unit"), ("comm", "comm"), ("binary", "exe")):
        theirs = {}
        for line in run("report", "-e", "cpu", "-f", "folded", "--group-by", key).splitlines():
            stack, count = line.rsplit(" ", 1)
            name = stack.split(";")[0]
            theirs[name] = theirs.get(name, 0) + int(count) * step
        others = one(f"hearth_{by}_cpu_seconds_total", **{by: "other"})
        for labels, ours in samples[f"hearth_{by}_cpu_seconds_total"]:
            name = labels[by]
            # A process that has executed another binary since has that one in the store.
            if name == "other" or "\\" in name or '"' in name or (by == "binary" and not name.endswith("/burn")):
                continue
            # A process that other programs move between units has that of its last look in the store.
            if by == "unit" and ours < total / 2:
                continue
            # A sample that was drained before its process executed `burn` is the shell's here, and burn's in the store.
            slack = 1e-6 if by == "comm" else total / 10
            # A name that was among the others at first has less.
            if name not in theirs or ours > theirs[name] + slack or ours < theirs[name] - others - slack:
                print(f"{by} {name}: {ours}, others {others}, a report has {theirs.get(name)}")


def check_histograms():
    for event in ("runq", "syscall:read"):
        labels = {"event": event}
        rows = sql(f"SELECT high, sum(count) FROM histogram WHERE event = '{event}' GROUP BY high")
        equal(f"{event} count", one("hearth_event_seconds_count", **labels), sum(int(count) for _, count in rows))
        total = sum_of(f"SELECT sum(sum) FROM histogram_total WHERE event = (SELECT id FROM event WHERE name = '{event}')")
        equal(f"{event} sum", one("hearth_event_seconds_sum", **labels), total / 1e9)
        bounds = 0
        for own, ours in samples["hearth_event_seconds_bucket"]:
            if own["event"] != event:
                continue
            bounds += 1
            most = float("inf") if own["le"] == "+Inf" else round(float(own["le"]) * 1e9) + 1
            equal(f"{event} le {own['le']}", ours, sum(int(count) for high, count in rows if int(high) <= most))
        if bounds < 30:
            print(f"{event}: only {bounds} buckets")


def check_rest():
    equal("intervals", one("hearth_intervals_total"), sum_of("SELECT count(*) FROM interval WHERE end_ns > start_ns"))
    for ours, theirs, unit in (("own_cpu_seconds_total", "sum(own_cpu_ns)", 1e9), ("own_bpf_seconds_total", "sum(own_bpf_ns)", 1e9),
                               ("own_written_bytes_total", "sum(own_written_bytes)", 1),
                               ("last_interval_end_timestamp_seconds", "max(end_ns)", 1e9)):
        equal(ours, one(f"hearth_{ours}"), sum_of(f"SELECT {theirs} FROM interval") / unit)
    lost = dict(sql("SELECT name, sum(count) FROM loss GROUP BY name"))
    for labels, ours in samples["hearth_losses_total"]:
        equal(f"loss {labels['loss']}", ours, float(lost.pop(labels["loss"], 0)))
    for name in lost:
        print(f"loss {name} is missing")


check_cpu()
check_histograms()
check_rest()

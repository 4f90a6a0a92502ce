# The Firefox Profiler's file as folded stacks: each table is as long as it says, and no index leads out of it.
#   report_firefox.py FILE
import json
import sys

profile = json.load(open(sys.argv[1], encoding="utf-8"))
meta = profile["meta"]
assert meta["preprocessedProfileVersion"] == 50 and meta["categories"][0]["name"] == "Other"
colours = "transparent purple green orange yellow lightblue blue brown magenta red lightred darkgrey grey".split()
assert all(c["color"] in colours and c["subcategories"] for c in meta["categories"])


def check(thread, table, column, most, none=None):
    values = thread[table][column]
    assert all(v == none or (isinstance(v, int) and 0 <= v < most) for v in values), (table, column)
    return values


for thread in profile["threads"]:
    for name in "funcTable frameTable resourceTable stackTable samples markers nativeSymbols".split():
        table = thread[name]
        assert all(len(v) == table["length"] for v in table.values() if isinstance(v, list)), name
    strings = thread["stringArray"]
    assert len(set(strings)) == len(strings)
    names = check(thread, "funcTable", "name", len(strings), none=-1)
    check(thread, "funcTable", "fileName", len(strings))
    check(thread, "funcTable", "resource", thread["resourceTable"]["length"], none=-1)
    check(thread, "resourceTable", "name", len(strings), none=-1)
    funcs = check(thread, "frameTable", "func", len(names), none=-1)
    check(thread, "frameTable", "category", len(meta["categories"]), none=-1)
    frames = check(thread, "stackTable", "frame", len(funcs), none=-1)
    prefixes = thread["stackTable"]["prefix"]
    assert all(p is None or 0 <= p < i for i, p in enumerate(prefixes))
    paths = []
    for prefix, frame in zip(prefixes, frames):
        paths.append(([] if prefix is None else paths[prefix]) + [strings[names[funcs[frame]]].replace(";", ":")])
    stacks = check(thread, "samples", "stack", len(paths), none=-1)
    assert thread["samples"]["weightType"] in ("samples", "tracing-ms", "bytes")
    scale = 1000000 if thread["samples"]["weightType"] == "tracing-ms" else 1
    for stack, weight in zip(stacks, thread["samples"]["weight"]):
        print(";".join(paths[stack]), round(weight * scale))

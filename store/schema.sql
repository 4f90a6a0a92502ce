-- A store of hearth: one SQLite file. Plain `sqlite3` reads every table here but the columns named `data`, which are
-- packed (store/pack.h); `hearth sql` unpacks those as the tables `sample`, `stack`, `stack_frame` and `histogram`.
--
-- Times are nanoseconds since 1970, UTC. Ids count up from 1 and are never used again. Unsigned 64-bit numbers of
-- 2^63 and more are kept as the negative number with the same bits.

-- host, kernel, arch, version, command, cpu_count; store: a random name of this file; restarts: how often a
-- dictionary was begun anew (then a process, a binary, a frame or a stack may stand here more than once).
CREATE TABLE meta (
    key TEXT PRIMARY KEY NOT NULL,
    value TEXT NOT NULL
) WITHOUT ROWID;

-- Samples of an event and a histogram of it are two rows, with one name; samples at another rate are a row more. Where a
-- histogram was recorded with its stacks, its values are samples too, with a bucket each.
CREATE TABLE event (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    unit TEXT NOT NULL,
    detail TEXT NOT NULL,
    period INTEGER NOT NULL,
    is_histogram INTEGER NOT NULL -- 1: yes; 2: each of its values stands in value_pack too, with its stack
);

CREATE TABLE process (
    id INTEGER PRIMARY KEY,
    pid INTEGER NOT NULL,
    start_ns INTEGER NOT NULL,
    parent_pid INTEGER NOT NULL,
    uid INTEGER NOT NULL,
    comm TEXT NOT NULL,
    exe TEXT NOT NULL,
    cgroup TEXT NOT NULL,
    container TEXT NOT NULL
);

CREATE TABLE thread (
    id INTEGER PRIMARY KEY,
    process INTEGER NOT NULL REFERENCES process,
    tid INTEGER NOT NULL, -- 0: all threads of that comm
    comm TEXT NOT NULL
);

CREATE TABLE binary (
    id INTEGER PRIMARY KEY,
    kind INTEGER NOT NULL, -- 0 ELF, 1 kernel, 2 JIT, 3 a mark, 4 vDSO
    build_id BLOB,
    path TEXT NOT NULL,
    digest INTEGER -- of program headers and owner: tells binaries of one build id apart; not in older files
);

CREATE TABLE function (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL
);

CREATE TABLE file (
    id INTEGER PRIMARY KEY,
    path TEXT NOT NULL
);

-- A place in a binary, as stacks refer to it. In files of the 1 h tier, a function: its offset is 0x80 and a hash of 56
-- bits, and its lines are 0.
CREATE TABLE frame (
    id INTEGER PRIMARY KEY,
    binary INTEGER NOT NULL REFERENCES binary,
    offset INTEGER NOT NULL
);

-- The names of a frame: depth 0 is the innermost inlined function, the last one the function the code belongs to.
-- They may come later than the frame.
CREATE TABLE frame_line (
    frame INTEGER NOT NULL REFERENCES frame,
    depth INTEGER NOT NULL,
    function INTEGER NOT NULL REFERENCES function,
    file INTEGER REFERENCES file,
    line INTEGER NOT NULL,
    PRIMARY KEY (frame, depth)
) WITHOUT ROWID;

CREATE TABLE interval (
    id INTEGER PRIMARY KEY,
    tier_s INTEGER NOT NULL, -- how long the intervals of its tier are; 0: as drained
    start_ns INTEGER NOT NULL,
    end_ns INTEGER NOT NULL,
    own_cpu_ns INTEGER NOT NULL,
    own_bpf_ns INTEGER NOT NULL,
    own_rss_bytes INTEGER NOT NULL,
    own_map_bytes INTEGER NOT NULL DEFAULT 0, -- of BPF maps, before the drain; not in older files
    own_written_bytes INTEGER NOT NULL DEFAULT 0 -- to the store, since the interval before; not in older files
);

-- In a directory of day files: an interval that is a sum, and the full intervals that it is the sum of, those with the
-- ids `first` to `last` of the file whose meta says `store`. Not in older files.
CREATE TABLE source (
    interval INTEGER NOT NULL REFERENCES interval,
    store TEXT NOT NULL,
    first INTEGER NOT NULL,
    last INTEGER NOT NULL,
    PRIMARY KEY (interval, store, first)
) WITHOUT ROWID;

-- What a rule of the daemon's file found: since when, whose, how much, and the store in the folder `incidents` that was
-- recorded then; "": none. The id: when it was found, in seconds since 1970. Not in older files.
CREATE TABLE incident (
    id INTEGER PRIMARY KEY,
    start_ns INTEGER NOT NULL,
    end_ns INTEGER NOT NULL,
    rule TEXT NOT NULL,
    culprit TEXT NOT NULL,
    value TEXT NOT NULL,
    file TEXT NOT NULL
);

CREATE TABLE total (
    interval INTEGER NOT NULL REFERENCES interval,
    event INTEGER NOT NULL REFERENCES event,
    samples INTEGER NOT NULL,
    value INTEGER NOT NULL,
    PRIMARY KEY (interval, event)
) WITHOUT ROWID;

CREATE TABLE process_total (
    interval INTEGER NOT NULL REFERENCES interval,
    event INTEGER NOT NULL REFERENCES event,
    process INTEGER NOT NULL REFERENCES process,
    samples INTEGER NOT NULL,
    value INTEGER NOT NULL,
    PRIMARY KEY (interval, event, process)
) WITHOUT ROWID;

CREATE TABLE loss (
    interval INTEGER NOT NULL REFERENCES interval,
    name TEXT NOT NULL,
    count INTEGER NOT NULL,
    PRIMARY KEY (interval, name)
) WITHOUT ROWID;

-- The values of one event in one interval.
CREATE TABLE value_pack (
    id INTEGER PRIMARY KEY, -- interval * 65536 + event
    row_count INTEGER NOT NULL,
    data BLOB NOT NULL
);

-- The trie nodes that an interval was the first to need: from `id` on.
CREATE TABLE node_pack (
    id INTEGER PRIMARY KEY,
    node_count INTEGER NOT NULL,
    data BLOB NOT NULL
);

-- A histogram of one interval. Where it has values below 0, sum and min are signed, and max is if all are. A sum that
-- no 64 bits hold is a BLOB of its decimal digits.
CREATE TABLE histogram_total (
    interval INTEGER NOT NULL REFERENCES interval,
    event INTEGER NOT NULL REFERENCES event,
    key TEXT NOT NULL,
    count INTEGER NOT NULL,
    sum INTEGER NOT NULL,
    min INTEGER NOT NULL,
    max INTEGER NOT NULL,
    unmatched INTEGER NOT NULL,
    data BLOB NOT NULL,
    PRIMARY KEY (interval, event, key)
) WITHOUT ROWID;

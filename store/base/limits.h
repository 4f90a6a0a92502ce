// The bounds of hearth, each with its reason and what happens there. The bounds that the kernel side shares stand in
// bpf/wire/wire.h.
#ifndef HEARTH_STORE_BASE_LIMITS_H
#define HEARTH_STORE_BASE_LIMITS_H

// Inlined functions shown for one address. The deepest chain seen in large C++ programs is 34. Above: the outermost
// ones are kept, the innermost cut.
#define LIMIT_CHAIN 64

// A process keeps this many mappings for naming raw addresses; the largest JVMs map some 5,000 files. Above: they are
// read from /proc, without those that are gone; of a process that has more, frames of the newest read [unknown].
#define LIMIT_MAPPINGS_A_PROCESS 8192

// Processes remembered at once, dead ones until the drain after their end: the kernel's default pid_max, of those that
// were sampled, and as many of those that perf's records tell of. Above: samples of new ones are dropped, counted as
// the loss "processes-full"; what was only told of is known by what /proc says when it is sampled. A drain comes
// before.
#define LIMIT_PROCESSES 32768

// One section of an ELF file, read or inflated: the largest .debug_info in Debian's archive (chromium's, webkit's) has
// some 2 GiB unpacked, libjvm's 120 MiB. Above: the section counts as missing.
#define LIMIT_SECTION_BYTES (1024ull << 20)

// Sections of one ELF file; objects made with -ffunction-sections have some 100,000. Above: as if it had none.
#define LIMIT_SECTIONS (1u << 20)

// The names of an ELF file's sections, and its notes: a few KiB each in practice. Above: not read.
#define LIMIT_SECTION_NAMES_BYTES (64u << 20)
#define LIMIT_NOTES_BYTES         (64u << 10)

// Bytes of a perf map and of a jitdump that are read: a large JVM's has 10 MiB, its dump 200. Above: the rest is not
// looked at. A jitted function, for its last line: 4 MiB. How often one may move: above, it has no name.
#define LIMIT_PERF_MAP_BYTES     (128u << 20)
#define LIMIT_JIT_DUMP_BYTES     (2048ull << 20)
#define LIMIT_JIT_FUNCTION_BYTES (4u << 20)
#define LIMIT_JIT_MOVES          16

// How much earlier than its process started a file of its own may seem to be written: process start times are in ticks,
// file times in those of a coarse clock, and the wall clock may be set meanwhile. Above: the file is of another process
// that had the same PID.
#define LIMIT_JIT_CLOCK_NS 2000000000ull

// Processes with JIT code whose files are kept open, three descriptors each; fewer where descriptors are. Above: those
// that ended, then those used longest ago are let go; their frames without a name read [jit].
#define LIMIT_JIT_PROCESSES 256u
// Processes announced by the kernel side that wait to be looked at. Above: looked at when the drain brings them.
#define LIMIT_JIT_SEEN 1024u
// JIT addresses that wait for a name, of all processes, 12 bytes each. Above: the older ones of the process with the
// most stay without.
#define LIMIT_JIT_UNNAMED (256u << 10)
// Files that gave no answer are asked again after that long, then twice that, up to the most. After a reading its
// process rests so many times the CPU time it took, all processes so many: their share of a CPU is 5 % and 10 %.
#define LIMIT_JIT_AGAIN_NS     1000000000ull
#define LIMIT_JIT_AGAIN_MAX_NS 64000000000ull
#define LIMIT_JIT_REST         20u
#define LIMIT_JIT_REST_OF_ALL  9u
// How long the end of a recording reads such files. Above: the rest keeps no names, counted as "names-failed".
#define LIMIT_JIT_END_S 10

// Names a worker answers with at once, demangled or of JIT code: 100,000 of them have some 20 MiB. Above: refused.
#define LIMIT_ANSWER_BYTES (256u << 20)

// A mangled name (templates reach some 50,000 bytes) and a shown one. Longer ones: the symbol is left out; the name is
// shown as it is mangled; cut in perf maps.
#define LIMIT_MANGLED_BYTES (64u << 10)
#define LIMIT_NAME_BYTES    (16u << 10)

// Names read from /proc/kallsyms: 3 MB in a distribution's kernel. Above: the rest is not read.
#define LIMIT_KALLSYMS_BYTES (64u << 20)

// Until /proc/kallsyms is read again, for modules and BPF programs that came since: that costs some 50 ms. Younger ones
// may have the name of the code before them until then.
#define LIMIT_KALLSYMS_AGE_S 30

// Debug files of kernel modules that are listed: a distribution has 1,100 to 6,000. Above: the rest have no lines.
#define LIMIT_KERNEL_MODULES (64u << 10)

// The process that reads strangers' binaries: memory (libjvm's 260 MB of packed debug information take 480 MiB; above,
// the binary is named by its symbol table), CPU time of one binary (libjvm: 5 s), time on the clock, the index it makes
// (libjvm's: 75 MB), files it may ask for (split DWARF has one a source file). Above: that binary loses its names.
#define LIMIT_WORKER_MEMORY_BYTES (640ull << 20)
#define LIMIT_WORKER_CPU_S        20
#define LIMIT_WORKER_WALL_MS      40000
#define LIMIT_INDEX_BYTES         (512ull << 20)
#define LIMIT_COMPANIONS          8192

// Workers at the same time: rows, quick names, slow names, and one more. Above: a job waits for one to end.
#define LIMIT_WORKERS 4

// Files up to so many bytes share a worker with others of their owner, so many jobs one after the other: to fork a
// process costs what 10 small files do. Above: a file, and the next job, has a new worker.
#define LIMIT_SMALL_FILE_BYTES (4 << 20)
#define LIMIT_WORKER_JOBS      64

// Memory of a worker whose job others wait for. Above: its binary is named later, by a job that may have
// LIMIT_WORKER_MEMORY_BYTES, one at a time; rows and JIT names are lost. So all workers have 1,216 MiB at most in sum.
#define LIMIT_QUICK_MEMORY_BYTES   (192ull << 20)
#define LIMIT_WORKERS_MEMORY_BYTES (LIMIT_WORKER_MEMORY_BYTES + (LIMIT_WORKERS - 1) * LIMIT_QUICK_MEMORY_BYTES)

// CPU time that the files of one owner may take of workers, for names and for rows each: all programs of a home folder
// take some seconds, and only until they are in the cache. Root's are those of the host. One part in LIMIT_OWNER_REST
// of the time comes back; a job that fails costs LIMIT_OWNER_FAILED times what it took. Above: its files get no names
// ("names-failed") and no rows until then. Owners beyond the last share one budget.
#define LIMIT_OWNER_CPU_S  30u
#define LIMIT_ROOT_CPU_S   600u
#define LIMIT_OWNER_REST   50u
#define LIMIT_OWNER_FAILED 4u
// An owner owes no more than so much above its budget, so that one file that is too much costs the others of its owner
// their names for 500 s, not for an hour.
#define LIMIT_OWNER_DEBT_S 10u
#define LIMIT_OWNERS       64u

// Workers that were killed and did not die, since they stand in a read of a file system that does not answer. Above:
// no more jobs (names and rows are counted as failed), until one of them is gone.
#define LIMIT_WORKERS_LEFT 16

// Files whose file system may wait for a server (network, FUSE): how long the opener may send nothing, how long it may
// take for one file (it copies: 100 MB in a second over a network of 1 Gbit/s), and for all files of a file system in
// the last of these times. Above: the file system is passed over for that last time; its files have neither names nor
// rows, counted as "files-unanswered".
#define LIMIT_OPENER_ANSWER_MS 1000
#define LIMIT_OPENER_FILE_MS   4000
#define LIMIT_OPENER_SPENT_MS  15000
#define LIMIT_OPENER_AGAIN_MS  300000

// File systems remembered as slow. Above: one of them is forgotten, and asked again for as long as the first time.
#define LIMIT_OPENER_SYSTEMS 64u

// Openers that were killed and did not die, since they stand in a call to such a file system. Above: no file that may
// wait is opened, until one of them is gone.
#define LIMIT_OPENERS_LEFT 16u

// A copy in memory of such a file, and all copies of a recording. Above: the file has neither names nor rows.
#define LIMIT_COPY_FILE_BYTES (256ull << 20)
#define LIMIT_COPIES_BYTES    (512ull << 20)

// A job that others wait for: rows (libLLVM's take 60 ms; its answer has 3.2 MiB, librustc_driver's 4), names but for
// the largest debug information; libdw, asked after our own reader. Above: no rows; names are made later, within
// the limits above; libdw's are not taken.
#define LIMIT_QUICK_CPU_S   2
#define LIMIT_QUICK_WALL_MS 10000
#define LIMIT_ROWS_BYTES    (96ull << 20)

// How long the end of a recording waits for names: as long as one binary may take. Above: binaries without names keep
// none, counted as the loss "names-failed".
#define LIMIT_NAMING_END_S 45

// The command line of a recording, in its store. Above: the words that follow are left out, and "..." stands for them.
#define LIMIT_COMMAND_LINE_BYTES 4096

// The share of a CPU that sampling may take in a daemon, where the configuration gives none.
#define LIMIT_DAEMON_BPF_SHARE 0.01

// max-cpu, max-memory and max-write of the daemon: how often all rates are halved before events are dropped (19 Hz
// become one sample a second), and how far apart two steps are at least, so that the first shows before the second is
// taken.
#define LIMIT_BUDGET_HALVINGS 4u
#define LIMIT_BUDGET_STEP_NS  1000000000ull

// Roll-up and retirement of the daemon's directory: how often, and for how long at most. Work left over goes on the
// next time.
#define LIMIT_UPKEEP_PERIOD_NS 60000000000ull
#define LIMIT_UPKEEP_NS        30000000000ull

// The live file of the daemon's directory is looked through for damage as often as this many times what the look takes,
// and not more often than roll-up.
#define LIMIT_CHECK_PAUSE 1000u

// Recordings that run beside the daemon's own, because somebody asked or a rule held: how long each may take, how many
// run at once and begin within an hour, the bytes of its words and of the lines that it says at its end, and the part
// (one of so many) of the directory's bytes that all their stores may take. Above: the next one is refused; the
// oldest stores go; one whose store outgrows its own part of that is ended early.
#define LIMIT_SIDE_NS         600000000000ull
#define LIMIT_SIDE_AT_ONCE    2
#define LIMIT_SIDE_AN_HOUR    30
#define LIMIT_SIDE_WORDS      128
#define LIMIT_SIDE_WORD_BYTES 4096
#define LIMIT_SIDE_SAID_BYTES 2048
#define LIMIT_SIDE_PART       8
// A store of one that began longer ago than this is not written any more: a start, LIMIT_SIDE_NS, and the last names.
#define LIMIT_SIDE_WRITTEN_NS (LIMIT_SIDE_NS + 120000000000ull)
// Metrics of the daemon: names that each kind of CPU time is told by (units, comms, binaries); above: those with the
// most of late, and "other". Names that are remembered meanwhile. Histograms: half of them are for the keys that come
// first; above: one for all other keys of an event.
#define LIMIT_METRICS_NAMES      50
#define LIMIT_METRICS_CANDIDATES 128
#define LIMIT_METRICS_HISTOGRAMS 64
// The server of metrics. Connections: a scraper has one. Above: the next one waits. Idle for longer, or open for longer
// whatever happens: closed. Address and headers of a request: above, refused.
#define LIMIT_METRICS_CONNECTIONS   16
#define LIMIT_METRICS_IDLE_S        10u
#define LIMIT_METRICS_OPEN_MS       60000u
#define LIMIT_METRICS_REQUEST_BYTES (8u << 10)
// Where it dies it is begun again after this pause, and twice that each time, up to the most; after it has lived for
// the most, after the first pause again.
#define LIMIT_METRICS_PAUSE_MS      1000u
#define LIMIT_METRICS_PAUSE_MOST_MS 600000u
// /debug/pprof/profile: how long one may last, and be waited for; how many wait or are made. Above: refused. Bytes of
// its parameters. How long an interval is on record before a profile of it is made: the names of what ran first come
// after it.
#define LIMIT_PPROF_SECONDS    300u
#define LIMIT_PPROF_AT_ONCE    4u
#define LIMIT_PPROF_WORD_BYTES 4096u
#define LIMIT_PPROF_NAMES_MS   1000u
// A rule of the daemon's file, a name in it, and how long it asks for nothing more after it has asked. Above: refused.
#define LIMIT_RULE_BYTES      512
#define LIMIT_RULE_NAME_BYTES 256
#define LIMIT_RULE_PAUSE_NS   600000000000ull
// How long the daemon's end waits for them to write their stores to the end. Above: they end by themselves.
#define LIMIT_SIDE_END_MS 10000

// The control socket: how many askers at once, of how many words, and how long one may be connected without a request.
// Above: it is closed.
#define LIMIT_CONTROL_CLIENTS   16
#define LIMIT_CONTROL_WORDS     160
#define LIMIT_CONTROL_SILENT_NS 5000000000ull

// The daemon's file. Above: it is refused; a file of options is a page long.
#define LIMIT_CONF_BYTES (256 * 1024)

// How long a recording waits for its command's exec(), which reads the program from its file system. Above: the
// recording goes on, and says at its end why exec() has failed, if it has.
#define LIMIT_COMMAND_BEGIN_MS 5000

// How long a recording that ends waits for its command to exit after SIGTERM: enough to write a file and go. Above: the
// recording ends, says so, and the command runs on.
#define LIMIT_COMMAND_END_MS 2000

// Functions of interpreters: 10,000 have some 4 MB of names and tables of lines. Above: frames of others read [python]
// or [php].
#define LIMIT_GUEST_CODE_BYTES (64u << 20)
// Numbers given to them by one recording; contents are told anew, with other numbers, when the kernel side has
// forgotten them. Above: as above.
#define LIMIT_GUEST_IDS (4u << 20)

// Names that were found and not yet taken into the store: a first drain of a machine finds some 2 MiB. Above: naming
// stops until the next interval takes them.
#define LIMIT_NAMES_FOUND_BYTES (4u << 20)

// Indexes on the disk: libjvm's, with lines and inlines, has 75 MB, a stripped binary's 1. Above: those used longest
// ago are removed.
#define LIMIT_INDEX_CACHE_BYTES (1ull << 30)

// Demangled names remembered: 8 MiB are some 50,000. Above: all are forgotten and demangled again when they come up.
#define LIMIT_SHOWN_NAMES_BYTES (8u << 20)

// Indexes of binaries kept at hand, a part of the 40 MiB that a recording may take: enough for the programs of most
// hosts. Above: the least lately used is let go and made, or mapped from the cache, again when it is needed.
#define LIMIT_LOADED_INDEX_BYTES (12ull << 20)
#define LIMIT_LOADED_INDEXES     1024

// Binaries that are known to be among the loss "names-partial", so that each is counted once: 100 bytes each. Above:
// one whose index is made again may be counted again.
#define LIMIT_PARTIAL_INDEXES 1024u

// The ring of perf's records, per CPU; a power of two of pages. An exec writes about 3 KB, so a ring takes 80 of them
// between two reads. Above: records are lost, counted as the loss "records-lost".
#define LIMIT_RECORD_RING_BYTES (256u * 1024)

// The ring buffer of copied stacks (--unwind=copy), 1 to 64 KiB each: some hundreds wait for the next look at it.
// Above: samples lose their user stack, counted as the loss "copies-full".
#define LIMIT_COPY_RING_BYTES (16u << 20)

// Paths of control groups made during a recording, some 200 bytes each. Above: all are forgotten, and those that are
// gone before the drain have none.
#define LIMIT_CGROUP_NAMES 16384

// Types of the kernel that are kept for the BPF objects: some 17 objects of up to 60 KB. Above: the oldest are removed,
// and cut out again when they are asked for.
#define LIMIT_TYPES_CACHE_BYTES (4u << 20)

// Entries of the kernel's maps of counts and of stacks, a set: enough for what an interval can hold at worst, within
// these. Entries are allocated as they are needed; the most is 150 MB of kernel memory on a machine that fills it.
// Above: samples are dropped ("counts-full") or kept without their stack ("stacks-full").
#define LIMIT_MAP_ENTRIES_LEAST 16384u
#define LIMIT_MAP_ENTRIES_MOST  262144u

// The share of each CPU that the BPF programs may take without --max-cpu: 99 Hz take 0.1 % of one, and a fifth changes
// the programs that are measured. Above: fewer samples are taken, and count for more (the loss "thinned").
#define LIMIT_BPF_SHARE 0.2

// Different stacks a second that a probe may have on a CPU; malloc() under a busy interpreter has some 5,000. The
// bounds above follow from this number for events that fire as often as they like; hearth itself takes some 40 MiB when
// they are reached. Above: the same losses.
#define LIMIT_PROBE_STACKS_HZ 5000u

// Histograms without keys that a daemon's file may name later: 80 KiB a CPU each. Above: the recording begins anew,
// which leaves a gap.
#define LIMIT_HISTS_TO_COME 2u

// Cells of histograms with keys (--by, syscall:*), of all CPUs, in each of two maps; a key takes some 20 of 32 bytes a
// CPU. Above: values are dropped, counted as the loss "hists-full".
#define LIMIT_HIST_BYTES (4u << 20)

// Histograms of a recording, all probes together, some 8 KiB each, and as much again for those of an interval: threads
// of a busy host, or the sizes a program asks for. Above: the values of other keys are counted under the key "others".
#define LIMIT_HISTOGRAMS 2048u

// Histograms of a report, by the threads of a store: 8 KiB each. Above: the same.
#define LIMIT_REPORT_HISTOGRAMS 16384u

// Columns of a heat map in a file, some 8 KiB each while it is made. Above: several intervals share one.
#define LIMIT_HEATMAP_COLUMNS 480u

// Panels of one drawing of histograms, some 20 KiB each. Above: the heaviest are drawn, and how many more there are is
// said.
#define LIMIT_HISTOGRAM_PANELS 256u

// Places that one event's pattern puts a probe on: each takes a descriptor, and some ms to take away again. Above: the
// event is refused.
#define LIMIT_PROBE_SITES 2048u

// Binaries known at once, by build id: a busy build host sees some thousands a day. Above: code of new ones is shown as
// [unknown].
#define LIMIT_BINARIES 65536

// A recording keeps the file of each binary open, for names that are asked for later; of a deleted one that keeps its
// room on the disk. The daemon, whose recording has no end of its own, begins another one above these, and looks so
// often: the first look after a day's worth of new binaries comes soon, and the gap, of a second or so, is rare.
#define LIMIT_ENDLESS_BINARIES      16384u
#define LIMIT_ENDLESS_DELETED_BYTES (2ull << 30)
#define LIMIT_ENDLESS_LOOK_MS       60000u
#define LIMIT_ENDLESS_AGAIN_MS      3600000u // after another one has begun

// The writer of a store remembers, to give equal things equal ids, at most this much; past it, it forgets that kind and
// begins anew after the next interval: the store grows a little faster, readers join what is equal, nothing is lost.
// If the disk stays full, twice as much waits to be written; above that, new ones are refused with -ENOBUFS.
#define LIMIT_STORE_NODES      (512u << 10) // 16 bytes each: 8 MiB; a day of 16 busy CPUs makes some 2 million
#define LIMIT_STORE_FRAMES     (128u << 10) // 24 bytes each: 3 MiB
#define LIMIT_STORE_PROCESSES  (16u << 10)  // 48 bytes each, and their words
#define LIMIT_STORE_THREADS    (64u << 10)  // 20 bytes each
#define LIMIT_STORE_BINARIES   (16u << 10)  // 40 bytes each, and their paths
#define LIMIT_STORE_TEXT_BYTES (4u << 20)   // of each: functions, source files, words of processes, paths of binaries

// Ids of a store that a reader believes: above stands damage or malice. Each id but a node's has a row of eight bytes
// and more; nodes are packed to some two bytes each, but deep recursion packs a great many into nothing. So a small
// file never costs its reader much memory; the largest one, of a day of 64 busy CPUs with some 20 million nodes, 8
// bytes for each.
#define LIMIT_STORE_IDS(file_bytes)      ((1u << 16) + (file_bytes) / 8)
#define LIMIT_STORE_NODE_IDS(file_bytes) ((1u << 20) + (file_bytes))
#define LIMIT_STORE_IDS_MAX              (1u << 26)

// How many times the bytes of its blocks a file may hold: file systems that compress (btrfs) halve a store. Above: the
// rest of its size is taken for a hole, in which no rows stand.
#define LIMIT_STORE_COMPRESSED 4u

// Values that a reader takes from a file, all packs together: a row of a pack takes some three bytes, and a third of
// one where many are alike; a made-up pack of a hundred bytes holds a million. Above: the rest counts as damaged.
#define LIMIT_STORE_ROWS(file_bytes) (LIMIT_STORE_PACK_ROWS + 16 * (uint64_t)(file_bytes))

// Frames of one stack. A walk takes some 1,000 (bpf/wire/wire.h); profiles of other tools are as deep as Java's and
// Python's recursion. Above: the stack is damaged, and is cut there; a profile to import is refused.
#define LIMIT_STORE_STACK_FRAMES 4096u

// A column of a row: the largest are packs, with some three bytes for each of LIMIT_STORE_PACK_ROWS. Above: the row
// cannot be read.
#define LIMIT_STORE_CELL_BYTES (64 << 20)

// Events of one store: value_pack's ids keep 16 bits for them. Above: refused with -E2BIG.
#define LIMIT_STORE_EVENTS 65535u

// Values of one event in one interval, and nodes of one drain, that a reader unpacks: eight times what the maps of the
// kernel side hold. Above: the pack counts as damaged.
#define LIMIT_STORE_PACK_ROWS (8u << 20)

// Files of a directory that a reader keeps open: the days of full intervals and minutes, which are retired soon. Above:
// each is opened when it is read, and one that was removed since ends the reading with -ESTALE.
#define LIMIT_STORE_HELD_FILES 64u

// Intervals that follow one another so closely join on: clocks are set by less. Above: nothing was recorded in between.
#define LIMIT_STORE_GAP_NS 1000000000ull

// The daemon's directory, unless --keep-bytes says otherwise, and what it leaves to others of its file system. A part
// of the first, the reserve, is kept free for what is written between two looks. Above: the oldest files are removed.
#define LIMIT_STORE_DIRECTORY_BYTES (2ull << 30)
#define LIMIT_STORE_FREE_BYTES      (64ull << 20)
#define LIMIT_STORE_RESERVE         16u // of bytes_most, one part in this

// A range that a report reads from full intervals, in a directory that has sums of hours too. Above: the sums, which
// know functions but no lines, a hundredth of the rows.
#define LIMIT_REPORT_FINE_NS (6 * 3600 * 1000000000ull)

// How long SQLite waits for another program's lock: to open a store or read it; to append an interval, which is tried
// again with the next one.
#define LIMIT_STORE_BUSY_MS   2000
#define LIMIT_STORE_APPEND_MS 200

// How far the wall clock and the monotonic one may part within an interval. Above: the clock was set, or the machine
// slept, and the interval ends now and has its length by the monotonic one. Clocks that are slewed stay far below.
#define LIMIT_CLOCK_STEP_NS 1000000000ull

// Intervals that a recording keeps in memory while its store is locked or its disk is full: hours of a quiet machine,
// some minutes of a busy one. Above: their values are dropped, counted as the loss "not-stored".
#define LIMIT_STORE_WAITING_BYTES (16u << 20)

// How long the end of a recording waits for another program's lock. Above: samples that wait are counted as
// "not-stored".
#define LIMIT_STORE_END_MS 10000

// The WAL is copied into the file after each interval, unless a reader stands in the way. From the first bound on the
// writer waits for readers (that many ms), at the second it refuses to append (-EBUSY): a reader that holds on to a
// store for hours must not fill the disk.
#define LIMIT_STORE_CHECKPOINT_MS 100
#define LIMIT_STORE_WAL_BYTES     (16ull << 20)
#define LIMIT_STORE_WAL_MAX_BYTES (512ull << 20)

// A section of call frame information, inflated: the largest known (librustc_driver's) has 12 MB. Above: the binary has
// no rows, its stacks read [unwind: no rows].
#define LIMIT_UNWIND_SECTION_BYTES (256ull << 20)

// Unwind tables in the kernel at once: all of a desktop's programs have some 60 MB of rows. Above: those not used
// lately give way, and come back from the cache when they are needed.
#define LIMIT_UNWIND_TABLE_BYTES (128ull << 20)

// Unwind tables kept on disk between runs, oldest use removed first: some 500 binaries of a busy machine take 40 MB.
#define LIMIT_UNWIND_CACHE_BYTES (256ull << 20)

// DWARF. Units: 30,000 in chromium. Abbreviations of one table and attributes of one of them: 3,000 and 30 in practice.
// Depth of the tree: 60 in templates of Eigen. References followed to a name: 3. Above: our own reader refuses the
// unit, and libdw reads it.
#define LIMIT_UNITS      (1u << 20)
#define LIMIT_ABBREVS    (1u << 18)
#define LIMIT_ATTRIBUTES 1024
#define LIMIT_DIE_DEPTH  512
#define LIMIT_REFERENCES 16

// Ranges, scopes and line rows of one binary (libjvm: 1.5 million ranges, 3 million rows), files of one line program.
// Above: cut; for scopes and rows the binary keeps its symbol table only. So it does when its line programs are run so
// many times over.
#define LIMIT_RANGES       (1u << 24)
#define LIMIT_LINE_RUNS    4u
#define LIMIT_SCOPES       (1u << 25)
#define LIMIT_LINE_ROWS    (1u << 26)
#define LIMIT_SOURCE_FILES (1u << 18)

// MiniDebugInfo, unpacked: libLLVM's has 20 MiB. Above: not used. Line rows of one Go function: 10,000 in the largest.
#define LIMIT_MINI_DEBUG_BYTES (256u << 20)
#define LIMIT_GO_ROWS          (1u << 20)

// Steps taken through Go's programs for inlined calls: 20 million for a binary of 100 MB. Above: the rest have none.
// Steps taken through Go's programs for its inlined calls: 20 million for a binary of 100 MB. Above: the rest have
// none.
#define LIMIT_GO_STEPS (1ull << 28)

// A source path; PATH_MAX. Above: unknown.
#define LIMIT_SOURCE_PATH_BYTES 4096

// A source file of which a report shows lines: sqlite3.c has 9 MiB. Above: its lines are shown without their text.
#define LIMIT_SOURCE_TEXT_BYTES (32u << 20)

// hearth serve. Connections: browsers open six each. Above: the next one waits until another has ended. Questions that
// are answered at once, each by a process of its own: the others wait. Its memory (a flame graph of 200,000 stacks
// takes 150 MiB), its time, and its answer. Above: it ends, and the answer says so.
#define LIMIT_SERVE_CONNECTIONS    64
#define LIMIT_SERVE_QUESTIONS      3u
#define LIMIT_SERVE_QUESTION_BYTES (512ull << 20)
#define LIMIT_SERVE_QUESTION_S     30u
#define LIMIT_SERVE_ANSWER_BYTES   (256ull << 20)
#define LIMIT_SERVE_IDLE_S         15u         // a connection on which nothing happens
#define LIMIT_SERVE_REQUEST_BYTES  (32u << 10) // of a connection: address and headers
#define LIMIT_SERVE_PARAMETERS     48u         // words of an address

// Answers of hearth serve that are compressed, where the client takes gzip. Below: the headers are as long. Above, or
// with less time left of the question's: they are sent as they are.
#define LIMIT_SERVE_GZIP_LEAST_BYTES 1024u
#define LIMIT_SERVE_GZIP_MOST_BYTES  (64u << 20) // a second of CPU, and as much memory
#define LIMIT_SERVE_GZIP_LEAST_S     5u

// Columns of a time line or heat map: more than a wide screen has pixels for two each. Above: refused. Names of a time
// line: as many can be told apart by nobody. Above: the lightest are "others".
#define LIMIT_SERVE_COLUMNS 2000u
#define LIMIT_SERVE_NAMES   40u

// Frames in one flame graph page: 5 bytes each in the file, some 50 in the browser; it draws them in milliseconds.
// Above: a frame "[lighter frames]" stands for the lightest callees of a function, and the page says how many.
// Functions that have a row in its table: as many; above, the lightest of them have none.
#define LIMIT_FLAME_NODES 500000

// Pairs of thread and stack that a flame graph page may tell apart, so that its reader can group by process and thread;
// a power of two. Above: the page has the roots that were asked for, and one for all.
#define LIMIT_FLAME_THREAD_STACKS 131072u

// Events in one flame graph page beside the first, and the frames of all of these. Above: an event is left out, and the
// page says which.
#define LIMIT_FLAME_EVENTS       15
#define LIMIT_FLAME_EVENTS_NODES 500000

// Samples in one profile of OTLP: backends refuse larger ones. Above: another profile of the same event follows.
#define LIMIT_OTLP_PROFILE_SAMPLES 16000u

// Records of -f script, some 2 KiB each. Above: refused, a shorter range has fewer.
#define LIMIT_SCRIPT_RECORDS 20000000u

// Profiles of other tools, inflated: perf script's text of an hour has some 500 MiB. JSON takes some ten times its size
// in memory meanwhile. Above: refused.
#define LIMIT_IMPORT_BYTES      (2048ull << 20)
#define LIMIT_IMPORT_JSON_BYTES (256u << 20)

// `hearth top`: what one of its two stores holds. Its longest window is as long, so that both hold it at any time, and
// their names and stacks stay some MiB.
#define LIMIT_TOP_STORE_NS 60000000000ull
// For so long a message stays in place of the keys; a key takes it away.
#define LIMIT_TOP_MESSAGE_NS 10000000000ull

#endif

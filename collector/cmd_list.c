// `hearth list events` and `hearth list probes`: what can be recorded here, in the words that -e and `hearth hist`
// take.
//
//   $ hearth list events '*-faults'
//   EVENT                                    KIND             HERE, OR WHAT IT IS
//   page-faults                              software event   yes
//   $ hearth list probes 'usdt:libc:*'
//   usdt:/lib/x86_64-linux-gnu/libc.so.6:libc:setjmp   arg0:u64 arg1:s32 arg2:u64
//
// report/commands/cmd_list.c lists the contents of a store.
#include "collector/cmd_list.h"

#include <bpf/btf.h>
#include <errno.h>
#include <fnmatch.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collector/probes/chosen_function.h"
#include "collector/probes/probe_file.h"
#include "collector/probes/probe_sites.h"
#include "collector/sources/source_perf.h"
#include "collector/sources/source_tracepoint.h"
#include "collector/sources/sources.h"
#include "report/commands/cmd_list.h"
#include "store/base/buf.h"
#include "store/base/safe_text.h"
#include "store/system/proc_maps.h"
#include "symbolizer/opening/opener.h"
#include "symbolizer/symbols/function_list.h"
#include "symbolizer/symbols/symbol_name.h"
#include "symbolizer/symbols/usdt_notes.h"

static struct list_command_options {
    uint64_t pid; // of `probes`
    struct list_options stored;
} options;

static const struct option_row rows[] = {
    {'p', "pid", "PID", "of `probes`: the files as this process maps and sees them", option__u64,
     offsetof(struct list_command_options, pid)},
    OPTION_ROWS_OF(list_option_rows, struct list_command_options, stored),
    {0},
};

// --- Events

struct events {
    const char *glob;
    size_t count;
};

static void put_event(struct events *events, const char *name, const char *kind, const char *here)
{
    if (events->glob && fnmatch(events->glob, name, 0) != 0)
        return;
    if (!events->count++)
        safe_text__print(stdout, "%-45s %-16s %s", "EVENT", "KIND", "HERE, OR WHAT IT IS");
    safe_text__print(stdout, "%-45s %-16s %s", name, kind, here);
}

static void put_perf(const char *name, const char *kind, bool is_here, void *context)
{
    put_event(context, name, kind, is_here ? "yes" : "no");
}

static int put_tracepoint(const char *name, uint64_t id, void *context)
{
    char spelled[600];
    (void)id;
    snprintf(spelled, sizeof(spelled), "tracepoint:%s", name);
    put_event(context, spelled, "tracepoint", "yes");
    return 0;
}

static void put_kinds(struct events *events)
{
    for (const struct source *const *source = sources; *source; source++)
        if (!(*source)->is_histogram && *source != &source_perf_named) // perf's names follow, one by one
            put_event(events, (*source)->spelling, (*source)->is_probe ? "kind" : "event", (*source)->summary);
}

static int list_events(const char *glob, struct fault *fault)
{
    struct events events = {.glob = glob};
    put_kinds(&events);
    source_perf__each(put_perf, &events);
    int err = source_tracepoint__each("*", put_tracepoint, &events, fault);
    if (err && events.count) { // the rest is there
        fault__say(fault, err);
        err = 0;
    }
    if (err || events.count)
        return err;
    return fault__set_code(fault, EXIT_CODE_EMPTY, -ENODATA, "no event fits '%s'", glob ? glob : "*");
}

// --- Probes in files

struct probes {
    const char *pattern;
    const char *path;
    size_t count;
    struct buf put; // the USDT probes so far, "\n" behind each: one row for all places of a probe
};

static int put_functions(struct probes *probes, const struct probe_file *file)
{
    _cleanup_(function_list__release) struct function_list list = {0};
    int err = probe_file__functions(file, probes->pattern, &list);
    for (size_t i = 0; i < list.count && !err; i++) {
        uint64_t chosen;
        if (list.rows[i].is_resolver && chosen_function__find(file, list.rows[i].name, &chosen) != 0)
            continue;
        _cleanup_free_ char *readable = NULL;
        bool is_mangled = symbol_name__demangle(list.rows[i].name, &readable) == 0;
        safe_text__print(stdout, "uprobe:%s:%s%s%s", probes->path, list.rows[i].name, is_mangled ? "  " : "",
                         is_mangled ? readable : "");
        probes->count++;
    }
    return err;
}

// "-4@%eax 8@16(%rsp)" as the words that --value takes: "arg0:s32 arg1:u64".
static void append_arguments(struct buf *line, const char *arguments)
{
    unsigned number = 0;
    for (const char *at = arguments; *at;) {
        char *end;
        long bytes = strtol(at, &end, 10);
        if (end == at || *end != '@')
            buf__append_format(line, "%sarg%u", number ? " " : "", number);
        else
            buf__append_format(line, "%sarg%u:%c%ld", number ? " " : "", number, bytes < 0 ? 's' : 'u',
                               labs(bytes) * 8);
        number++;
        at += strcspn(at, " ");
        at += strspn(at, " ");
    }
}

static int put_note(const struct usdt_note *note, void *context)
{
    struct probes *probes = context;
    char name[512], line[520];
    snprintf(name, sizeof(name), "%s:%s", note->provider, note->name);
    int length = snprintf(line, sizeof(line), "\n%s\n", name);
    if (fnmatch(probes->pattern, name, 0) != 0 ||
        (probes->put.data && memmem(probes->put.data, probes->put.length_bytes, line, (size_t)length)))
        return 0;
    buf__append_string(&probes->put, line);
    _cleanup_(buf__release) struct buf arguments = {0};
    append_arguments(&arguments, note->arguments);
    buf__append_byte(&arguments, '\0');
    safe_text__print(stdout, "usdt:%s:%s  %s", probes->path, name,
                     arguments.failed ? "?" : (const char *)arguments.data);
    probes->count++;
    return 0;
}

static int list_file(const char *name, bool functions, bool usdt, const char *pattern, size_t *count,
                     struct fault *fault)
{
    _cleanup_(probe_file__release) struct probe_file file = PROBE_FILE_NONE;
    struct probes probes = {.pattern = pattern};
    int err = probe_file__open(name, (uint32_t)options.pid, fault, &file);
    if (err)
        return err;
    probes.path = file.path;
    if (usdt) {
        err = usdt_notes__each(file.elf, put_note, &probes);
        err = err == -ENOENT ? 0 : err;
    }
    if (!err && functions)
        err = put_functions(&probes, &file);
    *count += probes.count;
    buf__release(&probes.put);
    return err ? fault__set(fault, err, "cannot read the symbols of '%s': %s", file.path, strerror(-err)) : 0;
}

struct listed_maps {
    bool functions, usdt;
    const char *pattern;
    size_t *count;
    char last[PATH_MAX]; // a file may have several mappings side by side
};

static int list_mapping(const struct proc_mapping *mapping, void *context)
{
    struct listed_maps *maps = context;
    if (mapping->path[0] != '/' || !mapping->is_executable || strcmp(mapping->path, maps->last) == 0)
        return 0;
    snprintf(maps->last, sizeof(maps->last), "%s", mapping->path);
    struct fault ignored = {0}; // a file that is gone, or no ELF file
    (void)list_file(mapping->path, maps->functions, maps->usdt, maps->pattern, maps->count, &ignored);
    return 0;
}

static int list_mapped(bool functions, bool usdt, const char *pattern, size_t *count, struct fault *fault)
{
    struct listed_maps maps = {.functions = functions, .usdt = usdt, .pattern = pattern, .count = count};
    int err = proc_maps__each((pid_t)options.pid, list_mapping, &maps);
    if (err)
        return fault__set(fault, err, "cannot read what PID %llu maps: %s", (unsigned long long)options.pid,
                          strerror(-err));
    for (char text[512]; opener__tell(text, sizeof(text));)
        fault__warn("%s", text);
    return 0;
}

static int list_kernel(const char *pattern, size_t *count, struct fault *fault)
{
    struct btf *btf = btf__load_vmlinux_btf();
    if (!btf)
        return fault__set_code(fault, EXIT_CODE_LACKS, -errno, "the kernel has no BTF: %s", strerror(errno));
    for (uint32_t id = 1; id < btf__type_cnt(btf); id++) {
        const struct btf_type *type = btf__type_by_id(btf, id);
        const char *name = btf_is_func(type) ? btf__name_by_offset(btf, type->name_off) : NULL;
        if (!name || fnmatch(pattern, name, 0) != 0)
            continue;
        safe_text__print(stdout, "fentry:%s", name);
        ++*count;
    }
    btf__free(btf);
    return 0;
}

static const char *behind(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0 ? text + strlen(prefix) : NULL;
}

// [uprobe:|usdt:]FILE[:PATTERN], fentry:PATTERN, or with -p a PATTERN over all that the process maps.
static int list_probes(const char *glob, struct fault *fault)
{
    const char *words = glob ? glob : "*", *rest, *only_usdt = behind(words, "usdt:"),
               *only_functions = behind(words, "uprobe:"), *kernel = behind(words, "fentry:");
    char file[PATH_MAX];
    size_t count = 0;
    int err;
    words = only_usdt ? only_usdt : only_functions ? only_functions : words;
    if (kernel)
        err = list_kernel(kernel, &count, fault);
    else if (strchr(words, '/') && probe_file__is_there(words, (uint32_t)options.pid))
        err = list_file(words, !only_usdt, !only_functions, "*", &count, fault);
    else if (strchr(words, ':') && (err = probe__split(words, (uint32_t)options.pid, 0, file, &rest, fault)) == 0)
        err = list_file(file, !only_usdt, !only_functions, rest, &count, fault);
    else if (strchr(words, ':'))
        return err;
    else if (options.pid)
        err = list_mapped(!only_usdt, !only_functions, words, &count, fault);
    else if (glob)
        err = list_file(words, !only_usdt, !only_functions, "*", &count, fault);
    else
        return fault__set_code(fault, EXIT_CODE_USAGE, -EINVAL,
                               "probes of what? a FILE (libc), FILE:PATTERN, usdt:FILE, fentry:PATTERN, or -p PID");
    if (err || count)
        return err;
    return fault__set_code(fault, EXIT_CODE_EMPTY, -ENODATA, "no probe fits '%s'", glob ? glob : "*");
}

// --- The command

static const struct {
    const char *name, *summary;
    int (*list)(const char *glob, struct fault *fault);
} subjects[] = {
    {"events", "the words of -e: kinds, perf's events, tracepoints, and whether each is counted here", list_events},
    {"probes", "functions and USDT probes, with their arguments: FILE[:PATTERN], usdt:FILE, fentry:PATTERN, -p PID",
     list_probes},
};

static enum exit_code run(int argc, char **argv)
{
    const struct list_options *stored = &options.stored;
    bool is_stored = stored->store || stored->filter.event || stored->filter.since;
    for (size_t i = 0; i < sizeof(subjects) / sizeof(subjects[0]); i++) {
        struct fault fault = {0};
        if (is_stored || argc < 1 || argc > 2 || strcmp(argv[0], subjects[i].name) != 0)
            continue;
        int err = subjects[i].list(argc > 1 ? argv[1] : NULL, &fault);
        return err ? fault__say(&fault, err) : EXIT_CODE_DONE;
    }
    return cmd_list_stored__run(stored, argc, argv);
}

static void print_subjects(FILE *file)
{
    fputs("\nsubjects of this machine; a GLOB chooses among their names:\n", file);
    for (size_t i = 0; i < sizeof(subjects) / sizeof(subjects[0]); i++)
        safe_text__print(file, "  %-10s %s", subjects[i].name, subjects[i].summary);
    fputs("\nFILE is a path, or the name of a library or program; in a path with colons it is the longest part that is "
          "a file.\n",
          file);
    cmd_list_stored__print_subjects(file);
}

const struct command cmd_list = {
    .name = "list",
    .operands = "SUBJECT [GLOB]",
    .summary = "list events and probes that can be named here, and what a store holds",
    .print_more = print_subjects,
    .options = rows,
    .values = &options,
    .run = run,
};

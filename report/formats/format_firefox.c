// The Firefox Profiler's processed format, version 50, which each later one reads: a thread for each root, with the
// tables of its functions and stacks, and a weighed sample for each stack.
//
//   {"meta": {"preprocessedProfileVersion": 50, "categories": [{"name": "Other", ...}], ...},
//    "threads": [{"name": "nginx", "pid": "812", "tid": 813,
//                 "stringArray": ["nginx 812/813", "main"], "funcTable": {"name": [0, 1], ...},
//                 "frameTable": {"func": [0, 1], "category": [1, 2], ...},
//                 "stackTable": {"prefix": [null, 0], "frame": [0, 1], ...},
//                 "samples": {"stack": [1], "time": [0], "weight": [7], "weightType": "samples"}, ...}]}
//
// A store keeps sums of intervals: all samples of the range have its beginning as their time, and the interval is as
// long as it.
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "report/formats/format.h"
#include "report/profile/frame_look.h"
#include "report/text/strings.h"
#include "report/text/text.h"
#include "store/base/cleanup.h"

#define NONE UINT32_MAX

DEFINE_CLEANUP(struct strings *, strings__free);

struct firefox {
    const struct picture *picture;
    struct layout layout;
    const struct frame_look *looks[FRAME_LOOKS_MAX];
    size_t look_count;
    uint32_t *path; // stacks of a thread, by depth
    FILE *file;
};

// One root of the layout: the rows from `first`, itself, to `end`.
struct thread {
    const struct firefox *firefox;
    uint32_t first, end, number;
    struct strings *strings, *modules;
    uint32_t *labels; // of its functions, by number
    uint32_t *funcs;  // number + 1, by the profile's label
    uint32_t func_count;
};

static void firefox__release(struct firefox *firefox)
{
    layout__release(&firefox->layout);
    free(firefox->path);
}

static void thread__release(struct thread *thread)
{
    strings__free(thread->strings);
    strings__free(thread->modules);
    free(thread->labels);
    free(thread->funcs);
}

// The viewer knows colours by name.
static const char *colour_of(const struct frame_look *look)
{
    static const struct {
        int hue_most;
        const char *name;
    } colours[] = {{15, "red"},        {45, "orange"}, {70, "yellow"},  {170, "green"},
                   {195, "lightblue"}, {250, "blue"},  {290, "purple"}, {360, "magenta"}};
    if (look->saturation < 20)
        return "grey";
    size_t i = 0;
    while (i + 1 < sizeof(colours) / sizeof(colours[0]) && look->hue > colours[i].hue_most)
        i++;
    return colours[i].name;
}

// Those that the profile has.
static void list_looks(struct firefox *firefox)
{
    const struct profile *profile = firefox->picture->profile;
    const struct frame_look *all[FRAME_LOOKS_MAX];
    size_t count = frame_look__list(all);
    for (size_t i = 0; i < count; i++) {
        bool is_used = false;
        for (uint32_t label = 0; label < profile__label_count(profile) && !is_used; label++)
            is_used = frame_look__of(profile__label(profile, label))->letter == all[i]->letter;
        if (is_used)
            firefox->looks[firefox->look_count++] = all[i];
    }
}

// 0 is "Other".
static uint32_t category_of(const struct firefox *firefox, const struct label *label)
{
    const struct frame_look *look = frame_look__of(label);
    for (size_t i = 0; i < firefox->look_count; i++)
        if (firefox->looks[i]->letter == look->letter)
            return (uint32_t)i + 1;
    return 0;
}

static void put_string(const char *name, const char *text, FILE *file)
{
    _cleanup_free_ char *clean = safe_text__dup(text ? text : "");
    fprintf(file, "\"%s\":", name);
    text__put_json(file, clean ? clean : "");
    fputs(",", file);
}

static void put_meta(const struct firefox *firefox)
{
    const struct picture *picture = firefox->picture;
    FILE *file = firefox->file;
    double range_ms = (double)(picture->until_ns - picture->since_ns) / 1e6;
    fputs("{\"meta\":{", file);
    put_string("product", picture->title, file);
    put_string("oscpu", picture->meta->kernel, file);
    put_string("abi", picture->meta->arch, file);
    put_string("importedFrom", "hearth " HEARTH_VERSION, file);
    fprintf(file,
            "\"startTime\":%.3f,\"interval\":%.3f,\"processType\":0,\"stackwalk\":1,\"debug\":false,\"version\":30,"
            "\"preprocessedProfileVersion\":50,\"symbolicationNotSupported\":true,\"usesOnlyOneStackType\":true,"
            "\"doesNotUseFrameImplementation\":true,\"sourceCodeIsNotOnSearchfox\":true,\"markerSchema\":[],\n"
            "\"categories\":[{\"name\":\"Other\",\"color\":\"grey\",\"subcategories\":[\"Other\"]}",
            (double)picture->since_ns / 1e6, range_ms > 0 ? range_ms : 1);
    for (size_t i = 0; i < firefox->look_count; i++)
        fprintf(file, ",\n{\"name\":\"%s\",\"color\":\"%s\",\"subcategories\":[\"Other\"]}", firefox->looks[i]->legend,
                colour_of(firefox->looks[i]));
    fputs("]},\n\"libs\":[],\"pages\":[],\n\"threads\":[", file);
}

// --- One thread

// "nginx 812/813": its name, process and thread. Of other roots, which are no thread, the number stands for both.
static void put_name(const struct thread *thread)
{
    const struct picture *picture = thread->firefox->picture;
    FILE *file = thread->firefox->file;
    uint32_t pid = thread->number, tid = thread->number;
    _cleanup_free_ char *name =
        strdup(profile__label(picture->profile, thread->firefox->layout.rows[thread->first].label)->name);
    char *blank = name ? strrchr(name, ' ') : NULL;
    if (blank && profile__options(picture->profile)->group == &group_of_perf &&
        sscanf(blank, " %" SCNu32 "/%" SCNu32, &pid, &tid) == 2)
        *blank = '\0';
    fputs(thread->number > 1 ? ",\n{\"name\":" : "\n{\"name\":", file);
    text__put_json(file, name ? name : "");
    fprintf(file,
            ",\"processType\":\"default\",\"processStartupTime\":0,\"processShutdownTime\":null,\"registerTime\":0,"
            "\"unregisterTime\":null,\"pausedRanges\":[],\"isMainThread\":%s,\"pid\":\"%" PRIu32 "\",\"tid\":%" PRIu32
            ",\n",
            pid == tid ? "true" : "false", pid, tid);
}

static int number_functions(struct thread *thread)
{
    const struct firefox *firefox = thread->firefox;
    for (uint32_t i = thread->first; i < thread->end; i++) {
        uint32_t id, label_id = firefox->layout.rows[i].label;
        const struct label *label = profile__label(firefox->picture->profile, label_id);
        if (thread->funcs[label_id])
            continue;
        thread->labels[thread->func_count] = label_id;
        thread->funcs[label_id] = ++thread->func_count;
        if (strings__keep_id(thread->strings, label->name, &id) ||
            strings__keep_id(thread->strings, label->file, &id) ||
            strings__keep_id(thread->strings, label->module, &id) ||
            (*label->module && strings__keep_id(thread->modules, label->module, &id)))
            return -ENOMEM;
    }
    return 0;
}

typedef uint32_t number_fn(const struct thread *thread, const struct label *label, uint32_t i);

static uint32_t string_of(const struct thread *thread, const char *text)
{
    uint32_t id = 0;
    return *text && strings__keep_id(thread->strings, text, &id) == 0 ? id : NONE; // kept before
}

static uint32_t name_at(const struct thread *thread, const struct label *label, uint32_t i)
{
    (void)i;
    return string_of(thread, label->name);
}

static uint32_t file_at(const struct thread *thread, const struct label *label, uint32_t i)
{
    (void)i;
    return string_of(thread, label->file);
}

static uint32_t line_at(const struct thread *thread, const struct label *label, uint32_t i)
{
    (void)thread, (void)i;
    return label->line_first ? label->line_first : NONE;
}

static uint32_t resource_at(const struct thread *thread, const struct label *label, uint32_t i)
{
    uint32_t id = 0;
    (void)i;
    return *label->module && strings__keep_id(thread->modules, label->module, &id) == 0 ? id : NONE;
}

static uint32_t category_at(const struct thread *thread, const struct label *label, uint32_t i)
{
    (void)i;
    return category_of(thread->firefox, label);
}

static uint32_t number_at(const struct thread *thread, const struct label *label, uint32_t i)
{
    (void)thread, (void)label;
    return i;
}

// "NAME":[...], a number for each function, or the word for NONE.
static void put_functions(const struct thread *thread, const char *name, number_fn *number, const char *none)
{
    FILE *file = thread->firefox->file;
    fprintf(file, "\"%s\":[", name);
    for (uint32_t i = 0; i < thread->func_count; i++) {
        uint32_t value = number(thread, profile__label(thread->firefox->picture->profile, thread->labels[i]), i);
        if (value == NONE)
            fprintf(file, "%s%s", i ? "," : "", none);
        else
            fprintf(file, "%s%" PRIu32, i ? "," : "", value);
    }
    fputs("],", file);
}

// "NAME":[WORD,WORD...]
static void put_same(const struct thread *thread, const char *name, const char *word, uint32_t count)
{
    fprintf(thread->firefox->file, "\"%s\":[", name);
    for (uint32_t i = 0; i < count; i++)
        fprintf(thread->firefox->file, "%s%s", i ? "," : "", word);
    fputs("],", thread->firefox->file);
}

static void put_function_tables(const struct thread *thread)
{
    FILE *file = thread->firefox->file;
    uint32_t count = thread->func_count;
    fputs("\"funcTable\":{", file);
    put_functions(thread, "name", name_at, "null");
    put_functions(thread, "resource", resource_at, "-1");
    put_functions(thread, "fileName", file_at, "null");
    put_functions(thread, "lineNumber", line_at, "null");
    put_same(thread, "columnNumber", "null", count);
    put_same(thread, "isJS", "false", count);
    put_same(thread, "relevantForJS", "false", count);
    fprintf(file, "\"length\":%" PRIu32 "},\n\"frameTable\":{", count);
    put_functions(thread, "func", number_at, "null");
    put_functions(thread, "category", category_at, "null");
    put_functions(thread, "line", line_at, "null");
    put_same(thread, "subcategory", "0", count);
    put_same(thread, "address", "-1", count);
    put_same(thread, "inlineDepth", "0", count);
    static const char *const nulls[] = {"nativeSymbol", "innerWindowID", "implementation", "column", "optimizations"};
    for (size_t i = 0; i < sizeof(nulls) / sizeof(nulls[0]); i++)
        put_same(thread, nulls[i], "null", count);
    fprintf(file, "\"length\":%" PRIu32 "},\n", count);
}

static void put_modules(const struct thread *thread)
{
    FILE *file = thread->firefox->file;
    uint32_t count = strings__count(thread->modules), id = 0;
    fputs("\"resourceTable\":{\"name\":[", file);
    for (uint32_t i = 0; i < count; i++)
        fprintf(file, "%s%" PRIu32, i ? "," : "",
                strings__keep_id(thread->strings, strings__of(thread->modules, i), &id) == 0 ? id : 0);
    fputs("],", file);
    put_same(thread, "lib", "null", count);
    put_same(thread, "host", "null", count);
    put_same(thread, "type", "1", count); // a library
    fprintf(file, "\"length\":%" PRIu32 "},\n", count);
}

static void put_stacks(const struct thread *thread)
{
    const struct firefox *firefox = thread->firefox;
    const struct layout_row *rows = &firefox->layout.rows[thread->first];
    uint32_t count = thread->end - thread->first;
    FILE *file = firefox->file;
    fputs("\"stackTable\":{\"prefix\":[", file);
    for (uint32_t i = 0; i < count; i++) {
        firefox->path[rows[i].depth] = i;
        fputs(i ? "," : "", file);
        if (rows[i].depth > 1)
            fprintf(file, "%" PRIu32, firefox->path[rows[i].depth - 1]);
        else
            fputs("null", file);
    }
    fputs("],\"frame\":[", file);
    for (uint32_t i = 0; i < count; i++)
        fprintf(file, "%s%" PRIu32, i ? "," : "", thread->funcs[rows[i].label] - 1);
    fputs("],\"category\":[", file);
    for (uint32_t i = 0; i < count; i++)
        fprintf(file, "%s%" PRIu32, i ? "," : "",
                category_of(firefox, profile__label(firefox->picture->profile, rows[i].label)));
    fputs("],", file);
    put_same(thread, "subcategory", "0", count);
    fprintf(file, "\"length\":%" PRIu32 "},\n", count);
}

// Nanoseconds are milliseconds there.
static void put_weight(const struct picture *picture, uint64_t weight, FILE *file)
{
    if (strcmp(picture->unit, "ns") == 0)
        fprintf(file, "%" PRIu64 ".%06" PRIu64, weight / 1000000, weight % 1000000);
    else
        fprintf(file, "%" PRIu64, weight);
}

static void put_sample(const struct thread *thread, uint32_t row, bool is_weight)
{
    const struct firefox *firefox = thread->firefox;
    if (is_weight)
        put_weight(firefox->picture, firefox->layout.rows[row].self, firefox->file);
    else
        fprintf(firefox->file, "%" PRIu32, row - thread->first);
}

// "NAME":[...], of each row that weighs something itself. Returns how many these are.
static uint32_t put_samples_of(const struct thread *thread, const char *name, bool is_weight)
{
    const struct firefox *firefox = thread->firefox;
    uint32_t count = 0;
    fprintf(firefox->file, "\"%s\":[", name);
    for (uint32_t i = thread->first; i < thread->end; i++) {
        if (!firefox->layout.rows[i].self)
            continue;
        fputs(count++ ? "," : "", firefox->file);
        put_sample(thread, i, is_weight);
    }
    fputs("],", firefox->file);
    return count;
}

static void put_samples(const struct thread *thread)
{
    FILE *file = thread->firefox->file;
    const char *unit = thread->firefox->picture->unit;
    fputs("\"samples\":{", file);
    put_samples_of(thread, "stack", false);
    uint32_t count = put_samples_of(thread, "weight", true);
    put_same(thread, "time", "0", count);
    put_same(thread, "eventDelay", "0", count);
    fprintf(file, "\"weightType\":\"%s\",\"length\":%" PRIu32 "},\n",
            strcmp(unit, "ns") == 0      ? "tracing-ms"
            : strcmp(unit, "bytes") == 0 ? "bytes"
                                         : "samples",
            count);
}

static void put_strings(const struct thread *thread)
{
    FILE *file = thread->firefox->file;
    fputs("\"markers\":{\"data\":[],\"name\":[],\"startTime\":[],\"endTime\":[],\"phase\":[],\"category\":[],"
          "\"length\":0},"
          "\"nativeSymbols\":{\"libIndex\":[],\"address\":[],\"name\":[],\"functionSize\":[],\"length\":0},\n"
          "\"stringArray\":[",
          file);
    for (uint32_t i = 0; i < strings__count(thread->strings); i++) {
        fputs(i ? ",\n" : "", file);
        text__put_json(file, strings__of(thread->strings, i));
    }
    fputs("]}", file);
}

static int put_thread(const struct firefox *firefox, uint32_t first, uint32_t end, uint32_t number)
{
    size_t rows = end - first;
    _cleanup_(thread__release) struct thread thread = {
        .firefox = firefox,
        .first = first,
        .end = end,
        .number = number,
        .labels = calloc(rows, sizeof(*thread.labels)),
        .funcs = calloc(profile__label_count(firefox->picture->profile), sizeof(*thread.funcs)),
    };
    int err = thread.labels && thread.funcs ? strings__new(&thread.strings) : -ENOMEM;
    if (!err)
        err = strings__new(&thread.modules);
    if (!err)
        err = number_functions(&thread);
    if (err)
        return err;
    put_name(&thread);
    put_function_tables(&thread);
    put_modules(&thread);
    put_stacks(&thread);
    put_samples(&thread);
    put_strings(&thread);
    return 0;
}

static int write_firefox(const struct picture *picture, FILE *file, struct fault *fault)
{
    (void)fault;
    _cleanup_(firefox__release) struct firefox firefox = {.picture = picture, .file = file};
    int err = layout__make(picture->profile, 0, picture->measure, LAYOUT_BY_NAME, &firefox.layout);
    if (err)
        return err;
    firefox.path = calloc((size_t)firefox.layout.depth + 1, sizeof(*firefox.path));
    if (!firefox.path)
        return -ENOMEM;
    list_looks(&firefox);
    put_meta(&firefox);
    for (uint32_t first = 1, end, number = 1; !err && first < firefox.layout.count; first = end, number++) {
        for (end = first + 1; end < firefox.layout.count && firefox.layout.rows[end].depth > 1; end++)
            ;
        err = put_thread(&firefox, first, end, number);
    }
    fputs("]}\n", file);
    return err;
}

const struct format format_firefox = {
    .name = "firefox",
    .suffixes = (const char *const[]){".firefox.json", NULL},
    .summary = "a file for the Firefox Profiler: a thread for each that was sampled",
    .group = &group_of_perf,
    .write = write_firefox,
};

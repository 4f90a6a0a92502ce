// speedscope's file format (github.com/jlfwong/speedscope/wiki/Importing-from-custom-sources): frames once, and
// profiles that are stacks with weights, or frames that open and close. Each profile is a root. Weights in parts of a
// second become nanoseconds.
#include <cjson/cJSON.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "report/imports/import.h"
#include "report/imports/kind_suffix.h"
#include "store/base/limits.h"

DEFINE_CLEANUP(cJSON *, cJSON_Delete);

struct unit {
    const char *word, *unit; // speedscope's, and the store's
    double factor;
};

static const struct unit units[] = {
    {"none", "samples", 1},      {"bytes", "bytes", 1},       {"nanoseconds", "ns", 1},
    {"microseconds", "ns", 1e3}, {"milliseconds", "ns", 1e6}, {"seconds", "ns", 1e9},
};

struct frame {
    struct store_line line;
    enum store_binary_kind kind;
    bool is_inlined; // into the frame before it
    uint32_t id;     // of the store, where it stands alone
};

struct speedscope {
    struct foreign *foreign;
    struct frame *frames;
    size_t frame_count;
    bool is_ours; // hearth wrote it: names end with their kind, and the first frame of each stack is its root
    // Of the profile at hand.
    const struct unit *unit;
    uint32_t event, thread;
    const char *why; // the first thing that was not as it should be
};

static char *string_of(const cJSON *object, const char *key)
{
    static char none[] = "";
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);
    return cJSON_IsString(item) ? item->valuestring : none;
}

static double number_of(const cJSON *object, const char *key, double otherwise)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);
    return cJSON_IsNumber(item) ? item->valuedouble : otherwise;
}

static void read_frame(const struct speedscope *speedscope, const cJSON *object, struct frame *frame)
{
    double line = number_of(object, "line", 0);
    char *name = string_of(object, "name");
    if (speedscope->is_ours) {
        frame->is_inlined = kind_suffix__cut(name, " [inlined]");
        frame->kind = kind_suffix__cut_spoken(name);
    }
    frame->line = (struct store_line){.function = *name ? name : "-",
                                      .file = string_of(object, "file"),
                                      .line = line > 0 && line < INT32_MAX ? (uint32_t)line : 0};
}

static int read_frames(struct speedscope *speedscope, const cJSON *list)
{
    const cJSON *object;
    size_t i = 0;
    speedscope->frame_count = (size_t)cJSON_GetArraySize(list);
    speedscope->frames = calloc(speedscope->frame_count + 1, sizeof(*speedscope->frames));
    if (!speedscope->frames)
        return -ENOMEM;
    cJSON_ArrayForEach(object, list) read_frame(speedscope, object, &speedscope->frames[i++]);
    return 0;
}

// A frame, and those inlined into it: `count` frames, the outermost first.
static uint32_t intern(struct speedscope *speedscope, struct frame *const *frames, size_t count)
{
    struct store_line chain[LIMIT_CHAIN];
    struct frame *outer = frames[0];
    if (count == 1 && outer->id)
        return outer->id;
    if (count == 1 && speedscope->is_ours && *outer->line.function == '[')
        return outer->id = foreign__word(speedscope->foreign, outer->line.function, strlen(outer->line.function));
    for (size_t i = 0; i < count; i++)
        chain[i] = frames[count - 1 - i]->line;
    uint32_t id =
        foreign__frame(speedscope->foreign,
                       &(struct foreign_frame){.kind = outer->kind, .path = "", .chain = chain, .chain_length = count});
    if (count == 1)
        outer->id = id;
    return id;
}

static const struct unit *find_unit(const char *word)
{
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
        if (strcmp(units[i].word, word) == 0)
            return &units[i];
    return &units[0];
}

static void refuse(struct speedscope *speedscope, const char *why)
{
    if (!speedscope->why)
        speedscope->why = why;
}

static bool frame_index(struct speedscope *speedscope, const cJSON *item, size_t *ret_index)
{
    double number = cJSON_IsNumber(item) ? item->valuedouble : -1;
    if (!(number >= 0 && number < (double)speedscope->frame_count)) {
        refuse(speedscope, "a stack has a frame that is not in the list");
        return false;
    }
    *ret_index = (size_t)number;
    return true;
}

static void add(struct speedscope *speedscope, uint32_t thread, uint32_t node, double weight)
{
    double value = weight * speedscope->unit->factor;
    if (!(value >= 0 && value < 0x1p63)) {
        refuse(speedscope, "a weight is below 0, or too large");
        return;
    }
    uint64_t rounded = (uint64_t)(value + 0.5);
    bool counts = strcmp(speedscope->unit->unit, "samples") == 0;
    if (rounded)
        foreign__add(speedscope->foreign, &(struct store_value){.event = speedscope->event,
                                                                .thread = thread,
                                                                .node = node,
                                                                .count = counts ? rounded : 1,
                                                                .value = rounded});
}

// The stack's frames, as the store joins them. The number of frames; 0 also where the stack is refused.
static size_t read_stack(struct speedscope *speedscope, const cJSON *stack, struct frame **frames)
{
    const cJSON *item;
    size_t index, depth = 0;
    cJSON_ArrayForEach(item, stack)
    {
        if (depth == LIMIT_STORE_STACK_FRAMES)
            refuse(speedscope, "a stack is too deep");
        if (!frame_index(speedscope, item, &index) || speedscope->why)
            return 0;
        frames[depth++] = &speedscope->frames[index];
    }
    return depth;
}

static void add_sample(struct speedscope *speedscope, const cJSON *stack, double weight)
{
    struct frame *frames[LIMIT_STORE_STACK_FRAMES];
    uint32_t node = 0, thread = speedscope->thread;
    size_t depth = read_stack(speedscope, stack, frames), first = 0;
    if (depth && speedscope->is_ours)
        thread = foreign__thread(speedscope->foreign, 0, 0, frames[first++]->line.function);
    for (size_t end; first < depth; first = end) {
        for (end = first + 1; end < depth && frames[end]->is_inlined && end - first < LIMIT_CHAIN;)
            end++;
        node = foreign__node(speedscope->foreign, node, intern(speedscope, &frames[first], end - first));
    }
    if (!speedscope->why)
        add(speedscope, thread, node, weight);
}

static void add_sampled(struct speedscope *speedscope, const cJSON *profile)
{
    const cJSON *samples = cJSON_GetObjectItemCaseSensitive(profile, "samples"), *stack;
    const cJSON *weights = cJSON_GetObjectItemCaseSensitive(profile, "weights");
    if (!cJSON_IsArray(samples) || !cJSON_IsArray(weights) ||
        cJSON_GetArraySize(samples) != cJSON_GetArraySize(weights)) {
        refuse(speedscope, "a profile has not as many weights as samples");
        return;
    }
    const cJSON *weight = weights->child;
    cJSON_ArrayForEach(stack, samples)
    {
        add_sample(speedscope, stack, cJSON_IsNumber(weight) ? weight->valuedouble : NAN);
        weight = weight->next;
        if (speedscope->why || foreign__error(speedscope->foreign))
            return;
    }
}

// Frames that open (O) and close (C): between two events the innermost one that is open takes the time.
static void add_evented(struct speedscope *speedscope, const cJSON *profile)
{
    _cleanup_free_ uint32_t *nodes = calloc(LIMIT_STORE_STACK_FRAMES + 1, sizeof(*nodes));
    const cJSON *event;
    size_t depth = 0, index;
    double last = number_of(profile, "startValue", 0);
    if (!nodes)
        return;
    cJSON_ArrayForEach(event, cJSON_GetObjectItemCaseSensitive(profile, "events"))
    {
        double at = number_of(event, "at", NAN);
        bool opens = strcmp(string_of(event, "type"), "O") == 0;
        if (depth)
            add(speedscope, speedscope->thread, nodes[depth], at - last);
        last = at;
        if (!frame_index(speedscope, cJSON_GetObjectItemCaseSensitive(event, "frame"), &index))
            return;
        if (opens ? depth == LIMIT_STORE_STACK_FRAMES : !depth)
            refuse(speedscope, opens ? "a stack is too deep" : "a frame closes that was not open");
        if (speedscope->why || foreign__error(speedscope->foreign))
            return;
        if (opens)
            nodes[depth + 1] = foreign__node(speedscope->foreign, nodes[depth],
                                             intern(speedscope, &(struct frame *){&speedscope->frames[index]}, 1));
        depth += opens ? 1 : (size_t)-1;
    }
}

static void add_profile(struct speedscope *speedscope, const cJSON *profile)
{
    const char *name = string_of(profile, "name");
    speedscope->unit = find_unit(string_of(profile, "unit"));
    struct store_event event = {
        .name = strcmp(speedscope->unit->unit, "ns") == 0 ? "time" : speedscope->unit->unit,
        .unit = speedscope->unit->unit,
        .detail = "",
    };
    speedscope->event = foreign__event(speedscope->foreign, &event);
    speedscope->thread = foreign__thread(speedscope->foreign, 0, 0, *name ? name : "all");
    if (strcmp(string_of(profile, "type"), "evented") == 0)
        add_evented(speedscope, profile);
    else
        add_sampled(speedscope, profile);
}

static int read_speedscope(struct import_file *file, struct foreign *foreign, struct fault *fault)
{
    struct speedscope speedscope = {.foreign = foreign};
    const cJSON *profile;
    if (file->length > LIMIT_IMPORT_JSON_BYTES)
        return fault__set(fault, -E2BIG, "cannot read the speedscope file '%s': it has more than %u MiB", file->path,
                          LIMIT_IMPORT_JSON_BYTES >> 20);
    _cleanup_(cJSON_Deletep) cJSON *all = cJSON_ParseWithLength(file->bytes, file->length + 1);
    if (!all)
        return fault__set(fault, -EBADMSG, "cannot read the speedscope file '%s': it is no whole JSON", file->path);
    speedscope.is_ours = strncmp(string_of(all, "exporter"), "hearth ", 7) == 0;
    const cJSON *frames = cJSON_GetObjectItemCaseSensitive(cJSON_GetObjectItemCaseSensitive(all, "shared"), "frames");
    int err = read_frames(&speedscope, frames);
    if (err)
        return err;
    cJSON_ArrayForEach(profile, cJSON_GetObjectItemCaseSensitive(all, "profiles"))
    {
        if (!speedscope.why && !foreign__error(foreign))
            add_profile(&speedscope, profile);
    }
    free(speedscope.frames);
    return speedscope.why
               ? fault__set(fault, -EBADMSG, "cannot read the speedscope file '%s': %s", file->path, speedscope.why)
               : 0;
}

// JSON in which the words of the format stand.
static bool knows_speedscope(const struct import_file *file)
{
    const char *first = file->bytes + strspn(file->bytes, " \t\r\n");
    return *first == '{' && strstr(first, "\"profiles\"") && strstr(first, "\"frames\"");
}

const struct import import_speedscope = {.name = "speedscope's", .knows = knows_speedscope, .read = read_speedscope};

// pprof's profile.proto, gzipped or not, as Go, gperftools and most profilers write it. Each of its value types is an
// event; "samples" is how often, for those beside it. A type in nanoseconds of a fixed period is an event of samples
// with that period, so that hearth's own profiles read as they were.
//
// The root of a sample is its label "thread", "comm" or "process", else the file name of the main binary.
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "report/imports/import.h"
#include "report/text/pprof_fields.h"
#include "report/text/protobuf_reader.h"
#include "store/base/grow.h"
#include "store/base/limits.h"

#define TYPES_MAX 32

struct location {
    uint64_t id;
    uint32_t frame;
};

struct function {
    uint64_t id;
    uint64_t name, file; // strings
};

struct mapping {
    uint64_t id, start, offset;
    uint64_t file; // string
    bool is_kernel;
};

struct sample_type {
    uint64_t type, unit; // strings
    uint32_t event;      // 0: none of its own
};

struct pprof {
    const struct import_file *file;
    struct foreign *foreign;
    const char **strings;
    size_t string_count, string_capacity;
    struct function *functions;
    size_t function_count, function_capacity;
    struct mapping *mappings;
    size_t mapping_count, mapping_capacity;
    struct location *locations;
    size_t location_count, location_capacity;
    struct sample_type types[TYPES_MAX], period_type;
    size_t type_count, count_type; // which of the types is "how often"; type_count: none
    uint64_t period, time_ns, duration_ns;
    uint64_t negative; // values below 0, of a difference
    int err;
};

static void pprof__release(struct pprof *pprof)
{
    for (size_t i = 0; i < pprof->string_count; i++)
        free((void *)pprof->strings[i]);
    free(pprof->strings);
    free(pprof->functions);
    free(pprof->mappings);
    free(pprof->locations);
}

static const char *text(const struct pprof *pprof, uint64_t string)
{
    return string < pprof->string_count ? pprof->strings[string] : "";
}

static bool text_is(const struct pprof *pprof, uint64_t string, const char *word)
{
    return strcmp(text(pprof, string), word) == 0;
}

// Where the field with this number keeps a number of the message.
struct wanted {
    unsigned number;
    uint64_t *target;
};

static void read_numbers(struct byte_reader message, const struct wanted *wanted, size_t count)
{
    struct protobuf_field field;
    while (protobuf__next(&message, &field))
        for (size_t i = 0; i < count; i++)
            if (field.number == wanted[i].number && !field.is_bytes)
                *wanted[i].target = field.value;
}

static void add_string(struct pprof *pprof, const struct byte_reader *bytes)
{
    if (!pprof->err)
        pprof->err = GROW(pprof->strings, pprof->string_capacity, pprof->string_count + 1);
    char *copy = pprof->err ? NULL : strndup((const char *)bytes->at, byte_reader__left(bytes));
    if (copy)
        pprof->strings[pprof->string_count++] = copy;
    else
        pprof->err = -ENOMEM;
}

static void add_function(struct pprof *pprof, const struct byte_reader *bytes)
{
    struct function function = {0};
    uint64_t system_name = 0;
    const struct wanted wanted[] = {{FUNCTION_ID, &function.id},
                                    {FUNCTION_NAME, &function.name},
                                    {FUNCTION_SYSTEM_NAME, &system_name},
                                    {FUNCTION_FILE, &function.file}};
    read_numbers(*bytes, wanted, sizeof(wanted) / sizeof(wanted[0]));
    if (!function.name)
        function.name = system_name;
    if (!pprof->err)
        pprof->err = GROW(pprof->functions, pprof->function_capacity, pprof->function_count + 1);
    if (!pprof->err)
        pprof->functions[pprof->function_count++] = function;
}

static void add_mapping(struct pprof *pprof, const struct byte_reader *bytes)
{
    struct mapping mapping = {0};
    const struct wanted wanted[] = {{MAPPING_ID, &mapping.id},
                                    {MAPPING_START, &mapping.start},
                                    {MAPPING_OFFSET, &mapping.offset},
                                    {MAPPING_FILE, &mapping.file}};
    read_numbers(*bytes, wanted, sizeof(wanted) / sizeof(wanted[0]));
    if (!pprof->err)
        pprof->err = GROW(pprof->mappings, pprof->mapping_capacity, pprof->mapping_count + 1);
    if (!pprof->err)
        pprof->mappings[pprof->mapping_count++] = mapping;
}

static void read_type(struct byte_reader bytes, struct sample_type *ret_type)
{
    const struct wanted wanted[] = {{VALUE_TYPE, &ret_type->type}, {VALUE_UNIT, &ret_type->unit}};
    read_numbers(bytes, wanted, sizeof(wanted) / sizeof(wanted[0]));
}

static void add_type(struct pprof *pprof, const struct byte_reader *bytes)
{
    if (pprof->type_count == TYPES_MAX)
        pprof->err = -EBADMSG;
    else
        read_type(*bytes, &pprof->types[pprof->type_count++]);
}

// The tables, which stand before the samples or behind them.
static void read_tables(struct pprof *pprof, struct byte_reader bytes)
{
    struct protobuf_field field;
    while (!pprof->err && protobuf__next(&bytes, &field)) {
        const struct byte_reader *message = &field.bytes;
        switch (field.number) {
        case PROFILE_SAMPLE_TYPE:
            add_type(pprof, message);
            break;
        case PROFILE_MAPPING:
            add_mapping(pprof, message);
            break;
        case PROFILE_FUNCTION:
            add_function(pprof, message);
            break;
        case PROFILE_STRING:
            add_string(pprof, message);
            break;
        case PROFILE_TIME_NS:
            pprof->time_ns = field.value;
            break;
        case PROFILE_DURATION_NS:
            pprof->duration_ns = field.value;
            break;
        case PROFILE_PERIOD_TYPE:
            read_type(*message, &pprof->period_type);
            break;
        case PROFILE_PERIOD:
            pprof->period = field.value;
            break;
        }
    }
    if (bytes.failed)
        pprof->err = -EBADMSG;
}

static int by_id(const void *a, const void *b)
{
    uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b; // the first member of each
    return left < right ? -1 : left > right;
}

// The one with that id, of rows sorted by it; NULL.
#define FIND(rows, count, id)                                                                                          \
    ((__typeof__(rows))((count) ? bsearch(&(uint64_t){id}, (rows), (count), sizeof(*(rows)), by_id) : NULL))

static void sort_tables(struct pprof *pprof)
{
    if (pprof->function_count)
        qsort(pprof->functions, pprof->function_count, sizeof(*pprof->functions), by_id);
    for (size_t i = 0; i < pprof->mapping_count; i++)
        pprof->mappings[i].is_kernel = strncmp(text(pprof, pprof->mappings[i].file), "[kernel", 7) == 0;
}

static const struct mapping *find_mapping(const struct pprof *pprof, uint64_t id)
{
    for (size_t i = 0; i < pprof->mapping_count; i++) // there are few
        if (pprof->mappings[i].id == id)
            return &pprof->mappings[i];
    return NULL;
}

static void read_line(const struct pprof *pprof, struct byte_reader bytes, struct store_line *ret_line)
{
    uint64_t function_id = 0, line = 0;
    const struct wanted wanted[] = {{LINE_FUNCTION, &function_id}, {LINE_LINE, &line}};
    read_numbers(bytes, wanted, sizeof(wanted) / sizeof(wanted[0]));
    const struct function *function = FIND(pprof->functions, pprof->function_count, function_id);
    *ret_line = (struct store_line){.function = function ? text(pprof, function->name) : "",
                                    .file = function ? text(pprof, function->file) : "",
                                    .line = line <= INT32_MAX ? (uint32_t)line : 0};
}

// "[truncated]", "[unwind: no rows]": hearth's own words for the end of a stack.
static bool is_mark(const struct foreign_frame *frame)
{
    if (frame->chain_length != 1)
        return false;
    const char *name = frame->chain[0].function;
    size_t length = strlen(name);
    return length > 2 && name[0] == '[' && name[length - 1] == ']' && !strstr(name, "+0x");
}

static uint32_t make_frame(struct pprof *pprof, const struct mapping *mapping, uint64_t address,
                           struct store_line *chain, size_t length)
{
    struct foreign_frame frame = {.path = mapping ? text(pprof, mapping->file) : "",
                                  .has_offset = mapping && address >= mapping->start,
                                  .chain = chain,
                                  .chain_length = length};
    if (frame.has_offset)
        frame.offset = address - mapping->start + mapping->offset;
    frame.kind = mapping && mapping->is_kernel ? STORE_BINARY_KERNEL : STORE_BINARY_ELF;
    if (strncmp(frame.path, "[jit]", 5) == 0)
        frame.kind = STORE_BINARY_JIT;
    if (is_mark(&frame))
        frame = (struct foreign_frame){.kind = STORE_BINARY_MARK, .path = chain[0].function, .has_offset = true};
    return foreign__frame(pprof->foreign, &frame);
}

static void add_location(struct pprof *pprof, struct byte_reader bytes)
{
    struct store_line chain[LIMIT_CHAIN];
    size_t length = 0;
    struct location location = {0};
    uint64_t mapping = 0, address = 0;
    const struct wanted wanted[] = {
        {LOCATION_ID, &location.id}, {LOCATION_MAPPING, &mapping}, {LOCATION_ADDRESS, &address}};
    read_numbers(bytes, wanted, sizeof(wanted) / sizeof(wanted[0]));
    struct protobuf_field field;
    while (protobuf__next(&bytes, &field) && length < LIMIT_CHAIN)
        if (field.number == LOCATION_LINE && field.is_bytes)
            read_line(pprof, field.bytes, &chain[length++]);
    if (length && !*chain[length - 1].function)
        length = 0;
    location.frame = make_frame(pprof, find_mapping(pprof, mapping), address, chain, length);
    pprof->err = GROW(pprof->locations, pprof->location_capacity, pprof->location_count + 1);
    if (!pprof->err)
        pprof->locations[pprof->location_count++] = location;
}

static const char *event_unit(const struct pprof *pprof, const struct sample_type *type)
{
    const char *unit = text(pprof, type->unit);
    return strcmp(unit, "nanoseconds") == 0 ? "ns" : strcmp(unit, "count") == 0 ? text(pprof, type->type) : unit;
}

static bool has_period(const struct pprof *pprof, const struct sample_type *type)
{
    return pprof->period && pprof->count_type < pprof->type_count && text_is(pprof, type->unit, "nanoseconds") &&
           strcmp(text(pprof, type->type), text(pprof, pprof->period_type.type)) == 0;
}

static void make_events(struct pprof *pprof)
{
    pprof->count_type = pprof->type_count;
    for (size_t i = 0; i < pprof->type_count && pprof->type_count > 1; i++)
        if (text_is(pprof, pprof->types[i].type, "samples") && text_is(pprof, pprof->types[i].unit, "count"))
            pprof->count_type = i;
    for (size_t i = 0; i < pprof->type_count; i++) {
        struct sample_type *type = &pprof->types[i];
        bool counts = has_period(pprof, type);
        struct store_event event = {.name = text(pprof, type->type),
                                    .unit = counts ? "samples" : event_unit(pprof, type),
                                    .detail = "",
                                    .period = counts ? pprof->period : 0};
        if (i != pprof->count_type)
            type->event = foreign__event(pprof->foreign, &event);
    }
}

// The text of a label that tells a thread or a process; else the word so far.
static const char *read_label(const struct pprof *pprof, struct byte_reader bytes, const char *so_far)
{
    static const char *const keys[] = {"comm", "thread", "thread_name", "process", "tid", "pid"};
    uint64_t key = 0, string = 0;
    const struct wanted wanted[] = {{LABEL_KEY, &key}, {LABEL_STRING, &string}};
    read_numbers(bytes, wanted, sizeof(wanted) / sizeof(wanted[0]));
    for (size_t i = 0; string && i < sizeof(keys) / sizeof(keys[0]); i++)
        if (text_is(pprof, key, keys[i]))
            return text(pprof, string);
    return so_far;
}

static const char *main_program(const struct pprof *pprof)
{
    const char *path = pprof->mapping_count ? text(pprof, pprof->mappings[0].file) : "";
    const char *slash = strrchr(path, '/');
    return *path ? slash ? slash + 1 : path : "all";
}

static uint32_t node_of(struct pprof *pprof, const uint64_t *ids, size_t count)
{
    uint32_t frames[LIMIT_STORE_STACK_FRAMES];
    for (size_t i = 0; i < count; i++) {
        const struct location *location = FIND(pprof->locations, pprof->location_count, ids[count - 1 - i]);
        if (!location) {
            pprof->err = -EBADMSG;
            return 0;
        }
        frames[i] = location->frame;
    }
    return foreign__stack(pprof->foreign, frames, count);
}

struct sample {
    uint64_t locations[LIMIT_STORE_STACK_FRAMES], values[TYPES_MAX];
    size_t location_count, value_count;
    const char *root;
};

static void read_sample(struct pprof *pprof, struct byte_reader bytes, struct sample *sample)
{
    struct protobuf_field field;
    uint64_t number;
    sample->location_count = sample->value_count = 0;
    sample->root = main_program(pprof);
    while (!pprof->err && protobuf__next(&bytes, &field)) {
        unsigned kind = field.number;
        if (kind == SAMPLE_LABEL && field.is_bytes)
            sample->root = read_label(pprof, field.bytes, sample->root);
        while ((kind == SAMPLE_LOCATIONS || kind == SAMPLE_VALUES) && protobuf__next_number(&field, &number)) {
            size_t *count = kind == SAMPLE_LOCATIONS ? &sample->location_count : &sample->value_count;
            if (*count == (kind == SAMPLE_LOCATIONS ? LIMIT_STORE_STACK_FRAMES : TYPES_MAX)) {
                pprof->err = -EBADMSG;
                return;
            }
            (kind == SAMPLE_LOCATIONS ? sample->locations : sample->values)[(*count)++] = number;
        }
    }
    if (bytes.failed || sample->value_count != pprof->type_count)
        pprof->err = -EBADMSG;
}

// How often and how much, of one of the types. A count of 0: nothing.
static void weigh(const struct pprof *pprof, size_t type, const struct sample *sample, struct store_value *ret_value)
{
    bool counts = pprof->count_type < pprof->type_count;
    uint64_t value = sample->values[type], count = counts ? sample->values[pprof->count_type] : value != 0;
    if (has_period(pprof, &pprof->types[type]))
        value = count;
    else if (!counts && text_is(pprof, pprof->types[type].unit, "count"))
        count = value;
    ret_value->value = value;
    ret_value->count = count || !value ? count : 1;
}

static void add_sample(struct pprof *pprof, const struct sample *sample)
{
    uint32_t node = node_of(pprof, sample->locations, sample->location_count);
    uint32_t thread = foreign__thread(pprof->foreign, 0, 0, sample->root);
    for (size_t i = 0; i < pprof->type_count && !pprof->err; i++) {
        struct store_value value = {.event = pprof->types[i].event, .thread = thread, .node = node};
        weigh(pprof, i, sample, &value);
        pprof->negative += (int64_t)value.value < 0 || (int64_t)value.count < 0;
        if (value.event && value.count)
            foreign__add(pprof->foreign, &value);
    }
}

static void read_samples(struct pprof *pprof, struct byte_reader bytes)
{
    struct protobuf_field field;
    _cleanup_free_ struct sample *sample = calloc(1, sizeof(*sample));
    if (!sample)
        pprof->err = -ENOMEM;
    while (!pprof->err && protobuf__next(&bytes, &field) && !foreign__error(pprof->foreign))
        if (field.number == PROFILE_SAMPLE && field.is_bytes) {
            read_sample(pprof, field.bytes, sample);
            if (!pprof->err)
                add_sample(pprof, sample);
        }
}

static void read_locations(struct pprof *pprof, struct byte_reader bytes)
{
    struct protobuf_field field;
    while (!pprof->err && protobuf__next(&bytes, &field))
        if (field.number == PROFILE_LOCATION && field.is_bytes)
            add_location(pprof, field.bytes);
    if (pprof->location_count)
        qsort(pprof->locations, pprof->location_count, sizeof(*pprof->locations), by_id);
}

static struct byte_reader all_of(const struct import_file *file)
{
    const uint8_t *bytes = (const uint8_t *)file->bytes;
    return (struct byte_reader){.at = bytes, .start = bytes, .end = bytes + file->length};
}

static int read_pprof(struct import_file *file, struct foreign *foreign, struct fault *fault)
{
    _cleanup_(pprof__release) struct pprof pprof = {.file = file, .foreign = foreign};
    read_tables(&pprof, all_of(file));
    if (!pprof.err && !pprof.type_count)
        pprof.err = -EBADMSG;
    if (pprof.time_ns)
        foreign__set_time(foreign, pprof.time_ns, pprof.duration_ns);
    sort_tables(&pprof);
    if (!pprof.err)
        make_events(&pprof);
    read_locations(&pprof, all_of(file));
    read_samples(&pprof, all_of(file));
    if (pprof.negative)
        return fault__set(fault, -EBADMSG,
                          "cannot read the pprof profile '%s': %" PRIu64
                          " of its values are below 0, as in a difference; give both profiles to `hearth diff`",
                          file->path, pprof.negative);
    return pprof.err == -EBADMSG
               ? fault__set(fault, -EBADMSG, "cannot read the pprof profile '%s': it is damaged", file->path)
               : pprof.err;
}

// Fields up to the end of the file, of numbers that the .proto has, and at least a type and a string.
static bool knows_pprof(const struct import_file *file)
{
    struct byte_reader bytes = all_of(file);
    struct protobuf_field field;
    bool has_type = false, has_string = false;
    while (protobuf__next(&bytes, &field)) {
        if (field.number > 15)
            return false;
        has_type |= field.number == PROFILE_SAMPLE_TYPE && field.is_bytes;
        has_string |= field.number == PROFILE_STRING && field.is_bytes;
    }
    return has_type && has_string;
}

const struct import import_pprof = {.name = "pprof", .knows = knows_pprof, .read = read_pprof};

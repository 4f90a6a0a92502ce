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
#include "report/imports/pprof_tables.h"
#include "report/text/pprof_fields.h"
#include "report/text/protobuf_reader.h"
#include "store/base/file_name.h"
#include "store/base/grow.h"
#include "store/base/limits.h"

struct location {
    uint64_t id;
    uint32_t frame;
};

struct pprof {
    struct foreign *foreign;
    struct pprof_tables tables;
    struct location *locations; // sorted by id
    size_t location_count, location_capacity;
    size_t count_type;                // which of the types is "how often"; type_count: none
    uint32_t events[PPROF_TYPES_MAX]; // by type; 0: none of its own
    uint64_t negative;                // values below 0, of a difference
    int err;
};

static void pprof__release(struct pprof *pprof)
{
    pprof_tables__release(&pprof->tables);
    free(pprof->locations);
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

static uint32_t make_frame(struct pprof *pprof, const struct pprof_mapping *mapping, uint64_t address,
                           struct store_line *chain, size_t length)
{
    struct foreign_frame frame = {.path = mapping ? pprof_tables__text(&pprof->tables, mapping->file) : "",
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
    const struct protobuf_wanted wanted[] = {
        {LOCATION_ID, &location.id}, {LOCATION_MAPPING, &mapping}, {LOCATION_ADDRESS, &address}};
    protobuf__read_numbers(bytes, wanted, sizeof(wanted) / sizeof(wanted[0]));
    struct protobuf_field field;
    while (protobuf__next(&bytes, &field) && length < LIMIT_CHAIN)
        if (field.number == LOCATION_LINE && field.is_bytes)
            pprof_tables__read_line(&pprof->tables, field.bytes, &chain[length++]);
    if (length && !*chain[length - 1].function)
        length = 0;
    location.frame = make_frame(pprof, pprof_tables__mapping(&pprof->tables, mapping), address, chain, length);
    pprof->err = GROW(pprof->locations, pprof->location_capacity, pprof->location_count + 1);
    if (!pprof->err)
        pprof->locations[pprof->location_count++] = location;
}

static const char *event_unit(const struct pprof *pprof, const struct pprof_type *type)
{
    const char *unit = pprof_tables__text(&pprof->tables, type->unit);
    return strcmp(unit, "nanoseconds") == 0 ? "ns"
           : strcmp(unit, "count") == 0     ? pprof_tables__text(&pprof->tables, type->type)
                                            : unit;
}

static bool has_period(const struct pprof *pprof, const struct pprof_type *type)
{
    return pprof->tables.period && pprof->count_type < pprof->tables.type_count &&
           pprof_tables__text_is(&pprof->tables, type->unit, "nanoseconds") &&
           strcmp(pprof_tables__text(&pprof->tables, type->type),
                  pprof_tables__text(&pprof->tables, pprof->tables.period_type.type)) == 0;
}

static void make_events(struct pprof *pprof)
{
    pprof->count_type = pprof->tables.type_count;
    for (size_t i = 0; i < pprof->tables.type_count && pprof->tables.type_count > 1; i++)
        if (pprof_tables__text_is(&pprof->tables, pprof->tables.types[i].type, "samples") &&
            pprof_tables__text_is(&pprof->tables, pprof->tables.types[i].unit, "count"))
            pprof->count_type = i;
    for (size_t i = 0; i < pprof->tables.type_count; i++) {
        struct pprof_type *type = &pprof->tables.types[i];
        bool counts = has_period(pprof, type);
        struct store_event event = {.name = pprof_tables__text(&pprof->tables, type->type),
                                    .unit = counts ? "samples" : event_unit(pprof, type),
                                    .detail = "",
                                    .period = counts ? pprof->tables.period : 0};
        if (i != pprof->count_type)
            pprof->events[i] = foreign__event(pprof->foreign, &event);
    }
}

// The text of a label that tells a thread or a process; else the word so far.
static const char *read_label(const struct pprof *pprof, struct byte_reader bytes, const char *so_far)
{
    static const char *const keys[] = {"comm", "thread", "thread_name", "process", "tid", "pid"};
    uint64_t key = 0, string = 0;
    const struct protobuf_wanted wanted[] = {{LABEL_KEY, &key}, {LABEL_STRING, &string}};
    protobuf__read_numbers(bytes, wanted, sizeof(wanted) / sizeof(wanted[0]));
    for (size_t i = 0; string && i < sizeof(keys) / sizeof(keys[0]); i++)
        if (pprof_tables__text_is(&pprof->tables, key, keys[i]))
            return pprof_tables__text(&pprof->tables, string);
    return so_far;
}

static const char *main_program(const struct pprof *pprof)
{
    const char *path =
        pprof->tables.mapping_count ? pprof_tables__text(&pprof->tables, pprof->tables.mappings[0].file) : "";
    return *path ? file_name__of(path) : "all";
}

static uint32_t node_of(struct pprof *pprof, const uint64_t *ids, size_t count)
{
    uint32_t frames[LIMIT_STORE_STACK_FRAMES];
    for (size_t i = 0; i < count; i++) {
        const struct location *location = PPROF_FIND(pprof->locations, pprof->location_count, ids[count - 1 - i]);
        if (!location) {
            pprof->err = -EBADMSG;
            return 0;
        }
        frames[i] = location->frame;
    }
    return foreign__stack(pprof->foreign, frames, count);
}

struct sample {
    uint64_t locations[LIMIT_STORE_STACK_FRAMES], values[PPROF_TYPES_MAX];
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
            if (*count == (kind == SAMPLE_LOCATIONS ? LIMIT_STORE_STACK_FRAMES : PPROF_TYPES_MAX)) {
                pprof->err = -EBADMSG;
                return;
            }
            (kind == SAMPLE_LOCATIONS ? sample->locations : sample->values)[(*count)++] = number;
        }
    }
    if (bytes.failed || sample->value_count != pprof->tables.type_count)
        pprof->err = -EBADMSG;
}

// How often and how much, of one of the types. A count of 0: nothing.
static void weigh(const struct pprof *pprof, size_t type, const struct sample *sample, struct store_value *ret_value)
{
    bool counts = pprof->count_type < pprof->tables.type_count;
    uint64_t value = sample->values[type], count = counts ? sample->values[pprof->count_type] : value != 0;
    if (has_period(pprof, &pprof->tables.types[type]))
        value = count;
    else if (!counts && pprof_tables__text_is(&pprof->tables, pprof->tables.types[type].unit, "count"))
        count = value;
    ret_value->value = value;
    ret_value->count = count || !value ? count : 1;
}

static void add_sample(struct pprof *pprof, const struct sample *sample)
{
    uint32_t node = node_of(pprof, sample->locations, sample->location_count);
    uint32_t thread = foreign__thread(pprof->foreign, 0, 0, sample->root);
    for (size_t i = 0; i < pprof->tables.type_count && !pprof->err; i++) {
        struct store_value value = {.event = pprof->events[i], .thread = thread, .node = node};
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
        qsort(pprof->locations, pprof->location_count, sizeof(*pprof->locations), pprof_tables__by_id);
}

static struct byte_reader all_of(const struct import_file *file)
{
    const uint8_t *bytes = (const uint8_t *)file->bytes;
    return (struct byte_reader){.at = bytes, .start = bytes, .end = bytes + file->length};
}

static int read_pprof(struct import_file *file, struct foreign *foreign, struct fault *fault)
{
    _cleanup_(pprof__release) struct pprof pprof = {.foreign = foreign};
    pprof.err = pprof_tables__read(&pprof.tables, all_of(file));
    if (pprof.tables.time_ns)
        foreign__set_time(foreign, pprof.tables.time_ns, pprof.tables.duration_ns);
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

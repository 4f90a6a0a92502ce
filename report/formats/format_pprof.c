// pprof's profile.proto (report/text/pprof_fields.h), gzipped: a sample for each stack with
// its comm as a label, a location for each frame of the store (its lines are the functions inlined there, innermost
// first, the caller last), a mapping for each binary with its build id.
//
// The store keeps offsets in files, no addresses: each mapping is given a range of its own, as long as the highest
// offset seen, so that address - start + 0 is the offset again.
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "report/formats/format.h"
#include "report/text/gzip.h"
#include "report/text/pprof_fields.h"
#include "report/text/protobuf.h"
#include "report/text/strings.h"
#include "report/text/text.h"
#include "store/base/cleanup.h"

#define PAGE_BYTES 4096u

struct mapping {
    uint64_t start, size; // size 0: not used
    uint64_t weight;      // samples whose leaf lies in it
    uint32_t id;
};

struct function {
    uint32_t name, file; // strings
};

DEFINE_CLEANUP(struct strings *, strings__free);

struct pprof {
    const struct picture *picture;
    struct layout layout;
    struct strings *strings;   // the string table; 0 is ""
    struct mapping *mappings;  // by binary, from 1
    struct strings *functions; // "NAME\0FILE" would not do as a string: "name-id file-id"; the id + 1 is the function's
    struct buf out, message, part, scratch;
    bool failed;
};

static void pprof__release(struct pprof *pprof)
{
    layout__release(&pprof->layout);
    strings__free(pprof->strings);
    strings__free(pprof->functions);
    free(pprof->mappings);
    buf__release(&pprof->out);
    buf__release(&pprof->message);
    buf__release(&pprof->part);
    buf__release(&pprof->scratch);
}

static uint32_t string_id(struct pprof *pprof, const char *clean)
{
    uint32_t id = 0;
    pprof->failed |= strings__keep_id(pprof->strings, clean, &id) != 0;
    return id;
}

// For text that comes straight from the store.
static uint32_t raw_string_id(struct pprof *pprof, const char *text)
{
    buf__clear(&pprof->scratch);
    safe_text__append(&pprof->scratch, text ? text : "");
    buf__append_byte(&pprof->scratch, '\0');
    pprof->failed |= pprof->scratch.failed;
    return pprof->scratch.failed ? 0 : string_id(pprof, (const char *)pprof->scratch.data);
}

static void put_message(struct pprof *pprof, unsigned field)
{
    protobuf__append_bytes(&pprof->out, field, pprof->message.data, pprof->message.length_bytes);
    pprof->failed |= pprof->message.failed;
    buf__clear(&pprof->message);
}

static void put_value_type(struct pprof *pprof, unsigned field, const char *type, const char *unit)
{
    protobuf__append_number(&pprof->message, VALUE_TYPE, raw_string_id(pprof, type));
    protobuf__append_number(&pprof->message, VALUE_UNIT, raw_string_id(pprof, unit));
    put_message(pprof, field);
}

// Samples of a fixed period stand for that much time; else the second value is what the event measures.
static bool has_period(const struct picture *picture)
{
    return picture->measure == LAYOUT_SAMPLES && picture->event->period;
}

static const char *second_unit(const struct picture *picture)
{
    return has_period(picture) || strcmp(picture->unit, "ns") == 0 ? "nanoseconds" : picture->unit;
}

static void put_types(struct pprof *pprof)
{
    const struct picture *picture = pprof->picture;
    put_value_type(pprof, PROFILE_SAMPLE_TYPE, "samples", "count");
    put_value_type(pprof, PROFILE_SAMPLE_TYPE, picture->event->name, second_unit(picture));
    put_value_type(pprof, PROFILE_PERIOD_TYPE, picture->event->name, second_unit(picture));
    protobuf__append_number(&pprof->out, PROFILE_PERIOD, picture->event->period);
    protobuf__append_number(&pprof->out, PROFILE_TIME_NS, picture->since_ns);
    protobuf__append_number(&pprof->out, PROFILE_DURATION_NS, picture->until_ns - picture->since_ns);
}

static void put_samples(struct pprof *pprof)
{
    const struct picture *picture = pprof->picture;
    const struct group *group = profile__options(picture->profile)->group;
    _cleanup_free_ uint32_t *path = calloc((size_t)pprof->layout.depth + 1, sizeof(*path)); // labels, by depth
    pprof->failed |= !path;
    for (uint32_t i = 1; i < pprof->layout.count && !pprof->failed; i++) {
        const struct layout_row *row = &pprof->layout.rows[i];
        const struct profile_weight *self = profile__self(picture->profile, 0, row->node);
        path[row->depth] = row->label;
        if (!row->self)
            continue;
        for (uint32_t depth = row->depth; depth > 1; depth--) // leaf first; a location's id is its label's
            buf__append_varint(&pprof->part, path[depth]);
        protobuf__append_bytes(&pprof->message, SAMPLE_LOCATIONS, pprof->part.data, pprof->part.length_bytes);
        buf__clear(&pprof->part);
        buf__append_varint(&pprof->part, self->samples);
        buf__append_varint(&pprof->part, has_period(picture) ? self->samples * picture->event->period : self->value);
        protobuf__append_bytes(&pprof->message, SAMPLE_VALUES, pprof->part.data, pprof->part.length_bytes);
        buf__clear(&pprof->part);
        protobuf__append_number(&pprof->part, LABEL_KEY, string_id(pprof, group ? group->words : "comm"));
        protobuf__append_number(&pprof->part, LABEL_STRING,
                                string_id(pprof, profile__label(picture->profile, path[1])->name));
        protobuf__append_bytes(&pprof->message, SAMPLE_LABEL, pprof->part.data, pprof->part.length_bytes);
        pprof->failed |= pprof->part.failed;
        buf__clear(&pprof->part);
        put_message(pprof, PROFILE_SAMPLE);
    }
}

static const struct store_frame *frame_of(struct pprof *pprof, uint32_t label)
{
    uint32_t frame = profile__label(pprof->picture->profile, label)->frame;
    return frame ? store_reader__frame(pprof->picture->reader, frame) : NULL;
}

// The main binary comes first, as pprof expects: the program with the most samples in it.
static uint32_t main_binary(struct pprof *pprof, uint32_t binary_count)
{
    struct store_reader *reader = pprof->picture->reader;
    _cleanup_(strings__freep) struct strings *programs = NULL;
    uint32_t best = 0, known, process_count = store_reader__process_count(reader);
    if (strings__new(&programs))
        return 0;
    for (uint32_t i = 1; i <= process_count; i++)
        if (strings__keep_id(programs, store_reader__process(reader, i)->exe, &known))
            return 0;
    uint32_t program_count = process_count ? strings__count(programs) : 0;
    for (uint32_t i = 1; i <= binary_count; i++) {
        const struct mapping *mapping = &pprof->mappings[i];
        if (!mapping->size || (best && mapping->weight <= pprof->mappings[best].weight))
            continue;
        bool kept = strings__keep_id(programs, store_reader__binary(reader, i)->path, &known) == 0;
        if (kept && known < program_count)
            best = i;
    }
    return best;
}

// Where only the function was kept there is no address: the mapping's first one stands for it.
static uint64_t place_of(const struct store_frame *frame)
{
    return store_offset__is_folded(frame->offset) ? 0 : frame->offset;
}

static void measure_mappings(struct pprof *pprof, const uint64_t *weights)
{
    for (uint32_t label = 1; label < profile__label_count(pprof->picture->profile); label++) {
        const struct store_frame *frame = frame_of(pprof, label);
        if (!frame)
            continue;
        struct mapping *mapping = &pprof->mappings[frame->binary];
        uint64_t end = (place_of(frame) / PAGE_BYTES + 1) * PAGE_BYTES;
        mapping->size = end > mapping->size ? end : mapping->size;
        mapping->weight += weights[label];
    }
}

static void put_mapping(struct pprof *pprof, uint32_t binary_id)
{
    const struct store_binary *binary = store_reader__binary(pprof->picture->reader, binary_id);
    const struct mapping *mapping = &pprof->mappings[binary_id];
    char build_id[41] = "";
    for (size_t i = 0; binary->build_id && i < binary->build_id_bytes && i < 20; i++)
        snprintf(build_id + 2 * i, 3, "%02x", binary->build_id[i]);
    protobuf__append_number(&pprof->message, MAPPING_ID, mapping->id);
    protobuf__append_number(&pprof->message, MAPPING_START, mapping->start);
    protobuf__append_number(&pprof->message, MAPPING_LIMIT, mapping->start + mapping->size);
    protobuf__append_number(&pprof->message, MAPPING_FILE, raw_string_id(pprof, binary->path));
    protobuf__append_number(&pprof->message, MAPPING_BUILD_ID, string_id(pprof, build_id));
    // All that could be named has been: the tool is not to look for the files.
    protobuf__append_number(&pprof->message, MAPPING_HAS_FUNCTIONS, 1);
    protobuf__append_number(&pprof->message, MAPPING_HAS_FILES, 1);
    protobuf__append_number(&pprof->message, MAPPING_HAS_LINES, 1);
    protobuf__append_number(&pprof->message, MAPPING_HAS_INLINES, 1);
    put_message(pprof, PROFILE_MAPPING);
}

static void put_mappings(struct pprof *pprof, uint32_t binary_count)
{
    uint32_t id = 0, first = main_binary(pprof, binary_count);
    uint64_t start = 0x10000; // away from address 0, which means "none"
    for (uint32_t i = 0; i <= binary_count; i++) {
        uint32_t binary = i == 0 ? first : i;
        struct mapping *mapping = &pprof->mappings[binary];
        if (!binary || !mapping->size || mapping->id)
            continue;
        mapping->id = ++id;
        mapping->start = start;
        start += mapping->size + PAGE_BYTES;
        put_mapping(pprof, binary);
    }
}

static uint32_t function_id(struct pprof *pprof, const char *function, const char *file)
{
    char key[32];
    uint32_t name = raw_string_id(pprof, function), path = raw_string_id(pprof, file), id = 0;
    snprintf(key, sizeof(key), "%" PRIu32 " %" PRIu32, name, path);
    uint32_t count = strings__count(pprof->functions);
    pprof->failed |= strings__keep_id(pprof->functions, key, &id) != 0;
    if (id == count) { // a new one
        protobuf__append_number(&pprof->part, FUNCTION_ID, id + 1u);
        protobuf__append_number(&pprof->part, FUNCTION_NAME, name);
        protobuf__append_number(&pprof->part, FUNCTION_SYSTEM_NAME, name);
        protobuf__append_number(&pprof->part, FUNCTION_FILE, path);
        protobuf__append_bytes(&pprof->out, PROFILE_FUNCTION, pprof->part.data, pprof->part.length_bytes);
        buf__clear(&pprof->part);
    }
    return id + 1;
}

static void append_line(struct pprof *pprof, const char *function, const char *file, uint32_t line)
{
    uint32_t id = function_id(pprof, function, file);
    protobuf__append_number(&pprof->part, LINE_FUNCTION, id);
    protobuf__append_number(&pprof->part, LINE_LINE, line);
    protobuf__append_bytes(&pprof->message, LOCATION_LINE, pprof->part.data, pprof->part.length_bytes);
    pprof->failed |= pprof->part.failed;
    buf__clear(&pprof->part);
}

static void put_location(struct pprof *pprof, uint32_t label_id)
{
    const struct label *label = profile__label(pprof->picture->profile, label_id);
    const struct store_frame *frame = frame_of(pprof, label_id);
    protobuf__append_number(&pprof->message, LOCATION_ID, label_id);
    if (frame) {
        const struct mapping *mapping = &pprof->mappings[frame->binary];
        protobuf__append_number(&pprof->message, LOCATION_MAPPING, mapping->id);
        protobuf__append_number(&pprof->message, LOCATION_ADDRESS, mapping->start + place_of(frame));
    }
    size_t count = frame ? frame->chain_length : 0;
    bool no_inline = profile__options(pprof->picture->profile)->no_inline;
    for (size_t i = no_inline && count ? count - 1 : 0; i < count; i++)
        append_line(pprof, frame->chain[i].function, frame->chain[i].file, frame->chain[i].line);
    if (!count)
        append_line(pprof, label->name, "", 0);
    put_message(pprof, PROFILE_LOCATION);
}

static void put_comments(struct pprof *pprof)
{
    char losses[512], comment[600];
    loss_list__print(pprof->picture->losses, losses, sizeof(losses));
    snprintf(comment, sizeof(comment), "hearth %s: %s", HEARTH_VERSION, pprof->picture->title);
    protobuf__append_number(&pprof->out, PROFILE_COMMENT, string_id(pprof, comment));
    snprintf(comment, sizeof(comment), "lost: %s", losses);
    if (*losses)
        protobuf__append_number(&pprof->out, PROFILE_COMMENT, string_id(pprof, comment));
}

static int put_all(struct pprof *pprof)
{
    const struct profile *profile = pprof->picture->profile;
    uint32_t binary_count = store_reader__binary_count(pprof->picture->reader);
    uint32_t label_count = profile__label_count(profile);
    _cleanup_free_ uint64_t *weights = calloc(label_count, sizeof(*weights));
    pprof->mappings = calloc((size_t)binary_count + 1, sizeof(*pprof->mappings));
    if (!weights || !pprof->mappings)
        return -ENOMEM;
    for (uint32_t i = 0; i < pprof->layout.count; i++)
        weights[pprof->layout.rows[i].label] += pprof->layout.rows[i].self;
    string_id(pprof, "");
    put_types(pprof);
    put_samples(pprof);
    measure_mappings(pprof, weights);
    put_mappings(pprof, binary_count);
    for (uint32_t label = 1; label < label_count; label++)
        if (profile__label(profile, label)->kind != LABEL_ROOT)
            put_location(pprof, label);
    put_comments(pprof);
    for (uint32_t i = 0; i < strings__count(pprof->strings); i++)
        protobuf__append_string(&pprof->out, PROFILE_STRING, strings__of(pprof->strings, i));
    return pprof->failed || pprof->out.failed ? -ENOMEM : 0;
}

static int write_pprof(const struct picture *picture, FILE *file, struct fault *fault)
{
    (void)fault;
    _cleanup_(pprof__release) struct pprof pprof = {.picture = picture};
    int err = strings__new(&pprof.strings);
    if (!err)
        err = strings__new(&pprof.functions);
    if (!err)
        err = layout__make(picture->profile, 0, LAYOUT_SAMPLES, LAYOUT_BY_NAME, &pprof.layout);
    if (!err)
        err = put_all(&pprof);
    return err ? err : gzip__write(pprof.out.data, pprof.out.length_bytes, GZIP_USUAL, file);
}

const struct format format_pprof = {
    .name = "pprof",
    .suffixes = (const char *const[]){".pb.gz", ".pprof", NULL},
    .summary = "gzipped protobuf for `go tool pprof` and its kin",
    .subject = FORMAT_FRAMES,
    .is_binary = true,
    .write = write_pprof,
};

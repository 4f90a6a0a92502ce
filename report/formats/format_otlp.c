// OpenTelemetry's profiles, an ExportProfilesServiceRequest of opentelemetry-proto 1.11 (package v1development), which
// is a ProfilesData too: a resource for each instance of a service, in it a profile for each event, a sample for each
// stack and name of a thread; the tables that all of them share stand at the end.
//
//   resource {service.name nginx.service, host.name box, ...}  scope {hearth}
//     profile {samples/count of cpu/nanoseconds, 10101010}     sample {stack 12, thread.name nginx, 7}, ...
//     profile {off_cpu/nanoseconds}                            ...
//   resource {service.name sshd.service, ...}                  ...
//   dictionary                                                 report/formats/otlp_dictionary.h
//
// Receivers know profiles of CPU time by the period's type and those of waiting by the lack of one. They refuse a
// profile without time or duration, and more than LIMIT_OTLP_PROFILE_SAMPLES samples in one.
#include <endian.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "report/formats/format.h"
#include "report/formats/otlp_dictionary.h"
#include "report/profile/instance.h"
#include "report/text/otlp_1_11_fields.h"
#include "report/text/protobuf.h"
#include "report/text/records.h"
#include "report/text/text.h"
#include "store/base/cleanup.h"
#include "store/base/grow.h"
#include "store/base/hash.h"
#include "store/base/limits.h"

DEFINE_CLEANUP(struct otlp_dictionary *, otlp_dictionary__free);

struct sample {
    uint32_t resource, stack, thread; // thread: an attribute
    uint64_t value;
};

struct otlp {
    const struct picture *picture; // of the event at hand
    struct otlp_dictionary *dictionary;
    struct records resources; // encoded
    struct buf *profiles;     // of each resource, encoded
    size_t profile_capacity;
    // Of the event at hand.
    struct layout layout;
    uint32_t *locations; // index + 1, by label
    uint32_t *path;      // labels, by depth; `stack` is their locations
    uint32_t *stack;
    struct sample *samples;
    size_t sample_count, sample_capacity;
    struct buf message, part;
};

static void otlp__forget_event(struct otlp *otlp)
{
    layout__release(&otlp->layout);
    free(otlp->locations);
    free(otlp->path);
    free(otlp->stack);
    otlp->layout = (struct layout){0};
    otlp->locations = otlp->path = otlp->stack = NULL;
    otlp->sample_count = 0;
}

static void otlp__release(struct otlp *otlp)
{
    otlp__forget_event(otlp);
    for (uint32_t i = 0; i < otlp->profile_capacity; i++)
        buf__release(&otlp->profiles[i]);
    free(otlp->profiles);
    free(otlp->samples);
    records__release(&otlp->resources);
    otlp_dictionary__free(otlp->dictionary);
    buf__release(&otlp->message);
    buf__release(&otlp->part);
}

// --- Resources

// Receivers take attributes that are not known as well as those that are not there: these are left out.
static void append_attribute(struct otlp *otlp, const char *key, const char *clean)
{
    if (!*clean)
        return;
    buf__clear(&otlp->part);
    protobuf__append_string(&otlp->part, KEY_VALUE_KEY, key);
    otlp_dictionary__append_value(&otlp->part, KEY_VALUE_VALUE, clean);
    protobuf__append_bytes(&otlp->message, RESOURCE_ATTRIBUTES, otlp->part.data, otlp->part.length_bytes);
}

static int resource_of(struct otlp *otlp, const struct instance *instance, uint32_t *ret_resource)
{
    char host[256];
    safe_text__copy(otlp->picture->meta->host ? otlp->picture->meta->host : "", host, sizeof(host));
    buf__clear(&otlp->message);
    append_attribute(otlp, "service.name", instance->service);
    append_attribute(otlp, "host.name", host);
    append_attribute(otlp, instance__is_id(instance->container) ? "container.id" : "container.name",
                     instance->container);
    append_attribute(otlp, "k8s.pod.uid", instance->pod);
    append_attribute(otlp, "process.executable.path", instance->exe);
    if (otlp->message.failed || otlp->part.failed)
        return -ENOMEM;
    int err = records__keep(&otlp->resources, otlp->message.data, otlp->message.length_bytes, ret_resource);
    size_t old = otlp->profile_capacity;
    if (!err)
        err = GROW(otlp->profiles, otlp->profile_capacity, (size_t)*ret_resource + 1);
    for (size_t i = old; i < otlp->profile_capacity; i++)
        otlp->profiles[i] = (struct buf){0};
    return err;
}

// The root of a picture. Where the request groups by something else, that is the service.
static int start_root(struct otlp *otlp, uint32_t label, struct sample *ret_sample)
{
    _cleanup_free_ struct instance *instance = calloc(1, sizeof(*instance));
    const char *name = profile__label(otlp->picture->profile, label)->name;
    if (!instance)
        return -ENOMEM;
    bool is_instance = profile__options(otlp->picture->profile)->group == &group_of_instances;
    if (!is_instance || instance__read(name, instance) != 0) {
        *instance = (struct instance){0};
        snprintf(instance->service, sizeof(instance->service), "%s", name);
    }
    *ret_sample = (struct sample){0};
    if (*instance->thread)
        ret_sample->thread = otlp_dictionary__attribute(otlp->dictionary, "thread.name", instance->thread);
    return resource_of(otlp, instance, &ret_sample->resource);
}

// --- Samples

static uint32_t location_of(struct otlp *otlp, uint32_t label)
{
    const struct profile *profile = otlp->picture->profile;
    if (!otlp->locations[label])
        otlp->locations[label] =
            otlp_dictionary__location(otlp->dictionary, otlp->picture->reader, profile__label(profile, label),
                                      profile__options(profile)->no_inline) +
            1;
    return otlp->locations[label] - 1;
}

static int add_sample(struct otlp *otlp, const struct layout_row *row, struct sample sample)
{
    uint32_t count = 0;
    for (uint32_t depth = row->depth; depth > 1; depth--)
        otlp->stack[count++] = location_of(otlp, otlp->path[depth]);
    sample.stack = otlp_dictionary__stack(otlp->dictionary, otlp->stack, count);
    sample.value = row->self;
    if (GROW(otlp->samples, otlp->sample_capacity, otlp->sample_count + 1) != 0)
        return -ENOMEM;
    otlp->samples[otlp->sample_count++] = sample;
    return 0;
}

static int by_resource_stack_thread(const void *a, const void *b)
{
    const struct sample *left = a, *right = b;
    if (left->resource != right->resource)
        return left->resource < right->resource ? -1 : 1;
    if (left->stack != right->stack)
        return left->stack < right->stack ? -1 : 1;
    return (left->thread > right->thread) - (left->thread < right->thread);
}

// Frames of two files of a store may be one location: their samples are one too.
static void merge_samples(struct otlp *otlp)
{
    size_t count = 0;
    if (otlp->sample_count)
        qsort(otlp->samples, otlp->sample_count, sizeof(*otlp->samples), by_resource_stack_thread);
    for (size_t i = 0; i < otlp->sample_count; i++) {
        struct sample *last = count ? &otlp->samples[count - 1] : NULL;
        if (last && by_resource_stack_thread(last, &otlp->samples[i]) == 0)
            last->value = saturated_sum(last->value, otlp->samples[i].value);
        else
            otlp->samples[count++] = otlp->samples[i];
    }
    otlp->sample_count = count;
}

static int gather_samples(struct otlp *otlp)
{
    struct sample root = {0};
    int err = 0;
    for (uint32_t i = 1; !err && i < otlp->layout.count; i++) {
        const struct layout_row *row = &otlp->layout.rows[i];
        otlp->path[row->depth] = row->label;
        if (row->depth == 1 && row->total)
            err = start_root(otlp, row->label, &root);
        if (!err && row->self)
            err = add_sample(otlp, row, root);
    }
    merge_samples(otlp);
    return err;
}

// --- Profiles

static void put_value_type(struct otlp *otlp, unsigned field, const char *type, const char *unit)
{
    _cleanup_(buf__release) struct buf name = {0};
    safe_text__append(&name, type);
    buf__append_byte(&name, '\0');
    buf__clear(&otlp->part);
    protobuf__append_number(&otlp->part, VALUE_TYPE,
                            name.failed ? 0 : otlp_dictionary__string(otlp->dictionary, (const char *)name.data));
    protobuf__append_number(&otlp->part, VALUE_UNIT, otlp_dictionary__string(otlp->dictionary, unit));
    protobuf__append_bytes(&otlp->message, field, otlp->part.data, otlp->part.length_bytes);
    otlp->message.failed |= name.failed;
}

static const char *unit_of(const struct picture *picture)
{
    if (strcmp(picture->unit, "ns") == 0)
        return "nanoseconds";
    return strcmp(picture->unit, "bytes") == 0 ? "bytes" : "count";
}

static void put_sample_type(struct otlp *otlp)
{
    const struct picture *picture = otlp->picture;
    if (picture->measure == LAYOUT_SAMPLES)
        put_value_type(otlp, PROFILE_SAMPLE_TYPE, "samples", "count");
    else if (strcmp(picture->event->name, "off-cpu") == 0)
        put_value_type(otlp, PROFILE_SAMPLE_TYPE, "off_cpu", "nanoseconds");
    else
        put_value_type(otlp, PROFILE_SAMPLE_TYPE, picture->event->name, unit_of(picture));
}

// A sample of the CPU stands for so much time, where the rate was one; others stand for themselves.
static void put_period(struct otlp *otlp)
{
    const struct store_event *event = otlp->picture->event;
    bool is_cpu = strcmp(event->name, "cpu") == 0 && otlp->picture->measure == LAYOUT_SAMPLES && event->period;
    if (strcmp(event->name, "off-cpu") == 0)
        return;
    put_value_type(otlp, PROFILE_PERIOD_TYPE, event->name, is_cpu ? "nanoseconds" : unit_of(otlp->picture));
    protobuf__append_number(&otlp->message, PROFILE_PERIOD, event->period ? event->period : 1);
}

// An identity of the same data for ever, whoever sends it: of the recording, its range, the resource, the event, and
// which part of its samples.
static void put_id(struct otlp *otlp, uint32_t resource, uint32_t number)
{
    const struct picture *picture = otlp->picture;
    const char *const words[] = {picture->meta->host, picture->meta->kernel, picture->meta->command,
                                 picture->event->name, picture->title};
    size_t resource_bytes;
    const void *bytes = records__of(&otlp->resources, resource, &resource_bytes);
    struct buf *key = &otlp->part;
    uint64_t hashes[2];
    buf__clear(key);
    buf__append(key, bytes, resource_bytes);
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        buf__append_string(key, words[i] ? words[i] : "");
        buf__append_byte(key, '\0');
    }
    buf__append_format(key, "%" PRIu64 " %" PRIu64 " %" PRIu32 " ", picture->since_ns, picture->until_ns, number);
    for (size_t i = 0; i < 2; i++) {
        buf__append_byte(key, (uint8_t)('a' + i));
        hashes[i] = htole64(hash__bytes(key->data, key->length_bytes));
    }
    protobuf__append_bytes(&otlp->message, PROFILE_ID, hashes, sizeof(hashes));
}

static void put_sample(struct otlp *otlp, const struct sample *sample)
{
    struct buf *part = &otlp->part;
    _cleanup_(buf__release) struct buf index = {0};
    buf__clear(part);
    protobuf__append_number(part, SAMPLE_STACK, sample->stack);
    if (sample->thread) {
        buf__append_varint(&index, sample->thread);
        protobuf__append_bytes(part, SAMPLE_ATTRIBUTES, index.data, index.length_bytes);
        buf__clear(&index);
    }
    buf__append_varint(&index, sample->value);
    protobuf__append_bytes(part, SAMPLE_VALUES, index.data, index.length_bytes);
    protobuf__append_bytes(&otlp->message, PROFILE_SAMPLES, part->data, part->length_bytes);
    otlp->message.failed |= index.failed;
}

static int put_profile(struct otlp *otlp, const struct sample *samples, size_t count, uint32_t number)
{
    const struct picture *picture = otlp->picture;
    struct buf *message = &otlp->message, *profiles = &otlp->profiles[samples->resource];
    uint64_t duration_ns = picture->until_ns > picture->since_ns ? picture->until_ns - picture->since_ns : 1;
    buf__clear(message);
    put_sample_type(otlp);
    for (size_t i = 0; i < count; i++)
        put_sample(otlp, &samples[i]);
    protobuf__append_fixed(message, PROFILE_TIME_NS, picture->since_ns ? picture->since_ns : 1);
    protobuf__append_number(message, PROFILE_DURATION_NS, duration_ns);
    put_period(otlp);
    put_id(otlp, samples->resource, number);
    protobuf__append_bytes(profiles, SCOPE_PROFILES_PROFILES, message->data, message->length_bytes);
    return message->failed || otlp->part.failed || profiles->failed ? -ENOMEM : 0;
}

// A profile for each run of samples of one resource.
static int put_profiles(struct otlp *otlp)
{
    const struct sample *samples = otlp->samples;
    uint32_t number = 0;
    int err = 0;
    for (size_t i = 0, next; !err && i < otlp->sample_count; i = next) {
        number = i && samples[i].resource == samples[i - 1].resource ? number + 1 : 0;
        for (next = i + 1; next < otlp->sample_count && samples[next].resource == samples[i].resource &&
                           next - i < LIMIT_OTLP_PROFILE_SAMPLES;)
            next++;
        err = put_profile(otlp, &samples[i], next - i, number);
    }
    return err;
}

static int put_event(struct otlp *otlp, const struct picture *picture)
{
    otlp->picture = picture;
    int err = layout__make(picture->profile, 0, picture->measure, LAYOUT_BY_NAME, &otlp->layout);
    if (err)
        return err;
    size_t depths = (size_t)otlp->layout.depth + 1;
    otlp->locations = calloc(profile__label_count(picture->profile), sizeof(*otlp->locations));
    otlp->path = calloc(depths, sizeof(*otlp->path));
    otlp->stack = calloc(depths, sizeof(*otlp->stack));
    err = otlp->locations && otlp->path && otlp->stack ? gather_samples(otlp) : -ENOMEM;
    if (!err)
        err = put_profiles(otlp);
    otlp__forget_event(otlp);
    return err;
}

// --- The request

static void put_resource(struct otlp *otlp, uint32_t number, struct buf *out)
{
    struct buf *message = &otlp->message, *part = &otlp->part;
    size_t length_bytes;
    const void *bytes = records__of(&otlp->resources, number, &length_bytes);
    _cleanup_(buf__release) struct buf scope = {0};
    protobuf__append_string(&scope, SCOPE_NAME, "hearth");
    if (*HEARTH_VERSION)
        protobuf__append_string(&scope, SCOPE_VERSION, HEARTH_VERSION);
    buf__clear(part);
    protobuf__append_bytes(part, SCOPE_PROFILES_SCOPE, scope.data, scope.length_bytes);
    buf__append(part, otlp->profiles[number].data, otlp->profiles[number].length_bytes);
    buf__clear(message);
    protobuf__append_bytes(message, RESOURCE_PROFILES_RESOURCE, bytes, length_bytes);
    protobuf__append_bytes(message, RESOURCE_PROFILES_SCOPES, part->data, part->length_bytes);
    protobuf__append_bytes(out, REQUEST_RESOURCE_PROFILES, message->data, message->length_bytes);
    out->failed |= scope.failed || part->failed || message->failed;
}

static int put_request(struct otlp *otlp, FILE *file)
{
    _cleanup_(buf__release) struct buf out = {0}, dictionary = {0};
    for (uint32_t i = 0; i < otlp->resources.count; i++)
        put_resource(otlp, i, &out);
    int err = otlp_dictionary__append(otlp->dictionary, &dictionary);
    protobuf__append_bytes(&out, REQUEST_DICTIONARY, dictionary.data, dictionary.length_bytes);
    if (err || out.failed)
        return -ENOMEM;
    fwrite(out.data, 1, out.length_bytes, file);
    return 0;
}

static int write_otlp(const struct picture *picture, FILE *file, struct fault *fault)
{
    (void)fault;
    _cleanup_(otlp__release) struct otlp otlp = {0};
    int err = otlp_dictionary__new(&otlp.dictionary);
    if (!err)
        err = put_event(&otlp, picture);
    for (size_t i = 0; !err && i < picture->other_count; i++)
        err = put_event(&otlp, picture->others[i]);
    return err ? err : put_request(&otlp, file);
}

const struct format format_otlp = {
    .name = "otlp",
    .suffixes = (const char *const[]){".otlp", NULL},
    .summary = "OpenTelemetry's profiles, as opentelemetry-proto 1.11 has them (v1development)",
    .subject = FORMAT_FRAMES,
    .group = &group_of_instances,
    .is_binary = true,
    .holds_events = true,
    .is_unbounded = true,
    .write = write_otlp,
};

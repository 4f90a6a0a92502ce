#include "report/profile/profile.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "report/text/strings.h"
#include "report/text/text.h"
#include "store/base/cleanup.h"
#include "store/base/grow.h"
#include "store/base/hash.h"
#include "store/base/wide.h"

#define SIDES_MAX 2u

// Open addressing: the number of a node or label + 1, at its hash; 0 is free.
struct slots {
    uint32_t *at;
    uint32_t count; // a power of two, at least twice what is in it
};

struct profile {
    struct profile_options options;
    struct strings *strings;
    struct label *labels;
    uint32_t label_count, label_capacity;
    struct slots label_slots;
    uint32_t *parents, *node_labels;
    struct profile_weight *selves[SIDES_MAX];
    uint32_t node_count, node_capacity;
    struct slots node_slots;
    struct buf scratch;
};

static uint32_t label_hash(const struct label *label)
{
    uint64_t hash = hash__pair((uintptr_t)label->name, (uintptr_t)label->module);
    return (uint32_t)hash__pair(hash, (uint64_t)label->frame << 8 | (uint64_t)label->kind << 1 | label->inlined);
}

static uint32_t node_hash(uint32_t parent, uint32_t label)
{
    return (uint32_t)hash__mix((uint64_t)parent << 32 | label);
}

static int new_slots(uint32_t count, struct slots *ret_slots)
{
    uint32_t *at = calloc(count, sizeof(*at));
    if (!at)
        return -ENOMEM;
    *ret_slots = (struct slots){at, count};
    return 0;
}

static void put_slot(struct slots *slots, uint32_t hash, uint32_t number)
{
    uint32_t slot = hash & (slots->count - 1);
    while (slots->at[slot])
        slot = (slot + 1) & (slots->count - 1);
    slots->at[slot] = number + 1;
}

static int grow_labels(struct profile *profile)
{
    uint32_t capacity = profile->label_capacity ? profile->label_capacity * 2 : 256;
    if (RESIZE(profile->labels, capacity) != 0)
        return -ENOMEM;
    struct slots slots;
    int err = new_slots(capacity * 2, &slots);
    if (err)
        return err;
    for (uint32_t i = 0; i < profile->label_count; i++)
        put_slot(&slots, label_hash(&profile->labels[i]), i);
    free(profile->label_slots.at);
    profile->label_slots = slots;
    profile->label_capacity = capacity;
    return 0;
}

static int resize_nodes(struct profile *profile, uint32_t capacity)
{
    if (RESIZE(profile->parents, capacity) != 0 || RESIZE(profile->node_labels, capacity) != 0)
        return -ENOMEM;
    for (unsigned side = 0; side < profile->options.sides; side++)
        if (RESIZE(profile->selves[side], capacity) != 0)
            return -ENOMEM;
    struct slots slots;
    int err = new_slots(capacity * 2, &slots);
    if (err)
        return err;
    for (uint32_t i = 1; i < profile->node_count; i++)
        put_slot(&slots, node_hash(profile->parents[i], profile->node_labels[i]), i);
    free(profile->node_slots.at);
    profile->node_slots = slots;
    profile->node_capacity = capacity;
    return 0;
}

static int grow_nodes(struct profile *profile)
{
    if (profile->node_capacity > UINT32_MAX / 8)
        return -EOVERFLOW;
    return resize_nodes(profile, profile->node_capacity ? profile->node_capacity * 2 : 1024);
}

int profile__reserve(struct profile *profile, uint32_t more)
{
    uint32_t capacity = profile->node_capacity;
    while (capacity - profile->node_count < more && capacity <= UINT32_MAX / 8)
        capacity *= 2;
    return capacity > profile->node_capacity ? resize_nodes(profile, capacity) : 0;
}

static int add_node(struct profile *profile, uint32_t parent, uint32_t label, uint32_t *ret_node)
{
    uint32_t node = profile->node_count++;
    profile->parents[node] = parent;
    profile->node_labels[node] = label;
    for (unsigned side = 0; side < profile->options.sides; side++)
        profile->selves[side][node] = (struct profile_weight){0};
    *ret_node = node;
    return 0;
}

static int start(struct profile *profile)
{
    int err = strings__new(&profile->strings);
    if (!err)
        err = grow_labels(profile);
    if (!err)
        err = grow_nodes(profile);
    uint32_t all;
    if (!err)
        err = profile__keep_label(profile, &(struct label){.name = "all", .kind = LABEL_ROOT}, &all);
    return err ? err : add_node(profile, 0, all, &all);
}

DEFINE_CLEANUP(struct profile *, profile__free);

int profile__new(const struct profile_options *options, struct profile **ret_profile)
{
    _cleanup_(profile__freep) struct profile *profile = calloc(1, sizeof(*profile));
    if (!profile)
        return -ENOMEM;
    profile->options = *options;
    if (!profile->options.sides)
        profile->options.sides = 1;
    if (profile->options.sides > SIDES_MAX)
        return -EINVAL;
    int err = start(profile);
    if (err)
        return err;
    *ret_profile = take_pointer(profile);
    return 0;
}

void profile__free(struct profile *profile)
{
    if (!profile)
        return;
    strings__free(profile->strings);
    free(profile->labels);
    free(profile->label_slots.at);
    free(profile->parents);
    free(profile->node_labels);
    for (unsigned side = 0; side < SIDES_MAX; side++)
        free(profile->selves[side]);
    free(profile->node_slots.at);
    buf__release(&profile->scratch);
    free(profile);
}

const struct profile_options *profile__options(const struct profile *profile)
{
    return &profile->options;
}

const struct group *profile__group(const struct profile *profile)
{
    return profile->options.group ? profile->options.group : &group_of_comms;
}

static int keep_clean(struct profile *profile, const char *text, const char **ret_kept)
{
    buf__clear(&profile->scratch);
    safe_text__append(&profile->scratch, text ? text : "");
    buf__append_byte(&profile->scratch, '\0');
    if (profile->scratch.failed)
        return -ENOMEM;
    return strings__keep(profile->strings, (const char *)profile->scratch.data, ret_kept);
}

static void widen_lines(struct label *label, const struct label *seen)
{
    if (!*label->file)
        label->file = seen->file;
    if (!seen->line_first || strcmp(label->file, seen->file) != 0)
        return;
    if (!label->line_first || seen->line_first < label->line_first)
        label->line_first = seen->line_first;
    if (seen->line_last > label->line_last)
        label->line_last = seen->line_last;
}

static bool same_label(const struct label *a, const struct label *b)
{
    return a->name == b->name && a->module == b->module && a->kind == b->kind && a->inlined == b->inlined &&
           a->frame == b->frame;
}

int profile__keep_label(struct profile *profile, const struct label *label, uint32_t *ret_label)
{
    if (profile->label_count == profile->label_capacity && grow_labels(profile))
        return -ENOMEM;
    struct label kept = *label;
    int err = keep_clean(profile, label->name, &kept.name);
    if (!err)
        err = keep_clean(profile, label->module, &kept.module);
    if (!err)
        err = keep_clean(profile, label->file, &kept.file);
    if (err)
        return err;
    uint32_t mask = profile->label_slots.count - 1, slot = label_hash(&kept) & mask;
    for (; profile->label_slots.at[slot]; slot = (slot + 1) & mask) {
        struct label *known = &profile->labels[profile->label_slots.at[slot] - 1];
        if (!same_label(known, &kept))
            continue;
        widen_lines(known, &kept);
        *ret_label = profile->label_slots.at[slot] - 1;
        return 0;
    }
    profile->label_slots.at[slot] = profile->label_count + 1;
    profile->labels[profile->label_count] = kept;
    *ret_label = profile->label_count++;
    return 0;
}

int profile__child(struct profile *profile, uint32_t parent, uint32_t label, uint32_t *ret_node)
{
    if (profile->node_count == profile->node_capacity) {
        int err = grow_nodes(profile);
        if (err)
            return err;
    }
    uint32_t mask = profile->node_slots.count - 1, slot = node_hash(parent, label) & mask;
    for (; profile->node_slots.at[slot]; slot = (slot + 1) & mask) {
        uint32_t node = profile->node_slots.at[slot] - 1;
        if (profile->parents[node] == parent && profile->node_labels[node] == label) {
            *ret_node = node;
            return 0;
        }
    }
    profile->node_slots.at[slot] = profile->node_count + 1;
    return add_node(profile, parent, label, ret_node);
}

void profile__count(struct profile *profile, unsigned side, uint32_t node, uint64_t samples, uint64_t value)
{
    struct profile_weight *self = &profile->selves[side][node];
    self->samples += samples;
    self->value = saturated_sum(self->value, value);
}

uint32_t profile__node_count(const struct profile *profile)
{
    return profile->node_count;
}

uint32_t profile__label_count(const struct profile *profile)
{
    return profile->label_count;
}

uint32_t profile__parent(const struct profile *profile, uint32_t node)
{
    return profile->parents[node];
}

uint32_t profile__label_of(const struct profile *profile, uint32_t node)
{
    return profile->node_labels[node];
}

const struct label *profile__label(const struct profile *profile, uint32_t label)
{
    return &profile->labels[label];
}

const struct profile_weight *profile__self(const struct profile *profile, unsigned side, uint32_t node)
{
    return &profile->selves[side][node];
}

struct profile_weight profile__total(const struct profile *profile, unsigned side)
{
    struct profile_weight total = {0};
    for (uint32_t node = 0; node < profile->node_count; node++) {
        total.samples += profile->selves[side][node].samples;
        total.value = saturated_sum(total.value, profile->selves[side][node].value);
    }
    return total;
}

#include "report/profile/collapse.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/base/cleanup.h"

DEFINE_CLEANUP(struct profile *, profile__free);

#define NAME_BYTES 4096 // of a binary's file name and two brackets

int collapse__option(const char *text, void *target, struct fault *fault)
{
    enum collapse_by *by = target;
    if (strcmp(text, "binary") != 0 && strcmp(text, "file") != 0)
        return fault__set(fault, -EINVAL, "'%s' is neither binary nor file", text);
    *by = strcmp(text, "binary") == 0 ? COLLAPSE_BINARY : COLLAPSE_FILE;
    return 0;
}

const char *collapse__words(enum collapse_by by)
{
    return by == COLLAPSE_BINARY ? "by binary" : by == COLLAPSE_FILE ? "by source file" : "";
}

// A name that has brackets of its own ("[kernel]") keeps them alone.
static void put_brackets(const char *module, char ret_name[NAME_BYTES])
{
    if (*module == '[')
        snprintf(ret_name, NAME_BYTES, "%s", module);
    else
        snprintf(ret_name, NAME_BYTES, "[%.*s]", NAME_BYTES - 3, module);
}

// The label that a label is put together into.
static int keep_label(struct profile *made, enum collapse_by by, const struct label *label, uint32_t *ret_label)
{
    char name[NAME_BYTES];
    struct label kept = {.name = label->module, .module = label->module, .file = "", .kind = label->kind};
    bool has_file = by == COLLAPSE_FILE && *label->file;
    if (label->kind == LABEL_ROOT || label->kind == STORE_BINARY_MARK || (!*label->module && !has_file))
        return profile__keep_label(made, label, ret_label);
    if (has_file) {
        kept.name = kept.file = label->file;
        kept.module = "";
    } else if (by == COLLAPSE_FILE) {
        put_brackets(label->module, name);
        kept.name = name;
    }
    return profile__keep_label(made, &kept, ret_label);
}

static int keep_labels(enum collapse_by by, const struct profile *profile, struct profile *made, uint32_t *labels)
{
    int err = 0;
    for (uint32_t i = 1; !err && i < profile__label_count(profile); i++)
        err = keep_label(made, by, profile__label(profile, i), &labels[i]);
    return err;
}

static int copy_node(const struct profile *profile, uint32_t node, uint32_t label, uint32_t *places,
                     struct profile *made)
{
    uint32_t place = places[profile__parent(profile, node)];
    int err = place && profile__label_of(made, place) == label ? 0 : profile__child(made, place, label, &place);
    if (err)
        return err;
    places[node] = place;
    for (unsigned side = 0; side < profile__options(profile)->sides; side++) {
        const struct profile_weight *self = profile__self(profile, side, node);
        profile__count(made, side, place, self->samples, self->value);
    }
    return 0;
}

int collapse__apply(enum collapse_by by, const struct profile *profile, struct profile **ret_profile)
{
    _cleanup_(profile__freep) struct profile *made = NULL;
    uint32_t count = profile__node_count(profile);
    _cleanup_free_ uint32_t *labels = calloc(profile__label_count(profile), sizeof(*labels));
    _cleanup_free_ uint32_t *places = calloc(count, sizeof(*places));
    if (!labels || !places)
        return -ENOMEM;
    int err = profile__new(profile__options(profile), &made);
    if (!err)
        err = keep_labels(by, profile, made, labels);
    for (uint32_t node = 1; !err && node < count; node++)
        err = copy_node(profile, node, labels[profile__label_of(profile, node)], places, made);
    if (err)
        return err;
    *ret_profile = take_pointer(made);
    return 0;
}

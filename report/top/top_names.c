#include "report/top/top_names.h"

#include <stdlib.h>
#include <string.h>

#include "store/base/buf.h"
#include "store/base/cleanup.h"
#include "store/base/hash.h"

#define STACK_BYTES 800 // a terminal of 400 columns, with room for characters of two bytes

static void append_label(struct buf *buf, const struct label *label)
{
    buf__append_string(buf, label->name);
    if (label->inlined)
        buf__append_string(buf, " [inlined]");
}

// As a string of its own; NULL: no memory.
static char *take_text(struct buf *buf)
{
    buf__append_byte(buf, '\0');
    return buf->failed ? NULL : strdup((const char *)buf->data);
}

char *top_names__of_label(const struct label *label)
{
    _cleanup_(buf__release) struct buf buf = {0};
    append_label(&buf, label);
    return take_text(&buf);
}

char *top_names__of_stack(const struct profile *profile, uint32_t node)
{
    _cleanup_(buf__release) struct buf buf = {0};
    for (uint32_t at = node; at && buf.length_bytes < STACK_BYTES; at = profile__parent(profile, at)) {
        const struct label *label = profile__label(profile, profile__label_of(profile, at));
        if (label->kind == LABEL_ROOT && at != node)
            break;
        if (at != node)
            buf__append_string(&buf, " < ");
        append_label(&buf, label);
    }
    return take_text(&buf);
}

const char *top_names__root_of(const struct profile *profile, uint32_t node)
{
    while (profile__parent(profile, node))
        node = profile__parent(profile, node);
    return profile__label(profile, profile__label_of(profile, node))->name;
}

static uint64_t hash_word(const char *text)
{
    return hash__text(text, strlen(text));
}

uint64_t top_names__id_of_label(const struct label *label)
{
    uint64_t what = (uint64_t)label->kind << 1 | label->inlined;
    return hash__pair(hash__pair(hash_word(label->name), hash_word(label->module)), what) | 1;
}

// Of any root: the same stack in two processes is two rows, which have their roots among their names.
uint64_t top_names__id_of_stack(const struct profile *profile, uint32_t node)
{
    uint64_t id = 0;
    for (; node; node = profile__parent(profile, node))
        id = hash__pair(id, top_names__id_of_label(profile__label(profile, profile__label_of(profile, node))));
    return id | 1;
}

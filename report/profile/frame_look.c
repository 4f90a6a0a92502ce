#include "report/profile/frame_look.h"

static const struct frame_look root = {"root", 'r', "", "", "comm or thread", 35, 0, 9};
static const struct frame_look inlined = {"inlined", 'i', "_[i]", " [inlined]", "inlined", 52, 4, 76};

static const struct frame_look of_kinds[] = {
#define FRAME_KIND(name, number, sql, resolver, ...) [STORE_BINARY_##name] = {__VA_ARGS__},
#include "store/frame_kinds.def"
#undef FRAME_KIND
};

const struct frame_look *frame_look__of_kind(uint32_t kind)
{
    return kind == LABEL_ROOT ? &root : &of_kinds[kind < STORE_BINARY_COUNT ? kind : STORE_BINARY_ELF];
}

const struct frame_look *frame_look__of(const struct label *label)
{
    return label->inlined ? &inlined : frame_look__of_kind(label->kind);
}

size_t frame_look__list(const struct frame_look *ret_looks[FRAME_LOOKS_MAX])
{
    size_t count = 0;
    ret_looks[count++] = &root;
    for (uint32_t kind = 0; kind < STORE_BINARY_COUNT; kind++) {
        if (of_kinds[kind].legend)
            ret_looks[count++] = &of_kinds[kind];
        if (kind == STORE_BINARY_ELF)
            ret_looks[count++] = &inlined;
    }
    return count;
}

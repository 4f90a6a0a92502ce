#include "report/imports/kind_suffix.h"

#include <stddef.h>
#include <string.h>

static const struct {
    enum store_binary_kind kind;
    const char *folded, *spoken;
} kinds[] = {
#define FRAME_KIND(name, number, sql, resolver, word, letter, suffix, spoken, ...)                                     \
    {STORE_BINARY_##name, suffix, spoken},
#include "store/frame_kinds.def"
#undef FRAME_KIND
};

bool kind_suffix__cut(char *name, const char *suffix)
{
    size_t length = strlen(name), suffix_length = strlen(suffix);
    if (!suffix_length || length <= suffix_length || strcmp(name + length - suffix_length, suffix) != 0)
        return false;
    name[length - suffix_length] = '\0';
    return true;
}

enum store_binary_kind kind_suffix__cut_folded(char *name)
{
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (kind_suffix__cut(name, kinds[i].folded))
            return kinds[i].kind;
    return STORE_BINARY_ELF;
}

enum store_binary_kind kind_suffix__cut_spoken(char *name)
{
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (kind_suffix__cut(name, kinds[i].spoken))
            return kinds[i].kind;
    return STORE_BINARY_ELF;
}

#include "report/formats/formats.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "report/text/text.h"
#include "store/base/options.h"

const struct format *const formats[] = {
#define FORMAT(name) &format_##name,
#include "report/formats/formats.def"
#undef FORMAT
    NULL,
};

const struct format *formats__named(const char *name)
{
    for (size_t i = 0; formats[i]; i++)
        if (strcmp(formats[i]->name, name) == 0)
            return formats[i];
    return NULL;
}

const struct format *formats__of_file(const char *path)
{
    const struct format *best = NULL;
    size_t best_length = 0;
    for (size_t i = 0; formats[i]; i++)
        for (const char *const *suffix = formats[i]->suffixes; *suffix; suffix++)
            if (text__ends_with(path, *suffix) && strlen(*suffix) > best_length) {
                best = formats[i];
                best_length = strlen(*suffix);
            }
    return best;
}

int formats__unknown(const char *name, struct fault *fault)
{
    const char *names[sizeof(formats) / sizeof(formats[0])];
    char list[256] = "";
    for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
        names[i] = formats[i] ? formats[i]->name : NULL;
        if (!names[i])
            break;
        size_t used = strlen(list);
        snprintf(list + used, sizeof(list) - used, "%s%s", i ? ", " : "", names[i]);
    }
    const char *near = options__nearest(name, names);
    if (near)
        return fault__set_code(fault, EXIT_CODE_USAGE, -EINVAL, "unknown format '%s'; did you mean '%s'?", name, near);
    return fault__set_code(fault, EXIT_CODE_USAGE, -EINVAL, "unknown format '%s'; there are %s", name, list);
}

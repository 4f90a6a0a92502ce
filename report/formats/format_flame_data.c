// The data of the flame graph's page by itself: see flame_data.h.
#include "report/formats/flame_data.h"

static int write_flame_data(const struct picture *picture, FILE *file, struct fault *fault)
{
    (void)fault;
    int err = flame_data__put(picture, file);
    fputc('\n', file);
    return err;
}

const struct format format_flame_data = {
    .name = "flame-data",
    .suffixes = (const char *const[]){".flame.json", NULL},
    .summary = "the data of the interactive flame graph alone",
    .compares = true,
    .holds_threads = true,
    .shows_losses = true,
    .write = write_flame_data,
};

// Histograms of the range, as `hearth hist` prints them live: text, or JSON where the file is named so.
#include <string.h>

#include "report/format.h"

static bool wants_json(const char *output)
{
    size_t length = strlen(output);
    return length > 5 && strcmp(output + length - 5, ".json") == 0;
}

static int write_hist(const struct picture *picture, FILE *file, struct fault *fault)
{
    (void)fault;
    if (wants_json(picture->output)) {
        histogram_list__put_json(picture->histograms, file);
        return 0;
    }
    for (size_t i = 0; i < picture->histograms->count; i++) {
        fputs(i ? "\n" : "", file);
        histogram__put_text(picture->histograms->items[i], file);
    }
    return 0;
}

const struct format format_hist = {
    .name = "hist",
    .suffixes = (const char *const[]){".hist", ".hist.json", NULL},
    .summary = "the histogram of an event with buckets: text, or JSON when FILE ends in .json",
    .subject = FORMAT_HISTOGRAMS,
    .write = write_hist,
};

// Histograms of the range, as `hearth hist` prints them live: text, or JSON or SVG where the file is named so.
#include <string.h>

#include "report/formats/format.h"
#include "report/histograms/histogram_pictures.h"

static bool is_named(const char *output, const char *suffix)
{
    size_t length = strlen(output), suffix_length = strlen(suffix);
    return length > suffix_length && strcmp(output + length - suffix_length, suffix) == 0;
}

static void put_texts(const struct histogram_list *list, FILE *file)
{
    for (size_t i = 0; i < list->count; i++) {
        fputs(i ? "\n" : "", file);
        histogram__put_text(list->items[i], file);
    }
}

static int write_hist(const struct picture *picture, FILE *file, struct fault *fault)
{
    (void)fault;
    if (is_named(picture->output, ".json"))
        histogram_list__put_json(picture->histograms, file);
    else if (is_named(picture->output, ".svg"))
        histogram_list__put_svg(picture->histograms, file);
    else
        put_texts(picture->histograms, file);
    return 0;
}
const struct format format_hist = {
    .name = "hist",
    .suffixes = (const char *const[]){".hist", ".hist.json", ".hist.svg", NULL},
    .summary = "the histogram of an event with buckets: text, or JSON or SVG as FILE is named",
    .subject = FORMAT_HISTOGRAMS,
    .write = write_hist,
};

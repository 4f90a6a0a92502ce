// The flame graph: report/web/page.html with its style, scripts and data in it; one file that loads nothing.
#include <string.h>

#include "report/formats/flame_data.h"
#include "report/formats/format.h"
#include "report/formats/web.h"
#include "report/text/text.h"

// Fills one {{place}} of the page.
static int put_place(const struct picture *picture, const char *name, size_t length, FILE *file)
{
    if (length == 5 && strncmp(name, "title", length) == 0)
        text__put_markup(file, picture->title);
    if (length == 4 && strncmp(name, "data", length) == 0)
        return flame_data__put(picture, file);
    for (const struct web_file *part = web_files; part->name; part++)
        if (strlen(part->name) == length && strncmp(part->name, name, length) == 0)
            fwrite(part->start, 1, (size_t)(part->end - part->start), file);
    return 0;
}

static int write_flame(const struct picture *picture, FILE *file, struct fault *fault)
{
    (void)fault;
    int err = 0;
    const char *at = web_page_start;
    for (const char *open; !err && (open = strstr(at, "{{")); at = strstr(open, "}}") + 2) {
        fwrite(at, 1, (size_t)(open - at), file);
        err = put_place(picture, open + 2, (size_t)(strstr(open, "}}") - open - 2), file);
    }
    fwrite(at, 1, (size_t)(web_page_end - at), file);
    return err;
}

const struct format format_flame = {
    .name = "flame",
    .suffixes = (const char *const[]){".html", NULL},
    .summary = "the interactive flame graph: one HTML file that loads nothing",
    .compares = true,
    .shows_losses = true,
    .of_buckets = &format_hist_html,
    .write = write_flame,
};

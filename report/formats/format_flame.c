// The flame graph: report/web/page.html with its style, scripts and data in it; one file that loads nothing.
#include <string.h>

#include "report/formats/flame_data.h"
#include "report/formats/format.h"
#include "report/formats/web.h"
#include "report/text/text.h"

static int put_others(const struct picture *picture, FILE *file)
{
    int err = 0;
    for (size_t i = 0; !err && i < picture->other_count; i++) {
        fputs("<script type=\"application/json\" class=\"event\">", file);
        err = flame_data__put(picture->others[i], file);
        fputs("</script>\n", file);
    }
    return err;
}

static int put_place(const char *name, const void *context, FILE *file)
{
    const struct picture *picture = context;
    if (strcmp(name, "data") == 0)
        return flame_data__put(picture, file);
    if (strcmp(name, "others") == 0)
        return put_others(picture, file);
    if (strcmp(name, "title") == 0)
        text__put_markup(file, picture->title);
    return 0;
}

static int write_flame(const struct picture *picture, FILE *file, struct fault *fault)
{
    (void)fault;
    return web__put_page(web_page_start, web_page_end, put_place, picture, file);
}

const struct format format_flame = {
    .name = "flame",
    .suffixes = (const char *const[]){".html", NULL},
    .summary = "the interactive flame graph: one HTML file that loads nothing",
    .compares = true,
    .holds_events = true,
    .holds_threads = true,
    .shows_losses = true,
    .of_buckets = &format_hist_html,
    .write = write_flame,
};

// A histogram over time: report/web/heatmap.html with its style, scripts and data in it, one file that loads nothing;
// or a drawing without scripts.
#include <string.h>

#include "report/formats/format.h"
#include "report/formats/web.h"
#include "report/histograms/heatmap_svg.h"
#include "report/text/text.h"

static void put_losses(const struct loss_list *losses, FILE *file)
{
    char words[160];
    loss_list__print(losses, words, sizeof(words));
    if (!*words)
        return;
    fputs("Lost: ", file);
    text__put_markup(file, words);
}

static int put_place(const char *name, const void *context, FILE *file)
{
    const struct picture *picture = context;
    char range[FORMAT_RANGE_BYTES];
    format__range(picture, range);
    if (strcmp(name, "data") == 0)
        heatmap__put_json(picture->heatmap, file);
    else if (strcmp(name, "title") == 0)
        text__put_markup(file, picture->title);
    else if (strcmp(name, "range") == 0)
        text__put_markup(file, range);
    else if (strcmp(name, "losses") == 0)
        put_losses(picture->losses, file);
    return 0;
}

static int write_heatmap_svg(const struct picture *picture, FILE *file, struct fault *fault)
{
    char range[FORMAT_RANGE_BYTES], losses[160];
    (void)fault;
    format__range(picture, range);
    loss_list__print(picture->losses, losses, sizeof(losses));
    return heatmap_svg__put(
        &(struct heatmap_drawing){
            .heatmap = picture->heatmap, .title = picture->title, .range = range, .losses = losses},
        file);
}

static int write_heatmap(const struct picture *picture, FILE *file, struct fault *fault)
{
    if (text__ends_with(picture->output, ".svg"))
        return write_heatmap_svg(picture, file, fault);
    return web__put_page(web_heatmap_page_start, web_heatmap_page_end, put_place, picture, file);
}

const struct format format_heatmap = {
    .name = "heatmap",
    .suffixes = (const char *const[]){".heatmap.html", NULL},
    .summary =
        "the histogram of an event with buckets over time: one HTML file that loads nothing, or SVG as FILE is named",
    .subject = FORMAT_HEATMAP,
    .shows_losses = true,
    .write = write_heatmap,
};

const struct format format_heatmap_svg = {
    .name = "heatmap-svg",
    .suffixes = (const char *const[]){".heatmap.svg", NULL},
    .summary = "the histogram over time as a drawing",
    .subject = FORMAT_HEATMAP,
    .shows_losses = true,
    .write = write_heatmap_svg,
};

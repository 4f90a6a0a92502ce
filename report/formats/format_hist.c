// Histograms of the range, as `hearth hist` prints them live: text, or JSON, SVG or a page where the file is named so.
#include "report/formats/format.h"
#include "report/histograms/histogram_view.h"
#include "report/text/text.h"

static int put(const struct picture *picture, int (*put_view)(const struct histogram_view *view, FILE *file),
               FILE *file)
{
    char range[FORMAT_RANGE_BYTES];
    format__range(picture, range);
    const struct histogram_view view = {
        .list = picture->histograms,
        .before = picture->before ? picture->before->histograms : NULL,
        .name = picture->before ? picture->before->after_name : NULL,
        .before_name = picture->before ? picture->before->name : NULL,
        .title = picture->title,
        .range = range,
    };
    return put_view(&view, file);
}

static int write_hist(const struct picture *picture, FILE *file, struct fault *fault)
{
    static const struct {
        const char *suffix;
        int (*put)(const struct histogram_view *view, FILE *file);
    } kinds[] = {
        {".json", histogram_view__put_json}, {".svg", histogram_view__put_svg}, {".html", histogram_view__put_html}};
    (void)fault;
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (text__ends_with(picture->output, kinds[i].suffix))
            return put(picture, kinds[i].put, file);
    return put(picture, histogram_view__put_text, file);
}

static int write_hist_svg(const struct picture *picture, FILE *file, struct fault *fault)
{
    (void)fault;
    return put(picture, histogram_view__put_svg, file);
}

static int write_hist_html(const struct picture *picture, FILE *file, struct fault *fault)
{
    (void)fault;
    return put(picture, histogram_view__put_html, file);
}

const struct format format_hist = {
    .name = "hist",
    .suffixes = (const char *const[]){".hist", ".hist.json", NULL},
    .summary = "the histogram of an event with buckets: text, or JSON, SVG or a page as FILE is named",
    .subject = FORMAT_HISTOGRAMS,
    .compares = true,
    .write = write_hist,
};

const struct format format_hist_svg = {
    .name = "hist-svg",
    .suffixes = (const char *const[]){".hist.svg", NULL},
    .summary = "the histogram as a drawing; svg of a histogram without stacks",
    .subject = FORMAT_HISTOGRAMS,
    .compares = true,
    .write = write_hist_svg,
};

const struct format format_hist_html = {
    .name = "hist-html",
    .suffixes = (const char *const[]){".hist.html", NULL},
    .summary = "the histogram as a page; html of a histogram without stacks",
    .subject = FORMAT_HISTOGRAMS,
    .compares = true,
    .write = write_hist_html,
};

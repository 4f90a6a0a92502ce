// Histograms as a page: the drawings, each with its buckets as a table. No script; the policy allows none, and nothing
// is loaded. A drawing stands there twice, for wide and for narrow windows, so that its letters keep their size.
#include <inttypes.h>

#include "report/histograms/histogram_view_insides.h"
#include "report/text/text.h"
#include "store/base/cleanup.h"

#define WIDE   760u
#define NARROW 370u

static const char page_style[] =
    ":root{color-scheme:light dark}body{margin:0;background:#fbfaf8;color:#1f1d1a;"
    "font:13px/1.4 system-ui,\"Segoe UI\",\"Noto Sans\",\"DejaVu Sans\",sans-serif}"
    "header{padding:7px 12px;background:#f1efeb;border-bottom:1px solid #d9d5cd}"
    "h1{margin:0;font-size:15px;overflow-wrap:anywhere}p{margin:0;color:#6b665e;font-size:12px}"
    "main{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(370px,100%),1fr));gap:12px;padding:8px}"
    "main.alone{display:block}figure{margin:0;min-width:0}svg{display:block;max-width:100%;height:auto}"
    "main.alone .narrow{display:none}details{padding:0 12px}table{border-collapse:collapse}"
    "td,th{text-align:right;padding:1px 14px 1px 0;font-variant-numeric:tabular-nums}"
    "@media (max-width:780px){main.alone .wide{display:none}main.alone .narrow{display:block}}\n"
    "@media (prefers-color-scheme:dark){body{background:#171615;color:#ebe7e0}"
    "header{background:#211f1d;border-color:#3a3733}p{color:#a29b90}}\n"
    "@media print{figure{break-inside:avoid}}\n";

static void put_drawing(const struct histogram_sheet *sheet, size_t panel, unsigned width, const char *look, FILE *file)
{
    const struct histogram *any = histogram_pair__any(&sheet->pairs.items[panel]);
    fprintf(file, "<svg class=\"%s\" role=\"img\" width=\"%u\" height=\"%u\" viewBox=\"0 0 %u %u\" aria-label=\"", look,
            width, HISTOGRAM_PANEL_HEIGHT, width, HISTOGRAM_PANEL_HEIGHT);
    text__put_markup(file, any->probe);
    fputs(*any->by ? ", " : "", file);
    text__put_markup(file, any->by);
    fputs("\">\n", file);
    histogram_sheet__put_panel(sheet, panel, width, file);
    fputs("</svg>\n", file);
}

static void put_cell(const struct histogram *histogram, uint32_t bucket, FILE *file)
{
    char count[TEXT_AMOUNT_BYTES];
    text__amount(histogram ? histogram->counts[bucket] : 0, "count", count);
    fprintf(file, "<td>%s</td>", count);
}

static void put_table(const struct histogram_sheet *sheet, size_t panel, FILE *file)
{
    const struct histogram_pair *pair = &sheet->pairs.items[panel];
    bool is_difference = sheet->view->before != NULL;
    fprintf(file, "<details><summary>Buckets</summary><table>\n<tr><th>from, to</th>%s</tr>\n",
            is_difference ? "<th>before</th><th>after</th>" : "<th>count</th>");
    for (uint32_t rank = 0; rank < BUCKETS_TOTAL; rank++) {
        uint32_t bucket = bucket__at_rank(rank);
        if (!(pair->now && pair->now->counts[bucket]) && !(pair->before && pair->before->counts[bucket]))
            continue;
        fputs("<tr><td>", file);
        histogram_panel__put_bucket(histogram_pair__any(pair)->unit, bucket, file);
        fputs("</td>", file);
        if (is_difference)
            put_cell(pair->before, bucket, file);
        put_cell(pair->now, bucket, file);
        fputs("</tr>\n", file);
    }
    fputs("</table></details>\n", file);
}

static void put_header(const struct histogram_view *view, FILE *file)
{
    const char *title = view->title ? view->title : view->list->count ? view->list->items[0]->probe : "histograms";
    fputs(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
        "<meta name=\"viewport\" content=\"width=device-width\">\n<meta name=\"color-scheme\" content=\"light dark\">\n"
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
        "<title>",
        file);
    text__put_markup(file, title);
    fprintf(file, "</title>\n<style>%s%s</style>\n</head>\n<body>\n<header><h1>", page_style, histogram_panel_style);
    text__put_markup(file, title);
    fputs("</h1><p>", file);
    text__put_markup(file, view->range ? view->range : "");
    fputs("</p></header>\n", file);
}

int histogram_view__put_html(const struct histogram_view *view, FILE *file)
{
    _cleanup_(histogram_sheet__release) struct histogram_sheet sheet = {0};
    int err = histogram_sheet__make(view, &sheet);
    if (err)
        return err;
    bool is_alone = sheet.panels <= 1;
    put_header(view, file);
    fprintf(file, "<main%s>\n", is_alone ? " class=\"alone\"" : "");
    for (size_t i = 0; i < sheet.panels; i++) {
        fputs("<figure>\n", file);
        if (is_alone)
            put_drawing(&sheet, i, WIDE, "wide", file);
        put_drawing(&sheet, i, NARROW, "narrow", file);
        put_table(&sheet, i, file);
        fputs("</figure>\n", file);
    }
    fputs("</main>\n", file);
    if (sheet.left_out)
        fprintf(file, "<p>%zu more are not drawn: text and JSON have all</p>\n", sheet.left_out);
    fputs("</body>\n</html>\n", file);
    return 0;
}

// The files of report/web/, put into the binary by the build.
#ifndef HEARTH_REPORT_FORMATS_WEB_H
#define HEARTH_REPORT_FORMATS_WEB_H

#include <stddef.h>
#include <stdio.h>

struct web_file {
    const char *name; // "style", as a page names it: {{style}}
    const char *start, *end;
};

extern const char web_page_start[], web_page_end[];                 // page.html
extern const char web_style_start[], web_style_end[];               // page.css
extern const char web_draw_start[], web_draw_end[];                 // draw.js
extern const char web_heatmap_page_start[], web_heatmap_page_end[]; // heatmap.html
extern const char web_axis_start[], web_axis_end[];                 // serve_axis.js
extern const char web_lanes_start[], web_lanes_end[];               // serve_lanes.js
extern const char web_serve_style_start[], web_serve_style_end[];   // serve.css
extern const struct web_file web_files[]; // what goes into its {{places}}; ended by a NULL name

// Writes a page; put_place fills its {{places}} that are no files of the list.
int web__put_page(const char *start, const char *end,
                  int (*put_place)(const char *name, const void *context, FILE *file), const void *context, FILE *file);

#endif

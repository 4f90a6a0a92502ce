// The files of report/web/, put into the binary by the build.
#ifndef HEARTH_REPORT_FORMATS_WEB_H
#define HEARTH_REPORT_FORMATS_WEB_H

#include <stddef.h>

struct web_file {
    const char *name; // "style", as a page names it: {{style}}
    const char *start, *end;
};

extern const char web_page_start[], web_page_end[];   // page.html
extern const char web_style_start[], web_style_end[]; // page.css
extern const char web_draw_start[], web_draw_end[];   // draw.js
extern const struct web_file web_files[];             // what goes into its {{places}}; ended by a NULL name

#endif

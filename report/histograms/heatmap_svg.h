// A heat map as a drawing without scripts: time to the right, values upwards on a logarithmic axis, a rectangle for
// each bucket of a column that holds values, darker (in the dark: lighter) by the square root of how many. Its cells
// have whole counts, which add up to the histogram's, bucket by bucket; each has its count, bucket and time as <title>.
#ifndef HEARTH_REPORT_HISTOGRAMS_HEATMAP_SVG_H
#define HEARTH_REPORT_HISTOGRAMS_HEATMAP_SVG_H

#include <stdio.h>

#include "report/histograms/heatmap.h"

struct heatmap_drawing {
    const struct heatmap *heatmap;
    const char *title, *range, *losses; // clean; losses "": none
};

// -ENOMEM or 0; write errors are the file's (ferror).
int heatmap_svg__put(const struct heatmap_drawing *drawing, FILE *file);

#endif

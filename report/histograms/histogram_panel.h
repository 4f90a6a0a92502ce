// One histogram drawn, as SVG: a bar for each bucket on a logarithmic axis, the percentiles marked. Of a difference
// both are drawn over each other, as shares. The classes of the shapes are those of histogram_panel__style().
#ifndef HEARTH_REPORT_HISTOGRAMS_HISTOGRAM_PANEL_H
#define HEARTH_REPORT_HISTOGRAMS_HISTOGRAM_PANEL_H

#include <stdbool.h>
#include <stdio.h>

#include "report/histograms/histogram_pairs.h"
#include "report/histograms/value_axis.h"

#define HISTOGRAM_PANEL_HEIGHT 300u

struct histogram_panel {
    const struct histogram_pair *pair;
    const struct value_axis *axis;
    unsigned width; // pixels
    bool is_difference;
    const char *name, *before_name; // of a difference
};

void histogram_panel__put(const struct histogram_panel *panel, FILE *file);
extern const char histogram_panel_style[]; // CSS, for light and dark
// "[1.05 ms, 1.18 ms)"
void histogram_panel__put_bucket(const char *unit, uint32_t bucket, FILE *file);

#endif

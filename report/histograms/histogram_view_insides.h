// All that a drawing of histograms shows: its panels, bounded, and one axis for those of one unit.
#ifndef HEARTH_REPORT_HISTOGRAMS_HISTOGRAM_VIEW_INSIDES_H
#define HEARTH_REPORT_HISTOGRAMS_HISTOGRAM_VIEW_INSIDES_H

#include "report/histograms/histogram_panel.h"
#include "report/histograms/histogram_view.h"

struct histogram_sheet {
    struct histogram_pairs pairs;
    struct value_axis *axes; // of each panel
    size_t panels, left_out; // left out: more than LIMIT_HISTOGRAM_PANELS
    const struct histogram_view *view;
};

int histogram_sheet__make(const struct histogram_view *view, struct histogram_sheet *ret_sheet);
void histogram_sheet__release(struct histogram_sheet *sheet);
void histogram_sheet__put_panel(const struct histogram_sheet *sheet, size_t panel, unsigned width, FILE *file);

#endif

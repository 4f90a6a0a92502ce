#include "report/histograms/histogram_view_insides.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "store/base/limits.h"

static const char *unit_of(const struct histogram_sheet *sheet, size_t panel)
{
    return histogram_pair__any(&sheet->pairs.items[panel])->unit;
}

static void make_axis(struct histogram_sheet *sheet, size_t panel)
{
    struct value_axis axis = value_axis__new(unit_of(sheet, panel));
    for (size_t i = 0; i < sheet->panels; i++) {
        if (strcmp(unit_of(sheet, i), axis.unit) != 0)
            continue;
        value_axis__hold_all(&axis, sheet->pairs.items[i].now);
        value_axis__hold_all(&axis, sheet->pairs.items[i].before);
    }
    value_axis__finish(&axis);
    sheet->axes[panel] = axis;
}

// The axis of a panel before it that has the same unit, else its own.
static void choose_axis(struct histogram_sheet *sheet, size_t panel)
{
    for (size_t i = 0; i < panel; i++)
        if (strcmp(unit_of(sheet, i), unit_of(sheet, panel)) == 0) {
            sheet->axes[panel] = sheet->axes[i];
            return;
        }
    make_axis(sheet, panel);
}

int histogram_sheet__make(const struct histogram_view *view, struct histogram_sheet *ret_sheet)
{
    ret_sheet->view = view;
    int err = histogram_pairs__make(view->list, view->before, &ret_sheet->pairs);
    if (err)
        return err;
    ret_sheet->panels =
        ret_sheet->pairs.count < LIMIT_HISTOGRAM_PANELS ? ret_sheet->pairs.count : LIMIT_HISTOGRAM_PANELS;
    ret_sheet->left_out = ret_sheet->pairs.count - ret_sheet->panels;
    ret_sheet->axes = calloc(ret_sheet->panels + 1, sizeof(*ret_sheet->axes));
    if (!ret_sheet->axes)
        return -ENOMEM;
    for (size_t i = 0; i < ret_sheet->panels; i++)
        choose_axis(ret_sheet, i);
    return 0;
}

void histogram_sheet__release(struct histogram_sheet *sheet)
{
    histogram_pairs__release(&sheet->pairs);
    free(sheet->axes);
}

void histogram_sheet__put_panel(const struct histogram_sheet *sheet, size_t panel, unsigned width, FILE *file)
{
    const struct histogram_panel drawn = {
        .pair = &sheet->pairs.items[panel],
        .axis = &sheet->axes[panel],
        .width = width,
        .is_difference = sheet->view->before != NULL,
        .name = sheet->view->name,
        .before_name = sheet->view->before_name,
    };
    histogram_panel__put(&drawn, file);
}

// Histograms as one drawing: alone as wide as a page, several as small multiples, two in a row.
#include "report/histograms/histogram_view_insides.h"
#include "store/base/cleanup.h"

#define WIDE    760u
#define NARROW  460u
#define COLUMNS 2u
#define FOOT    24u

int histogram_view__put_svg(const struct histogram_view *view, FILE *file)
{
    _cleanup_(histogram_sheet__release) struct histogram_sheet sheet = {0};
    int err = histogram_sheet__make(view, &sheet);
    if (err)
        return err;
    unsigned columns = sheet.panels > 1 ? COLUMNS : 1, panel_width = columns > 1 ? NARROW : WIDE;
    unsigned rows = (unsigned)(sheet.panels + columns - 1) / columns, width = columns * panel_width;
    unsigned height = rows * HISTOGRAM_PANEL_HEIGHT + (sheet.left_out ? FOOT : 0);
    fprintf(file,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%u\" height=\"%u\" viewBox=\"0 0 %u %u\">\n"
            "<style>%s</style>\n<rect class=\"page\" width=\"100%%\" height=\"100%%\"/>\n",
            width, height, width, height, histogram_panel_style);
    for (size_t i = 0; i < sheet.panels; i++) {
        fprintf(file, "<g transform=\"translate(%zu %zu)\">\n", i % columns * panel_width,
                i / columns * HISTOGRAM_PANEL_HEIGHT);
        histogram_sheet__put_panel(&sheet, i, panel_width, file);
        fputs("</g>\n", file);
    }
    if (sheet.left_out)
        fprintf(file, "<text x=\"12\" y=\"%u\">%zu more are not drawn: text and JSON have all</text>\n", height - 8,
                sheet.left_out);
    fputs("</svg>\n", file);
    return 0;
}

// A static flame graph, the root at the bottom: for documents and for viewers without scripts. Frames narrower than
// 0.4 pixels are left out, as are rows far up in which hardly any stack is; hovering tells a frame's whole name and
// share.
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "report/formats/format.h"
#include "report/profile/frame_look.h"
#include "report/text/text.h"
#include "store/base/cleanup.h"
#include "store/base/hash.h"

#define WIDTH           1200.0
#define MARGIN          10.0
#define ROW_HEIGHT      17u
#define HEAD_HEIGHT     64u
#define FOOT_HEIGHT     30u
#define LEAST_WIDTH     0.4
#define DEEP            48u
#define DEEP_SHARE      0.005
#define CHARACTER_WIDTH 7.0 // of a 11.5 px monospaced font, which is 0.6 em wide

static void put_fill(const struct label *label, FILE *file)
{
    const struct frame_look *look = frame_look__of(label);
    double turn = (double)(hash__bytes(label->name, strlen(label->name)) % 8) / 3.5 - 1;
    fprintf(file, "hsl(%.0f,%d%%,%.0f%%)", look->hue + turn * look->spread, look->saturation, 73 + turn * 4.5);
}

static void put_cut(const char *name, size_t room, FILE *file)
{
    _cleanup_(buf__release) struct buf cut = {0};
    text__append_cut(&cut, name, room);
    buf__append_byte(&cut, '\0');
    text__put_markup(file, cut.failed ? "" : (const char *)cut.data);
}

struct canvas {
    const struct picture *picture;
    const struct layout *layout;
    FILE *file;
    uint64_t whole;
    unsigned height;
    uint32_t last_row; // deeper frames are not drawn
    double deep_share; // of all: stacks that are deeper
};

static void put_frame(const struct canvas *canvas, const struct layout_row *row, uint64_t start)
{
    const struct label *label = profile__label(canvas->picture->profile, row->label);
    double scale = (WIDTH - 2 * MARGIN) / (double)canvas->whole;
    double x = MARGIN + (double)start * scale, width = (double)row->total * scale;
    unsigned y = canvas->height - FOOT_HEIGHT - (row->depth + 1) * ROW_HEIGHT;
    char amount[FORMAT_AMOUNT_BYTES];
    format__amount(canvas->picture, row->total, amount);
    fputs("<g><title>", canvas->file);
    text__put_markup(canvas->file, label->name);
    if (*label->module) {
        fputs(" (", canvas->file);
        text__put_markup(canvas->file, label->module);
        fputc(')', canvas->file);
    }
    fprintf(canvas->file, ": %s, %.2f%%</title><rect x=\"%.1f\" y=\"%u\" width=\"%.1f\" height=\"%u\" fill=\"", amount,
            100.0 * (double)row->total / (double)canvas->whole, x, y, width > 2 ? width - 0.5 : width, ROW_HEIGHT - 1);
    put_fill(label, canvas->file);
    fputs("\"/>", canvas->file);
    size_t room = width > 6 ? (size_t)((width - 6) / CHARACTER_WIDTH) : 0;
    if (room >= 3) {
        fprintf(canvas->file, "<text x=\"%.1f\" y=\"%u\">", x + 3, y + 12);
        put_cut(label->name, room, canvas->file);
        fputs("</text>", canvas->file);
    }
    fputs("</g>\n", canvas->file);
}

static bool is_drawn(const struct canvas *canvas, const struct layout_row *row)
{
    return row->depth <= canvas->last_row &&
           (double)row->total * (WIDTH - 2 * MARGIN) >= LEAST_WIDTH * (double)canvas->whole;
}

static int put_frames(const struct canvas *canvas)
{
    // Where the next child begins, by the depth of its parent.
    _cleanup_free_ uint64_t *next = calloc((size_t)canvas->layout->depth + 2, sizeof(*next));
    if (!next)
        return -ENOMEM;
    for (uint32_t i = 0; i < canvas->layout->count; i++) {
        const struct layout_row *row = &canvas->layout->rows[i];
        uint64_t start = next[row->depth];
        next[row->depth] += row->total;
        next[row->depth + 1] = start;
        if (is_drawn(canvas, row))
            put_frame(canvas, row, start);
    }
    return 0;
}

// A few deep stacks do not make the picture high: below the first DEEP rows a row has frames of at least DEEP_SHARE of
// all.
static int choose_rows(struct canvas *canvas)
{
    const struct layout *layout = canvas->layout;
    _cleanup_free_ uint64_t *weights = calloc((size_t)layout->depth + 2, sizeof(*weights)); // of frames drawn, by row
    if (!weights)
        return -ENOMEM;
    canvas->last_row = layout->depth;
    for (uint32_t i = 0; i < layout->count; i++)
        if (is_drawn(canvas, &layout->rows[i]))
            weights[layout->rows[i].depth] = saturated_sum(weights[layout->rows[i].depth], layout->rows[i].total);
    while (canvas->last_row > 0 && !weights[canvas->last_row])
        canvas->last_row--;
    while (canvas->last_row >= DEEP && (double)weights[canvas->last_row] < DEEP_SHARE * (double)canvas->whole)
        canvas->last_row--;
    canvas->deep_share = (double)weights[canvas->last_row + 1] / (double)canvas->whole;
    return 0;
}

static void put_legend(const struct canvas *canvas)
{
    double x = MARGIN;
    const struct frame_look *looks[FRAME_LOOKS_MAX];
    size_t count = frame_look__list(looks);
    for (size_t i = 1; i < count; i++) { // but the roots'
        const struct frame_look *look = looks[i];
        fprintf(canvas->file,
                "<rect x=\"%.0f\" y=\"%u\" width=\"10\" height=\"10\" fill=\"hsl(%d,%d%%,73%%)\"/>"
                "<text x=\"%.0f\" y=\"%u\">%s</text>\n",
                x, canvas->height - 20, look->hue, look->saturation, x + 15, canvas->height - 11, look->legend);
        x += 15 + CHARACTER_WIDTH * (double)strlen(look->legend) + 18;
    }
}

static void put_head(const struct canvas *canvas)
{
    char range[FORMAT_RANGE_BYTES], amount[FORMAT_AMOUNT_BYTES], losses[160];
    format__range(canvas->picture, range);
    format__amount(canvas->picture, canvas->whole, amount);
    loss_list__print(canvas->picture->losses, losses, sizeof(losses));
    fprintf(canvas->file,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%.0f\" height=\"%u\" viewBox=\"0 0 %.0f %u\" "
            "font-family=\"ui-monospace,Menlo,Consolas,'DejaVu Sans Mono',monospace\" font-size=\"11.5\" "
            "fill=\"#1d1a16\">\n<rect width=\"100%%\" height=\"100%%\" fill=\"#fbfaf8\"/>\n"
            "<text x=\"%.0f\" y=\"22\" font-size=\"15\" font-weight=\"bold\">",
            WIDTH, canvas->height, WIDTH, canvas->height, MARGIN);
    text__put_markup(canvas->file, canvas->picture->title);
    fprintf(canvas->file, "</text>\n<text x=\"%.0f\" y=\"40\">%s: %s", MARGIN, range, amount);
    if (canvas->deep_share > 0)
        fprintf(canvas->file, "; %.2f%% of it in stacks deeper than %" PRIu32 " frames, cut there",
                100 * canvas->deep_share, canvas->last_row);
    fputs("</text>\n", canvas->file);
    if (*losses) {
        fprintf(canvas->file, "<text x=\"%.0f\" y=\"56\" fill=\"#7a4a00\">lost: ", MARGIN);
        text__put_markup(canvas->file, losses);
        fputs("</text>\n", canvas->file);
    }
}

static int write_svg(const struct picture *picture, FILE *file, struct fault *fault)
{
    (void)fault;
    _cleanup_(layout__release) struct layout layout = {0};
    int err = layout__make(picture->profile, 0, picture->measure, LAYOUT_BY_NAME, &layout);
    if (err)
        return err;
    struct canvas canvas = {picture, &layout, file, layout.rows[0].total, 0, UINT32_MAX, 0};
    err = choose_rows(&canvas);
    if (err)
        return err;
    canvas.height = HEAD_HEIGHT + (canvas.last_row + 1) * ROW_HEIGHT + FOOT_HEIGHT;
    put_head(&canvas);
    err = put_frames(&canvas);
    put_legend(&canvas);
    fputs("</svg>\n", file);
    return err;
}

const struct format format_svg = {
    .name = "svg",
    .suffixes = (const char *const[]){".svg", NULL},
    .summary = "a static flame graph",
    .shows_losses = true,
    .of_buckets = &format_hist_svg,
    .write = write_svg,
};

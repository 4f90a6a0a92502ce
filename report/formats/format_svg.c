// A static flame graph, the root at the bottom: for documents and for viewers without scripts. Frames narrower than
// 0.4 pixels are left out; hovering tells a frame's whole name and share.
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
#define CHARACTER_WIDTH 7.0 // of a 11.5 px monospaced font, which is 0.6 em wide

static void put_fill(const struct label *label, FILE *file)
{
    const struct frame_look *look = frame_look__of(label);
    double turn = (double)(hash__bytes(label->name, strlen(label->name)) % 8) / 3.5 - 1;
    fprintf(file, "hsl(%.0f,%d%%,%.0f%%)", look->hue + turn * look->spread, look->saturation, 73 + turn * 4.5);
}

// At most `room` characters, the last of them an ellipsis where more were cut.
static void put_cut(const char *name, size_t room, FILE *file)
{
    _cleanup_(buf__release) struct buf cut = {0};
    size_t length = 0;
    for (const char *at = name; *at; length++)
        safe_text__next(&at);
    const char *end = name;
    for (size_t i = 0; i < (length > room ? room - 1 : length); i++)
        safe_text__next(&end);
    buf__append(&cut, name, (size_t)(end - name));
    buf__append_string(&cut, length > room ? "\xe2\x80\xa6" : "");
    buf__append_byte(&cut, '\0');
    text__put_markup(file, cut.failed ? "" : (const char *)cut.data);
}

struct canvas {
    const struct picture *picture;
    const struct layout *layout;
    FILE *file;
    uint64_t whole;
    unsigned height;
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
    return (double)row->total * (WIDTH - 2 * MARGIN) >= LEAST_WIDTH * (double)canvas->whole;
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

static uint32_t deepest_drawn(const struct canvas *canvas)
{
    uint32_t deepest = 0;
    for (uint32_t i = 0; i < canvas->layout->count; i++)
        if (canvas->layout->rows[i].depth > deepest && is_drawn(canvas, &canvas->layout->rows[i]))
            deepest = canvas->layout->rows[i].depth;
    return deepest;
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
    fprintf(canvas->file, "</text>\n<text x=\"%.0f\" y=\"40\">%s: %s</text>\n", MARGIN, range, amount);
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
    struct canvas canvas = {picture, &layout, file, layout.rows[0].total, 0};
    canvas.height = HEAD_HEIGHT + (deepest_drawn(&canvas) + 1) * ROW_HEIGHT + FOOT_HEIGHT;
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
    .write = write_svg,
};

// Folded stacks, the common tongue of flame graphs: a line for each stack, root first, and its weight; of a difference
// two weights, before and after, as difffolded.pl writes them.
//
//   nginx;main;serve;memcpy_[i] 2
//   nginx;[truncated];serve;do_syscall_64_[k] 5
#include <errno.h>
#include <inttypes.h>

#include "report/formats/format.h"
#include "report/profile/frame_look.h"
#include "report/text/text.h"
#include "store/base/cleanup.h"

static void append_label(struct buf *path, const struct label *label)
{
    text__append_folded(path, label->name);
    buf__append_string(path, frame_look__of(label)->suffix);
}

static int write_rows(const struct picture *picture, const struct layout *layout, FILE *file)
{
    _cleanup_(buf__release) struct buf path = {0};
    _cleanup_free_ size_t *ends = calloc((size_t)layout->depth + 1, sizeof(*ends)); // of the path, by depth
    if (!ends)
        return -ENOMEM;
    for (uint32_t i = 1; i < layout->count; i++) {
        const struct layout_row *row = &layout->rows[i];
        path.length_bytes = ends[row->depth - 1];
        if (row->depth > 1)
            buf__append_byte(&path, ';');
        append_label(&path, profile__label(picture->profile, row->label));
        ends[row->depth] = path.length_bytes;
        if (!row->self)
            continue;
        if (path.failed)
            return -ENOMEM;
        fwrite(path.data, 1, path.length_bytes, file);
        if (layout->sides)
            fprintf(file, " %" PRIu64 " %" PRIu64 "\n", layout->sides[i][0], layout->sides[i][1]);
        else
            fprintf(file, " %" PRIu64 "\n", row->self);
    }
    return 0;
}

static int write_folded(const struct picture *picture, FILE *file, struct fault *fault)
{
    (void)fault;
    _cleanup_(layout__release) struct layout layout = {0};
    int err =
        layout__make(picture->profile, picture->before ? LAYOUT_BOTH : 0, picture->measure, LAYOUT_BY_NAME, &layout);
    return err ? err : write_rows(picture, &layout, file);
}

const struct format format_folded = {
    .name = "folded",
    .suffixes = (const char *const[]){".folded", NULL},
    .summary = "a line for each stack, root first, and its count",
    .names_only = true,
    .compares = true,
    .write = write_folded,
};

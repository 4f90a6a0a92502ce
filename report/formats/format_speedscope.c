// speedscope's file format: frames once, and a list of stacks, root first, each with its weight.
//
//   {"shared": {"frames": [{"name": "main", "file": "a.c", "line": 3}]},
//    "profiles": [{"type": "sampled", "unit": "none", "samples": [[0, 1]], "weights": [7], ...}]}
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "report/formats/format.h"
#include "report/profile/frame_look.h"
#include "report/text/text.h"
#include "store/base/cleanup.h"

static void put_frames(const struct profile *profile, FILE *file)
{
    for (uint32_t i = 0; i < profile__label_count(profile); i++) {
        const struct label *label = profile__label(profile, i);
        _cleanup_(buf__release) struct buf name = {0};
        buf__append_string(&name, label->name);
        buf__append_string(&name, frame_look__of(label)->spoken_suffix);
        buf__append_byte(&name, '\0');
        fputs(i ? ",\n{\"name\":" : "\n{\"name\":", file);
        text__put_json(file, name.failed ? label->name : (const char *)name.data);
        if (*label->file) {
            fputs(",\"file\":", file);
            text__put_json(file, label->file);
        } else if (*label->module) {
            fputs(",\"file\":", file);
            text__put_json(file, label->module);
        }
        if (label->line_first)
            fprintf(file, ",\"line\":%" PRIu32, label->line_first);
        fputc('}', file);
    }
}

static int put_samples(const struct layout *layout, FILE *file)
{
    _cleanup_free_ uint32_t *path = calloc((size_t)layout->depth + 1, sizeof(*path)); // labels, by depth
    if (!path)
        return -ENOMEM;
    const char *comma = "\n";
    for (uint32_t i = 1; i < layout->count; i++) {
        const struct layout_row *row = &layout->rows[i];
        path[row->depth] = row->label;
        if (!row->self)
            continue;
        fprintf(file, "%s[", comma);
        for (uint32_t depth = 1; depth <= row->depth; depth++)
            fprintf(file, depth > 1 ? ",%" PRIu32 : "%" PRIu32, path[depth]);
        fputc(']', file);
        comma = ",\n";
    }
    return 0;
}

static void put_weights(const struct layout *layout, FILE *file)
{
    const char *comma = "";
    for (uint32_t i = 1; i < layout->count; i++)
        if (layout->rows[i].self) {
            fprintf(file, "%s%" PRIu64, comma, layout->rows[i].self);
            comma = ",";
        }
}

static const char *unit_of(const struct picture *picture)
{
    return strcmp(picture->unit, "ns") == 0 ? "nanoseconds" : strcmp(picture->unit, "bytes") == 0 ? "bytes" : "none";
}

static int write_speedscope(const struct picture *picture, FILE *file, struct fault *fault)
{
    (void)fault;
    _cleanup_(layout__release) struct layout layout = {0};
    int err = layout__make(picture->profile, 0, picture->measure, LAYOUT_BY_NAME, &layout);
    if (err)
        return err;
    fputs("{\"$schema\":\"https://www.speedscope.app/file-format-schema.json\",\"exporter\":\"hearth " HEARTH_VERSION
          "\",\"name\":",
          file);
    text__put_json(file, picture->title);
    fputs(",\n\"shared\":{\"frames\":[", file);
    put_frames(picture->profile, file);
    fputs("]},\n\"profiles\":[{\"type\":\"sampled\",\"name\":", file);
    text__put_json(file, picture->title);
    fprintf(file, ",\"unit\":\"%s\",\"startValue\":0,\"endValue\":%" PRIu64 ",\n\"samples\":[", unit_of(picture),
            layout.rows[0].total);
    err = put_samples(&layout, file);
    fputs("],\n\"weights\":[", file);
    put_weights(&layout, file);
    fputs("]}]}\n", file);
    return err;
}

const struct format format_speedscope = {
    .name = "speedscope",
    .suffixes = (const char *const[]){".speedscope.json", ".speedscope", NULL},
    .summary = "a file for speedscope's viewer",
    .write = write_speedscope,
};

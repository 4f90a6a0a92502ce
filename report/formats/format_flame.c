// The flame graph: report/web/page.html with its style, scripts and data in it; one file that loads nothing.
//
// The data is a JSON object. Its labels are columns (a name each, a letter for the kind: see KINDS in draw.js); its
// nodes, depth first, are three varints each (levels up from where a child of the node before would be, label, self),
// in base64: about 5 bytes a node. A difference has a fourth one, the self before.
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "report/formats/format.h"
#include "report/formats/web.h"
#include "report/profile/frame_look.h"
#include "report/text/strings.h"
#include "report/text/text.h"
#include "store/base/cleanup.h"
#include "store/base/limits.h"

DEFINE_CLEANUP(struct strings *, strings__free);

static void put_base64(const uint8_t *bytes, size_t length_bytes, FILE *file)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < length_bytes; i += 3) {
        size_t left = length_bytes - i;
        uint32_t word =
            (uint32_t)bytes[i] << 16 | (left > 1 ? (uint32_t)bytes[i + 1] << 8 : 0) | (left > 2 ? bytes[i + 2] : 0);
        putc(digits[word >> 18], file);
        putc(digits[word >> 12 & 63], file);
        putc(left > 1 ? digits[word >> 6 & 63] : '=', file);
        putc(left > 2 ? digits[word & 63] : '=', file);
    }
}

// The labels that are drawn, in the order in which they are first met.
struct used {
    uint32_t *labels;  // of the profile
    uint32_t *numbers; // by the profile's label: number + 1
    uint32_t count;
};

static void used__release(struct used *used)
{
    free(used->labels);
    free(used->numbers);
}

static int find_used(const struct picture *picture, const struct layout *layout, struct used *used)
{
    uint32_t label_count = profile__label_count(picture->profile);
    used->labels = calloc(label_count, sizeof(*used->labels));
    used->numbers = calloc(label_count, sizeof(*used->numbers));
    if (!used->labels || !used->numbers)
        return -ENOMEM;
    for (uint32_t i = 0; i < layout->count; i++) {
        uint32_t label = layout->rows[i].label;
        if (used->numbers[label])
            continue;
        used->labels[used->count++] = label;
        used->numbers[label] = used->count;
    }
    return 0;
}

static int put_nodes(const struct layout *layout, const struct used *used, FILE *file)
{
    _cleanup_(buf__release) struct buf nodes = {0};
    uint32_t child_depth = 0;
    for (uint32_t i = 0; i < layout->count; i++) {
        const struct layout_row *row = &layout->rows[i];
        buf__append_varint(&nodes, child_depth - row->depth);
        buf__append_varint(&nodes, used->numbers[row->label] - 1);
        buf__append_varint(&nodes, layout->sides ? layout->sides[i][1] : row->self);
        if (layout->sides)
            buf__append_varint(&nodes, layout->sides[i][0]);
        child_depth = row->depth + 1;
    }
    if (nodes.failed)
        return -ENOMEM;
    fprintf(file, "\"count\":%" PRIu32 ",\"nodes\":\"", layout->count);
    put_base64(nodes.data, nodes.length_bytes, file);
    fputs("\"", file);
    return 0;
}

static const char *module_of(const struct label *label)
{
    return label->module;
}

static const char *file_of(const struct label *label)
{
    return label->file;
}

// "FIELDs": the distinct strings; "FIELD": for each label, which of them.
static int put_column(const struct picture *picture, const struct used *used, const char *field,
                      const char *(*get)(const struct label *label), FILE *file)
{
    _cleanup_(strings__freep) struct strings *strings = NULL;
    int err = strings__new(&strings);
    fprintf(file, "\"%s\":[", field);
    for (uint32_t i = 0; !err && i < used->count; i++) {
        uint32_t id;
        err = strings__keep_id(strings, get(profile__label(picture->profile, used->labels[i])), &id);
        if (!err)
            fprintf(file, "%s%" PRIu32, i ? "," : "", id);
    }
    if (err)
        return err;
    fprintf(file, "],\n\"%ss\":[", field);
    for (uint32_t i = 0; i < strings__count(strings); i++) {
        fputs(i ? ",\n" : "", file);
        text__put_json(file, strings__of(strings, i));
    }
    fputs("],\n", file);
    return 0;
}

static void put_looks(FILE *file)
{
    const struct frame_look *looks[FRAME_LOOKS_MAX];
    size_t count = frame_look__list(looks);
    for (size_t i = 0; i < count; i++)
        fprintf(file, "%s\"%c\":{\"name\":\"%s\",\"hue\":%d,\"spread\":%d,\"saturation\":%d}", i ? "," : "",
                looks[i]->letter, looks[i]->legend, looks[i]->hue, looks[i]->spread, looks[i]->saturation);
}

static int put_labels(const struct picture *picture, const struct used *used, FILE *file)
{
    fputs("\"names\":[", file);
    for (uint32_t i = 0; i < used->count; i++) {
        fputs(i ? ",\n" : "", file);
        text__put_json(file, profile__label(picture->profile, used->labels[i])->name);
    }
    fputs("],\n\"kinds\":\"", file);
    for (uint32_t i = 0; i < used->count; i++)
        putc(frame_look__of(profile__label(picture->profile, used->labels[i]))->letter, file);
    fputs("\",\n\"looks\":{", file);
    put_looks(file);
    fputs("},\n\"lines\":[", file);
    for (uint32_t i = 0; i < used->count; i++) {
        const struct label *label = profile__label(picture->profile, used->labels[i]);
        fprintf(file, "%s%" PRIu32 ",%" PRIu32, i ? "," : "", label->line_first, label->line_last);
    }
    fputs("],\n", file);
    int err = put_column(picture, used, "module", module_of, file);
    return err ? err : put_column(picture, used, "file", file_of, file);
}

static void put_text(const char *name, const char *text, FILE *file)
{
    _cleanup_free_ char *clean = safe_text__dup(text ? text : "");
    fprintf(file, "\"%s\":", name);
    text__put_json(file, clean ? clean : "");
    fputs(",\n", file);
}

static void put_losses(const struct loss_list *losses, FILE *file)
{
    fputs("\"losses\":[", file);
    for (size_t i = 0; i < losses->count; i++) {
        const struct loss_sum *sum = &losses->sums[i];
        fputs(i ? ",[" : "[", file);
        text__put_json(file, sum->name);
        fprintf(file, ",%" PRIu64 ",", sum->count);
        text__put_json(file, loss_list__meaning(sum->name));
        fputc(']', file);
    }
    fputs("]", file);
}

static void put_before(const struct picture_before *before, FILE *file)
{
    char range[FORMAT_RANGE_BYTES];
    format__span(before->since_ns, before->until_ns, range);
    put_text("afterName", before->after_name, file);
    fputs("\"before\":{", file);
    put_text("name", before->name, file);
    put_text("range", range, file);
    put_losses(before->losses, file);
    fputs("},\n", file);
}

static void put_facts(const struct picture *picture, uint32_t cut, FILE *file)
{
    char range[FORMAT_RANGE_BYTES];
    format__range(picture, range);
    fputs("{", file);
    put_text("range", range, file);
    put_text("unit", picture->unit, file);
    put_text("detail", picture->event->detail, file);
    put_text("kernel", picture->meta->kernel, file);
    put_text("arch", picture->meta->arch, file);
    fprintf(file, "\"period\":%" PRIu64 ",\"cut\":%" PRIu32 ",\"counted\":%s,\n",
            picture->measure == LAYOUT_SAMPLES ? picture->event->period : 0, cut,
            picture->measure == LAYOUT_SAMPLES ? "true" : "false");
    if (picture->before)
        put_before(picture->before, file);
    put_losses(picture->losses, file);
    fputs(",\n", file);
}

static int put_data(const struct picture *picture, FILE *file)
{
    _cleanup_(layout__release) struct layout layout = {0};
    _cleanup_(used__release) struct used used = {0};
    uint32_t cut = 0;
    int err =
        layout__make(picture->profile, picture->before ? LAYOUT_BOTH : 0, picture->measure, LAYOUT_BY_NAME, &layout);
    if (!err)
        err = layout__prune(&layout, LIMIT_FLAME_NODES, &cut);
    if (!err)
        err = find_used(picture, &layout, &used);
    if (err)
        return err;
    put_facts(picture, cut, file);
    err = put_labels(picture, &used, file);
    if (!err)
        err = put_nodes(&layout, &used, file);
    fputs("}", file);
    return err;
}

// Fills one {{place}} of the page.
static int put_place(const struct picture *picture, const char *name, size_t length, FILE *file)
{
    if (length == 5 && strncmp(name, "title", length) == 0)
        text__put_markup(file, picture->title);
    if (length == 4 && strncmp(name, "data", length) == 0)
        return put_data(picture, file);
    for (const struct web_file *part = web_files; part->name; part++)
        if (strlen(part->name) == length && strncmp(part->name, name, length) == 0)
            fwrite(part->start, 1, (size_t)(part->end - part->start), file);
    return 0;
}

static int write_flame(const struct picture *picture, FILE *file, struct fault *fault)
{
    (void)fault;
    int err = 0;
    const char *at = web_page_start;
    for (const char *open; !err && (open = strstr(at, "{{")); at = strstr(open, "}}") + 2) {
        fwrite(at, 1, (size_t)(open - at), file);
        err = put_place(picture, open + 2, (size_t)(strstr(open, "}}") - open - 2), file);
    }
    fwrite(at, 1, (size_t)(web_page_end - at), file);
    return err;
}

const struct format format_flame = {
    .name = "flame",
    .suffixes = (const char *const[]){".html", NULL},
    .summary = "the interactive flame graph: one HTML file that loads nothing",
    .compares = true,
    .shows_losses = true,
    .write = write_flame,
};

#include "report/formats/flame_data.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "report/formats/flame_units.h"
#include "report/profile/frame_look.h"
#include "report/profile/function_changes.h"
#include "report/profile/layout_prune.h"
#include "report/text/strings.h"
#include "report/text/text.h"
#include "store/base/cleanup.h"
#include "store/base/limits.h"

DEFINE_CLEANUP(struct strings *, strings__free);

// The labels of the page: those that are drawn, in the order in which they are first met, then those whose frames are
// all too light to be drawn, and last that of such frames.
struct used {
    uint32_t *labels;  // of the profile, or LAYOUT_LIGHTER
    uint32_t *numbers; // by the profile's label: number + 1
    uint32_t count;
};

static void used__release(struct used *used)
{
    free(used->labels);
    free(used->numbers);
}

static void use(struct used *used, uint32_t label)
{
    if (used->numbers[label])
        return;
    used->labels[used->count++] = label;
    used->numbers[label] = used->count;
}

static int find_used(const struct picture *picture, const struct layout *layout, bool is_cut, struct used *used)
{
    uint32_t label_count = profile__label_count(picture->profile);
    used->labels = calloc((size_t)label_count + 1, sizeof(*used->labels));
    used->numbers = calloc(label_count, sizeof(*used->numbers));
    if (!used->labels || !used->numbers)
        return -ENOMEM;
    for (uint32_t i = 0; i < layout->count; i++)
        if (layout->rows[i].label != LAYOUT_LIGHTER)
            use(used, layout->rows[i].label);
    for (uint32_t label = 0; is_cut && label < label_count && used->count < LIMIT_FLAME_NODES; label++)
        use(used, label);
    if (is_cut)
        used->labels[used->count++] = LAYOUT_LIGHTER;
    return 0;
}

static const struct label *label_of(const struct picture *picture, const struct used *used, uint32_t number)
{
    static const struct label lighter = {
        .name = "[lighter frames]", .module = "", .file = "", .kind = STORE_BINARY_MARK};
    uint32_t label = used->labels[number];
    return label == LAYOUT_LIGHTER ? &lighter : profile__label(picture->profile, label);
}

static int put_nodes(const struct layout *layout, const struct used *used, FILE *file)
{
    _cleanup_(buf__release) struct buf nodes = {0};
    uint32_t child_depth = 0;
    for (uint32_t i = 0; i < layout->count; i++) {
        const struct layout_row *row = &layout->rows[i];
        buf__append_varint(&nodes, child_depth - row->depth);
        buf__append_varint(&nodes, row->label == LAYOUT_LIGHTER ? used->count - 1 : used->numbers[row->label] - 1);
        buf__append_varint(&nodes, layout->sides ? layout->sides[i][1] : row->self);
        if (layout->sides)
            buf__append_varint(&nodes, layout->sides[i][0]);
        child_depth = row->depth + 1;
    }
    if (nodes.failed)
        return -ENOMEM;
    fprintf(file, "\"count\":%" PRIu32 ",\"nodes\":\"", layout->count);
    text__put_base64(file, nodes.data, nodes.length_bytes);
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
        err = strings__keep_id(strings, get(label_of(picture, used, i)), &id);
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

// Of frames that stand for those too light to be drawn: hatched, like marks.
static const struct frame_look lighter_look = {"lighter", 'z', "", "", "lighter frames", 35, 0, 9};

static void put_look(const struct frame_look *look, FILE *file)
{
    fprintf(file, "\"%c\":{\"name\":\"%s\",\"hue\":%d,\"spread\":%d,\"saturation\":%d}", look->letter, look->legend,
            look->hue, look->spread, look->saturation);
}

static void put_looks(FILE *file)
{
    const struct frame_look *looks[FRAME_LOOKS_MAX];
    size_t count = frame_look__list(looks);
    for (size_t i = 0; i < count; i++) {
        put_look(looks[i], file);
        fputs(",", file);
    }
    put_look(&lighter_look, file);
}

static int put_labels(const struct picture *picture, const struct used *used, FILE *file)
{
    fputs("\"names\":[", file);
    for (uint32_t i = 0; i < used->count; i++) {
        fputs(i ? ",\n" : "", file);
        text__put_json(file, label_of(picture, used, i)->name);
    }
    fputs("],\n\"kinds\":\"", file);
    for (uint32_t i = 0; i < used->count; i++)
        putc(used->labels[i] == LAYOUT_LIGHTER ? lighter_look.letter
                                               : frame_look__of(label_of(picture, used, i))->letter,
             file);
    fputs("\",\n\"looks\":{", file);
    put_looks(file);
    fputs("},\n\"lines\":[", file);
    for (uint32_t i = 0; i < used->count; i++) {
        const struct label *label = label_of(picture, used, i);
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

// The names of the page's events, this one first, and of those left out of it.
static void put_events(const struct picture *picture, FILE *file)
{
    put_text("title", picture->title, file);
    put_text("leftOut", picture->left_out, file);
    fputs("\"events\":[", file);
    text__put_json(file, picture->event->name);
    for (size_t i = 0; i < picture->other_count; i++) {
        fputs(",", file);
        text__put_json(file, picture->others[i]->event->name);
    }
    fputs("],\n", file);
}

static void put_facts(const struct picture *picture, uint32_t cut, FILE *file)
{
    char range[FORMAT_RANGE_BYTES];
    format__range(picture, range);
    fputs("{", file);
    put_events(picture, file);
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

// Of each label its self and total in all stacks, those not drawn included.
static void append_sums(const struct layout_sum *by_label, const struct used *used, struct buf *sums)
{
    for (uint32_t i = 0; i < used->count; i++) {
        bool is_lighter = used->labels[i] == LAYOUT_LIGHTER;
        buf__append_varint(sums, is_lighter ? 0 : by_label[used->labels[i]].self);
        buf__append_varint(sums, is_lighter ? 0 : by_label[used->labels[i]].total);
    }
}

// Of a difference: self and total before, self and total after, and the probabilities of both changes by chance.
static int append_changes(const struct picture *picture, const struct used *used, struct buf *sums, FILE *file)
{
    static const struct function_change none = {.self.p = -1, .total.p = -1};
    _cleanup_free_ struct function_change *changes = NULL;
    int err = function_changes__make(picture->profile, picture->measure, &changes);
    fputs("\"ps\":[", file);
    for (uint32_t i = 0; !err && i < used->count; i++) {
        const struct function_change *change = used->labels[i] == LAYOUT_LIGHTER ? &none : &changes[used->labels[i]];
        for (unsigned side = 0; side < 2; side++) {
            buf__append_varint(sums, change->self.weights[side]);
            buf__append_varint(sums, change->total.weights[side]);
        }
        fprintf(file, "%s%.3g,%.3g", i ? "," : "", change->self.p, change->total.p);
    }
    fputs("],\n", file);
    return err;
}

static int put_sums(const struct picture *picture, const struct layout_sum *by_label, const struct used *used,
                    FILE *file)
{
    _cleanup_(buf__release) struct buf sums = {0};
    int err = 0;
    if (picture->before)
        err = append_changes(picture, used, &sums, file);
    else
        append_sums(by_label, used, &sums);
    if (err || sums.failed)
        return err ? err : -ENOMEM;
    fputs("\"sums\":\"", file);
    text__put_base64(file, sums.data, sums.length_bytes);
    fputs("\",\n", file);
    return 0;
}

// Threads and processes may make the page larger by a fifth: a row takes some 5 bytes, a label 40, the script 64 KiB.
#define SCRIPT_BYTES 65536u

static int put_units(const struct picture *picture, const struct layout *layout, const struct used *used, bool is_cut,
                     FILE *file)
{
    size_t bytes = SCRIPT_BYTES + layout->count * (size_t)5 + used->count * (size_t)40;
    put_text("roots", profile__group(picture->profile)->name, file);
    return flame_units__put(picture, layout, is_cut ? 0 : bytes / 5, file);
}

int flame_data__put(const struct picture *picture, FILE *file)
{
    _cleanup_(layout__release) struct layout layout = {0};
    _cleanup_(used__release) struct used used = {0};
    _cleanup_free_ struct layout_sum *by_label = NULL;
    uint32_t cut = 0;
    int err =
        layout__make(picture->profile, picture->before ? LAYOUT_BOTH : 0, picture->measure, LAYOUT_BY_NAME, &layout);
    if (!err)
        err = layout__sum(&layout, profile__label_count(picture->profile), &by_label); // before any row is cut
    if (!err)
        err = layout__prune(&layout, LIMIT_FLAME_NODES, &cut);
    if (!err)
        err = find_used(picture, &layout, cut > 0, &used);
    if (err)
        return err;
    put_facts(picture, cut, file);
    err = put_labels(picture, &used, file);
    if (!err)
        err = put_units(picture, &layout, &used, cut > 0, file);
    if (!err)
        err = put_sums(picture, by_label, &used, file);
    if (!err)
        err = put_nodes(&layout, &used, file);
    fputs("}", file);
    return err;
}

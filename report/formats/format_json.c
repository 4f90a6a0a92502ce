// The whole profile as one JSON object:
//
//   {"hearth": "0.1.0", "version": 1, "title": "cpu on box",
//    "event": {"name": "cpu", "unit": "samples", "detail": "cpu-clock at 99 Hz", "period": 10101010},
//    "host": "box", "kernel": "6.1.0", "arch": "x86_64", "command": "hearth record -a", "cpus": 2,
//    "since_ns": 1795264200000000000, "until_ns": 1795264260000000000,      intervals that had samples, wall clock
//    "samples": 7, "value": 7, "weight": "samples",                         what "self" adds up to: this one of them
//    "losses": {"stack-cut": 12}, "own_cpu_ns": 1000, "own_bpf_ns": 0,
//    "frames": [{"name": "main", "kind": "user", "inlined": false, "binary": "nginx", "file": "nginx.c",
//                "line_first": 10, "line_last": 20}],
//    "nodes": {"parent": [0, 0, 1], "frame": [0, 3, 1], "self": [0, 0, 7]}}
//
// Node i calls from node parent[i], which is always smaller than i (node 0, the root, is its own). A frame's kind is
// "user", "kernel", "jit", "mark" (how a stack ended, not code) or "root" (a comm or thread). The selves add up to the
// weight of the range. A difference has the other side in "before" (its name, range, weight and losses) and in
// "nodes": {"before": [...]}. Fields may be added; those that are there stay.
#include <errno.h>
#include <inttypes.h>

#include "report/formats/format.h"
#include "report/profile/frame_look.h"
#include "report/text/text.h"
#include "store/base/cleanup.h"

static void put_string(FILE *file, const char *name, const char *value)
{
    _cleanup_free_ char *clean = safe_text__dup(value ? value : "");
    fprintf(file, "\"%s\":", name);
    text__put_json(file, clean ? clean : "");
    fputc(',', file);
}

static void put_head(const struct picture *picture, FILE *file)
{
    const struct store_event *event = picture->event;
    const struct store_meta *meta = picture->meta;
    fprintf(file, "{\"hearth\":\"%s\",\"version\":1,", HEARTH_VERSION);
    put_string(file, "title", picture->title);
    fputs("\n\"event\":{", file);
    put_string(file, "name", event->name);
    put_string(file, "unit", event->unit);
    put_string(file, "detail", event->detail);
    fprintf(file, "\"period\":%" PRIu64 "},\n", event->period);
    put_string(file, "host", meta->host);
    put_string(file, "kernel", meta->kernel);
    put_string(file, "arch", meta->arch);
    put_string(file, "command", meta->command);
    fprintf(file, "\"cpus\":%" PRIu32 ",\n\"since_ns\":%" PRIu64 ",\"until_ns\":%" PRIu64 ",\n", meta->cpu_count,
            picture->since_ns, picture->until_ns);
    fprintf(file, "\"samples\":%" PRIu64 ",\"value\":%" PRIu64 ",\"weight\":\"%s\",\n", picture->total.samples,
            picture->total.value, picture->measure == LAYOUT_SAMPLES ? "samples" : "value");
}

static void put_losses(const struct loss_list *losses, FILE *file)
{
    fputs("\"losses\":{", file);
    for (size_t i = 0; i < losses->count; i++) {
        fputs(i ? "," : "", file);
        text__put_json(file, losses->sums[i].name);
        fprintf(file, ":%" PRIu64, losses->sums[i].count);
    }
    fprintf(file, "},\"own_cpu_ns\":%" PRIu64 ",\"own_bpf_ns\":%" PRIu64, losses->own_cpu_ns, losses->own_bpf_ns);
}

static void put_frames(const struct profile *profile, FILE *file)
{
    fputs("\"frames\":[", file);
    for (uint32_t i = 0; i < profile__label_count(profile); i++) {
        const struct label *label = profile__label(profile, i);
        fputs(i ? ",\n{\"name\":" : "\n{\"name\":", file);
        text__put_json(file, label->name);
        fprintf(file, ",\"kind\":\"%s\",\"inlined\":%s,\"binary\":", frame_look__of_kind(label->kind)->word,
                label->inlined ? "true" : "false");
        text__put_json(file, label->module);
        fputs(",\"file\":", file);
        text__put_json(file, label->file);
        fprintf(file, ",\"line_first\":%" PRIu32 ",\"line_last\":%" PRIu32 "}", label->line_first, label->line_last);
    }
    fputs("],\n", file);
}

static void put_selves(const struct picture *picture, const char *name, unsigned side, FILE *file)
{
    uint32_t count = profile__node_count(picture->profile);
    fprintf(file, "\"%s\":[", name);
    for (uint32_t i = 0; i < count; i++)
        fprintf(file, "%s%" PRIu64, i ? "," : "", format__weight(picture, profile__self(picture->profile, side, i)));
    fputs("]", file);
}

static void put_nodes(const struct picture *picture, FILE *file)
{
    const struct profile *profile = picture->profile;
    uint32_t count = profile__node_count(profile);
    fputs("\"nodes\":{\"parent\":[", file);
    for (uint32_t i = 0; i < count; i++)
        fprintf(file, "%s%" PRIu32, i ? "," : "", profile__parent(profile, i));
    fputs("],\n\"frame\":[", file);
    for (uint32_t i = 0; i < count; i++)
        fprintf(file, "%s%" PRIu32, i ? "," : "", profile__label_of(profile, i));
    fputs("],\n", file);
    put_selves(picture, "self", format__side(picture), file);
    if (picture->before) {
        fputs(",\n", file);
        put_selves(picture, "before", 0, file);
    }
    fputs("}}\n", file);
}

static void put_before(const struct picture_before *before, FILE *file)
{
    fputs("\"before\":{", file);
    put_string(file, "name", before->name);
    fprintf(file, "\"since_ns\":%" PRIu64 ",\"until_ns\":%" PRIu64 ",\"samples\":%" PRIu64 ",\"value\":%" PRIu64 ",\n",
            before->since_ns, before->until_ns, before->total.samples, before->total.value);
    put_losses(before->losses, file);
    fputs("},\n", file);
}

static int write_json(const struct picture *picture, FILE *file, struct fault *fault)
{
    (void)fault;
    put_head(picture, file);
    put_losses(picture->losses, file);
    fputs(",\n", file);
    if (picture->before)
        put_before(picture->before, file);
    put_frames(picture->profile, file);
    put_nodes(picture, file);
    return 0;
}

const struct format format_json = {
    .name = "json",
    .suffixes = (const char *const[]){".json", NULL},
    .summary = "the whole profile, documented in the README",
    .compares = true,
    .shows_losses = true,
    .write = write_json,
};

// A format of reports: a struct of operations. A new one is a file format_NAME.c, a row in formats.def and a test.
#ifndef HEARTH_REPORT_FORMATS_FORMAT_H
#define HEARTH_REPORT_FORMATS_FORMAT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "report/profile/layout.h"
#include "report/profile/loss_list.h"
#include "report/profile/profile.h"
#include "store/base/fault.h"
#include "store/base/histogram.h"
#include "store/reader/reader.h"

struct heatmap;

// Of formats by_line: the function whose lines are shown, and where their text may come from.
struct annotation {
    const char *function; // as the user named it; NULL: none was
    const char *folder;   // of sources; NULL: as the debug information says
    bool reads_sources;
};

// The other side of a difference: the profile from which the picture's own is subtracted.
struct picture_before {
    const char *name, *after_name; // as the user named the sides; clean
    uint64_t since_ns, until_ns;
    struct profile_weight total;
    const struct loss_list *losses;
    const struct histogram_list *histograms; // of formats that draw buckets
};

// The profile of a picture by thread, and by node of it the place in the picture's own (thread_split.h).
struct picture_threads {
    const struct profile *profile;
    const uint32_t *places;
};

// All that a format may draw. The times are those of the intervals that had samples.
struct picture {
    const char *title;
    const struct store_meta *meta;
    const struct store_event *event;
    uint64_t since_ns, until_ns;
    const struct loss_list *losses;
    enum layout_measure measure;
    const char *unit;                        // of the measure: "samples", "ns", "bytes"
    struct profile_weight total;             // of the profile, or of the histograms
    const struct profile *profile;           // of formats that draw stacks
    const struct picture_threads *threads;   // of formats that hold threads; NULL: too many, or of a difference
    const struct histogram_list *histograms; // of formats that draw buckets
    const struct heatmap *heatmap;           // of FORMAT_HEATMAP
    const struct annotation *annotation;     // of formats by_line
    struct store_reader *reader;             // for the frames of a profile by frame
    const struct picture_before *before;     // of a difference: its side 0 of the profile, the rest here is side 1
    const struct picture *const *others;     // of the store's other events, for a format that holds several; NULL: none
    size_t other_count;
    const char *left_out; // "off-cpu, blkio": other events that have stacks too many for the page; "" none
    const char *output;   // where it goes: "x.json"; "-" for stdout
};

enum format_subject {
    FORMAT_STACKS,
    FORMAT_FRAMES,     // stacks by frame of the store: addresses and binaries told apart
    FORMAT_HISTOGRAMS, // values by bucket
    FORMAT_HEATMAP,    // values by bucket and time
};

struct format {
    const char *name;
    const char *const *suffixes; // of files, ended by NULL: {".html", NULL}
    const char *summary;
    enum format_subject subject;
    bool names_only;                 // it shows no binaries: functions of one name are one
    const struct group *group;       // what has a root unless the request says; NULL: each comm
    bool by_line;                    // its stacks are of lines of source, whatever the request says
    bool is_binary;                  // nothing for a terminal
    bool compares;                   // it can draw a difference
    bool holds_events;               // all events of a store at once, where none was chosen
    bool holds_threads;              // whose samples they are, for another grouping
    bool is_unbounded;               // of holds_events: no page that a browser must draw, so that all events are held
    bool shows_losses;               // else the command says them on stderr
    const struct format *of_buckets; // what is drawn in its place of a histogram without stacks; NULL: nothing
    // Writes the whole picture. Write errors are found by the caller (ferror); -ENOMEM and the like are returned.
    int (*write)(const struct picture *picture, FILE *file, struct fault *fault);
};

// Values by bucket, not stacks.
bool format__has_buckets(const struct format *format);
// The side of the profile that is the picture's own.
unsigned format__side(const struct picture *picture);
uint64_t format__weight(const struct picture *picture, const struct profile_weight *weight); // in its measure

int format_top__write_difference(const struct picture *picture, FILE *file);

#define FORMAT(name) extern const struct format format_##name;
#include "report/formats/formats.def"
#undef FORMAT

// Helpers that several formats call.

// "2026-11-21 12:30:05", local time.
#define FORMAT_TIME_BYTES 32
void format__time(uint64_t wall_ns, char ret_text[FORMAT_TIME_BYTES]);
// "2026-11-21 12:30:05 to 12:31:05 UTC (60.0 s)": the picture's range.
#define FORMAT_RANGE_BYTES 128
void format__span(uint64_t since_ns, uint64_t until_ns, char ret_text[FORMAT_RANGE_BYTES]);
void format__range(const struct picture *picture, char ret_text[FORMAT_RANGE_BYTES]);
// "63 samples", "1.20 s".
#define FORMAT_AMOUNT_BYTES 64
void format__amount(const struct picture *picture, uint64_t amount, char ret_text[FORMAT_AMOUNT_BYTES]);
// The first line of a text: title, range and total, and an empty line.
void format__put_head(const struct picture *picture, FILE *file);
// A table may be as high and as wide as the terminal that it goes to; elsewhere it is whole.
struct format_room {
    uint32_t rows;    // UINT32_MAX: all
    uint32_t columns; // UINT32_MAX: any
};
struct format_room format__room(const struct picture *picture);
// The end of a table's row that has used so many columns: "serve [inlined]  (server)", its middle cut where it is too
// long.
void format__put_function(const struct label *label, uint32_t columns, int used, FILE *file);
// "... 2,250 more functions: a pipe, or a file by -o, gets all"
void format__put_more(uint32_t count, FILE *file);
// "lost: stack-cut 12 (samples whose ...)": a line for each loss at the foot of a text, after an empty line.
void format__put_losses(const struct picture *picture, FILE *file);

#endif

// How pictures and tables show a kind of frame: its words, its letters, its colour. One list for every format:
// store/frame_kinds.def, and a look each for inlined functions and for roots.
#ifndef HEARTH_REPORT_PROFILE_FRAME_LOOK_H
#define HEARTH_REPORT_PROFILE_FRAME_LOOK_H

#include <stddef.h>
#include <stdint.h>

#include "report/profile/profile.h"

struct frame_look {
    const char *word;          // of a kind, in JSON
    char letter;               // in the page
    const char *suffix;        // of a folded frame
    const char *spoken_suffix; // where there are spaces in names
    const char *legend;        // NULL: drawn as another kind with this letter
    int hue, spread, saturation;
};

const struct frame_look *frame_look__of_kind(uint32_t kind); // a label's
const struct frame_look *frame_look__of(const struct label *label);

// Those with a legend, in its order; the roots' is the first. Returns how many.
#define FRAME_LOOKS_MAX (STORE_BINARY_COUNT + 2)
size_t frame_look__list(const struct frame_look *ret_looks[FRAME_LOOKS_MAX]);

#endif

// The labels that a frame of a store stands for, outermost first: [foo inlined into main] -> {main, foo _[i]}. Each
// frame is looked up once.
#ifndef HEARTH_REPORT_PROFILE_FRAME_LABELS_H
#define HEARTH_REPORT_PROFILE_FRAME_LABELS_H

#include <stddef.h>
#include <stdint.h>

#include "report/profile/profile.h"
#include "store/reader/reader.h"

struct frame_labels;

// For frames up to `last_frame`; the profile keeps the labels. Both are borrowed.
int frame_labels__new(struct profile *profile, struct store_reader *reader, uint32_t last_frame,
                      struct frame_labels **ret_labels);
void frame_labels__free(struct frame_labels *labels);

// ret_chain[0] is how many there are, these follow; valid until the next call. A frame that is not there is unknown.
int frame_labels__of(struct frame_labels *labels, uint32_t frame, const uint32_t **ret_chain);

#endif

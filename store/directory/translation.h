// From the ids of a reader to those of a writer: what was not copied yet is copied when a value first needs it.
#ifndef HEARTH_STORE_DIRECTORY_TRANSLATION_H
#define HEARTH_STORE_DIRECTORY_TRANSLATION_H

#include "store/reader/reader.h"
#include "store/writer/writer.h"

struct translation;

// Both are borrowed. folds: frames become functions (STORE_FOLDED_OFFSET). Memory: 4 bytes for each id of the reader.
int translation__new(struct store_reader *reader, struct store_writer *writer, bool folds, struct fault *fault,
                     struct translation **ret_translation);
void translation__free(struct translation *translation);

int translation__event(struct translation *translation, uint32_t event, uint32_t *ret_event);
// The same value in the writer's ids.
int translation__value(struct translation *translation, const struct store_value *value, struct store_value *ret_value);

#endif

// Strings kept once: equal text is the same pointer, which stays where it is until all are freed.
#ifndef HEARTH_REPORT_TEXT_STRINGS_H
#define HEARTH_REPORT_TEXT_STRINGS_H

#include <stdint.h>

struct strings;

int strings__new(struct strings **ret_strings);
void strings__free(struct strings *strings);

int strings__keep(struct strings *strings, const char *text, const char **ret_kept);
// A small number for a kept string: equal pointers, equal numbers; they count up from 0.
int strings__keep_id(struct strings *strings, const char *text, uint32_t *ret_id);
const char *strings__of(const struct strings *strings, uint32_t id);
uint32_t strings__count(const struct strings *strings);

#endif

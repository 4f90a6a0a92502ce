// The tables that all profiles of an OTLP request share, each entry once. The first entry of every table is the zero
// value, so that index 0 means "none"; the others are added when they are first named, so that none is named by nobody.
//
//   stack -> locations, innermost first -> mapping, lines -> functions -> strings
#ifndef HEARTH_REPORT_FORMATS_OTLP_DICTIONARY_H
#define HEARTH_REPORT_FORMATS_OTLP_DICTIONARY_H

#include "report/profile/profile.h"
#include "store/base/buf.h"

struct otlp_dictionary;

int otlp_dictionary__new(struct otlp_dictionary **ret_dictionary);
void otlp_dictionary__free(struct otlp_dictionary *dictionary);

// Each returns the index of its entry. Where there is no memory they return 0, and `failed` is true from then on.
uint32_t otlp_dictionary__string(struct otlp_dictionary *dictionary, const char *clean);
uint32_t otlp_dictionary__attribute(struct otlp_dictionary *dictionary, const char *key, const char *clean);
uint32_t otlp_dictionary__location(struct otlp_dictionary *dictionary, struct store_reader *reader,
                                   const struct label *label, bool no_inline);
uint32_t otlp_dictionary__stack(struct otlp_dictionary *dictionary, const uint32_t *locations, uint32_t count);
bool otlp_dictionary__failed(const struct otlp_dictionary *dictionary);

// Appends the message ProfilesDictionary. -ENOMEM.
int otlp_dictionary__append(const struct otlp_dictionary *dictionary, struct buf *buf);

// Appends the text as an AnyValue: a string.
void otlp_dictionary__append_value(struct buf *buf, unsigned field, const char *clean);

#endif

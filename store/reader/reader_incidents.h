// The incidents that stores tell of: the table `incident`.
#ifndef HEARTH_STORE_READER_READER_INCIDENTS_H
#define HEARTH_STORE_READER_READER_INCIDENTS_H

#include "store/reader/reader.h"

// All incidents, file by file; their words are borrowed for the call.
int store_reader__incidents(struct store_reader *reader, struct fault *fault,
                            int (*row)(const struct store_incident *incident, void *context), void *context);

#endif

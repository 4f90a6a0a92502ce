// The encoding of answers (RFC 9110, Accept-Encoding): gzip, where the client takes it and it is worth its time.
#ifndef HEARTH_REPORT_SERVE_ENCODING_H
#define HEARTH_REPORT_SERVE_ENCODING_H

#include <stdbool.h>
#include <stddef.h>

// Whether a header "Accept-Encoding" (NULL: there is none) asks for gzip: "gzip, br", "*", not "gzip;q=0".
bool encoding__takes_gzip(const char *accepted);

// Bytes as gzip, free() them; NULL: too few, too many (LIMIT_SERVE_GZIP_*), no memory, or no fewer than before.
void *encoding__pack(const void *bytes, size_t length_bytes, size_t *ret_packed_bytes);
// The same of a whole file, in its place. false: the file is as it was. -EIO and the like: it is neither.
int encoding__pack_file(int fd, bool *ret_is_packed);

#endif

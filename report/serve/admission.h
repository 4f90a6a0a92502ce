// Who may ask: everybody on this host, or whoever has the token.
//
// Without a token the Host header must name the loopback interface: a page of a stranger, whose name resolves to
// 127.0.0.1 (DNS rebinding), sends its own name there. With one, a browser asks its user for a password, any name
// before it, and sends both with each request of the page (RFC 7617); a script may send `Authorization: Bearer TOKEN`.
#ifndef HEARTH_REPORT_SERVE_ADMISSION_H
#define HEARTH_REPORT_SERVE_ADMISSION_H

#include <stdbool.h>

#include "store/base/fault.h"

#define ADMISSION_TOKEN_LEAST 16u // characters; a shorter one can be guessed
#define ADMISSION_TOKEN_MOST  256u

struct admission {
    char token[ADMISSION_TOKEN_MOST + 1]; // "": none
};

// The first line of the file, which others may not read. NULL: no token. -EINVAL: it is none.
int admission__load(const char *token_file, struct fault *fault, struct admission *ret_admission);

enum admission_answer { ADMISSION_GIVEN, ADMISSION_NEEDS_TOKEN, ADMISSION_WRONG_HOST };
// By the values of the two headers; NULL: the request has none.
enum admission_answer admission__judge(const struct admission *admission, const char *host, const char *authorization);

#endif

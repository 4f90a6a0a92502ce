// A request that asks a question, from its first line to its last byte.
#ifndef HEARTH_REPORT_SERVE_REQUEST_H
#define HEARTH_REPORT_SERVE_REQUEST_H

#include "store/system/microhttpd.h"
#include <stdbool.h>
#include <stdint.h>

#include "report/serve/child.h"
#include "report/serve/routes.h"

enum request_state { REQUEST_NEW, REQUEST_WAITS, REQUEST_RUNS, REQUEST_ANSWERED };

struct request {
    struct MHD_Connection *connection;
    const struct route *route;
    struct question question;
    enum request_state state;
    struct child child;
    unsigned status; // HTTP's, once it is answered
    int answer_fd;
    char tag[24]; // ETag of the answer; "": it has none
    struct request *next;
};

#endif

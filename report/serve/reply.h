// The responses of the server, with the headers that all of them have.
#ifndef HEARTH_REPORT_SERVE_REPLY_H
#define HEARTH_REPORT_SERVE_REPLY_H

#include "report/serve/request.h"

enum MHD_Result reply__words(struct MHD_Connection *connection, unsigned status, const char *words);
enum MHD_Result reply__file(const struct request *request);      // of the page
enum MHD_Result reply__answer(struct request *request);          // takes answer_fd
enum MHD_Result reply__unchanged(const struct request *request); // the client has this version

#endif

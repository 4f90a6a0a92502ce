#include "report/serve/reply.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "report/serve/encoding.h"
#include "store/base/cleanup.h"

static void add_headers(struct MHD_Response *response, const struct body *body, const char *tag, bool is_packed)
{
    char disposition[64];
    const struct {
        const char *name, *value;
    } headers[] = {
        {"Content-Type", body->type},          {"Content-Security-Policy", body->policy},
        {"X-Content-Type-Options", "nosniff"}, {"X-Frame-Options", "SAMEORIGIN"},
        {"Referrer-Policy", "no-referrer"},    {"Cross-Origin-Resource-Policy", "same-origin"},
        {"Cache-Control", "no-cache"},         {"ETag", tag},
        {"Vary", "Accept-Encoding"},           {"Content-Encoding", is_packed ? "gzip" : NULL},
    };
    for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++)
        if (headers[i].value && *headers[i].value)
            microhttpd.add_response_header(response, headers[i].name, headers[i].value);
    if (body->file) {
        snprintf(disposition, sizeof(disposition), "attachment; filename=\"%s\"", body->file);
        microhttpd.add_response_header(response, "Content-Disposition", disposition);
    }
}

static enum MHD_Result send_response(struct MHD_Connection *connection, unsigned status, struct MHD_Response *response,
                                     const struct body *body, const char *tag, bool is_packed)
{
    if (!response)
        return MHD_NO;
    add_headers(response, body, tag, is_packed);
    enum MHD_Result result = microhttpd.queue_response(connection, status, response);
    microhttpd.destroy_response(response);
    return result;
}

static const struct body words_body = {"application/json", "default-src 'none'; sandbox", NULL};

enum MHD_Result reply__words(struct MHD_Connection *connection, unsigned status, const char *words)
{
    char text[256];
    size_t length = (size_t)snprintf(text, sizeof(text), "{\"error\":\"%s\"}\n", words);
    struct MHD_Response *response = microhttpd.create_response_from_buffer(length, text, MHD_RESPMEM_MUST_COPY);
    if (response && status == MHD_HTTP_UNAUTHORIZED)
        microhttpd.add_response_header(response, "WWW-Authenticate", "Basic realm=\"hearth\", charset=\"UTF-8\"");
    return send_response(connection, status, response, &words_body, NULL, false);
}

enum MHD_Result reply__file(const struct request *request)
{
    const struct route *route = request->route;
    struct body body;
    routes__describe(route, &request->question, &body);
    size_t bytes = (size_t)(route->end - route->start), packed_bytes = 0;
    void *packed = request->question.takes_gzip ? encoding__pack(route->start, bytes, &packed_bytes) : NULL;
    struct MHD_Response *response =
        packed ? microhttpd.create_response_from_buffer(packed_bytes, packed, MHD_RESPMEM_MUST_FREE)
               : microhttpd.create_response_from_buffer(bytes, (void *)route->start, MHD_RESPMEM_PERSISTENT);
    if (!response)
        free(packed);
    return send_response(request->connection, MHD_HTTP_OK, response, &body, NULL, packed != NULL);
}

enum MHD_Result reply__answer(struct request *request)
{
    struct stat status;
    struct body body = words_body;
    if (request->answer_fd < 0 || fstat(request->answer_fd, &status) != 0)
        return reply__words(request->connection, MHD_HTTP_INTERNAL_SERVER_ERROR, "there is no memory for an answer");
    bool is_given = request->status == MHD_HTTP_OK;
    if (is_given)
        routes__describe(request->route, &request->question, &body);
    struct MHD_Response *response = microhttpd.create_response_from_fd((size_t)status.st_size, request->answer_fd);
    if (response)
        take_fd(&request->answer_fd);
    return send_response(request->connection, request->status, response, &body, is_given ? request->tag : NULL,
                         is_given && request->child.is_packed);
}

enum MHD_Result reply__unchanged(const struct request *request)
{
    struct body body;
    routes__describe(request->route, &request->question, &body);
    struct MHD_Response *response = microhttpd.create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
    return send_response(request->connection, MHD_HTTP_NOT_MODIFIED, response, &body, request->tag, false);
}

#include "report/serve/serve.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report/serve/encoding.h"
#include "report/serve/reply.h"
#include "report/serve/store_version.h"
#include "store/base/cleanup.h"

struct serve {
    const struct serve_options *options;
    struct MHD_Daemon *daemon;
    struct request *requests; // those that wait or run, the oldest first
};

// --- Admission, and what can be told at once

static void remember(struct serve *serve, struct request *request)
{
    struct request **end = &serve->requests;
    while (*end)
        end = &(*end)->next;
    *end = request;
}

static void forget(struct serve *serve, struct request *request)
{
    for (struct request **at = &serve->requests; *at; at = &(*at)->next)
        if (*at == request) {
            *at = request->next;
            return;
        }
}

static enum MHD_Result add_parameter(void *context, enum MHD_ValueKind kind, const char *name, const char *value)
{
    (void)kind;
    question__add(context, name, value);
    return MHD_YES;
}

// A relative time means another range with each moment.
static bool is_absolute(const char *time)
{
    return !time || *time == '@';
}

static bool has_fixed_range(const struct question *question)
{
    static const char *const times[] = {"from", "to", "since", "until", "before-from", "before-to"};
    for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++)
        if (!is_absolute(question__find(question, times[i])))
            return false;
    return true;
}

static const char *header(const struct request *request, const char *name)
{
    return microhttpd.lookup_connection_value(request->connection, MHD_HEADER_KIND, name);
}

static bool is_unchanged(struct serve *serve, struct request *request)
{
    const char *known = header(request, "If-None-Match");
    if (!has_fixed_range(&request->question))
        return false;
    snprintf(request->tag, sizeof(request->tag), "\"%016" PRIx64 "%s\"", store_version__of(serve->options->store),
             request->question.takes_gzip ? "-gz" : "");
    return known && strstr(known, request->tag) != NULL;
}

// A page of a stranger may make the browser ask, though it cannot read the answer.
static bool is_from_stranger(const struct request *request)
{
    const char *site = header(request, "Sec-Fetch-Site");
    return request->route->answer && site && strcmp(site, "cross-site") == 0;
}

static enum MHD_Result refuse(const struct request *request, enum admission_answer answer)
{
    if (answer == ADMISSION_NEEDS_TOKEN)
        return reply__words(request->connection, MHD_HTTP_UNAUTHORIZED, "the token is missing or wrong");
    return reply__words(request->connection, MHD_HTTP_FORBIDDEN,
                        "without a token, only 127.0.0.1, [::1] and localhost are answered");
}

static enum MHD_Result begin(struct serve *serve, struct request *request, const char *path, const char *method)
{
    enum admission_answer admitted =
        admission__judge(&serve->options->admission, header(request, "Host"), header(request, "Authorization"));
    if (admitted != ADMISSION_GIVEN)
        return refuse(request, admitted);
    if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0)
        return reply__words(request->connection, MHD_HTTP_METHOD_NOT_ALLOWED, "only GET is answered");
    request->route = routes__find(path);
    if (!request->route)
        return reply__words(request->connection, MHD_HTTP_NOT_FOUND, "there is no such page");
    if (is_from_stranger(request))
        return reply__words(request->connection, MHD_HTTP_FORBIDDEN, "pages of other sites are not answered");
    request->question.takes_gzip = encoding__takes_gzip(header(request, "Accept-Encoding"));
    if (!request->route->answer)
        return reply__file(request);
    request->question.store = serve->options->store;
    request->question.sources = serve->options->sources;
    microhttpd.get_connection_values(request->connection, MHD_GET_ARGUMENT_KIND, add_parameter, &request->question);
    request->question.takes_gzip &= !routes__packs_itself(request->route, &request->question);
    if (is_unchanged(serve, request))
        return reply__unchanged(request);
    request->state = REQUEST_WAITS;
    remember(serve, request);
    microhttpd.suspend_connection(request->connection);
    return MHD_YES;
}

static enum MHD_Result on_request(void *context, struct MHD_Connection *connection, const char *path,
                                  const char *method, const char *version, const char *body, size_t *body_bytes,
                                  void **held)
{
    (void)version, (void)body;
    struct request *request = *held;
    if (request && *body_bytes) {
        *body_bytes = 0;
        return MHD_YES;
    }
    if (request)
        return request->state == REQUEST_ANSWERED ? reply__answer(request) : begin(context, request, path, method);
    request = calloc(1, sizeof(*request));
    if (!request)
        return MHD_NO;
    request->connection = connection;
    request->answer_fd = request->child.answer_fd = -1;
    *held = request;
    return MHD_YES;
}

static void on_end(void *context, struct MHD_Connection *connection, void **held, enum MHD_RequestTerminationCode code)
{
    struct request *request = *held;
    (void)connection, (void)code;
    if (!request)
        return;
    forget(context, request);
    child__stop(&request->child);
    fd__close(&request->answer_fd);
    free(request);
    *held = NULL;
}

// --- Children

static void answered(struct serve *serve, struct request *request, unsigned status)
{
    forget(serve, request);
    request->state = REQUEST_ANSWERED;
    request->status = status;
    microhttpd.resume_connection(request->connection);
}

static void start_waiting(struct serve *serve)
{
    unsigned running = 0;
    for (const struct request *request = serve->requests; request; request = request->next)
        running += request->state == REQUEST_RUNS;
    for (struct request *request = serve->requests, *next; request; request = next) {
        next = request->next;
        if (request->state != REQUEST_WAITS || running == LIMIT_SERVE_QUESTIONS)
            continue;
        running++;
        request->state = REQUEST_RUNS;
        if (child__start(request->route->answer, &request->question, &request->child) != 0)
            answered(serve, request, MHD_HTTP_SERVICE_UNAVAILABLE);
    }
}

// --- The loop

static volatile sig_atomic_t must_end;

static void on_signal(int number)
{
    (void)number;
    must_end = 1;
}

#define FDS_MOST (1 + 2 * LIMIT_SERVE_CONNECTIONS)

static int socket_of(const struct request *request)
{
    return microhttpd.get_connection_info(request->connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
}

// The server's own events, and of each request its socket (a client that is gone) and its child.
static nfds_t list_fds(const struct serve *serve, struct pollfd *fds)
{
    nfds_t count = 0;
    fds[count++] = (struct pollfd){.fd = microhttpd.get_daemon_info(serve->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd,
                                   .events = POLLIN};
    for (const struct request *request = serve->requests; request && count + 2 <= FDS_MOST; request = request->next) {
        fds[count++] = (struct pollfd){.fd = socket_of(request), .events = POLLRDHUP};
        fds[count++] =
            (struct pollfd){.fd = request->state == REQUEST_RUNS ? request->child.done_fd : -1, .events = POLLIN};
    }
    return count;
}

static void take_events(struct serve *serve, const struct pollfd *fds, nfds_t count)
{
    struct request *request = serve->requests, *next;
    for (nfds_t i = 1; i + 1 < count && request; i += 2, request = next) {
        next = request->next;
        if (fds[i + 1].revents)
            answered(serve, request, child__finish(&request->child, &request->answer_fd));
        else if (fds[i].revents) {
            child__stop(&request->child);
            answered(serve, request, MHD_HTTP_INTERNAL_SERVER_ERROR); // which nobody reads
        }
    }
}

// At its limit of connections libmicrohttpd takes the listening socket out of its epoll set, and puts it back only when
// microhttpd.run() begins: where all of them have ended in one call, nothing would wake the loop any more.
#define TURN_MOST_MS 1000u

static void turn(struct serve *serve, const sigset_t *mask)
{
    struct pollfd fds[FDS_MOST];
    MHD_UNSIGNED_LONG_LONG wait_ms;
    if (microhttpd.get_timeout(serve->daemon, &wait_ms) != MHD_YES || wait_ms > TURN_MOST_MS)
        wait_ms = TURN_MOST_MS;
    const struct timespec timeout = {(time_t)(wait_ms / 1000), (long)(wait_ms % 1000) * 1000000};
    nfds_t count = list_fds(serve, fds);
    if (ppoll(fds, count, &timeout, mask) > 0)
        take_events(serve, fds, count);
    microhttpd.run(serve->daemon);
    start_waiting(serve);
}

static void watch_signals(sigset_t *ret_mask)
{
    sigset_t ending;
    const struct sigaction action = {.sa_handler = on_signal};
    sigemptyset(&ending);
    sigaddset(&ending, SIGINT);
    sigaddset(&ending, SIGTERM);
    sigprocmask(SIG_BLOCK, &ending, ret_mask); // but for ppoll()
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    signal(SIGPIPE, SIG_IGN);
}

static void end_all(struct serve *serve)
{
    while (serve->requests) {
        struct request *request = serve->requests;
        child__stop(&request->child);
        answered(serve, request, MHD_HTTP_SERVICE_UNAVAILABLE);
    }
    microhttpd.run(serve->daemon);
    microhttpd.stop_daemon(serve->daemon);
}

int serve__run(const struct serve_options *options, struct fault *fault)
{
    struct serve serve = {.options = options};
    sigset_t mask;
    serve.daemon = microhttpd.start_daemon(
        MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, on_request, &serve, MHD_OPTION_LISTEN_SOCKET,
        options->listener.fd, MHD_OPTION_CONNECTION_LIMIT, (unsigned)LIMIT_SERVE_CONNECTIONS,
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)LIMIT_SERVE_IDLE_S, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        (size_t)LIMIT_SERVE_REQUEST_BYTES, MHD_OPTION_NOTIFY_COMPLETED, on_end, &serve, MHD_OPTION_END);
    if (!serve.daemon)
        return fault__set(fault, -EIO, "libmicrohttpd cannot start on '%s'", options->listener.url);
    watch_signals(&mask);
    while (!must_end)
        turn(&serve, &mask);
    end_all(&serve);
    return 0;
}

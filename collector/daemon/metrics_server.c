#include "collector/daemon/metrics_server.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "collector/metrics/metrics_text.h"
#include "collector/pprof/profile_maker.h"
#include "collector/pprof/profile_requests.h"
#include "store/base/clock.h"
#include "store/system/confinement.h"
#include "store/system/listener.h"
#include "store/system/microhttpd.h"
#include "store/system/priority.h"

#define TURN_MOST_MS 1000 // see report/serve/serve.c: at its limit of connections libmicrohttpd wakes by itself alone

// The process that begins the server anew, which has all of it too.
struct keeper {
    const struct metrics_server *own;
    struct listener listener;
    struct helper_process maker;
    int daemon_fd;
};

// An open connection; fd -1: this place is free.
struct client {
    int fd;
    uint64_t since_ns;
};

struct server {
    const struct metrics_server *own;
    struct profile_requests *profiles;
    struct MHD_Daemon *daemon;
    struct client clients[LIMIT_METRICS_CONNECTIONS + 1];
    struct MHD_Response *answers[METRICS_FORMAT_COUNT]; // of these versions of the page; NULL: none yet
    unsigned versions[METRICS_FORMAT_COUNT];
    struct metrics_totals totals;
};

// --- Answers

static const char *const types[METRICS_FORMAT_COUNT] = {
    [METRICS_OPENMETRICS] = "application/openmetrics-text; version=1.0.0; charset=utf-8",
    [METRICS_PLAIN] = "text/plain; version=0.0.4; charset=utf-8",
};

static struct MHD_Response *make_response(struct buf *buf, const char *type)
{
    struct MHD_Response *response =
        microhttpd.create_response_from_buffer(buf->length_bytes, buf->data, MHD_RESPMEM_MUST_FREE);
    if (!response) {
        buf__release(buf);
        return NULL;
    }
    microhttpd.add_response_header(response, "Content-Type", type);
    microhttpd.add_response_header(response, "X-Content-Type-Options", "nosniff");
    return response;
}

// Made once an interval, however often it is asked for.
static struct MHD_Response *find_answer(struct server *server, enum metrics_format format)
{
    struct buf buf = {0};
    unsigned version;
    struct MHD_Response **answer = &server->answers[format];
    if (*answer && server->versions[format] == atomic_load(&server->own->page.read->version))
        return *answer;
    if (metrics_page__read(&server->own->page, &server->totals, &version) != 0)
        return NULL;
    server->totals.server_cpu_ns = clock__ns(CLOCK_PROCESS_CPUTIME_ID);
    metrics_text__append(&buf, &server->totals, format);
    struct MHD_Response *fresh = buf.failed ? NULL : make_response(&buf, types[format]);
    if (!fresh)
        return NULL;
    if (*answer)
        microhttpd.destroy_response(*answer); // who is being sent it still holds it
    *answer = fresh;
    server->versions[format] = version;
    return fresh;
}

static enum MHD_Result refuse(struct MHD_Connection *connection, unsigned status, const char *words)
{
    struct buf buf = {0};
    buf__append_format(&buf, "%s\n", words);
    struct MHD_Response *response = buf.failed ? NULL : make_response(&buf, "text/plain; charset=utf-8");
    if (!response)
        return MHD_NO;
    enum MHD_Result result = microhttpd.queue_response(connection, status, response);
    microhttpd.destroy_response(response);
    return result;
}

static enum MHD_Result answer(struct server *server, struct MHD_Connection *connection)
{
    const char *accepted = microhttpd.lookup_connection_value(connection, MHD_HEADER_KIND, "Accept");
    bool is_open = accepted && strstr(accepted, "application/openmetrics-text");
    struct MHD_Response *response = find_answer(server, is_open ? METRICS_OPENMETRICS : METRICS_PLAIN);
    if (!response)
        return refuse(connection, MHD_HTTP_SERVICE_UNAVAILABLE, "there are no figures to be had");
    return microhttpd.queue_response(connection, MHD_HTTP_OK, response);
}

// A connection holds its address, unless it holds a request for a profile.
static int seen;

static enum MHD_Result on_request(void *context, struct MHD_Connection *connection, const char *path,
                                  const char *method, const char *version, const char *body, size_t *body_bytes,
                                  void **held)
{
    struct server *server = context;
    struct profile_request *profile = NULL;
    (void)version, (void)body;
    if (!*held) { // the headers are there; at the next call the body is
        *held = &seen;
        return MHD_YES;
    }
    if (*body_bytes) {
        *body_bytes = 0;
        return MHD_YES;
    }
    if (*held != &seen)
        return profile_request__reply(*held);
    if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0)
        return refuse(connection, MHD_HTTP_METHOD_NOT_ALLOWED, "only GET is answered");
    if (profile_requests__has(path)) {
        enum MHD_Result result = profile_requests__begin(server->profiles, connection, path, &profile);
        *held = profile ? (void *)profile : &seen;
        return result;
    }
    if (strcmp(path, "/metrics") != 0)
        return refuse(connection, MHD_HTTP_NOT_FOUND, "there is nothing but /metrics and /debug/pprof/");
    return answer(server, connection);
}

static void on_end(void *context, struct MHD_Connection *connection, void **held, enum MHD_RequestTerminationCode code)
{
    (void)context, (void)connection, (void)code;
    if (*held && *held != &seen)
        profile_request__end(*held);
    *held = NULL;
}

// --- Connections

static void on_connection(void *context, struct MHD_Connection *connection, void **socket_context,
                          enum MHD_ConnectionNotificationCode code)
{
    struct server *server = context;
    struct client *client = *socket_context;
    if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
        if (client)
            client->fd = -1;
        return;
    }
    for (client = server->clients; client < server->clients + LIMIT_METRICS_CONNECTIONS; client++)
        if (client->fd < 0)
            break;
    client->fd = microhttpd.get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
    client->since_ns = clock__ns(CLOCK_MONOTONIC);
    *socket_context = client;
}

// One that sends or reads a byte now and then is never idle, and would hold its place for ever.
static void close_old(struct server *server)
{
    uint64_t now_ns = clock__ns(CLOCK_MONOTONIC);
    for (size_t i = 0; i < LIMIT_METRICS_CONNECTIONS; i++) {
        struct client *client = &server->clients[i];
        if (client->fd >= 0 && profile_requests__holds(server->profiles, client->fd))
            client->since_ns = now_ns;
        if (client->fd >= 0 && now_ns - client->since_ns > LIMIT_METRICS_OPEN_MS * 1000000ull)
            shutdown(client->fd, SHUT_RDWR);
    }
}

// Until the daemon has gone.
static void answer_all(struct server *server, int daemon_fd)
{
    struct pollfd fds[2 + PROFILE_REQUESTS_FDS] = {{.fd = daemon_fd, .events = POLLRDHUP}, {.events = POLLIN}};
    fds[1].fd = microhttpd.get_daemon_info(server->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
    while (!fds[0].revents) {
        MHD_UNSIGNED_LONG_LONG wait_ms, most_ms = profile_requests__wait_ms(server->profiles, TURN_MOST_MS);
        nfds_t count = profile_requests__list_fds(server->profiles, fds + 2);
        if (microhttpd.get_timeout(server->daemon, &wait_ms) != MHD_YES || wait_ms > most_ms)
            wait_ms = most_ms;
        poll(fds, 2 + count, (int)wait_ms);
        profile_requests__turn(server->profiles, fds + 2, count);
        microhttpd.run(server->daemon);
        close_old(server);
    }
}

// The process that answers.
static void run_server(const struct keeper *keeper)
{
    const struct listener *listener = &keeper->listener;
    struct server *server = calloc(1, sizeof(*server));
    if (!server ||
        profile_requests__new(keeper->maker.fd, &keeper->own->page, listener->is_loopback, &server->profiles) != 0)
        return;
    server->own = keeper->own;
    for (size_t i = 0; i <= LIMIT_METRICS_CONNECTIONS; i++)
        server->clients[i].fd = -1;
    server->daemon = microhttpd.start_daemon(
        MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, on_request, server, MHD_OPTION_LISTEN_SOCKET,
        listener->fd, MHD_OPTION_CONNECTION_LIMIT, (unsigned)LIMIT_METRICS_CONNECTIONS, MHD_OPTION_CONNECTION_TIMEOUT,
        (unsigned)LIMIT_METRICS_IDLE_S, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)LIMIT_METRICS_REQUEST_BYTES,
        MHD_OPTION_NOTIFY_CONNECTION, on_connection, server, MHD_OPTION_NOTIFY_COMPLETED, on_end, server,
        MHD_OPTION_END);
    if (server->daemon)
        answer_all(server, keeper->daemon_fd);
    else
        fault__warn("libmicrohttpd cannot start on '%s'", listener->url);
}

// --- The process that begins it anew

static int prepare(struct keeper *keeper, struct fault *fault)
{
    int err = listener__open("--metrics", keeper->own->address, fault, &keeper->listener);
    if (!err)
        err = microhttpd__load(fault);
    if (err)
        return err;
    // Before what it needs to read the directory is given up here.
    err = helper_process__start("hearth-pprof", profile_maker__serve, (void *)keeper->own->directory, &keeper->maker);
    if (err)
        return fault__set(fault, err, "cannot start the process that makes profiles: %s", strerror(-err));
    return confinement__enter(NULL, NULL, fault);
}

// The kernel forgets the signal when a process changes its user (commit_creds()): after that, it is asked for again.
static bool ends_with(pid_t parent)
{
    return prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && getppid() == parent;
}

static void begin(const struct keeper *keeper)
{
    const char *url = keeper->listener.url;
    pid_t self = getpid(), pid = fork();
    int status = 0;
    if (pid == 0) {
        if (ends_with(self))
            run_server(keeper);
        _exit(0);
    }
    if (pid < 0 || waitpid(pid, &status, 0) != pid) {
        fault__warn("cannot start the process that answers '%smetrics': %s", url, strerror(errno));
        return;
    }
    fault__warn("the process that answers '%smetrics' (PID %d) has died%s%s; it is started again", url, pid,
                WIFSIGNALED(status) ? " of signal " : "", WIFSIGNALED(status) ? strsignal(WTERMSIG(status)) : "");
}

void metrics_server__serve(int fd, void *server)
{
    struct keeper keeper = {.own = server, .daemon_fd = fd};
    struct fault fault = {0};
    pid_t daemon = getppid();
    signal(SIGPIPE, SIG_IGN);
    int err = prepare(&keeper, &fault);
    priority__lower(); // not of the maker: its scraper waits, and on a busy host the lowest priority is none
    if (err) {
        fault__say(&fault, err);
        return;
    }
    fault__warn("metrics are at %smetrics", keeper.listener.url);
    for (uint32_t pause_ms = LIMIT_METRICS_PAUSE_MS; ends_with(daemon);) {
        uint64_t began_ns = clock__ns(CLOCK_MONOTONIC);
        begin(&keeper);
        if (clock__ns(CLOCK_MONOTONIC) - began_ns > LIMIT_METRICS_PAUSE_MOST_MS * 1000000ull)
            pause_ms = LIMIT_METRICS_PAUSE_MS;
        const struct timespec pause = {pause_ms / 1000, (long)(pause_ms % 1000) * 1000000};
        nanosleep(&pause, NULL);
        pause_ms = pause_ms < LIMIT_METRICS_PAUSE_MOST_MS / 2 ? pause_ms * 2 : LIMIT_METRICS_PAUSE_MOST_MS;
    }
}

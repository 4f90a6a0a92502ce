#include "collector/pprof/profile_requests.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "collector/pprof/profile_words.h"
#include "report/serve/admission.h"
#include "report/text/text.h"
#include "store/base/cleanup.h"
#include "store/base/clock.h"
#include "symbolizer/jail/packet.h"

#define FOLDER  "/debug/pprof/"
#define PROFILE FOLDER "profile"

#define TURN_MS 50u // of the loop, where a request is due soon

enum state { WAITS, ORDERED, ANSWERED };

struct profile_request {
    struct profile_requests *requests;
    struct MHD_Connection *connection;
    enum state state;
    uint64_t due_ns; // CLOCK_MONOTONIC
    struct profile_order order;
    int wanted_fd; // while it is ordered: the maker sees it closed
    unsigned status;
    int answer_fd;
};

struct profile_requests {
    int maker_fd; // -1: it has died
    const struct metrics_page *page;
    bool is_loopback;
    struct profile_request *held[LIMIT_PPROF_AT_ONCE]; // NULL: a free place
    uint64_t last_id;
    struct metrics_totals totals; // of this version, which was there since then
    unsigned version;
    uint64_t version_ns; // CLOCK_MONOTONIC
};

int profile_requests__new(int maker_fd, const struct metrics_page *page, bool is_loopback,
                          struct profile_requests **ret_requests)
{
    struct profile_requests *requests = calloc(1, sizeof(*requests));
    if (!requests)
        return -ENOMEM;
    *requests = (struct profile_requests){.maker_fd = maker_fd, .page = page, .is_loopback = is_loopback};
    requests->last_id = clock__ns(CLOCK_MONOTONIC); // no answer to a server before this one is taken for its own
    *ret_requests = requests;
    return 0;
}

static void read_totals(struct profile_requests *requests)
{
    if (requests->version_ns && requests->version == atomic_load(&requests->page->read->version))
        return;
    if (metrics_page__read(requests->page, &requests->totals, &requests->version) == 0)
        requests->version_ns = clock__ns(CLOCK_MONOTONIC);
}

// --- Answers

static enum MHD_Result send_response(struct MHD_Connection *connection, unsigned status, const char *type,
                                     struct MHD_Response *response)
{
    if (!response)
        return MHD_NO;
    microhttpd.add_response_header(response, "Content-Type", type);
    microhttpd.add_response_header(response, "X-Content-Type-Options", "nosniff");
    microhttpd.add_response_header(response, "Cross-Origin-Resource-Policy", "same-origin");
    if (status == MHD_HTTP_OK && strcmp(type, "application/octet-stream") == 0)
        microhttpd.add_response_header(response, "Content-Disposition", "attachment; filename=\"profile.pb.gz\"");
    enum MHD_Result result = microhttpd.queue_response(connection, status, response);
    microhttpd.destroy_response(response);
    return result;
}

static enum MHD_Result send_text(struct MHD_Connection *connection, unsigned status, const char *type, const char *text)
{
    return send_response(connection, status, type,
                         microhttpd.create_response_from_buffer(strlen(text), (void *)text, MHD_RESPMEM_MUST_COPY));
}

// As `hearth serve` says errors.
static enum MHD_Result refuse(struct MHD_Connection *connection, unsigned status, const char *words)
{
    _cleanup_free_ char *clean = safe_text__dup(words), *text = NULL;
    size_t bytes;
    FILE *file = clean ? open_memstream(&text, &bytes) : NULL;
    if (!file)
        return MHD_NO;
    fprintf(file, "{\"error\":");
    text__put_json(file, clean);
    fprintf(file, "}\n");
    return fclose(file) == 0 ? send_text(connection, status, "application/json", text) : MHD_NO;
}

static void put_list(const struct metrics_totals *totals, FILE *file)
{
    fputs("<!DOCTYPE html>\n<title>hearth: " FOLDER "</title>\n<h1>" FOLDER "</h1>\n"
          "<p>What the daemon records meanwhile, as gzipped pprof: for <code>go tool pprof</code>, and for profilers "
          "that "
          "scrape.\n<p>Parameters: seconds (30), event, pid, comm, unit, container, pod, cgroup.\n<ul>\n"
          "<li><a href=\"profile?seconds=30\">profile</a>\n",
          file);
    for (size_t i = 0; i < WIRE_EVENTS_MAX; i++)
        if (*totals->events[i]) {
            fputs("<li>profile?seconds=30&amp;event=", file);
            text__put_markup(file, totals->events[i]);
            fputc('\n', file);
        }
    fputs("</ul>\n", file);
}

static enum MHD_Result list(const struct profile_requests *requests, struct MHD_Connection *connection)
{
    _cleanup_free_ char *text = NULL;
    size_t bytes;
    FILE *file = open_memstream(&text, &bytes);
    if (!file)
        return MHD_NO;
    put_list(&requests->totals, file);
    return fclose(file) == 0 ? send_text(connection, MHD_HTTP_OK, "text/html; charset=utf-8", text) : MHD_NO;
}

enum MHD_Result profile_request__reply(struct profile_request *request)
{
    struct stat status;
    if (request->answer_fd < 0 || fstat(request->answer_fd, &status) != 0)
        return refuse(request->connection, request->status,
                      request->requests->maker_fd < 0 ? "the process that makes profiles has ended; restart the daemon"
                                                      : "there is no memory for a profile");
    struct MHD_Response *response = microhttpd.create_response_from_fd((size_t)status.st_size, request->answer_fd);
    if (response)
        take_fd(&request->answer_fd);
    return send_response(request->connection, request->status,
                         request->status == MHD_HTTP_OK ? "application/octet-stream" : "application/json", response);
}

// --- Requests

bool profile_requests__has(const char *path)
{
    return strcmp(path, FOLDER) == 0 || strcmp(path, PROFILE) == 0;
}

static const char *header(struct MHD_Connection *connection, const char *name)
{
    return microhttpd.lookup_connection_value(connection, MHD_HEADER_KIND, name);
}

// A page of a stranger: by a name that resolves to this host (DNS rebinding), or by a link.
static bool is_from_stranger(const struct profile_requests *requests, struct MHD_Connection *connection)
{
    static const struct admission everybody_here;
    const char *site = header(connection, "Sec-Fetch-Site");
    if (site && strcmp(site, "cross-site") == 0)
        return true;
    return requests->is_loopback &&
           admission__judge(&everybody_here, header(connection, "Host"), NULL) != ADMISSION_GIVEN;
}

static enum MHD_Result add_parameter(void *context, enum MHD_ValueKind kind, const char *name, const char *value)
{
    (void)kind;
    question__add(context, name, value);
    return MHD_YES;
}

static struct profile_request **find_place(struct profile_requests *requests, const struct profile_request *request)
{
    for (size_t i = 0; i < LIMIT_PPROF_AT_ONCE; i++)
        if (requests->held[i] == request)
            return &requests->held[i];
    return NULL;
}

static struct profile_request *make_request(struct profile_requests *requests, struct MHD_Connection *connection)
{
    struct profile_request *request = calloc(1, sizeof(*request));
    if (!request)
        return NULL;
    request->requests = requests;
    request->connection = connection;
    request->wanted_fd = request->answer_fd = -1;
    return request;
}

static enum MHD_Result hold(struct profile_requests *requests, struct profile_request **place,
                            struct profile_request *request, uint32_t seconds)
{
    request->due_ns = clock__ns(CLOCK_MONOTONIC) + seconds * 1000000000ull;
    request->order.id = ++requests->last_id;
    // Profiles that are asked for one after another have each interval once: it begins where the last one on record
    // ended.
    request->order.since_ns = requests->totals.last_end_ns ? requests->totals.last_end_ns : clock__ns(CLOCK_REALTIME);
    *place = request;
    microhttpd.suspend_connection(request->connection);
    return MHD_YES;
}

enum MHD_Result profile_requests__begin(struct profile_requests *requests, struct MHD_Connection *connection,
                                        const char *path, struct profile_request **ret_request)
{
    struct question question = {0};
    struct fault fault = {0};
    uint32_t seconds;
    if (is_from_stranger(requests, connection))
        return refuse(connection, MHD_HTTP_FORBIDDEN, "pages of other sites are not answered");
    read_totals(requests);
    if (strcmp(path, FOLDER) == 0)
        return list(requests, connection);
    struct profile_request **place = find_place(requests, NULL);
    struct profile_request *request = make_request(requests, connection);
    if (!request)
        return MHD_NO;
    microhttpd.get_connection_values(connection, MHD_GET_ARGUMENT_KIND, add_parameter, &question);
    int err = profile_words__read(&question, &requests->totals, &fault, &request->order, &seconds);
    if (!err && place) {
        *ret_request = request;
        return hold(requests, place, request, seconds);
    }
    free(request);
    return err ? refuse(connection, MHD_HTTP_BAD_REQUEST, fault.text)
               : refuse(connection, MHD_HTTP_SERVICE_UNAVAILABLE,
                        "as many profiles as may be are being made; ask again");
}

static void answer(struct profile_request *request, unsigned status, int answer_fd)
{
    struct profile_request **place = find_place(request->requests, request);
    if (place)
        *place = NULL;
    fd__close(&request->wanted_fd);
    request->wanted_fd = -1;
    request->state = ANSWERED;
    request->status = status;
    request->answer_fd = answer_fd;
    microhttpd.resume_connection(request->connection);
}

void profile_request__end(struct profile_request *request)
{
    struct profile_request **place = find_place(request->requests, request);
    if (place)
        *place = NULL;
    fd__close(&request->wanted_fd);
    fd__close(&request->answer_fd);
    free(request);
}

// --- The maker

static void lose_maker(struct profile_requests *requests)
{
    if (requests->maker_fd >= 0)
        fault__warn("the process that makes profiles has ended; there are none until the daemon is restarted");
    requests->maker_fd = -1;
}

// Whether it is time: so many seconds have passed, an interval has ended, and the first names that it brought have
// come.
static bool is_due(const struct profile_requests *requests, struct profile_request *request, uint64_t now_ns)
{
    struct profile_order *order = &request->order;
    if (!order->until_ns && now_ns >= request->due_ns && requests->totals.last_end_ns > order->since_ns) {
        order->until_ns = requests->totals.last_end_ns;
        request->due_ns = requests->version_ns + LIMIT_PPROF_NAMES_MS * 1000000ull;
    }
    return order->until_ns && now_ns >= request->due_ns;
}

static void order(struct profile_requests *requests, struct profile_request *request)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        return answer(request, MHD_HTTP_SERVICE_UNAVAILABLE, -1);
    request->wanted_fd = ends[0];
    request->state = ORDERED;
    // The socket has room for more orders than there are places.
    int err =
        packet__send(requests->maker_fd, &request->order, sizeof(request->order), &(struct packet_fds){{ends[1], -1}});
    close(ends[1]);
    if (err == -EPIPE)
        lose_maker(requests);
    if (err)
        answer(request, MHD_HTTP_SERVICE_UNAVAILABLE, -1);
}

static void take_reply(struct profile_requests *requests)
{
    struct profile_reply reply;
    struct packet_fds fds;
    int err = packet__receive(requests->maker_fd, 0, &reply, sizeof(reply), &fds);
    if (err == -EPIPE)
        lose_maker(requests);
    for (size_t i = 0; !err && i < LIMIT_PPROF_AT_ONCE; i++) {
        struct profile_request *request = requests->held[i];
        if (request && request->state == ORDERED && request->order.id == reply.id)
            answer(request, reply.status, take_fd(&fds.fds[0]));
    }
    packet__close(&fds);
}

// --- The loop

static int socket_of(const struct profile_request *request)
{
    return microhttpd.get_connection_info(request->connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
}

nfds_t profile_requests__list_fds(const struct profile_requests *requests, struct pollfd *ret_fds)
{
    nfds_t count = 0;
    ret_fds[count++] = (struct pollfd){.fd = requests->maker_fd, .events = POLLIN};
    for (size_t i = 0; i < LIMIT_PPROF_AT_ONCE; i++)
        ret_fds[count++] =
            (struct pollfd){.fd = requests->held[i] ? socket_of(requests->held[i]) : -1, .events = POLLRDHUP};
    return count;
}

void profile_requests__turn(struct profile_requests *requests, const struct pollfd *fds, nfds_t count)
{
    if (fds[0].revents)
        take_reply(requests);
    for (size_t i = 0; i < LIMIT_PPROF_AT_ONCE && i + 1 < count; i++) {
        struct profile_request *request = requests->held[i];
        if (!request)
            continue;
        read_totals(requests);
        if (fds[i + 1].revents)
            answer(request, MHD_HTTP_SERVICE_UNAVAILABLE, -1); // its client has left, and reads nothing
        else if (requests->maker_fd < 0)
            answer(request, MHD_HTTP_SERVICE_UNAVAILABLE, -1);
        else if (request->state == WAITS && is_due(requests, request, clock__ns(CLOCK_MONOTONIC)))
            order(requests, request);
    }
}

unsigned profile_requests__wait_ms(const struct profile_requests *requests, unsigned most_ms)
{
    uint64_t now_ns = clock__ns(CLOCK_MONOTONIC);
    for (size_t i = 0; i < LIMIT_PPROF_AT_ONCE; i++) {
        const struct profile_request *request = requests->held[i];
        if (request && request->state == WAITS && now_ns + most_ms * 1000000ull > request->due_ns)
            return TURN_MS;
    }
    return most_ms;
}

bool profile_requests__holds(const struct profile_requests *requests, int socket)
{
    for (size_t i = 0; i < LIMIT_PPROF_AT_ONCE; i++)
        if (requests->held[i] && socket_of(requests->held[i]) == socket)
            return true;
    return false;
}

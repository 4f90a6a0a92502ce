// /debug/pprof/ of the daemon, within the server that answers scrapers: what Go's net/http/pprof answers to a profiler
// that scrapes. A request waits here, suspended, while the daemon records; then another process (profile_maker.h) makes
// its profile of the intervals that ended meanwhile, so that nothing here reads a store, and no drain waits.
#ifndef HEARTH_COLLECTOR_PPROF_PROFILE_REQUESTS_H
#define HEARTH_COLLECTOR_PPROF_PROFILE_REQUESTS_H

#include <poll.h>
#include <stdbool.h>

#include "collector/metrics/metrics_page.h"
#include "store/system/microhttpd.h"

struct profile_request; // one that waits, or is answered
struct profile_requests;

#define PROFILE_REQUESTS_FDS (1 + LIMIT_PPROF_AT_ONCE) // of profile_requests__list_fds

// maker_fd: the socket of the maker, which is borrowed, like the page. Without a name that is loopback's in its header
// Host a request is refused, where is_loopback.
int profile_requests__new(int maker_fd, const struct metrics_page *page, bool is_loopback,
                          struct profile_requests **ret_requests);

// Whether a path is answered here.
bool profile_requests__has(const char *path);
// A GET of such a path. ret_request: NULL, or a request for which the connection was suspended.
enum MHD_Result profile_requests__begin(struct profile_requests *requests, struct MHD_Connection *connection,
                                        const char *path, struct profile_request **ret_request);
// The same connection, once it was resumed.
enum MHD_Result profile_request__reply(struct profile_request *request);
// The connection has ended.
void profile_request__end(struct profile_request *request);

// At each turn of the loop: descriptors to poll for, and after poll() the work. The list is that of the same turn.
nfds_t profile_requests__list_fds(const struct profile_requests *requests, struct pollfd *ret_fds);
unsigned profile_requests__wait_ms(const struct profile_requests *requests, unsigned most_ms); // for poll()
void profile_requests__turn(struct profile_requests *requests, const struct pollfd *fds, nfds_t count);
// Whether a request of this socket waits.
bool profile_requests__holds(const struct profile_requests *requests, int socket);

#endif

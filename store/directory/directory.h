// The directory that the daemon writes to: a file for each day, and room for what is written.
//
//   store_directory__open(...)                                once; a second daemon is refused
//   store_directory__begin(directory, start_ns, ...)          a writer of the day's file
//   store_directory__is_over(directory, start_ns)             before each interval: whether another one is to begin
//   store_directory__make_room(directory, ...)                before each interval
//   store_directory__set_aside(directory, ...)                when the writer says -EBADMSG; then another one begins
//   store_directory__maintenance(directory, ..., &plan)       from time to time; maintenance__run(&plan) elsewhere
#ifndef HEARTH_STORE_DIRECTORY_DIRECTORY_H
#define HEARTH_STORE_DIRECTORY_DIRECTORY_H

#include "store/base/cleanup.h"
#include "store/directory/maintenance.h"
#include "store/writer/writer.h"

struct store_directory;

// Makes the directory where there is none; store_directory__open does so too.
int store_directory__make(const char *path, struct fault *fault);

// -EBUSY: another daemon writes to it. The clocks are CLOCK_REALTIME and
// CLOCK_BOOTTIME.
int store_directory__open(const char *path, const struct store_limits *limits, uint64_t wall_ns, uint64_t boot_ns,
                          struct fault *fault, struct store_directory **ret_directory);
void store_directory__free(struct store_directory *directory); // writers of it are closed before

// Sets how many bytes the directory may take from now on.
void store_directory__bound(struct store_directory *directory, uint64_t bytes_most);

// A writer, the caller's, for intervals that begin on the UTC day of `start_ns`: of the day's last file, which goes on
// where it ended, or of a new one. The directory borrows it until the next begin or leave. -ENOSPC: there is no room. A
// damaged file is set aside: see store_directory__aside.
int store_directory__begin(struct store_directory *directory, uint64_t start_ns, const struct store_meta *meta,
                           struct fault *fault, struct store_writer **ret_writer);
// The writer was closed, and no other one has begun: the day's file goes on with the next.
void store_directory__leave(struct store_directory *directory);
// Whether an interval that begins at `start_ns` belongs to another file: that of another day, or the next one of this
// day where the writer's has grown large.
bool store_directory__is_over(const struct store_directory *directory, uint64_t start_ns);
// Removes old files where there is no room for what comes. -ENOSPC: nothing is left to remove.
int store_directory__make_room(struct store_directory *directory, struct fault *fault);

// The writer's file is damaged: gives it another name. The caller closes the writer and begins another one.
int store_directory__set_aside(struct store_directory *directory, struct fault *fault);
// The name of the file that was last set aside, once; "" none.
const char *store_directory__aside(struct store_directory *directory);

// A plan for maintenance__run. A clock that was set far ahead makes nothing old: time goes no faster than
// CLOCK_BOOTTIME since the open, and a day.
void store_directory__maintenance(const struct store_directory *directory, uint64_t wall_ns, uint64_t boot_ns,
                                  uint64_t budget_ns, struct maintenance *ret_plan);

DEFINE_CLEANUP(struct store_directory *, store_directory__free);

#endif

// The directory that the daemon writes to: the writer of the day, and room for what it writes.
//
//   store_directory__open(...)                                once; a second daemon is refused
//   store_directory__writer_for(directory, start_ns, ...)     before each interval: the writer may be another one
//   store_directory__set_aside(directory, ...)                when the writer says -EBADMSG; then writer_for again
//   store_directory__maintenance(directory, ..., &plan)       from time to time; maintenance__run(&plan) elsewhere
#ifndef HEARTH_STORE_DIRECTORY_DIRECTORY_H
#define HEARTH_STORE_DIRECTORY_DIRECTORY_H

#include "store/directory/maintenance.h"
#include "store/writer/writer.h"

struct store_directory;

// Makes the directory where there is none. -EBUSY: another daemon writes to it. `meta` is copied by each new file and
// borrowed until the close. The clocks are CLOCK_REALTIME and CLOCK_BOOTTIME.
int store_directory__open(const char *path, const struct store_limits *limits, const struct store_meta *meta,
                          uint64_t wall_ns, uint64_t boot_ns, struct fault *fault,
                          struct store_directory **ret_directory);
// Finishes the writer's file.
int store_directory__close(struct store_directory *directory, struct fault *fault);
void store_directory__free(struct store_directory *directory); // as close, for cleanup; says nothing

// The writer for an interval that begins at `start_ns`: that of its UTC day. ret_is_new: it is another one than before,
// and knows nothing of what the last one was given; the last one is finished. Removes old files where there is no room.
// -ENOSPC: there is none. A damaged file is set aside: see store_directory__aside.
int store_directory__writer_for(struct store_directory *directory, uint64_t start_ns, struct fault *fault,
                                struct store_writer **ret_writer, bool *ret_is_new);

// The writer's file is damaged: gives it another name, and the next writer_for begins a new one.
int store_directory__set_aside(struct store_directory *directory, struct fault *fault);
// The name of the file that was last set aside, once; "" none.
const char *store_directory__aside(struct store_directory *directory);

// A plan for maintenance__run. A clock that was set far ahead makes nothing old: time goes no faster than
// CLOCK_BOOTTIME since the open, and a day.
void store_directory__maintenance(const struct store_directory *directory, uint64_t wall_ns, uint64_t boot_ns,
                                  uint64_t budget_ns, struct maintenance *ret_plan);

#endif

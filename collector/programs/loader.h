// Loads the embedded BPF objects: makes the shared maps once, hands them to every object, and fills in the read-only
// configuration before the verifier sees the programs. libbpf is used in collector/ only, and its maps are reached
// here.
//
//   loader__new(&config, &bounds, &fault, &loader);
//   loader__open(loader, "source_perf", &fault, &loaded);
//   loaded__set(loaded, "own_event", &index, sizeof(index), &fault);
//   loaded__load(loaded, &fault);
#ifndef HEARTH_COLLECTOR_PROGRAMS_LOADER_H
#define HEARTH_COLLECTOR_PROGRAMS_LOADER_H

#include <stddef.h>
#include <stdint.h>

#include "bpf/wire/wire.h"
#include "store/base/cleanup.h"
#include "store/base/fault.h"

struct bpf_link;
struct bpf_object;
struct bpf_program;

struct loader;

// How large the shared maps may grow, in entries a set. Where the kernel cannot allocate entries as they are needed
// (before 6.1) all of it is allocated at once.
struct loader_bounds {
    uint32_t counts;
    uint32_t stacks;
    uint32_t hists;      // cells of histograms, allocated at once
    uint32_t cells;      // of those without keys; 0: none
    uint32_t cpus;       // highest number of a CPU that is present, plus 1: CPUs behind unwind without caches
    uint32_t copy_bytes; // of the ring buffer of copied stacks, a power of two; 0: nobody copies
};

int loader__new(const struct wire_config *config, const struct loader_bounds *bounds, struct fault *fault,
                struct loader **ret_loader);
void loader__free(struct loader *loader);

// Objects that are opened from now on get the kernel's types cut to what they need (kernel_types.h), kept in a folder;
// NULL: kept until the memory for them is given back.
void loader__keep_types(struct loader *loader, const char *folder);
void loader__give_back_types(struct loader *loader);

// A descriptor of a shared map by its name ("counts_0"); -1 until the first object is loaded. Borrowed.
int loader__map_fd(const struct loader *loader, const char *name);

// One object with its programs and links; detaches and unloads when freed.
struct loaded;
int loader__open(struct loader *loader, const char *object, struct fault *fault, struct loaded **ret_loaded);
// Sets a `const volatile` variable of the object. -ENOENT: it has none of that name and size.
int loaded__set(struct loaded *loaded, const char *variable, const void *value, size_t bytes, struct fault *fault);
int loaded__load(struct loaded *loaded, struct fault *fault);
struct bpf_object *loaded__object(const struct loaded *loaded);
struct bpf_program *loaded__program(const struct loaded *loaded, const char *name); // NULL: none
// Keeps a link until the object is freed. -ENOMEM: the link is already gone.
int loaded__keep(struct loaded *loaded, struct bpf_link *link);
// Destroys one that is kept.
void loaded__drop(struct loaded *loaded, struct bpf_link *link);
// The same for a link that is a descriptor, which is taken over. -ENOMEM: it is already closed.
int loaded__keep_fd(struct loaded *loaded, int link_fd);
// The same of an event that a link is on, and that takes long to close; see slow_close.h.
int loaded__keep_slow_fd(struct loaded *loaded, int event_fd);
// Takes down all links, so that no program of the object runs any more.
void loaded__detach(struct loaded *loaded);
void loaded__free(struct loaded *loaded);

// Kernel memory that the maps of all its objects take now, as the kernel says. Some 5 us a map.
uint64_t loader__map_bytes(const struct loader *loader);

DEFINE_CLEANUP(struct loader *, loader__free);
DEFINE_CLEANUP(struct loaded *, loaded__free);

#endif

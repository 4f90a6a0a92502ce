// The one folded tree that every picture is drawn from: a root for each comm (or thread), below it a node for each
// chain of calls, with what was counted in it itself.
//
//   node  parent  label          self samples
//   0     -       (all)          0
//   1     0       nginx (comm)   0
//   2     1       main           1
//   3     2       serve          4
//   4     2       memcpy [_i]    2        main was seen 7 times in all: 1 itself, 4 in serve, 2 in memcpy
//
// A parent's number is always below its children's, so that one pass from the end adds the totals up. Built in time
// linear in the rows and the nodes of the store's trie that they reach. Knows units, never kinds of events.
#ifndef HEARTH_REPORT_PROFILE_PROFILE_H
#define HEARTH_REPORT_PROFILE_PROFILE_H

#include <stdbool.h>
#include <stdint.h>

#include "report/profile/group.h"
#include "store/reader/reader.h"

// The kind of a label: an enum store_binary_kind (a mark always stands right below its root), or that of a root, which
// is a comm, or what report/profile/group.h says.
#define LABEL_ROOT STORE_BINARY_COUNT

// A node stands for a label: a function, a line, a mark, a comm. The strings are clean (see text.h).
struct label {
    const char *name;               // function, "[libfoo.so+0x1234]", comm, mark; with lines: "function (file.c:12)"
    const char *module;             // the file name of the binary, without folders; "" for roots and marks
    const char *file;               // source file; "" unknown
    uint32_t line_first, line_last; // the lines seen of it; 0 unknown
    uint32_t kind;
    bool inlined;
    uint32_t frame; // PROFILE_BY_FRAME: the store's frame; else 0
};

enum profile_grain {
    PROFILE_BY_FUNCTION,
    PROFILE_BY_LINE,
    PROFILE_BY_FRAME, // a label for each frame of the store, inlined functions not told apart
};

struct profile_options {
    enum profile_grain grain;
    const struct group *group; // by which roots are made; NULL: each comm
    bool by_thread;            // a root for each thread, which knows that of its group: thread_split.h
    bool no_inline;
    bool names_only; // functions of one name are one, whatever binary they are in
    unsigned sides;  // 1; 2 to hold two profiles against each other
};

struct profile_weight {
    uint64_t samples;
    uint64_t value; // in the event's unit
};

struct profile;

int profile__new(const struct profile_options *options, struct profile **ret_profile);
void profile__free(struct profile *profile);

const struct profile_options *profile__options(const struct profile *profile);
const struct group *profile__group(const struct profile *profile); // by which roots are made

// The label that reads so; its strings need not be clean and are copied. Lines seen before are kept.
int profile__keep_label(struct profile *profile, const struct label *label, uint32_t *ret_label);
// Makes room for so many nodes more at once: cheaper than to grow by doubling. More than that may still come.
int profile__reserve(struct profile *profile, uint32_t more);
// The child of `parent` with this label, made where there is none.
int profile__child(struct profile *profile, uint32_t parent, uint32_t label, uint32_t *ret_node);
void profile__count(struct profile *profile, unsigned side, uint32_t node, uint64_t samples, uint64_t value);

uint32_t profile__node_count(const struct profile *profile);
uint32_t profile__label_count(const struct profile *profile);
uint32_t profile__parent(const struct profile *profile, uint32_t node);
uint32_t profile__label_of(const struct profile *profile, uint32_t node); // 0, "all", of node 0 only
const struct label *profile__label(const struct profile *profile, uint32_t label);
const struct profile_weight *profile__self(const struct profile *profile, unsigned side, uint32_t node);
struct profile_weight profile__total(const struct profile *profile, unsigned side);

#endif

// Two unwinders on the same samples: the kernel side's tables, or frame pointers, and libunwind over a copy of
// registers and stack. Runs a command, compares stack by stack, and prints what it found:
//
//   unwind_oracle [--fp] [-F HZ] COMMAND [ARG...]
//
//   pairs 1982               samples in user code that both saw
//   whole 1980 1982          of them whole: the kernel's, libunwind's
//   whole-both 1980
//   equal 1980               of whole-both, frame by frame
//   rest 2                   of the kernel's: not whole, or walked by frame pointers; with --fp only those that begin
//   in
//                            COMMAND itself: it has frame pointers, libraries have none
//   prefix 2                 of the rest: their frames are libunwind's innermost ones
//   reach 1981               of libunwind's, whole or by frame pointers: the kernel's end in the same outermost frame
//   depth 12.3 12.3          mean, of all pairs
//   difference 2 [unwind: no rows] / whole, frame 1 of 1 / 12: /usr/lib/x86_64-linux-gnu/libc.so.6+0x1234 / ...
//
// `kernel` is what stands first in each line, libunwind second. A difference is known by the statuses and by the last
// frame that both agree on; the most frequent come first.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "collector/session/recorder.h"

enum { DIFFERENCES = 512, SHOWN = 24, TEXT_BYTES = 900 };

static char *own_path; // with --fp: COMMAND's

static const char *const marks[] = {
#define STACK_STATUS(name, ...) #name,
#include "bpf/wire/stack_status.def"
#undef STACK_STATUS
};

struct difference {
    uint64_t key[4]; // statuses, the last frame they agree on, the first they do not
    uint64_t count;
    char text[TEXT_BYTES];
};

static struct {
    uint64_t pairs, whole_kernel, whole_user, whole_both, equal, rest, prefix, reach, depth_kernel, depth_user;
    struct difference differences[DIFFERENCES];
    size_t difference_count;
} seen;

static const char *path_of(const struct copy_pair *pair, uint64_t frame)
{
    struct binary *binary = NULL;
    if (frame & WIRE_FRAME_IN_BINARY)
        binary = binaries__by_number(pair->binaries, WIRE_FRAME_BINARY(frame));
    return binary ? binary->path : "";
}

// A file without a build id may have two numbers: one for each way it was heard of.
static bool is_same(const struct copy_pair *pair, uint64_t a, uint64_t b)
{
    return a == b || (a & b & WIRE_FRAME_IN_BINARY && WIRE_FRAME_OFFSET(a) == WIRE_FRAME_OFFSET(b) &&
                      strcmp(path_of(pair, a), path_of(pair, b)) == 0);
}

// A sample amid the handling of a foreign uprobe: the registers stand one byte behind its breakpoint, which the kernel
// side takes back.
static bool is_probed(const struct copy_pair *pair)
{
    return pair->kernel_count && pair->user_count && is_same(pair, pair->kernel_frames[0] + 1, pair->user_frames[0]);
}

static void print_frame(FILE *file, const struct copy_pair *pair, const uint64_t *frames, size_t count, size_t index)
{
    if (index >= count) {
        fputs("-", file);
        return;
    }
    const char *path = path_of(pair, frames[index]);
    fprintf(file, "%s+0x%llx", path, (unsigned long long)(path[0] ? WIRE_FRAME_OFFSET(frames[index]) : frames[index]));
}

static void describe(const struct copy_pair *pair, size_t first, char *text)
{
    FILE *file = fmemopen(text, TEXT_BYTES, "w");
    if (!file)
        return;
    fprintf(file, "%s / %s, frame %zu of %zu / %zu:", marks[pair->kernel_status], marks[pair->user_status], first,
            pair->kernel_count, pair->user_count);
    for (size_t i = first > 2 ? first - 2 : 0; i < first + 2; i++) {
        fputs(i == first ? "  >> " : "  ", file);
        print_frame(file, pair, pair->kernel_frames, pair->kernel_count, i);
        fputs(" / ", file);
        print_frame(file, pair, pair->user_frames, pair->user_count, i);
    }
    fclose(file);
}

static void note_difference(const struct copy_pair *pair, size_t first)
{
    uint64_t key[4] = {pair->kernel_status, pair->user_status, first ? pair->kernel_frames[first - 1] : 0,
                       first < pair->kernel_count ? pair->kernel_frames[first] : 0};
    size_t i = 0;
    while (i < seen.difference_count && memcmp(seen.differences[i].key, key, sizeof(key)) != 0)
        i++;
    if (i == DIFFERENCES)
        return;
    struct difference *difference = &seen.differences[i];
    if (i == seen.difference_count) {
        memcpy(difference->key, key, sizeof(key));
        describe(pair, first, difference->text);
        seen.difference_count++;
    }
    difference->count++;
}

static bool is_whole(enum wire_stack_status status)
{
    return status == WIRE_STACK_WHOLE;
}

static void compare(const struct copy_pair *pair, void *context)
{
    (void)context;
    size_t first = is_probed(pair) ? 1 : 0;
    while (first < pair->kernel_count && first < pair->user_count &&
           is_same(pair, pair->kernel_frames[first], pair->user_frames[first]))
        first++;
    bool equal = first == pair->kernel_count && first == pair->user_count;
    bool whole_both = is_whole(pair->kernel_status) && is_whole(pair->user_status);
    bool is_own = !own_path || (pair->user_count && strcmp(path_of(pair, pair->user_frames[0]), own_path) == 0);
    bool rest = !is_whole(pair->kernel_status) && is_own;
    seen.pairs++;
    seen.whole_kernel += is_whole(pair->kernel_status);
    seen.whole_user += is_whole(pair->user_status);
    seen.whole_both += whole_both;
    seen.equal += whole_both && equal;
    seen.rest += rest;
    seen.prefix += rest && first == pair->kernel_count;
    seen.reach += pair->user_status <= WIRE_STACK_FRAME_POINTERS && pair->kernel_count &&
                  is_same(pair, pair->kernel_frames[pair->kernel_count - 1], pair->user_frames[pair->user_count - 1]);
    seen.depth_kernel += pair->kernel_count;
    seen.depth_user += pair->user_count;
    if (!equal || pair->kernel_status != pair->user_status)
        note_difference(pair, first);
}

static int by_count(const void *left, const void *right)
{
    uint64_t a = ((const struct difference *)left)->count, b = ((const struct difference *)right)->count;
    return (a < b) - (a > b);
}

static void print_seen(void)
{
    double pairs = seen.pairs ? (double)seen.pairs : 1;
    printf("pairs %llu\n", (unsigned long long)seen.pairs);
    printf("whole %llu %llu\n", (unsigned long long)seen.whole_kernel, (unsigned long long)seen.whole_user);
    printf("whole-both %llu\n", (unsigned long long)seen.whole_both);
    printf("equal %llu\n", (unsigned long long)seen.equal);
    printf("rest %llu\n", (unsigned long long)seen.rest);
    printf("prefix %llu\n", (unsigned long long)seen.prefix);
    printf("reach %llu\n", (unsigned long long)seen.reach);
    printf("depth %.2f %.2f\n", (double)seen.depth_kernel / pairs, (double)seen.depth_user / pairs);
    qsort(seen.differences, seen.difference_count, sizeof(seen.differences[0]), by_count);
    for (size_t i = 0; i < seen.difference_count && i < SHOWN; i++)
        printf("difference %llu %s\n", (unsigned long long)seen.differences[i].count, seen.differences[i].text);
}

static int run(struct recorder_options *options, struct fault *fault)
{
    struct recorder_summary summary;
    struct recorder *recorder = NULL;
    int err = recorder__new(options, fault, &recorder);
    if (!err)
        err = recorder__run(recorder, fault, &summary);
    recorder__free(recorder);
    return err;
}

int main(int argc, char **argv)
{
    struct fault fault = {0};
    char store[] = "/tmp/unwind-oracle-XXXXXX.db";
    const struct recorder_event events[] = {{.spelled = "cpu"}};
    struct target_options target = {0};
    struct recorder_options options = {
        .bpf_share = 1, // each sample is compared
        .events = events,
        .event_count = 1,
        .frequency_hz = 499,
        .drain_ns = 1000000000u,
        .store_path = store,
        .command_line = "unwind_oracle",
        .target = &target,
        .no_inline = true,
        .compare = compare,
    };
    int at = 1;
    for (; at < argc && argv[at][0] == '-'; at++) {
        if (strcmp(argv[at], "--fp") == 0)
            options.unwind = WIRE_UNWIND_FP;
        else if (strcmp(argv[at], "-F") == 0 && at + 1 < argc)
            options.frequency_hz = strtoull(argv[++at], NULL, 10);
        else
            return 2;
    }
    if (at == argc)
        return 2;
    options.command = argv + at;
    own_path = options.unwind == WIRE_UNWIND_FP ? realpath(argv[at], NULL) : NULL;
    int fd = mkstemps(store, 3);
    if (fd < 0)
        return 1;
    close(fd);
    int err = run(&options, &fault);
    unlink(store);
    if (err)
        return fault__say(&fault, err);
    print_seen();
    return 0;
}

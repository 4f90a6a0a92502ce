// hearth unwind-rows FILE: the unwind rows of an ELF, worded as `readelf -wF` words them.
//
//   0000000000026000 rsp+16 u c-8
//   0000000000026006 rsp+24 u c-8
//   0000000000026010 exp u c-8
#include "report/commands/cmd_unwind_rows.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "symbolizer/arch/unwind_shapes.h"
#include "symbolizer/guests/guests.h"
#include "symbolizer/unwind/unwind_rows.h"

struct listing {
    struct unwind_segment segments[UNWIND_SEGMENTS_MAX];
    size_t segment_count;
};

static uint64_t address_of(const struct listing *listing, uint64_t file_offset)
{
    for (size_t i = 0; i < listing->segment_count; i++) {
        const struct unwind_segment *segment = &listing->segments[i];
        // <=: the row behind the last function stands at the end of the segment.
        if (file_offset >= segment->file_offset && file_offset - segment->file_offset <= segment->bytes)
            return segment->address + (file_offset - segment->file_offset);
    }
    return file_offset;
}

static void word_cfa(const struct unwind_rule *rule, char word[24])
{
    switch (UNWIND_KIND_OF(rule->kind)) {
    case UNWIND_GAP:
        snprintf(word, 24, "gap");
        break;
    case UNWIND_END:
        snprintf(word, 24, "end");
        break;
    case UNWIND_UNSUPPORTED:
        snprintf(word, 24, "unsupported");
        break;
    case UNWIND_SP:
    case UNWIND_BP:
    case UNWIND_BX:
        snprintf(word, 24, "%s%+d", unwind_shapes__register(UNWIND_KIND_OF(rule->kind)), rule->cfa_offset);
        break;
    default:
        snprintf(word, 24, "exp");
    }
}

static void word_bp(const struct unwind_rule *rule, char word[24])
{
    switch (UNWIND_KIND_OF(rule->kind)) {
    case UNWIND_GAP:
    case UNWIND_END:
    case UNWIND_UNSUPPORTED:
        snprintf(word, 24, "-");
        return;
    case UNWIND_SIGNAL:
        snprintf(word, 24, "exp");
        return;
    }
    switch (UNWIND_BP_OF(rule->kind)) {
    case UNWIND_BP_SAME:
        snprintf(word, 24, "u");
        break;
    case UNWIND_BP_AT_CFA:
        snprintf(word, 24, "c%+d", rule->bp_offset);
        break;
    case UNWIND_BP_AT_BP:
        snprintf(word, 24, "exp");
        break;
    default:
        snprintf(word, 24, "lost");
    }
}

static const char *word_return_address(const struct unwind_rule *rule)
{
    switch (UNWIND_KIND_OF(rule->kind)) {
    case UNWIND_END:
        return "u";
    case UNWIND_GAP:
    case UNWIND_UNSUPPORTED:
        return "-";
    case UNWIND_SIGNAL:
        return "exp";
    default:
        return "c-8";
    }
}

static void print_row(uint64_t file_offset, const struct unwind_rule *rule, void *context)
{
    char cfa[24], bp[24];
    word_cfa(rule, cfa);
    word_bp(rule, bp);
    printf("%016" PRIx64 " %s %s %s\n", address_of(context, file_offset), cfa, bp, word_return_address(rule));
}

static void say_guest(int fd)
{
    struct guest_found found;
    guests__find(fd, &found);
    if (found.refused)
        fault__warn("the file has an interpreter whose functions are not followed: %s", found.refused);
    else if (found.guest.kind)
        fault__warn("the file has an interpreter whose functions are followed, of version %u.%u",
                    found.guest.version >> 8, found.guest.version & 255);
}

static enum exit_code run(int argc, char **argv)
{
    struct fault fault = {0};
    if (argc != 1)
        return fault__say(&fault, fault__set_code(&fault, EXIT_CODE_USAGE, -EINVAL,
                                                  "unwind-rows takes one FILE; see `hearth unwind-rows -h`"));
    _cleanup_fd_ int fd = open(argv[0], O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct listing listing = {0};
    int err = fd < 0 ? -errno : unwind_segments__read(fd, &fault, listing.segments, &listing.segment_count);
    _cleanup_(unwind_table__freep) struct unwind_table *table = NULL;
    if (!err)
        err = unwind_table__compile(fd, &fault, &table);
    if (err) {
        struct fault named = {0};
        fault__set(&named, err, "cannot make unwind rows of '%s': %s", argv[0],
                   fault.text[0] ? fault.text : strerror(-err));
        return fault__say(&named, err);
    }
    unwind_table__each(table, print_row, &listing);
    say_guest(fd);
    return EXIT_CODE_DONE;
}

static const struct option_row rows[] = {{0}};

const struct command cmd_unwind_rows = {
    .name = "unwind-rows",
    .operands = "FILE",
    .summary = "print the unwind rows of an ELF file, as `readelf -wF` words them",
    .details = "One line a row, PC CFA FP RA; a row reaches to the next one. Besides readelf's words: `gap` is code\n"
               "without call frame information, `end` the outermost frame, `unsupported` a rule that is not followed,\n"
               "`lost` a saved frame pointer that is not followed.\n",
    .options = rows,
    .run = run,
};

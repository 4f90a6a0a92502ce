#include "symbolizer/symbols/usdt_notes.h"

#include <errno.h>

#include "symbolizer/elf/elf_notes.h"

enum { NOTE_TYPE = 3 }; // of systemtap's <sys/sdt.h>

// A note says three addresses (the probe, the link-time address of .stapsdt.base, the semaphore) and three strings.
static int read_note(const struct elf_note *note, uint64_t base, struct usdt_note *ret_note)
{
    struct byte_reader body = {.at = note->body, .end = note->body + note->body_bytes};
    uint64_t address = byte_reader__fixed(&body, 8), linked_base = byte_reader__fixed(&body, 8),
             semaphore = byte_reader__fixed(&body, 8), moved = base ? base - linked_base : 0;
    *ret_note = (struct usdt_note){.address = address + moved, .semaphore = semaphore ? semaphore + moved : 0};
    ret_note->provider = byte_reader__string(&body);
    ret_note->name = byte_reader__string(&body);
    ret_note->arguments = byte_reader__string(&body);
    return body.failed ? -EBADMSG : 0;
}

int usdt_notes__each(struct elf_file *file, int (*row)(const struct usdt_note *note, void *context), void *context)
{
    const struct elf_section *section = elf_file__find(file, ".note.stapsdt");
    const struct elf_section *base = elf_file__find(file, ".stapsdt.base");
    struct elf_data data = {0};
    if (!section || !elf_file__is_64(file))
        return -ENOENT;
    int err = elf_file__read(file, section, &data);
    struct byte_reader notes = {.at = data.bytes, .end = data.bytes + data.length_bytes};
    struct elf_note found;
    while (!err && elf_notes__next(&notes, &found)) {
        struct usdt_note note;
        if (elf_note__is(&found, "stapsdt", NOTE_TYPE) && read_note(&found, base ? base->address : 0, &note) == 0)
            err = row(&note, context);
    }
    return err ? err : notes.failed ? -EBADMSG : 0;
}

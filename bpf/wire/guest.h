// Guests: runtimes that run programs of their own, such as CPython. Their functions stand in stacks between the native
// frames. Here is all that the kernel side is told of a binary that holds one, and tells of the functions met in it.
//
//   wire_frame   10 | kind:6 | code:32 | place:24     the tag 10 beside those of bpf/wire/wire.h
//
// `code` is a number that the kernel side gives to the contents of a code object: its kind, name, file, first line and
// the length of its table of lines. So a function has the same number in every process, and its note comes once.
#ifndef HEARTH_BPF_WIRE_GUEST_H
#define HEARTH_BPF_WIRE_GUEST_H

#ifndef __VMLINUX_H__
#include <linux/types.h>
#endif

enum wire_guest_kind {
    WIRE_GUEST_NONE = 0,
#define GUEST(name, number, ...) WIRE_GUEST_##name = (number),
#include "bpf/wire/guests.def"
#undef GUEST
    WIRE_GUEST_END,
};

#define WIRE_GUEST_FRAME      (1ull << 63)
#define WIRE_GUEST_PLACE_BITS 24
#define WIRE_GUEST_PLACE_NONE ((1u << WIRE_GUEST_PLACE_BITS) - 1) // not known
#define WIRE_FRAME_OF_GUEST(kind, code, place)                                                                         \
    (WIRE_GUEST_FRAME | (__u64)(kind) << 56 | (__u64)(code) << WIRE_GUEST_PLACE_BITS | (place))
#define WIRE_FRAME_IS_GUEST(frame)    ((frame) >> 62 == 2)
#define WIRE_FRAME_GUEST_KIND(frame)  ((__u32)((frame) >> 56) & 63)
#define WIRE_FRAME_GUEST_CODE(frame)  ((__u32)((frame) >> WIRE_GUEST_PLACE_BITS))
#define WIRE_FRAME_GUEST_PLACE(frame) ((__u32)((frame) & ((1u << WIRE_GUEST_PLACE_BITS) - 1)))

// How the loops of a thread leave something on the C stack, by which each is paired with its native frame.
enum wire_cpython_anchor {
    WIRE_CPYTHON_CFRAME = 0,      // 3.11: a _PyCFrame; its frames end with one whose is_entry is set
    WIRE_CPYTHON_ENTRY_FRAME = 1, // 3.13 and later: a frame of owner 3
};

// Offsets in the structures of one version of CPython.
struct wire_cpython {
    __u8 anchor;       // enum wire_cpython_anchor
    __u8 thread_frame; // PyThreadState: cframe, or current_frame
    __u8 frame_code, frame_previous, frame_instruction;
    __u8 frame_end;                                   // is_entry, or owner
    __u8 code_line, code_file, code_name, code_table; // of PyCodeObject; within 96 bytes from code_from on
    __u8 code_from;
    __u8 code_bytes;               // where the bytecode begins
    __u8 text_ascii, text_compact; // where the characters of a str begin
    __u8 kind_shift;               // of its kind in its state
    __u8 reserved;
};

// The functions that make a frame the current one before its loop has begun.
enum wire_php_callers { WIRE_PHP_CALL, WIRE_PHP_INIT, WIRE_PHP_EXECUTE, WIRE_PHP_GENERATOR, WIRE_PHP_CALLERS };
struct wire_php_caller {
    __u32 from, to; // file offsets
};

// Offsets in struct _zend_op_array of one version of PHP, from 8 on.
struct wire_php {
    __u8 code_count, code_opcodes; // `last` and `opcodes`
    __u8 code_file, code_line;     // `filename` and `line_start`
    __u32 reserved;
    struct wire_php_caller callers[WIRE_PHP_CALLERS];
};

// A binary with a guest, by its number in the map `guests`. Addresses are those of the ELF file.
struct wire_guest {
    __u32 kind;       // enum wire_guest_kind; 0: none
    __u32 version;    // of the guest: major << 8 | minor
    __u64 text_delta; // address less file offset, of the code of the loop
    __u64 key; // CPython: the address of the pthread key that leads to a thread's state; PHP: that of the variable
    __u64 code_type; // of PyCode_Type
    union {
        struct wire_cpython cpython;
        struct wire_php php;
    };
};

#define WIRE_GUESTS_MAX        256   // binaries with a guest
#define WIRE_GUEST_CODES_MAX   16384 // contents of code objects known to the kernel side at once
#define WIRE_GUEST_TEXT_BYTES  256
#define WIRE_GUEST_TABLE_BYTES 4096
#define WIRE_GUEST_UTF8        0 // in place of the bytes a character

// Contents of a code object that got a number, through the ring buffer `guest_notes`: up to the table's end.
struct wire_guest_note {
    __u32 kind, id, version, first_line;
    __u32 name_bytes, file_bytes; // of texts as they stand in memory, cut to WIRE_GUEST_TEXT_BYTES
    __u32 name_width, file_width; // bytes a character: 1, 2 or 4, or WIRE_GUEST_UTF8
    __u32 table_bytes;            // of the table of lines, as much as is here; PHP: of the name of the function's class
    __u32 table_length;           // of the whole table
    __u8 name[WIRE_GUEST_TEXT_BYTES];
    __u8 file[WIRE_GUEST_TEXT_BYTES];
    __u8 table[WIRE_GUEST_TABLE_BYTES];
};

#if defined(__STDC_VERSION__) && __STDC_VERSION__ >= 201112L
_Static_assert(sizeof(struct wire_cpython) == 16, "no holes");
_Static_assert(sizeof(struct wire_php) == 8 + 8 * WIRE_PHP_CALLERS, "no holes");
_Static_assert(sizeof(struct wire_guest) == 32 + sizeof(struct wire_php), "no holes");
_Static_assert(sizeof(struct wire_guest_note) == 40 + 2 * WIRE_GUEST_TEXT_BYTES + WIRE_GUEST_TABLE_BYTES, "no holes");
#endif

#endif

// CPython in an ELF file: by the symbols of its evaluation loop and of its state, which also stripped builds export.
//
//   3.11           offsets by table
//   3.13 and later struct _Py_DebugOffsets at the head of _PyRuntime: "xdebugpy", version, then 64-bit offsets
//                  (Include/internal/pycore_runtime.h and pycore_debug_offsets.h)
#include "symbolizer/guests/guest_cpython.h"

#include <string.h>

#include "symbolizer/arch/guest_shapes.h"

enum { RUNTIME, LOOP, CODE_TYPE, THREAD_STATE, VERSION, SYMBOLS };

#define FUNCTION_BYTES 48 // of the short function that is read
#define TSS_KEY        4  // Py_tss_t._key

static const struct wire_cpython offsets_3_11 = {
    .anchor = WIRE_CPYTHON_CFRAME,
    .thread_frame = 56,
    .frame_code = 32,
    .frame_previous = 48,
    .frame_instruction = 56,
    .frame_end = 68,
    .code_line = 72,
    .code_file = 112,
    .code_name = 128,
    .code_table = 136,
    .code_from = 72,
    .code_bytes = 184,
    .text_ascii = 48,
    .text_compact = 72,
    .kind_shift = 2,
};

// --- struct _Py_DebugOffsets

#define HEAD_BYTES 1024 // of _PyRuntime that are read
#define COOKIE     "xdebugpy"

// Words behind the cookie, by minor version.
struct places {
    uint8_t minor;
    uint8_t current_frame;
    uint8_t frame_previous, frame_code, frame_instruction, frame_owner;
    uint8_t code_file, code_name, code_table, code_line, code_bytes; // code_name: the qualified one
};
#define FREE_THREADED 2 // the word that says so

static const struct places places_of[] = {
    {.minor = 13,
     .current_frame = 23,
     .frame_previous = 29,
     .frame_code = 30,
     .frame_instruction = 31,
     .frame_owner = 33,
     .code_file = 35,
     .code_name = 37,
     .code_table = 38,
     .code_line = 39,
     .code_bytes = 43},
    {.minor = 14,
     .current_frame = 26,
     .frame_previous = 32,
     .frame_code = 33,
     .frame_instruction = 34,
     .frame_owner = 36,
     .code_file = 40,
     .code_name = 42,
     .code_table = 43,
     .code_line = 44,
     .code_bytes = 48},
};

static bool fits(uint64_t offset)
{
    return offset < 256;
}

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t most(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

// Whether the kernel side can read what it needs in two pieces: of a frame and of a code object.
static bool take_offsets(const struct places *places, const uint64_t words[HEAD_BYTES / 8], struct wire_cpython *ret)
{
    uint64_t file = words[places->code_file], name = words[places->code_name], table = words[places->code_table],
             line = words[places->code_line], end = words[places->frame_owner];
    uint64_t from = least(least(file, name), least(table, line)) & ~7ull;
    if (most(most(file, name), most(table, line)) + 8 > from + 96 || !fits(from + 96) ||
        !fits(words[places->current_frame]) || !fits(words[places->code_bytes]))
        return false;
    uint64_t previous = words[places->frame_previous], code = words[places->frame_code],
             instruction = words[places->frame_instruction];
    if (most(most(previous, code), most(instruction, end)) + 8 > 88)
        return false;
    *ret = (struct wire_cpython){
        .anchor = WIRE_CPYTHON_ENTRY_FRAME,
        .thread_frame = (uint8_t)words[places->current_frame],
        .frame_code = (uint8_t)code,
        .frame_previous = (uint8_t)previous,
        .frame_instruction = (uint8_t)instruction,
        .frame_end = (uint8_t)end,
        .code_line = (uint8_t)line,
        .code_file = (uint8_t)file,
        .code_name = (uint8_t)name,
        .code_table = (uint8_t)table,
        .code_from = (uint8_t)from,
        .code_bytes = (uint8_t)words[places->code_bytes],
        .text_ascii = 40,
        .text_compact = 56,
        .kind_shift = 2,
    };
    return true;
}

static const char *read_offsets(const struct unwind_elf *elf, uint64_t runtime, uint32_t version,
                                struct wire_cpython *ret)
{
    uint64_t words[HEAD_BYTES / 8];
    if (guest_file__read(elf, runtime, words, sizeof(words)) != 0 || memcmp(words, COOKIE, 8) != 0)
        return "its offsets (struct _Py_DebugOffsets) are not in the file";
    if (words[FREE_THREADED])
        return "a build without the global lock (free-threaded)";
    for (size_t i = 0; i < sizeof(places_of) / sizeof(places_of[0]); i++)
        if (version == (3u << 8 | places_of[i].minor))
            return take_offsets(&places_of[i], words, ret) ? NULL
                                                           : "its offsets (struct _Py_DebugOffsets) make no sense";
    return "a version of CPython that hearth does not know";
}

// --- The file

static uint32_t version_of(const struct unwind_elf *elf, const struct guest_symbol *symbol)
{
    uint32_t hex = 0; // PY_VERSION_HEX
    if (!symbol->address || guest_file__read(elf, symbol->address, &hex, sizeof(hex)) != 0)
        return 0;
    return hex >> 16;
}

// The key that leads to a thread's state. glibc's alone: other C libraries keep their keys elsewhere.
static bool find_key(const struct unwind_elf *elf, const struct guest_symbol *symbols, __u64 *ret_key)
{
    const struct guest_symbol *runtime = &symbols[RUNTIME], *getter = &symbols[THREAD_STATE];
    uint8_t code[FUNCTION_BYTES];
    struct guest_argument argument;
    size_t bytes = getter->bytes < sizeof(code) ? getter->bytes : sizeof(code);
    if (!getter->address || guest_file__read(elf, getter->address, code, bytes) != 0 ||
        !guest_shapes__argument(code, bytes, getter->address, runtime->address, &argument))
        return false;
    uint64_t key = argument.address + (argument.is_value ? 0 : TSS_KEY);
    if (key < runtime->address || key - runtime->address >= runtime->bytes)
        return false;
    *ret_key = key;
    return true;
}

static bool needs_glibc(const struct unwind_elf *elf)
{
    struct unwind_section names;
    if (unwind_elf__section(elf, ".dynstr", &names) != 0 || !names.data)
        return false;
    bool needs = memmem(names.data, names.bytes, "\0libc.so.6", sizeof("\0libc.so.6")) != NULL;
    unwind_section__free(&names);
    return needs;
}

static const char *learn(const struct unwind_elf *elf, const struct guest_symbol *symbols, struct wire_guest *guest)
{
    if (!symbols[CODE_TYPE].address || !symbols[THREAD_STATE].address)
        return "symbols that it is followed by are missing";
    if (!needs_glibc(elf))
        return "its C library is not glibc";
    uint64_t offset, left;
    if (!unwind_elf__offset_of(elf, symbols[LOOP].address, &offset, &left))
        return "its evaluation loop is not in the file";
    guest->text_delta = symbols[LOOP].address - offset;
    guest->code_type = symbols[CODE_TYPE].address;
    guest->version = version_of(elf, &symbols[VERSION]);
    if (!find_key(elf, symbols, &guest->key))
        return "the key of its threads was not found in its code";
    if (guest->version == 0x030b) {
        guest->cpython = offsets_3_11;
        return NULL;
    }
    return guest->version > 0x030c ? read_offsets(elf, symbols[RUNTIME].address, guest->version, &guest->cpython)
                                   : "a version of CPython that hearth does not know";
}

bool guest_cpython__find(const struct unwind_elf *elf, struct guest_found *ret_found)
{
    struct guest_symbol symbols[SYMBOLS] = {[RUNTIME] = {.name = "_PyRuntime"},
                                            [LOOP] = {.name = "_PyEval_EvalFrameDefault"},
                                            [CODE_TYPE] = {.name = "PyCode_Type"},
                                            [THREAD_STATE] = {.name = "PyGILState_GetThisThreadState"},
                                            [VERSION] = {.name = "Py_Version"}};
    if (guest_symbols__read(elf, symbols, SYMBOLS) != 0 || !symbols[RUNTIME].address || !symbols[LOOP].address)
        return false;
    struct wire_guest guest = {.kind = WIRE_GUEST_CPYTHON};
    const char *refused = learn(elf, symbols, &guest);
    guest_found__set(ret_found, &guest, symbols[LOOP].address, refused);
    return true;
}

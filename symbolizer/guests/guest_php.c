// PHP in an ELF file (the command, FPM, a web server's module): by the symbols of its loop and its state, which it
// exports for its extensions. The version is that of the interface for extensions of the engine, "API420220829,NTS" in
// its constants; NTS: without threads.
#include "symbolizer/guests/guest_php.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { GLOBALS, LOOP, CALLERS, SYMBOLS = CALLERS + WIRE_PHP_CALLERS };

#define CURRENT_EXECUTE_DATA 488 // of struct _zend_executor_globals, 7.4 to 8.4

#define BUILD        "API"
#define BUILD_DIGITS 9 // the generation of the engine, and the day

// Zend/zend_extensions.h has the interface, Zend/zend_compile.h struct _zend_op_array.
static const struct layout {
    uint32_t interface;
    uint32_t version;
    struct wire_php php;
} layouts[] = {
    {320190902, 0x0704, {.code_count = 60, .code_opcodes = 64, .code_file = 136, .code_line = 144}},
    {420200930, 0x0800, {.code_count = 68, .code_opcodes = 72, .code_file = 144, .code_line = 152}},
    {420210902, 0x0801, {.code_count = 68, .code_opcodes = 72, .code_file = 144, .code_line = 152}},
    {420220829, 0x0802, {.code_count = 80, .code_opcodes = 88, .code_file = 152, .code_line = 160}},
    {420230831, 0x0803, {.code_count = 76, .code_opcodes = 80, .code_file = 144, .code_line = 152}},
    {420240924, 0x0804, {.code_count = 96, .code_opcodes = 104, .code_file = 168, .code_line = 176}},
};

struct build {
    uint32_t interface; // 0: not found
    bool is_debug;
};

// "API", the interface, then ",NTS" or ",TS", then perhaps ",debug", up to a NUL.
static bool read_build(const char *text, size_t bytes, struct build *ret_build)
{
    char digits[BUILD_DIGITS + 1] = {0};
    const char *rest = text + sizeof(BUILD) - 1 + BUILD_DIGITS;
    if (bytes < sizeof(BUILD) + BUILD_DIGITS + sizeof(",NTS"))
        return false;
    for (size_t i = 0; i < BUILD_DIGITS; i++)
        if (!isdigit((unsigned char)(digits[i] = text[sizeof(BUILD) - 1 + i])))
            return false;
    if (memcmp(rest, ",NTS", 4) != 0)
        return false;
    *ret_build = (struct build){(uint32_t)strtoul(digits, NULL, 10), rest[4] != '\0'};
    return true;
}

static struct build find_build(const struct unwind_elf *elf)
{
    struct unwind_section constants = {0};
    struct build build = {0};
    if (unwind_elf__section(elf, ".rodata", &constants) != 0 || !constants.data)
        return build;
    const char *at = (const char *)constants.data, *end = at + constants.bytes;
    for (; (at = memmem(at, (size_t)(end - at), BUILD, sizeof(BUILD) - 1)); at++)
        if (read_build(at, (size_t)(end - at), &build))
            break;
    unwind_section__free(&constants);
    return build;
}

static const char *take_layout(struct build build, struct wire_guest *guest)
{
    if (!build.interface)
        return "its version (API420220829,NTS or the like) is not in the file";
    if (build.is_debug)
        return "a debug build of PHP";
    for (size_t i = 0; i < sizeof(layouts) / sizeof(layouts[0]); i++)
        if (layouts[i].interface == build.interface) {
            guest->version = layouts[i].version;
            guest->php = layouts[i].php;
            return NULL;
        }
    return "a version of PHP that hearth does not know";
}

static void take_callers(const struct unwind_elf *elf, const struct guest_symbol *symbols, struct wire_php *php)
{
    for (size_t i = 0; i < WIRE_PHP_CALLERS; i++) {
        uint64_t offset, left;
        if (symbols[i].address && unwind_elf__offset_of(elf, symbols[i].address, &offset, &left) &&
            symbols[i].bytes <= left && offset + symbols[i].bytes <= UINT32_MAX)
            php->callers[i] = (struct wire_php_caller){(uint32_t)offset, (uint32_t)(offset + symbols[i].bytes)};
    }
}

static const char *learn(const struct unwind_elf *elf, const struct guest_symbol *symbols, struct wire_guest *guest)
{
    uint64_t offset, left;
    if (!symbols[GLOBALS].address)
        return "a thread-safe build of PHP (ZTS)";
    if (!unwind_elf__offset_of(elf, symbols[LOOP].address, &offset, &left))
        return "its loop is not in the file";
    guest->text_delta = symbols[LOOP].address - offset;
    guest->key = symbols[GLOBALS].address + CURRENT_EXECUTE_DATA;
    const char *refused = take_layout(find_build(elf), guest);
    if (!refused)
        take_callers(elf, symbols + CALLERS, &guest->php);
    return refused;
}

bool guest_php__find(const struct unwind_elf *elf, struct guest_found *ret_found)
{
    struct guest_symbol symbols[SYMBOLS] = {[GLOBALS] = {.name = "executor_globals"},
                                            [LOOP] = {.name = "execute_ex"},
                                            [CALLERS + WIRE_PHP_CALL] = {.name = "zend_call_function"},
                                            [CALLERS + WIRE_PHP_INIT] = {.name = "zend_init_func_execute_data"},
                                            [CALLERS + WIRE_PHP_EXECUTE] = {.name = "zend_execute"},
                                            [CALLERS + WIRE_PHP_GENERATOR] = {.name = "zend_generator_resume"}};
    if (guest_symbols__read(elf, symbols, SYMBOLS) != 0 || !symbols[LOOP].address ||
        !symbols[CALLERS + WIRE_PHP_CALL].address)
        return false;
    struct wire_guest guest = {.kind = WIRE_GUEST_PHP};
    const char *refused = learn(elf, symbols, &guest);
    guest_found__set(ret_found, &guest, symbols[LOOP].address, refused);
    return true;
}

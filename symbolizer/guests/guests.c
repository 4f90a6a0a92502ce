#include "symbolizer/guests/guests.h"

#include "symbolizer/guests/guest_cpython.h"
#include "symbolizer/guests/guest_php.h"

static guest_find_fn *const finders[] = {guest_cpython__find, guest_php__find};

void guests__find(int fd, struct guest_found *ret_found)
{
    struct unwind_elf elf;
    *ret_found = (struct guest_found){0};
    if (unwind_elf__open(fd, NULL, 0, NULL, &elf) != 0)
        return;
    for (size_t i = 0; i < sizeof(finders) / sizeof(finders[0]); i++) {
        struct guest_found found = {0};
        if (finders[i](&elf, &found)) {
            *ret_found = found;
            break;
        }
    }
    unwind_elf__close(&elf);
}

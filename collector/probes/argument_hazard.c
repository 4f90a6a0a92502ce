#include "collector/probes/argument_hazard.h"

#include <stddef.h>
#include <string.h>

const char *argument_hazard__of(const char *function, uint64_t offset, enum return_hazard hazard)
{
    // Names that GCC gives to functions whose arguments it has left out, or passes in another way (gcc/ipa-cp.cc,
    // ipa-sra.cc, ipa-split.cc).
    static const char *const changed[] = {".isra.", ".constprop.", ".part."};
    if (offset)
        return "behind the entry of a function its registers and its stack have other uses";
    if (hazard == RETURN_GO && strchr(function, '.')) // a function of C that is linked in has no package
        return "Go passes arguments by a convention of its own";
    for (size_t i = 0; i < sizeof(changed) / sizeof(changed[0]); i++)
        if (strstr(function, changed[i]))
            return "the compiler has changed which arguments the function takes";
    return NULL;
}

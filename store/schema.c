#include "store/schema.h"

// The path is seen from the root of the tree, where make runs.
__asm__(".section .rodata\n"
        ".global schema_sql\n"
        ".type schema_sql, %object\n"
        "schema_sql:\n"
        ".incbin \"store/schema.sql\"\n"
        ".byte 0\n"
        ".size schema_sql, . - schema_sql\n"
        ".previous\n");
